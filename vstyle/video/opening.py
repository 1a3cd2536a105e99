"""Opening a video: only files of formats that hold video, and nothing that they point to."""

from __future__ import annotations

from pathlib import Path

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vstyle.errors import InputError
from vstyle.video.standard import STANDARD, StandardInput, name_of
from vstyle.video.stills import first_number, is_sequence, pattern_of

MAX_PIXELS = 8192 * 8192
"""Frames larger than this are refused: a file of 100 kB can hold a picture of gigabytes."""

# A list of what we read, since FFmpeg reads more than video: playlists that open other files, and
# any text file at all, as the screen of a terminal.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,nut,mpegts,mpeg,mpegvideo,avi,gif,yuv4mpegpipe,ogg,flv,"
    "asf,h264,hevc,av1,obu,ivf,m4v,mxf,dv,apng,image2,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
# What AVIF and HEIC, which are mp4s, call themselves: still and moving.
_PHOTOS = {"avif", "avis", "heic", "heix", "heim", "hevc", "hevx", "mif1", "msf1"}
_KINDS = "Is it complete, and a video? vstyle reads mp4, mov, mkv, webm, avi, ts, gif and more."
STREAMED = (
    "From a pipe, an mp4 must have its index in front: `ffmpeg -i in.mp4 -c copy -f nut - | ...`."
)


def check_readable(path: Path) -> None:
    """Raise InputError unless `path` is a file with something in it that we may read."""
    if path == STANDARD:
        return
    if is_sequence(path):
        first_number(path)
        return
    try:
        if path.exists() and not path.is_file():
            kind = "a directory" if path.is_dir() else "not a plain file"
            raise InputError(f"{path} is {kind}", "Name one video file.")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty", "Was its download or its copy interrupted?")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", "Check the name.") from None
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read: {reason}", "Check its permissions.") from error


def open_container(path: Path, stdin: StandardInput | None) -> InputContainer:
    """Open a file, or `stdin`, as a container of the formats we know, with no way out to others."""
    limit = {"max_pixels": str(MAX_PIXELS)}  # here for probing, below for decoding
    protocol = "file" if stdin is None else "pipe"
    options = {"format_whitelist": FORMATS, "protocol_whitelist": protocol}
    sequence = is_sequence(path)
    if sequence:
        options["start_number"] = str(first_number(path))
    try:
        # `file:` keeps FFmpeg from reading a protocol into names like `data:1.mp4`.
        place = f"file:{pattern_of(path) if sequence else path}" if stdin is None else stdin
        kind = "image2" if sequence else None
        container = av.open(place, "r", kind, options=limit, container_options=options)
    except (av.FFmpegError, ValueError) as error:
        what = f"{name_of(path)} is not a video that vstyle can read"
        raise InputError(what, _KINDS if stdin is None else STREAMED) from error
    for stream in container.streams.video:
        if stream.codec_context is not None:  # else FFmpeg has no decoder for it
            stream.codec_context.options = limit
    return container


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first video stream that is not a cover picture, ready for threaded decoding.

    Of a moving AVIF the longest: the first is its cover.
    """
    streams = list(container.streams.video)
    if _brand(container) in _PHOTOS:
        if any(stream.disposition & Disposition.dependent for stream in streams):
            raise InputError(
                f"{name_of(path)} is a photo in tiles, which vstyle does not put together",
                "Make a JPEG or a PNG of it first.",
            )
        streams.sort(key=lambda stream: -stream.frames)
    for stream in streams:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise InputError(
                    f"{name_of(path)} is in a codec that cannot be decoded", "Is it damaged?"
                )
            stream.thread_type = "AUTO"
            return stream
    if container.streams.audio:
        raise InputError(
            f"{name_of(path)} has sound but no video", "Name a file with a picture in it."
        )
    raise InputError(f"{name_of(path)} has no video in it", "Name a file with a picture in it.")


def is_photo(container: InputContainer, video: VideoStream) -> bool:
    """Tell whether a file is of a kind that holds a single picture, or of one that can and does."""
    kind = container.format.name
    single = _brand(container) in _PHOTOS and video.frames <= 1
    return kind == "image2" or kind.endswith("_pipe") or single


def _brand(container: InputContainer) -> str:
    """Return what an mp4 calls itself."""
    return container.metadata.get("major_brand", "").strip()


def decoder_of(video: VideoStream, alpha: bool) -> VideoCodecContext:
    """Return what decodes a stream; with `alpha`, one that decodes how transparent it is, too.

    FFmpeg's own decoders of VP8 and VP9 leave the alpha in the file, libvpx's do not.
    """
    name = f"libvpx-{video.codec_context.name}".replace("-vp8", "")
    if not alpha or video.metadata.get("alpha_mode") != "1" or name not in av.codecs_available:
        return video.codec_context
    decoder = CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = video.codec_context.extradata
    decoder.options = video.codec_context.options
    return decoder
