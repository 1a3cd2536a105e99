"""The sink end: frames and packets go through a pipe to ffmpeg, which writes a file.

The file grows under a hidden name beside its place, and takes its own name when it is complete.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vstyle.errors import OutputError
from vstyle.video import ffmpeg
from vstyle.video.codecs import codec_named, quality_options
from vstyle.video.colour import to_yuv_filters
from vstyle.video.decode import FORMATS, Clip, Source
from vstyle.video.pipe import Pipe, carried_codecs, shift_of
from vstyle.video.streams import Container, Route, container_for, route


@dataclass(frozen=True)
class Encoding:
    """What the user asks of the encoder; None is the default of the container or the codec."""

    codec: str | None = None  # a video encoder of ffmpeg
    crf: int | None = None  # quality: lower is better and larger
    preset: str | None = None  # how long the encoder may think


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first frame is painted."""

    destination: Path
    container: Container
    video: tuple[str, ...]  # ffmpeg's options for the picture
    even: bool  # odd sizes are padded by one pixel
    routes: tuple[Route, ...]  # how the other streams get there
    notes: tuple[str, ...]  # what the user should know: what is converted, padded, left out


def plan_encoding(source: Source, destination: Path, encoding: Encoding) -> Plan:
    """Decide how a source becomes a file; UsageError if it cannot become what is asked for."""
    clip = source.clip
    container = container_for(destination)
    name = encoding.codec or container.video
    codec = codec_named(name)
    options, notes = quality_options(name, encoding.crf, encoding.preset)
    filters = [f"setsar={clip.aspect.numerator}/{clip.aspect.denominator}"]
    if codec.yuv:
        filters += to_yuv_filters(clip.colour)
    routes, said = route(source.streams, container, carried_codecs())
    even = codec.yuv and bool(clip.width % 2 or clip.height % 2)
    if even:
        size = f"{clip.width}x{clip.height}"
        notes += (f"{size} is odd, {name} wants even: padded by one pixel right or below",)
    video = ["-vf", ",".join(filters), "-c:v", name, "-pix_fmt", codec.pixels, *options]
    return Plan(destination, container, tuple(video), even, routes, notes + said)


@contextmanager
def open_sink(plan: Plan, source: Source) -> Iterator[Pipe]:
    """Start ffmpeg and give the pipe to it; the file appears when the block ends without an error.

    If it ends with one, whatever it is, ffmpeg is ended and nothing is left. OutputError if the
    place cannot be written, or ffmpeg fails.
    """
    with _part_file(plan.destination) as part:
        with ffmpeg.running(command_for(plan, source.clip, part)) as child:
            piped = {way.stream for way in plan.routes if way.piped}
            streams = [stream for stream in source.streams if stream.index in piped]
            pipe = Pipe(source, streams, plan.even, child.send)
            yield pipe
            pipe.close()
            child.finish()
        _publish(part, plan.destination)


def command_for(plan: Plan, clip: Clip, part: Path) -> list[str]:
    """Return the ffmpeg command that reads the pipe and writes `part`."""
    command = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    # Times go through as they are, but for the shift of the pipe and the origin of the clip.
    command += ["-copyts", "-itsoffset", _seconds(-shift_of(clip) - clip.origin)]
    command += ["-protocol_whitelist", "pipe", "-f", "nut", "-i", "pipe:0"]
    if not all(way.piped for way in plan.routes):
        # What the pipe cannot carry, ffmpeg takes from the file, at the same times.
        command += ["-itsoffset", _seconds(-clip.origin), "-protocol_whitelist", "file"]
        command += ["-format_whitelist", FORMATS, "-i", f"file:{clip.path}"]
    command += ["-map", "0:v:0", *_routing(plan.routes)]
    command += ["-map_metadata", "0", "-map_chapters", "0", *plan.video]
    command += ["-fps_mode:v", "passthrough"]
    if plan.container.fixed_rate and clip.rate:
        command += ["-enc_time_base:v", f"{clip.rate.denominator}/{clip.rate.numerator}"]
    else:
        command += ["-enc_time_base:v", "demux"]
    return [*command, *plan.container.options, "-f", plan.container.muxer, f"file:{part}"]


def _seconds(time: Fraction) -> str:
    """Return a time as ffmpeg reads it, to the microsecond."""
    return f"{float(time):.6f}"


def _routing(routes: tuple[Route, ...]) -> list[str]:
    """Return ffmpeg's options for the streams other than the picture."""
    options: list[str] = []
    piped = 0
    for count, way in enumerate(routes, start=1):
        if way.piped:
            piped += 1  # the picture is stream 0 of the pipe
        options += ["-map", f"0:{piped}" if way.piped else f"1:{way.stream}"]
        options += [f"-c:{count}", way.encoder]
    return options


@contextmanager
def _part_file(destination: Path) -> Iterator[Path]:
    """Make the hidden file beside `destination`; whatever happens, it is gone in the end."""
    part = destination.with_name(f".{destination.name}.vstyle-{os.getpid()}.part")
    try:
        part.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(
            f"{destination.parent} cannot be written: {error.strerror}",
            "Choose another place for the output.",
        ) from error
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, destination: Path) -> None:
    """Give the finished file its name."""
    if part.stat().st_size == 0:
        raise OutputError("ffmpeg ended well but wrote nothing", "Run it again.")
    try:
        part.replace(destination)
    except OSError as error:
        raise OutputError(f"{destination} cannot be written: {error.strerror}") from error
