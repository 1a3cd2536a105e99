"""The clips that are measured on: rendered here, so that anyone has the same, or the user's own."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from vstyle.errors import DeviceError, InputError, OutputError, UsageError, out_of_memory
from vstyle.models.config import READ_SIDE
from vstyle.scene import Scene, write_clip
from vstyle.scene.canvas import paint_canvas
from vstyle.video.decode import open_clip
from vstyle.video.ffmpeg import executable
from vstyle.video.opening import MAX_PIXELS
from vstyle.video.standard import STANDARD

FRAMES = 72
"""Of the rendered clip: 3 s."""

SIZE = "640x360"


@dataclass(frozen=True)
class Size:
    """Width and height of a clip, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def parse_sizes(text: str) -> list[Size]:
    """Read `640x360,1280x720`; UsageError if it is not like that."""
    sizes = []
    for word in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,5})x(\d{1,5})\s*", word)
        if not found:
            raise UsageError(f"'{word}' is no size", "Write it like 640x360, several with commas.")
        sizes.append(Size(int(found[1]), int(found[2])))
    return sizes


def make_clip(clip: Path | None, size: Size | None, folder: Path) -> tuple[Path, str]:
    """Return the file to measure on, and what it shows: rendered, scaled, or the user's as it is.

    Raises UsageError for a size that no clip can have, InputError for a clip that cannot be read,
    OutputError where there is no room for it, and DeviceError where memory is too small for it.
    """
    if clip == STANDARD:
        raise UsageError("standard input can be read only once", "Name a file.")
    if clip is not None:
        with open_clip(clip):  # or say here and once what is wrong with it
            pass
    if size is None:
        if clip is not None:
            return clip, clip.name
        (size,) = parse_sizes(SIZE)
    if size.width % 2 or size.height % 2 or min(size.width, size.height) < 16:
        raise UsageError(f"no clip can be made of {size}", "Sides must be even, and 16 or more.")
    if size.width * size.height > MAX_PIXELS:
        raise UsageError(f"no clip can be made of {size}", "8192x8192 is the largest.")
    target = folder / f"{size}.mp4"
    if clip is not None:
        _scale(clip, size, target)
        return target, clip.name
    _render(size, target)
    return target, f"rendered bay, {FRAMES} frames"


def _render(size: Size, target: Path) -> None:
    """Write our own film in a size. Raises UsageError, OutputError or DeviceError."""
    # Every film is composed as 16:9 and costs what that takes, however little of it is shown.
    if max(9 * size.width, 16 * size.height) ** 2 > 9 * 16 * MAX_PIXELS:
        raise UsageError(
            f"no film of {size} can be rendered",
            "10922 pixels across and 6144 down are the most; or name a clip with --clip.",
        )
    try:
        with _room():
            write_clip(Scene(size.width, size.height, FRAMES), target)
    except Exception as error:
        if out_of_memory(error):
            raise DeviceError(
                f"memory ran out while a film of {size} was rendered", "Choose a smaller size."
            ) from error
        raise


def own_painting(folder: Path) -> Path:
    """Write a painting of our own into the folder: the style where none is given."""
    path = folder / "canvas.png"
    with _room():
        Image.fromarray(paint_canvas(READ_SIDE)).save(path)
    return path


@contextmanager
def workplace() -> Iterator[Path]:
    """Make a folder for clips and what is painted of them, for as long as the block lasts."""
    with _room():
        folder = tempfile.TemporaryDirectory(prefix="vstyle-bench-")
    with folder as name:
        yield Path(name)


@contextmanager
def _room() -> Iterator[None]:
    """Turn the errors of writing temporary files into OutputError."""
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        raise _no_room(str(error.strerror)) from error


def _scale(clip: Path, size: Size, target: Path) -> None:
    """Write the clip in another size."""
    scale = "-vf", f"scale={size.width}:{size.height}:flags=area,setsar=1"
    quality = "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p"
    command = [executable(), "-v", "error", "-nostdin", "-y", "-i", f"file:{clip}", *scale]
    done = subprocess.run(
        [*command, *quality, "-map", "0:v:0", "-map", "0:a?", "-c:a", "aac", str(target)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        if "No space left" in reason:
            raise _no_room("No space left on device")
        raise InputError(f"{clip} cannot be brought to {size}: {reason}", "Leave --size out.")


def _no_room(reason: str) -> OutputError:
    return OutputError(
        f"there is no place for what is measured on: {reason}",
        "Make room, or point TMPDIR to a place that has some.",
    )
