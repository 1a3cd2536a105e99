"""Which stream of the source goes into the output, and how: copied, converted, or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from av.stream import Disposition, Stream

from vstyle.errors import UsageError
from vstyle.video.standard import STANDARD

_PCM = frozenset(f"pcm_{kind}" for kind in ("u8", "s16le", "s24le", "s32le", "f32le"))
_BIG_PCM = frozenset(f"pcm_{kind}" for kind in ("s16be", "s24be", "s32be", "alaw", "mulaw"))
_EXACT = "pcm_s24le"
"""What other PCM becomes, where the container takes it."""

# NUT keeps all that is to be known of these. Others come out of it as something else (E-AC-3), or
# without the size of their blocks (WMA, ADPCM).
PIPED = _PCM | _BIG_PCM | {"aac", "mp3", "mp2", "ac3", "opus", "vorbis", "flac"}
"""The codecs of sound that come through our pipe as they are."""

_TEXT = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"}


@dataclass(frozen=True)
class Container:
    """A kind of output file. Codecs are named as FFmpeg names them."""

    muxer: str
    video: str = "libx264"  # the encoder, unless another is asked for
    sounds: frozenset[str] = frozenset()  # codecs that can be copied in
    sound: str = ""  # the encoder for other sound; none: sound is left out
    subtitles: frozenset[str] = frozenset()  # codecs that can be copied in
    subtitle: str = ""  # the encoder for other text
    options: tuple[str, ...] = ()
    fixed_rate: bool = False  # its ticks are frames
    untimed: bool = False  # knows no times, only frames per second
    untagged: bool = False  # does not say its colour, players guess it
    still: bool = False  # a picture: holds one frame
    attachments: bool = False
    covers: str = ""  # how it takes a picture to be shown before it plays: COVER or ATTACHED
    chapters: bool = False
    title: bool = False
    light: bool = False  # says what HDR says of its light, whatever the codec


# Where ffmpeg gets a stream: from our pipe, packet by packet, or from the file itself. Covers are
# read from it once more, since they belong to no time; where they are attachments, from files of
# their own.
PIPE, FILE, COVER, ATTACHED = "pipe", "file", "cover", "attached"

_MOV_SOUND = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "alac"})
_MP4_SOUND = _MOV_SOUND | {"opus", "flac"}
_FASTSTART = ("-movflags", "+faststart")
_MOV_TEXT = frozenset({"mov_text"})
_MP4 = Container(
    "mp4",
    "libx264",
    _MP4_SOUND,
    "aac",
    _MOV_TEXT,
    "mov_text",
    _FASTSTART,
    covers=COVER,
    chapters=True,
    title=True,
    light=True,
)
# Without this the first sound, which may lie a little before zero, would move the pictures.
_NEGATIVE = ("-avoid_negative_ts", "disabled")
_ONE = ("-update", "1")  # the name of the file is its name, not a pattern for many
_MKV_LESS_COMMON = {"mp1", "alac", "eac3", "dts", "truehd", "mlp", "tta", "wavpack", "pcm_f64le"}
_MKV_SOUND = PIPED | _MKV_LESS_COMMON | {"wmav1", "wmav2", "amr_nb"}
_MKV_TEXT = frozenset({"subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle"})
_JPEG = Container("image2", "mjpeg", options=_ONE, still=True)
_TIFF = Container("image2", "tiff", options=_ONE, still=True)

CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": replace(_MP4, muxer="mov", sounds=_MOV_SOUND | _PCM | _BIG_PCM),
    ".mkv": Container(
        "matroska",
        "libx264",
        _MKV_SOUND,
        "aac",
        _MKV_TEXT,
        "srt",
        _NEGATIVE,
        attachments=True,
        covers=ATTACHED,
        chapters=True,
        title=True,
        light=True,
    ),
    ".webm": Container(
        "webm",
        "libvpx-vp9",
        frozenset({"opus", "vorbis"}),
        "libopus",
        frozenset({"webvtt"}),
        "webvtt",
        _NEGATIVE,
        chapters=True,
        title=True,
        light=True,
    ),
    # Without B-frames: this container knows only the order of decoding.
    ".avi": Container(
        "avi",
        "libx264",
        frozenset({"mp3", "mp2", "ac3"}) | _PCM,
        "libmp3lame",
        options=("-bf", "0", *_NEGATIVE),
        fixed_rate=True,
        title=True,
    ),
    ".ts": Container(
        "mpegts", "libx264", frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "dts"}), "aac"
    ),
    # Without B-frames: the first of them is decoded before zero, which moves all times.
    ".nut": Container(
        "nut", "libx264", PIPED, "aac", options=("-bf", "0"), chapters=True, title=True
    ),
    ".gif": Container("gif", "gif"),
    # More than 8 bits are in no standard of it, and are read everywhere.
    ".y4m": Container(
        "yuv4mpegpipe", "rawvideo", options=("-strict", "-1"), untimed=True, untagged=True
    ),
    ".png": Container("image2", "png", options=_ONE, still=True),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Container("webp", "libwebp", still=True),
    ".bmp": Container("image2", "bmp", options=_ONE, still=True),
    ".tif": _TIFF,
    ".tiff": _TIFF,
}

STREAMED = {
    "nut": replace(CONTAINERS[".nut"], video="rawvideo", untagged=True),
    "matroska": replace(CONTAINERS[".mkv"], covers=""),  # there is no place for files beside it
    "y4m": CONTAINERS[".y4m"],
}
"""What can be written to standard output, the default first."""


@dataclass(frozen=True)
class Route:
    """How one stream of the source gets into the output."""

    stream: int  # its index in the source
    encoder: str  # `copy`, or the encoder it goes through
    source: str  # PIPE, FILE, COVER or ATTACHED
    kind: str = ""  # of what is attached, as mail and the web name it
    what: str = ""  # its type, as FFmpeg names it
    marks: str = "0"  # what it is to players, in ffmpeg's words: `default+forced`


def container_for(destination: Path, streamed: str | None = None) -> Container:
    """Return the container that a file name asks for, or for STANDARD one of STREAMED.

    UsageError if there is none.
    """
    if destination == STANDARD:
        name = streamed or next(iter(STREAMED))
        if name not in STREAMED:
            choice = ", ".join(STREAMED)
            raise UsageError(f"'{name}' cannot be streamed", f"Choose one of {choice}.")
        return STREAMED[name]
    if streamed:
        raise UsageError(
            "--format is for standard output, -o -", "The suffix of a file chooses its kind."
        )
    suffix = destination.suffix.lower()
    if suffix in CONTAINERS:
        return CONTAINERS[suffix]
    what = f"'{destination.suffix}' is no format" if suffix else "the output has no suffix"
    choice = " ".join(CONTAINERS)
    raise UsageError(f"{destination.name}: {what} that vstyle writes", f"Choose one of {choice}.")


def route(
    streams: Sequence[Stream], container: Container, once: bool
) -> tuple[tuple[Route, ...], tuple[str, ...]]:
    """Decide for each stream but the video; also return what must be said about it.

    `once` says that the source can be read only once: nothing gets there but through the pipe.
    """
    routes: list[Route] = []
    notes: list[str] = []
    for stream in streams:
        codec = _codec_of(stream)
        encoder = _encoder(stream, codec, container)
        what = _words_for(stream, codec)
        if not encoder:
            second = stream.type == "video" and not _is_cover(stream)
            why = f"{container.muxer} cannot hold it"
            if second:
                why = "only one is painted"
            elif stream.type == "audio" and codec == _UNKNOWN and container.sound:
                why = "it cannot be decoded"
            notes.append(f"{what} is left out: {why}")
            continue
        source = container.covers if _is_cover(stream) else FILE
        if stream.type == "audio" and codec in PIPED:
            source = PIPE
        if once and source != PIPE:
            notes.append(f"{what} is left out: it needs a file, and standard input is none")
            continue
        if encoder != "copy":
            notes.append(f"{what} becomes {encoder}: {container.muxer} cannot hold it as it is")
        kind = _COVERS[codec] if source == ATTACHED else ""
        routes.append(Route(stream.index, encoder, source, kind, stream.type, marks_of(stream)))
    return tuple(sorted(routes, key=lambda way: way.source == ATTACHED)), tuple(notes)


def missing(
    chapters: Sequence[object], metadata: Mapping[str, str], container: Container
) -> tuple[str, ...]:
    """Say what of a source that is not in a stream the container cannot hold."""
    notes = []
    if chapters and not container.chapters:
        what = "1 chapter is" if len(chapters) == 1 else f"{len(chapters)} chapters are"
        notes.append(f"{what} left out: {container.muxer} cannot hold chapters")
    if any(key.lower() == "title" for key in metadata) and not container.title:
        notes.append(f"the title is left out: {container.muxer} cannot hold it")
    return tuple(notes)


def marks_of(stream: Stream) -> str:
    """Return what a stream is to players, in ffmpeg's words."""
    return "+".join(str(mark.name) for mark in Disposition if stream.disposition & mark) or "0"


_UNKNOWN = "unknown"
"""The codec of a stream that FFmpeg cannot decode."""


def _codec_of(stream: Stream) -> str:
    """Return the codec of a stream as FFmpeg names it."""
    # Not the name of the context: that is the decoder's, and mp3 is decoded by `mp3float`.
    return stream.codec_context.codec.canonical_name if stream.codec_context else _UNKNOWN


def _words_for(stream: Stream, codec: str) -> str:
    """Return what to call a stream in a sentence."""
    if stream.type == "attachment":
        name = stream.metadata.get("filename", "without a name")
        return f"attachment {stream.index} ({name})"
    if _is_cover(stream):
        return f"cover picture {stream.index} ({codec})"
    return f"{stream.type} stream {stream.index} ({codec})"


def _is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _encoder(stream: Stream, codec: str, container: Container) -> str:
    """Return `copy`, the encoder to use, or nothing if the container cannot hold the stream."""
    if stream.type == "audio":
        if codec in container.sounds:
            return "copy"
        exact = codec.startswith("pcm_") and _EXACT in container.sounds
        other = "" if codec == _UNKNOWN else container.sound
        return _EXACT if exact else other
    if stream.type == "subtitle":
        if codec in container.subtitles:
            return "copy"
        return container.subtitle if codec in _TEXT else ""
    if stream.type == "attachment":
        return "copy" if container.attachments else ""
    taken = container.covers == COVER or (container.covers == ATTACHED and codec in _COVERS)
    return "copy" if taken and _is_cover(stream) else ""


_COVERS = {"mjpeg": "image/jpeg", "png": "image/png"}
"""The codecs of pictures that Matroska takes for covers."""
