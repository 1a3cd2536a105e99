"""What the tests of faults begin from."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fidelity.fault import Run


@pytest.fixture
def start(tmp_path: Path, long_clip: Path, cfr: Path) -> Callable[..., Run]:
    """Start the command in a folder with `long.mp4`, `short.mp4` and an `out.mkv` of before."""
    folder = tmp_path / "desk"
    folder.mkdir()
    os.link(long_clip, folder / "long.mp4")
    os.link(cfr, folder / "short.mp4")

    def run(words: str, script: str = "", **pipes: object) -> Run:
        return Run(folder, words, script, **pipes)

    return run


@pytest.fixture(scope="session")
def fast(clips: Path, long_clip: Path, ffmpeg: Callable[..., None]) -> Path:
    """Copy the long clip into an mp4 with its index in front."""
    path = clips / "long-fast.mp4"
    ffmpeg("-i", long_clip, "-c", "copy", "-movflags", "+faststart", path)
    return path
