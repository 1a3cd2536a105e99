"""`vstyle stylize`: paint one video, or several one after the other."""

from contextlib import nullcontext
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vstyle.cli import console, options
from vstyle.cli.batch import paint_all, targets
from vstyle.cli.report import Voice
from vstyle.errors import UsageError, VstyleError
from vstyle.folders import exists

if TYPE_CHECKING:
    from vstyle.engine.base import Engine
    from vstyle.video.reading import Reading


def stylize(
    clips: options.Clips,
    *,
    output: options.Output = None,
    out_dir: options.OutDir = None,
    style: options.Style = "",
    model: options.Model = "auto",
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
    pix_fmt: options.PixFmt = None,
    deinterlace: options.Deinterlace = options.Deinterlacing.AUTO,
    no_audio: options.NoAudio = False,
    start: options.Start = None,
    end: options.End = None,
    duration: options.Duration = None,
    fps: options.Fps = None,
    form: options.Format = None,
    overwrite: options.Overwrite = False,
    strict: options.Strict = False,
    resume: options.Resume = False,
    keep_partial: options.KeepPartial = False,
    patience: options.Patience = 60,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    progress: options.Progress = options.Drawing.AUTO,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Paint a video in the style of a picture. Size, timing and sound stay as they are.

    Examples:
      vstyle stylize in.mp4 --style starry-night -o out.mp4

      vstyle stylize in.mp4 --style photo-of-a-painting.jpg --codec ffv1 -o out.mkv
    """
    if not style and model != "identity":
        raise UsageError("no style is given", "Add --style with a name or a picture.")
    reading = _reading(
        start,
        end,
        duration,
        rate=fps,
        sound=not no_audio,
        deinterlace=deinterlace == "auto",
        strict=strict,
    )
    places = targets(clips, output, out_dir)
    voice = Voice(json=json, progress=progress, verbose=verbose, quiet=quiet)

    from vstyle.video.standard import STANDARD, reserved_output

    with reserved_output() if output == STANDARD else nullcontext(1) as stdout:
        from vstyle.video import stylize as core
        from vstyle.video.part import part_of
        from vstyle.video.plan import Encoding
        from vstyle.video.resume import check_resumable, folder_of, perform_in_pieces

        encoding = Encoding(codec, crf, preset, pix_fmt, form, keep_partial, patience)

        @cache
        def make_engine() -> "Engine":
            engine, voice.painter = _engine(model, style, device)
            return engine

        def paint(clip: Path, place: Path) -> None:
            tell = True
            try:
                with core.prepare(
                    clip,
                    place,
                    make_engine,
                    reading=reading,
                    encoding=encoding,
                    overwrite=overwrite,
                    stdout=stdout,
                ) as job:
                    if resume:
                        check_resumable(job)
                    voice.before(job, dry_run)
                    if dry_run:
                        return
                    if resume:
                        mark = _fingerprint(model, style, device)
                        report = perform_in_pieces(job, mark, strength=strength, watch=voice.watch)
                    else:
                        report = core.perform(job, strength=strength, watch=voice.watch)
                    voice.after(report)
                    tell = not quiet
            except VstyleError as error:
                voice.failed(clip, place, error)
                raise
            finally:
                for rest in (part_of(place.resolve()), folder_of(place.resolve())):
                    if tell and exists(rest):
                        console.note(f"{rest} holds what was done so far")

        try:
            if out_dir is None:
                paint(*places[0])
            else:
                make_engine()  # what is wrong with it is wrong for all files
                done = "would be painted" if dry_run else "done"
                if not paint_all(places, paint, voice, done):
                    raise typer.Exit(1)
        finally:
            voice.close(several=out_dir is not None)


def _reading(
    start: Fraction | None,
    end: Fraction | None,
    duration: Fraction | None,
    *,
    rate: Fraction | None,
    sound: bool,
    deinterlace: bool,
    strict: bool,
) -> "Reading":
    """Return what is wanted of every clip, or UsageError if that is nothing."""
    begin = start or Fraction(0)
    if end is not None and duration is not None:
        raise UsageError("--end and --duration say the same", "Give one of them.")
    if duration is not None:
        end = begin + duration
    if end is not None and end <= begin:
        raise UsageError("nothing is asked for: the end is not after the start", "Look at --end.")
    from vstyle.video.reading import Reading

    return Reading(begin, end, rate, sound, strict, deinterlace)


def _engine(model: str, style: str, device: str) -> tuple["Engine", str]:
    """Return what paints, and in a few words what it is."""
    if model == "identity":
        from vstyle.engine.base import Identity

        return Identity(), model
    from vstyle.engine.build import build_engine

    return build_engine(model, style, device)


def _fingerprint(model: str, style: str, device: str) -> str:
    """Return what tells the painter from others, whatever its files are called."""
    if model == "identity":
        return model
    from vstyle.engine.build import fingerprint

    return fingerprint(model, style, device)
