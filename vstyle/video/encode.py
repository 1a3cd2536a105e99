"""The sink end: frames and packets go through a pipe to ffmpeg, which writes a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from av.video.format import VideoFormat
from av.video.stream import VideoStream

from vstyle.errors import UsageError
from vstyle.video import ffmpeg
from vstyle.video.codecs import Codec, check_pixels, codec_named, quality_options
from vstyle.video.colour import (
    Colour,
    alike,
    guessed,
    rgb_filters,
    to_yuv_filters,
    words,
    yuv_filters,
)
from vstyle.video.convert import PLANAR, bits_of, has_alpha
from vstyle.video.covers import covers_beside, place_of
from vstyle.video.decode import Clip, Source
from vstyle.video.opening import FORMATS
from vstyle.video.part import part_file, part_of, publish
from vstyle.video.pipe import Pipe, shift_of
from vstyle.video.reading import Reading
from vstyle.video.standard import STANDARD
from vstyle.video.streams import (
    ATTACHED,
    COVER,
    FILE,
    PIPE,
    Container,
    Route,
    container_for,
    missing,
    route,
)
from vstyle.video.watch import PATIENCE


@dataclass(frozen=True)
class Encoding:
    """What the user asks of the encoder; None is the default of the container or the codec."""

    codec: str | None = None  # a video encoder of ffmpeg
    crf: int | None = None  # quality: lower is better and larger
    preset: str | None = None  # how long the encoder may think
    pixels: str | None = None  # a pixel format of ffmpeg
    format: str | None = None  # of standard output
    keep_partial: bool = False  # keep what there is when something goes wrong
    patience: float = PATIENCE  # seconds that either end of the path may do nothing; 0: for ever


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first frame is painted."""

    destination: Path
    container: Container
    codec: str  # the video encoder
    video: tuple[str, ...]  # ffmpeg's options for the picture
    even: bool  # odd sizes are padded by one pixel
    planar: Colour | None  # pictures go into the pipe as `planes` of this colour; None: as RGB
    routes: tuple[Route, ...]  # how the other streams get there
    keep: bool  # an unfinished file stays, under its hidden name
    patience: float  # seconds that ffmpeg may do nothing; 0: for ever
    notes: tuple[str, ...]  # what the user should know: what is converted, padded, left out
    ends: bool  # the pipe says how long its last frame is shown
    light: tuple[str, ...]  # ffmpeg's options for what HDR says of its light
    shifted: bool = False  # the file keeps the times of the pipe
    replaces: bool = True  # what has the name of the output when it is complete may go


def plan_encoding(source: Source, destination: Path, encoding: Encoding) -> Plan:
    """Decide how a source becomes a file; UsageError if it cannot become what is asked for."""
    clip = source.clip
    container = container_for(destination, encoding.format)
    if container.still and not clip.still:
        raise UsageError(
            f"{destination.name} can hold one picture, not a video", "Name a video file."
        )
    name = encoding.codec or container.video
    codec = codec_named(name)
    options, notes = quality_options(name, encoding.crf, encoding.preset)
    pixels = encoding.pixels or (codec.alpha if clip.alpha and codec.alpha else codec.pixels)
    form = VideoFormat(pixels)
    even = not codec.odd and _splits_pixels(clip, form)
    planar = None
    filters = [f"setsar={clip.aspect.numerator}/{clip.aspect.denominator}"]
    if form.is_rgb or form.has_palette:
        filters += rgb_filters(clip.colour)
    else:
        colour = codec.colour or clip.colour
        if container.untagged and not alike(colour, guessed(clip.height)):
            told = f"{container.muxer} does not say its colour: tell the reader {words(colour)}"
            notes += (told,)
        # zimg takes no odd sizes where colour lies in blocks.
        fits = not _splits_pixels(clip, form)
        if pixels == "yuv420p" and (fits or even) and not (clip.deep or clip.alpha):
            planar = colour
            filters += yuv_filters(colour)
            options += ["-chroma_sample_location:v:0", "left"]
        else:
            zimg = fits and "zscale" in ffmpeg.filters(ffmpeg.executable())
            filters += to_yuv_filters(colour, PLANAR[clip.deep, clip.alpha] if zimg else "")
    if container.untimed and clip.rate:
        filters.append(f"setpts=N/({clip.rate.numerator}/{clip.rate.denominator})/TB")
    routes, said = route(source.streams, container, clip.path == STANDARD)
    if even:
        size = f"{clip.width}x{clip.height}"
        notes += (f"{size} is odd, {name} wants even: padded by one pixel right or below",)
    if clip.bits > 8 and bits_of(form) <= 8:
        keeps = f": --pix-fmt {codec.deep} keeps them" if codec.deep else ""
        notes += (f"{clip.bits} bits per colour become 8{keeps}",)
    base = _time_base(clip, container, codec)
    if base and not _counts_frames(clip, container, codec):
        notes += (f"times are rounded to {base} s: {name} counts no finer",)
    if container.muxer == "gif" and clip.rate and clip.rate > _GIF_RATE:
        notes += (f"gif shows {_GIF_RATE} frames a second at most, so it gets longer: see --fps",)
    light, lost = _light_of(clip, container, codec)
    chain = ",".join([*filters, *codec.filters])
    video = ["-filter:v:0", chain, "-c:v:0", name, "-pix_fmt:v:0", pixels, *options]
    return Plan(
        destination,
        container,
        name,
        tuple(video),
        even,
        planar,
        routes,
        encoding.keep_partial,
        encoding.patience,
        source.notes + notes + lost + said + missing(source.chapters, source.metadata, container),
        _READS_FILTERED in ffmpeg.options(ffmpeg.executable()),
        light,
    )


def _light_of(
    clip: Clip, container: Container, codec: Codec
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return ffmpeg's options for what HDR says of its light; also what must be said of it."""
    light, notes = tuple(clip.mastering.options), []
    if light and not (container.light or codec.light):
        notes.append(f"{_LIGHT} is left out: {container.muxer} cannot hold it")
        light = ()
    if light and _TELLS_LIGHT not in ffmpeg.options(ffmpeg.executable()):
        notes.append(f"{_LIGHT} is left out: ffmpeg is too old to be told it")
        light = ()
    if clip.mastering.dynamic:
        notes.append("what HDR10+ or Dolby Vision say of single scenes is left out")
    return light, tuple(notes)


_GIF_RATE = 100  # a frame lasts a number of hundredths of a second

_LIGHT = "what the video says of the screen it was made on"

# In the words of its help, of options that older ones lack: for the light, and to change packets
# that it reads.
_TELLS_LIGHT = "-mastering_display[:<stream_spec>]"
_READS_FILTERED = "-bsf[:<stream_spec>]"


def reading_for(reading: Reading, destination: Path, encoding: Encoding) -> Reading:
    """Return `reading` with what the encoder has a use for: more than 8 bits, alpha.

    UsageError if there is no such container, encoder or pixel format.
    """
    name = encoding.codec or container_for(destination, encoding.format).video
    codec = codec_named(name)
    if encoding.pixels:
        check_pixels(name, encoding.pixels)
    names = [encoding.pixels] if encoding.pixels else [codec.pixels, codec.alpha]
    forms = [VideoFormat(name) for name in names if name]
    deep, alpha = any(bits_of(form) > 8 for form in forms), any(map(has_alpha, forms))
    return replace(reading, deep=deep, alpha=alpha)


def _splits_pixels(clip: Clip, form: VideoFormat) -> bool:
    """Tell whether the blocks that share a colour do not divide the picture."""
    return bool(
        (form.chroma_width(2) == 1 and clip.width % 2)
        or (form.chroma_height(2) == 1 and clip.height % 2)
    )


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


def command_for(plan: Plan, clip: Clip) -> list[str]:
    """Return the ffmpeg command that reads the pipe and writes the growing file."""
    to_stdout = plan.destination == STANDARD
    place = "pipe:1" if to_stdout else f"file:{part_of(plan.destination)}"
    command = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    # Times go through as they are, but for the shift of the pipe and the origin of the clip.
    offset = Fraction(0) if plan.shifted else -shift_of(clip) - clip.origin
    command += ["-copyts", "-itsoffset", _seconds(offset)]
    command += [*plan.light, *(["-bsf:v:0", _SHOWN] if plan.ends else [])]
    command += ["-protocol_whitelist", "pipe", "-f", "nut", "-i", "pipe:0"]
    file = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", f"file:{clip.path}"]
    timed, timeless = (any(way.source == source for way in plan.routes) for source in (FILE, COVER))
    if timed:
        # What the pipe cannot carry, ffmpeg takes from the file, at the same times.
        command += ["-itsoffset", _seconds(-clip.origin)]
        if clip.reading.start:
            command += ["-seek_timestamp", "1", "-ss", _seconds(clip.origin)]
        command += file
    command += file if timeless else []
    command += ["-map", "0:v:0", *_routing(plan, 1 + timed)]
    command += ["-map_metadata", "0", "-map_chapters", "0", *plan.video]
    command += ["-bsf:v:0", _LAST] if plan.ends and plan.container.muxer in _BY_LENGTH else []
    command += _part_of(clip) if timed else []
    command += ["-fps_mode:v:0", "passthrough"]
    base = _time_base(clip, plan.container, codec_named(plan.codec))
    ticks = f"{base.numerator}/{base.denominator}" if base else "demux"
    command += ["-enc_time_base:v:0", ticks]
    return [*command, *plan.container.options, "-f", plan.container.muxer, place]


def _time_base(clip: Clip, container: Container, codec: Codec) -> Fraction | None:
    """Return how long a tick of the encoder is to be, in seconds; None if it is the clip's."""
    if clip.rate and _counts_frames(clip, container, codec):
        exact = 1 / clip.rate
        return exact.limit_denominator(codec.ticks) if codec.ticks else exact
    ticks = clip.time_base.denominator
    times = -(-ticks // codec.ticks) if codec.ticks else 1
    return Fraction(1, ticks // times) if times > 1 else None


def _counts_frames(clip: Clip, container: Container, codec: Codec) -> bool:
    """Tell whether a tick of the encoder is a frame."""
    return bool(clip.rate) and (container.fixed_rate or container.untimed or codec.counted)


def _part_of(clip: Clip) -> list[str]:
    """Return ffmpeg's options to leave out what it reads from the file outside the wanted part."""
    start, end = clip.reading.start, clip.reading.end
    options = ["-ss", "0"] if start else []
    # A little more, to be sure of the last frame.
    return options if end is None else [*options, "-t", _seconds(end - start + Fraction(1, 1000))]


def _seconds(time: Fraction) -> str:
    """Return a time as ffmpeg reads it, to the microsecond."""
    return f"{float(time):.6f}"


_BY_LENGTH = {"mp4", "mov"}
"""Muxers that count times from how long each packet lasts."""

# NUT does not say how long a packet lasts. A frame is shown until the next one comes; where that
# is shown before it, as in the pieces of `--resume`, nothing is known. The pipe ends with a packet
# of one byte, at the time when the last frame ends.
_SHOWN = (
    r"setts=pts=PTS:dts=DTS:"
    r"duration=if(gt(NEXT_PTS\,PTS)\,NEXT_PTS-PTS\,if(gt(NEXT_PTS\,0)\,1\,DURATION)),"
    r"noise=drop=lt(size\,2)"
)

# The last packet need not be the last frame, but of its times the length of a track is made: of
# when it is decoded in one place, of when it is shown in another. It lasts until all is over, and
# is decoded as long after the first one as it is shown after it, or right after the one before: so
# both lengths are the same, and players find as many frames per second as there are.
_LAST = (
    r"setts=pts=PTS:dts=if(eq(NEXT_PTS\,NOPTS)\,max(PREV_OUTDTS+1\,PTS-STARTPTS+STARTDTS)\,DTS):"
    r"duration=0*st(0\,max(ld(0)\,PTS+DURATION))"
    r"+if(eq(NEXT_PTS\,NOPTS)\,ld(0)-PTS\,DURATION)"
)

# Of Opus and FLAC ffmpeg cannot tell either how long a packet lasts, and the last one would lie
# behind the end that an mp4 states.
_LASTING = (
    "setts=duration="
    r"if(DURATION\,DURATION\,if(gt(NEXT_PTS\,PTS)\,NEXT_PTS-PTS\,PREV_OUTDURATION))"
)


def _routing(plan: Plan, covers: int) -> list[str]:
    """Return ffmpeg's options for the streams other than the picture.

    `covers` is the number of the input that has the covers.
    """
    options: list[str] = []
    piped = 0
    for count, way in enumerate(plan.routes, start=1):
        if way.source == PIPE:
            piped += 1  # the picture is stream 0 of the pipe
            if way.encoder == "copy" and plan.container.muxer in _BY_LENGTH:
                options += [f"-bsf:{count}", _LASTING]
        if way.source == ATTACHED:
            cover = place_of(plan.destination, way.stream)
            name = f"filename=cover.{way.kind.partition('/')[2].replace('jpeg', 'jpg')}"
            options += ["-attach", f"file:{cover}", f"-metadata:s:{count}", f"mimetype={way.kind}"]
            options += [f"-metadata:s:{count}", name]
            continue
        place = {PIPE: f"0:{piped}", FILE: f"1:{way.stream}", COVER: f"{covers}:{way.stream}"}
        options += ["-map", place[way.source], f"-c:{count}", way.encoder]
        if way.source == COVER:
            options += [f"-disposition:{count}", "attached_pic"]
    return options
