"""docs/fidelity.md and the tests hold each other to their word.

A test calls the fixture `enter` with a table and the cells of one row, its result among them. The
committed page must have that very row. `make fidelity` writes the page anew from what was entered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"

HEAD = """# Fidelity

What goes in comes out, painted. Each row below is a test that runs the whole path with an engine
that paints nothing, and this page is what the tests found: `make fidelity` writes it, `make test`
and `make test-all` fail where it is not true.
"""


@dataclass(frozen=True)
class Table:
    """One section of the page."""

    title: str
    words: str  # what is under the title
    columns: tuple[str, ...]


MATRIX = Table(
    "Clips",
    "Clips of twelve patches of known colour that change places from frame to frame, made by\n"
    "ffmpeg; `tests/fidelity/cases.py` holds them. ffmpeg decodes the source and the result for\n"
    "the comparison.",
    ("source", "options and output", "frames and times", "picture", "other streams"),
)
FAULTS = Table(
    "Faults",
    "What goes wrong, when, and what is left then. No child process and no part file stay behind,\n"
    "and no file that was there before changes.",
    ("fault", "moment", "exit code", "what is said, what is left"),
)
MEMORY = Table(
    "Memory",
    "What the process holds, from frame 1,000 on. On 2026-11-22, on one busy core, over 5,000\n"
    "frames each, it grew by 0.20 MB for 1,000 frames with the engine that paints nothing, to\n"
    "103 MB, and by 0.14 MB with the student, to 186 MB.",
    ("painter", "clip", "memory"),
)
TABLES = (MATRIX, FAULTS, MEMORY)

Enter = Callable[..., None]
"""Call it with a table and its cells, as texts."""

_entered: dict[Table, dict[str, None]] = {table: {} for table in TABLES}  # an ordered set of rows


def line_of(cells: tuple[str, ...]) -> str:
    """Return a row as it stands on the page."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rows_of(table: Table, page: Path = PAGE) -> list[str]:
    """Return the rows of a table as committed, as lines; none if it is not on the page."""
    text = page.read_text() if page.exists() else ""
    section = text.partition(f"## {table.title}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def write(rows: dict[Table, list[str]], page: Path = PAGE) -> None:
    """Write the page; a table without rows is left out."""
    parts = [HEAD]
    for table, lines in rows.items():
        if lines:
            rule = "|---" * len(table.columns) + "|"
            head = f"## {table.title}\n\n{table.words}\n\n{len(lines)} rows.\n\n"
            parts.append(head + "\n".join([line_of(table.columns), rule, *lines]) + "\n")
    page.write_text("\n".join(parts))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-fidelity", action="store_true", help="Write docs/fidelity.md anew.")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the page if asked to; a table that no test entered anything in stays as it is."""
    if session.config.getoption("--write-fidelity") and exitstatus == 0:
        write({table: list(_entered[table]) or rows_of(table) for table in TABLES})


@pytest.fixture
def enter(request: pytest.FixtureRequest) -> Enter:
    """Hold a row against the committed page, or keep it for the page to be written."""
    writing = request.config.getoption("--write-fidelity")

    def hold(table: Table, *cells: str) -> None:
        assert len(cells) == len(table.columns)
        line = line_of(cells)
        if writing:
            _entered[table][line] = None
        else:
            assert line in rows_of(table), "docs/fidelity.md says otherwise: run `make fidelity`"

    return hold


@pytest.fixture
def committed(request: pytest.FixtureRequest) -> Callable[[Table], list[str]]:
    """Return the rows of a table as committed; skip while the page is being written."""
    if request.config.getoption("--write-fidelity"):
        pytest.skip("the page is being written")
    return rows_of
