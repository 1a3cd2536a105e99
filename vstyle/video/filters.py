"""FFmpeg's filters in the path of the frames, for the few clips that need one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

import av
from av.filter import Graph

from vstyle.video.colour import is_hdr
from vstyle.video.window import Item

Step = tuple[str, str]
"""A filter of FFmpeg and its arguments."""

# Only frames that say so are touched; one frame in is one frame out.
DEINTERLACE: tuple[Step, ...] = (("bwdif", "mode=send_frame:parity=auto:deint=interlaced"),)

# swscale takes the peak from the frame's own description of the display it was made on.
_SDR = "out_primaries=bt709:out_transfer=bt709:out_color_matrix=bt709:out_range=tv"
TONE_MAP: tuple[Step, ...] = (
    # Colour first, for every pixel: to bring halved colour to another gamut is where it goes wrong.
    # With full_chroma_int every second row had other colours.
    ("format", "yuv444p12le"),
    ("scale", f"{_SDR}:intent=perceptual:flags=bilinear+accurate_rnd"),
    ("format", "yuv444p10le"),
)

# By their numbers in FFmpeg's list, which do not change: the filter knows no name for EXIF.
_WITHOUT_ICC: Step = ("sidedata", "mode=delete:type=15")
_WITHOUT_EXIF: Step = ("sidedata", "mode=delete:type=31")

# Their decoder names the colour profile that comes with a frame. PyAV frees such a name when what
# lists it goes, and FFmpeg once more: the process is killed.
_NAMES_PROFILES = {"png", "apng"}


def listable(items: Iterator[Item], codec: str) -> Iterator[Item]:
    """Take out of the frames of a decoder what PyAV cannot list, or dies of.

    EXIF data: what it says of photos FFmpeg has said anew, and PyAV lists nothing if it is there.
    The first frame decides for all: it alone is asked later, and a frame that was asked is in a
    cycle with its list, to be freed when Python next looks for cycles, hundreds of frames later.
    """
    if codec in _NAMES_PROFILES:
        return _filtered(items, (_WITHOUT_ICC, _WITHOUT_EXIF), lambda frame: True)  # noqa: ARG005
    number = count()
    return _filtered(
        items, (_WITHOUT_EXIF,), lambda frame: next(number) == 0 and _is_unlisted(frame)
    )


def _is_unlisted(frame: av.VideoFrame) -> bool:
    """Tell whether PyAV cannot list what comes with a frame."""
    try:
        frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        return True
    return False


def deinterlaced(items: Iterator[Item]) -> Iterator[Item]:
    """Make whole pictures of interlaced frames."""
    return _filtered(items, DEINTERLACE, lambda frame: bool(frame.interlaced_frame))


def tone_mapped(items: Iterator[Item]) -> Iterator[Item]:
    """Bring PQ and HLG to BT.709, which is what screens, pictures and painters know."""
    return _filtered(items, TONE_MAP, lambda frame: is_hdr(int(frame.color_trc)))


def _filtered(
    items: Iterator[Item], steps: tuple[Step, ...], concerns: Callable[[av.VideoFrame], bool]
) -> Iterator[Item]:
    """Send the frames through filters, from the first one that they concern on."""
    chain: _Chain | None = None
    for item in items:
        if isinstance(item, av.Packet) or (chain is None and not concerns(item)):
            yield item
            continue
        if chain is None or not chain.fits(item):
            if chain is not None:
                yield from chain.push(None)
            chain = _Chain(steps, item)
        yield from chain.push(item)
    if chain is not None:
        yield from chain.push(None)


class _Chain:
    """A graph of filters in a row, for frames of one size and kind."""

    def __init__(self, steps: tuple[Step, ...], first: av.VideoFrame) -> None:
        self._kind: Final = _kind_of(first)
        self._graph: Final = Graph()
        base = first.time_base
        size = f"video_size={first.width}x{first.height}:pix_fmt={first.format.name}"
        colour = f"colorspace={int(first.colorspace)}:range={int(first.color_range)}"
        node = self._graph.add("buffer", f"{size}:time_base={base}:{colour}")
        for name, arguments in (*steps, ("buffersink", "")):
            after = self._graph.add(name, arguments or None)
            node.link_to(after)
            node = after
        self._graph.configure()

    def fits(self, frame: av.VideoFrame) -> bool:
        """Tell whether a frame is like the first."""
        return _kind_of(frame) == self._kind

    def push(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Give the chain a frame, or None at the end; yield what comes out."""
        self._graph.push(frame)
        while True:
            try:
                out = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            assert isinstance(out, av.VideoFrame)
            yield out


def _kind_of(frame: av.VideoFrame) -> tuple[object, ...]:
    """Return what must be the same for all frames of one graph."""
    colour = (int(frame.colorspace), int(frame.color_range))
    return frame.width, frame.height, frame.format.name, frame.time_base, *colour
