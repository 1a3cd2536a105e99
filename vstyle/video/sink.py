"""The sink end: frames and packets go through a pipe to ffmpeg, which writes a file."""

from collections.abc import Iterator
from contextlib import contextmanager

from av.video.stream import VideoStream

from vstyle.video import ffmpeg
from vstyle.video.command import command_for
from vstyle.video.covers import covers_beside
from vstyle.video.decode import Source
from vstyle.video.part import part_file, publish
from vstyle.video.pipe import Pipe
from vstyle.video.plan import Plan
from vstyle.video.standard import STANDARD
from vstyle.video.streams import ATTACHED, PIPE


@contextmanager
def open_sink(
    plan: Plan, source: Source, stdout: int = 1, encoded: VideoStream | None = None
) -> Iterator[Pipe]:
    """Start ffmpeg and give the pipe to it; the file appears when the block ends without an error.

    If it ends with one, whatever it is, ffmpeg is ended and nothing is left, unless it is to be
    kept. OutputError if the place cannot be written, or ffmpeg fails. What is for STANDARD is
    written to the descriptor `stdout`; BrokenPipeError if its reader has left. With `encoded` the
    pipe takes packets of such a stream in place of frames.
    """
    if plan.destination == STANDARD:
        with _feeding(plan, source, encoded, stdout) as pipe:
            yield pipe
        return
    with part_file(plan.destination, plan.keep) as part:
        with _feeding(plan, source, encoded) as pipe:
            yield pipe
        # Without times a file is as long as its frames are many.
        last = None if plan.container.untimed else pipe.last
        publish(part, plan.destination, last, plan.replaces)


@contextmanager
def _feeding(
    plan: Plan, source: Source, encoded: VideoStream | None, stdout: int | None = None
) -> Iterator[Pipe]:
    """Run ffmpeg, yield the pipe to it, and see that it ends well."""
    attached = [way.stream for way in plan.routes if way.source == ATTACHED]
    with (
        covers_beside(plan.destination, source.clip.path, attached),
        ffmpeg.running(command_for(plan, source.clip), stdout, plan.keep, plan.patience) as child,
    ):
        piped = {way.stream for way in plan.routes if way.source == PIPE}
        streams = [stream for stream in source.streams if stream.index in piped]
        pipe = Pipe(
            source, streams, plan.even, child.send, encoded, planar=plan.planar, ends=plan.ends
        )
        yield pipe
        pipe.close()
        child.finish()
