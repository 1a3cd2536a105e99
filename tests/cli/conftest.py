"""The command, run in the process of the tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vstyle.cli import app as door


@pytest.fixture
def vstyle(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; return its exit code and what it said on stdout, stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = door.exit_code(lambda: door.app([str(argument) for argument in arguments]))
        return code, *capfd.readouterr()

    return run
