"""What is decided before the first frame is painted: how a source becomes a file."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from av.video.format import VideoFormat

from vstyle.errors import UsageError
from vstyle.video import ffmpeg
from vstyle.video.codecs import Codec, check_pixels, codec_named, quality_options
from vstyle.video.colour import (
    Colour,
    alike,
    guessed,
    rgb_filters,
    tag_options,
    to_yuv_filters,
    words,
    yuv_filters,
)
from vstyle.video.convert import PLANAR, bits_of, has_alpha
from vstyle.video.decode import Clip, Source
from vstyle.video.reading import Reading
from vstyle.video.standard import STANDARD
from vstyle.video.streams import (
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
    said: tuple[str, ...]  # its options that say of a copied picture what the encoder says of its
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
    filters = [f"setsar={clip.aspect.numerator}/{clip.aspect.denominator}:max={_LARGEST}"]
    rgb = bool(form.is_rgb or form.has_palette)
    colour = clip.colour if rgb else _colour_for(clip, codec, pixels)
    if rgb:
        filters += rgb_filters(colour)
    else:
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
    base = time_base_of(clip, container, codec)
    if base and not _counts_frames(clip, container, codec):
        notes += (f"times are rounded to {base} s: {name} counts no finer",)
    if container.muxer == "gif" and clip.rate and clip.rate > _GIF_RATE:
        notes += (f"gif shows {_GIF_RATE} frames a second at most, so it gets longer: see --fps",)
    if container.fixed_rate:
        notes += _early_sound(source, container)
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
        tuple(tag_options(colour, yuv=not rgb)),
    )


def _colour_for(clip: Clip, codec: Codec, pixels: str) -> Colour:
    """Return the colour of what becomes YUV: the clip's, where codec and pixels leave a choice."""
    colour = codec.colour or clip.colour
    return replace(colour, full=True) if pixels.startswith("yuvj") else colour


def _early_sound(source: Source, container: Container) -> tuple[str, ...]:
    """Say which sound will be heard before its picture where a container holds no times."""
    video = source.video
    shown = max(source.clip.origin, Fraction((video.start_time or 0) * (video.time_base or 0)))
    notes = []
    for stream in source.streams:
        if stream.type != "audio" or stream.start_time is None or stream.time_base is None:
            continue
        late = stream.start_time * stream.time_base - shown
        if late >= _NOTICED:
            notes.append(
                f"audio stream {stream.index} begins {float(late):.2f} s after the picture, and is "
                f"heard early, for {container.muxer} holds no times: mkv and mp4 do"
            )
    return tuple(notes)


_LARGEST = 1_000_000  # of the numbers in the shape of a pixel; ffmpeg's own limit is 100

_NOTICED = Fraction(1, 10)  # seconds; sooner than people notice that sound is early

_GIF_RATE = 100  # a frame lasts a number of hundredths of a second


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


def time_base_of(clip: Clip, container: Container, codec: Codec) -> Fraction | None:
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
