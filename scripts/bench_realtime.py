"""Print the bars of real time on a CPU against what is measured here, all sides in one run.

python scripts/bench_realtime.py [--clip FILE] [--int8 FILE] [--runs N]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from vstyle.bench.clips import workplace
from vstyle.bench.realtime import Bar, measure


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, help="default: the rendered one")
    parser.add_argument("--int8", type=Path, help="default: the one that ships")
    parser.add_argument("--runs", type=int, default=3)
    wanted = parser.parse_args()
    with workplace() as folder:
        found = measure(wanted.clip, wanted.int8, wanted.runs, folder)
        bars = [each for each in found if isinstance(each, Bar) or print(each, file=sys.stderr)]
    print("| | measured | bar | | |\n| --- | --- | --- | --- | --- |")
    for bar in bars:
        limit = f"{'at least' if bar.least else 'at most'} {bar.bar:g}"
        met = "met" if bar.met else "missed"
        print(f"| {bar.name} | {bar.measured:.3g} | {limit} | {met} | {bar.beside} |")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"\nCores used: {cores}{load}.")


if __name__ == "__main__":
    main()
