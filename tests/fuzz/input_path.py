"""Fuzz target: any bytes as a clip, from the file to what ffmpeg is given.

FFmpeg itself is not instrumented: coverage guides the search by what our side does with what
FFmpeg finds, and a crash in FFmpeg ends the run like one of ours.

python tests/fuzz/input_path.py -runs=5000
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import suppress
from itertools import islice
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))

with atheris.instrument_imports(include=["vstyle"]):
    from vstyle.engine.base import Identity
    from vstyle.errors import VstyleError
    from vstyle.video.decode import open_clip
    from vstyle.video.ffmpeg import executable
    from vstyle.video.flow import track
    from vstyle.video.paint import paint
    from vstyle.video.pipe import Pipe
    from vstyle.video.plan import Encoding, plan_encoding
    from vstyle.video.streams import PIPE
    from vstyle.video.stylize import frames_of

from common import fuzz

FRAMES = 12  # of a case that are painted


def check(case: Path) -> None:
    """Open the clip, plan its encoding, and paint it into a pipe whose end is nowhere."""
    with suppress(VstyleError), open_clip(case) as source:
        plan = plan_encoding(source, Path("out.mkv"), Encoding())
        piped = {way.stream for way in plan.routes if way.source == PIPE}
        streams = [stream for stream in source.streams if stream.index in piped]
        pipe = Pipe(source, streams, plan.even, lambda _: None, planar=plan.planar, ends=plan.ends)
        frames = frames_of(source.items, pipe.packet)
        for frame in islice(paint(track(frames), Identity()), FRAMES):
            pipe.frame(frame)
        pipe.close()
        source.damage.notes()


KINDS = {
    "mp4": "-c:v libx264 -bf 2 -c:a aac",
    "mkv": "-c:v libx264 -c:a libopus",
    "webm": "-c:v libvpx-vp9 -c:a libopus",
    "ts": "-c:v libx264 -c:a aac",
    "avi": "-c:v mpeg4 -c:a mp3",
    "nut": "-c:v ffv1 -c:a pcm_s16le",
    "flv": "-c:v libx264 -c:a aac",
    "gif": "-an",
    "y4m": "-an",
    "mov": "-c:v prores_ks -c:a pcm_s16le",
    "png": "-an -frames:v 1",
    "jpg": "-an -frames:v 1",
}


def seeds() -> dict[str, bytes]:
    """Make a clip of five frames in each container."""
    found = {}
    sources = "-f lavfi -i testsrc2=s=32x32:r=25:d=0.2,format=yuv420p -f lavfi -i sine=d=0.2"
    with tempfile.TemporaryDirectory() as folder:
        for kind, words in KINDS.items():
            path = Path(folder, f"clip.{kind}")
            command = [executable(), "-loglevel", "error", *sources.split(), *words.split()]
            subprocess.run([*command, str(path)], check=True)
            found[kind] = path.read_bytes()
    return found


if __name__ == "__main__":
    fuzz(check, seeds(), longest=65536)
