"""Draw how the terms of a training run went, one panel each, from its log.

    python scripts/curves.py mine.log/log.jsonl [older.log/log.jsonl ...] > docs/training/curves.svg

Several logs are several runs, in the order given. Every point is the mean of EACH steps: the terms
of single steps, each of other pictures, vary by a half. Lines that were cut short and terms that
were not finite are left out; if that leaves nothing to draw, that is said, with exit code 1.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path

from vstyle.bench.plots import HEIGHT, WIDTH, Points, plane

TERMS = ("content", "structure", "moments", "gram", "tone", "flow")
EACH = 50  # steps
STYLE = """svg { font: 12px sans-serif; background: #fff }
text { fill: #333 } .grid { stroke: #ddd } polyline { fill: none; stroke-width: 2 }
polyline.s1 { stroke: #1f5fbf } polyline.s2 { stroke: #d2691e } polyline.s3 { stroke: #2e8b57 }
polyline.s4 { stroke: #8b3a8b } polyline.s5 { stroke: #777 }"""


def main() -> None:
    """Read the logs named on the command line, and print a picture."""
    runs = [(name, read(Path(name))) for name in sys.argv[1:]]
    drawn = [[Points(name, curve(run, term), line=True) for name, run in runs] for term in TERMS]
    if not any(points.at for series in drawn for points in series):
        sys.exit(f"nothing to draw: no log has {EACH} steps with any of {', '.join(TERMS)}")
    panels = []
    for number, (term, series) in enumerate(zip(TERMS, drawn, strict=True)):
        panel = plane(term, series, "steps", term, None)
        x, y = WIDTH * (number % 2), HEIGHT * (number // 2)
        panels.append(
            panel.replace("<svg ", f'<svg x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" ', 1)
        )
    size = f"0 0 {2 * WIDTH} {HEIGHT * (len(TERMS) // 2)}"
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}"><style>{STYLE}</style>')
    print("\n".join(panels), "</svg>", sep="\n")


def read(path: Path) -> list[dict]:
    """Return the steps of a log, without the line that a killed run was writing."""
    steps = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(json.JSONDecodeError):
            steps.append(json.loads(line))
    return steps


def curve(run: list[dict], term: str) -> tuple[tuple[float, float], ...]:
    """Return (step, mean of the EACH steps up to it) for every full EACH steps.

    What is no number (the log has `"nan"`, say, for a term that was not finite) does not count.
    """
    points = []
    for start in range(0, len(run) - EACH + 1, EACH):
        values = [step.get(term) for step in run[start : start + EACH]]
        values = [value for value in values if isinstance(value, int | float)]
        if values:
            points.append((float(run[start + EACH - 1]["step"]), sum(values) / len(values)))
    return tuple(points)


if __name__ == "__main__":
    main()
