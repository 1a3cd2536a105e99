"""Print where the CPU time of a painted frame goes, stage by stage, in milliseconds of one core.

    python scripts/account.py CLIP STYLE [--model student-int8]

Stages are measured by the work of their own threads, all running as they do for `vstyle stylize`.
FFmpeg decodes, and the network paints, with threads of their own: decoding is measured once more
by itself, and the network is what is left of the whole process.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from vstyle.bench.stopwatch import AHEAD, Stopwatch
from vstyle.engine.build import build_engine
from vstyle.video.decode import open_clip
from vstyle.video.stylize import stylize

SHOWN = {
    "decode": "decode, convert to RGB",
    "flow": "motion there and back, trust, canvas",
    "ready": "strokes, relief, blocks",
    "carry": "carry the last picture along",
    "paint": "the network",
    "grade": "grade",
    "encode": "to planes of 4:2:0, to the pipe",
    "ffmpeg": "ffmpeg: from the pipe, x264",
}


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("style")
    parser.add_argument("--model", default="student-int8")
    wanted = parser.parse_args()
    engine, _ = build_engine(wanted.model, wanted.style, "cpu")
    with TemporaryDirectory() as folder:
        target = Path(folder) / "painted.mp4"
        stylize(wanted.clip, target, lambda: engine)  # to warm up
        watch = Stopwatch(time.thread_time)
        timed = watch.around(engine)
        before = os.times()
        report = stylize(
            wanted.clip, target, lambda: timed, overwrite=True, watch=watch.watch, tap=watch.tap
        )
        after = os.times()
    ours, ffmpeg = (sum(after[i : i + 2]) - sum(before[i : i + 2]) for i in (0, 2))
    spent = {name: sum(watch.seconds[name]) for name in (*AHEAD, "carry", "grade", "encode")}
    spent["decode"] = decoding(wanted.clip)
    spent |= {"paint": ours - sum(spent.values()), "ffmpeg": ffmpeg}
    print("| stage | core-ms |\n| --- | --- |")
    for name, words in SHOWN.items():
        print(f"| {words} | {1000 * spent[name] / report.frames:.1f} |")
    print(f"| **sum** | {1000 * (ours + ffmpeg) / report.frames:.1f} |")
    print(f"\n{report.frames} frames in {report.seconds:.1f} s.")


def decoding(clip: Path) -> float:
    """Return the seconds of all cores that reading a clip takes."""
    with open_clip(clip) as source:
        begin = time.process_time()
        for _ in source.items:
            pass
        return time.process_time() - begin


if __name__ == "__main__":
    main()
