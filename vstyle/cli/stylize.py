"""`vstyle stylize`: paint one video."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vstyle.cli import console, options
from vstyle.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vstyle.engine.base import Engine
    from vstyle.video.decode import Frame


def stylize(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="The video to paint.")],
    *,
    output: options.Output,
    style: options.Style = "",
    model: options.Model = "student",
    device: options.Device = "auto",
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="0 is the source picture, 1 is all paint.")
    ] = 1.0,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A video encoder of ffmpeg.", show_default="libx264 for most"
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(min=0, max=63, help="Quality: lower is better.", show_default="18"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Speed of the encoder.", show_default="veryfast for libx264"
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Paint a video in the style of a picture. Size, timing and sound stay as they are.

    Examples:
      vstyle stylize in.mp4 --style starry-night -o out.mp4

      vstyle stylize in.mp4 --style photo-of-a-painting.jpg --codec ffv1 -o out.mkv
    """
    from vstyle.video import stylize as core
    from vstyle.video.encode import Encoding

    if not style and model != "identity":
        raise UsageError("no style is given", "Add --style with a name or a picture.")
    painter = ""

    def make_engine() -> "Engine":
        nonlocal painter
        engine, painter = _engine(model, style, device)
        return engine

    def watch(job: core.Job, frames: "Iterable[Frame]") -> "Iterable[Frame]":
        return frames if quiet else console.draw(job, frames, painter)

    report = core.stylize(
        clip,
        output,
        make_engine,
        strength=strength,
        encoding=Encoding(codec, crf, preset),
        overwrite=overwrite,
        watch=watch,
    )
    if not quiet:
        rate = report.frames / report.seconds
        console.say(f"{output}: {report.frames} frames, {report.seconds:.1f} s, {rate:.1f} fps")


def _engine(model: str, style: str, device: str) -> tuple["Engine", str]:
    """Return what paints, and in a few words what it is."""
    if model == "identity":
        from vstyle.engine.base import Identity

        return Identity(), model
    from vstyle.engine.build import build_engine

    return build_engine(model, style, device)
