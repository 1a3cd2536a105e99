"""Write the table of benchmark results into the README, from the documents in docs/benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from vstyle.bench import document
from vstyle.bench.document import Document
from vstyle.bench.tables import number, percent

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "benchmarks"
BEGIN, END = "<!-- results: scripts/bench_table.py -->\n", "<!-- end of results -->\n"
SPEED = ("machine", "model", "size", "fps", "floor", "network", "start-up", "memory", "date")
QUALITY = ("model", "pairs", "style", "content", "SSIM", "tRMSE", "source's", "date")


def table(documents: list[Document]) -> str:
    """Return the results as Markdown: a row for each, then commands and what must be known."""
    lines: list[str] = []
    for heads, rows in ((SPEED, _speed), (QUALITY, _quality)):
        found = [_row(cells) for each in documents for cells in rows(each)]
        if found:
            lines += [_row(heads), _row(["---"] * len(heads)), *found, ""]
    for each in documents:
        lines += [f"{each.made[:10]}: `{' '.join(each.command)}`", ""]
        lines += [*(f"- {note}" for note in each.notes), ""]
    return "\n".join(lines)


def _quality(found: Document) -> Iterator[list[str]]:
    for row in found.quality:
        mean = row.mean
        measures = (mean.style, mean.content, mean.ssim, mean.trmse, mean.source_trmse)
        numbers = [number(value) for value in measures]
        yield [f"{row.model}, {row.precision}", str(len(row.pairs)), *numbers, found.made[:10]]


def _speed(found: Document) -> Iterator[list[str]]:
    cpu = found.environment["cpu"]
    floors = {floor.size: floor for floor in found.floors}
    for row in found.speed:
        gpus = [gpu["name"] for gpu in found.environment["gpus"]]
        place = gpus[int(row.device.partition(":")[2] or 0)] if "cuda" in row.device else ""
        floor = floors.get(row.size)
        yield [
            place or f"{cpu['name']}, cores used: {cpu['usable_cores']}",
            f"{row.model}, {row.precision}",
            row.size,
            f"{number(row.fps.median)} (spread {percent(row.fps.spread)})",
            number(floor.fps.median) if floor else "-",
            f"{number(row.network_ms.median)} ms",
            f"{number(row.startup_s)} s",
            f"{number(row.peak_rss_mb)} MB",
            found.made[:10],
        ]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def read_all() -> list[Document]:
    """Return the committed results, in the order of their names."""
    return [document.read(path) for path in sorted(RESULTS.glob("*.json"))]


def placed(page: str, results: str) -> str:
    """Return a page with the results between its two marks, in place of what is there.

    Raises ValueError unless each mark is there once, on a line of its own, the end after the
    beginning: what lies between them is thrown away.
    """
    lines = page.splitlines(keepends=True)
    if (lines.count(BEGIN), lines.count(END)) != (1, 1) or lines.index(END) < lines.index(BEGIN):
        raise ValueError(f"there must be one {BEGIN.strip()} and, after it, one {END.strip()}")
    before, after = lines[: lines.index(BEGIN) + 1], lines[lines.index(END) :]
    return "".join([*before, f"\n{results}\n", *after])


def main() -> None:
    """Put the table into the README."""
    try:
        page = placed(README.read_text(encoding="utf-8"), table(read_all()))
    except ValueError as error:
        sys.exit(f"{README.name} stays as it is: {error}")
    README.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
