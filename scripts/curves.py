"""Draw how the terms of a training run went, one panel each, from its log.

    python scripts/curves.py mine.log/log.jsonl [older.log/log.jsonl ...] > docs/training/curves.svg

Several logs are several runs, in the order given. Every point is the mean of EACH steps: the terms
of single steps, each of other pictures, vary by a half.
"""

import json
import sys
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
    runs = [
        (name, [json.loads(line) for line in Path(name).read_text().splitlines()])
        for name in sys.argv[1:]
    ]
    panels = []
    for number, term in enumerate(TERMS):
        series = [Points(name, curve(run, term), line=True) for name, run in runs]
        panel = plane(term, series, "steps", term, None)
        x, y = WIDTH * (number % 2), HEIGHT * (number // 2)
        panels.append(
            panel.replace("<svg ", f'<svg x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" ', 1)
        )
    size = f"0 0 {2 * WIDTH} {HEIGHT * (len(TERMS) // 2)}"
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}"><style>{STYLE}</style>')
    print("\n".join(panels), "</svg>", sep="\n")


def curve(run: list[dict], term: str) -> tuple[tuple[float, float], ...]:
    """Return (step, mean of the EACH steps up to it) for every full EACH steps."""
    points = []
    for start in range(0, len(run) - EACH + 1, EACH):
        values = [step[term] for step in run[start : start + EACH] if term in step]
        if values:
            points.append((float(run[start + EACH - 1]["step"]), sum(values) / len(values)))
    return tuple(points)


if __name__ == "__main__":
    main()
