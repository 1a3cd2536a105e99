"""`vstyle quantize`: a model in int8, pruned if that is wanted, and what it lost by it."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vstyle.cli import console, learning, options, textfile
from vstyle.errors import DeviceError, OutputError, UsageError
from vstyle.folders import exists

if TYPE_CHECKING:
    from vstyle.compress.calibrate import Sample
    from vstyle.compress.report import Report
    from vstyle.models.vgg import Features
    from vstyle.training.recipe import Recipe
    from vstyle.training.train import Job

# Of the table: what a row is called, the field of a side or its measures, how it is written.
ROWS = (
    ("parameters", "parameters", "{:,}"),
    ("bytes", "bytes", "{:,}"),
    ("ms per 1280x720 frame", "ms", "{:.1f}"),
    ("PSNR to before, all clips", "psnr", "{:.1f} dB"),
    ("PSNR to before, worst clip", "psnr_worst", "{:.1f} dB"),
)
MEASURES = (
    ("style", "style", "{:.3f}"),
    ("gram", "gram", "{:.3f}"),
    ("content", "content", "{:.3f}"),
    ("ssim", "ssim", "{:.3f}"),
    ("flicker", "trmse", "{:.4f}"),
)


def quantize(
    model: Annotated[str, typer.Argument(help="A model that ships, or a checkpoint.")],
    *,
    calibrate: Annotated[
        Path,
        typer.Option(
            help="Folder of clips to measure on, each in another style.",
            exists=True,
            file_okay=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model to write.")],
    styles: Annotated[
        Path | None,
        typer.Option(
            help="Folder of style pictures to measure with.", exists=True, file_okay=False
        ),
    ] = None,
    prune: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Leave out this share of the blocks' work first, by what matters least: 0.3.",
            min=0.01,
            max=0.95,
        ),
    ] = None,
    recover: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of photos to train on after pruning.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    recover_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long to train.", show_default="10m")
    ] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(
            help="VGG-19: measures style and content too; --recover needs it, or fetches it.",
            envvar="VSTYLE_VGG",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was measured as JSON.")
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make an int8 model: faster on a CPU, half of the bytes.

    The bounds of its activations are measured on the clips, painted in the styles that ship; a
    model of your own needs --styles, since it has no codes for them. --prune makes it smaller
    before; the pruned model is kept beside the output, and --recover trains it to paint as MODEL
    does.

    Examples:
      vstyle quantize my.safetensors --styles art/ --calibrate clips/ -o my-int8.safetensors

      vstyle quantize student --styles art/ --calibrate clips/ --prune 0.3 --recover photos/ \
        -o small-int8.safetensors
    """
    if find_spec("openvino") is None:
        raise DeviceError(
            "quantize needs OpenVINO, which is not installed", "pip install openvino, if it can be."
        )
    from vstyle import checkpoint
    from vstyle import styles as shipped
    from vstyle.bench import footage
    from vstyle.compress import calibrate as calibrating
    from vstyle.compress import quantize as rounding
    from vstyle.compress import report as reporting
    from vstyle.folders import clips_in, pictures_in

    source = checkpoint.find_model(model)
    textfile.check_place(output)
    pruned = output.with_suffix(".pruned.safetensors")
    _check_places(source, [output, *([pruned] if prune else [])], report, overwrite)
    if recover and not (prune and styles):
        raise UsageError(
            "--recover trains what --prune leaves, on photos and style pictures",
            "Add --prune 0.3 and --styles, a folder of pictures.",
        )
    lesson = None
    if recover and styles:
        plan = learning.plan_of("recover", None, learning.limits(None, recover_time, None))
        lesson = _job(source, pruned, recover, styles, vgg), plan
    features = _features(vgg) if vgg else None
    looks = pictures_in(styles) if styles else list(shipped.names().values())
    if vgg and not styles:
        console.note("without --styles there is no picture to measure style and gram with")
    count = footage.FRAMES if features else calibrating.FRAMES
    samples = calibrating.read_samples(clips_in(calibrate), looks, count)
    models = [("before", source)]
    try:
        if prune:
            _prune(source, samples, prune, pruned)
            models.append(("pruned", pruned))
            if lesson:
                _recover(*lesson, model)
        rounding.quantize(models[-1][1], samples, output)
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written: {error}", "Choose another place."
        ) from error
    found = reporting.report([*models, ("after", output)], samples, features)
    console.table(_rows(found))
    if report:
        textfile.write(report, json.dumps(asdict(found), indent=1))


def _check_places(source: Path, made: list[Path], report: Path | None, overwrite: bool) -> None:
    """Refuse to write over the model, over others unasked, or two things in one place."""
    for path in made:
        if path.resolve() == source.resolve():
            raise UsageError(f"{path} is the model itself", "Choose another name.")
        if exists(path) and not overwrite:
            raise UsageError(f"{path} exists", "Add --overwrite, or choose another name.")
    if report:
        textfile.check_place(report)
        if report.resolve() in {path.resolve() for path in (source, *made)}:
            raise UsageError(f"the report would replace {report}", "Choose another name for it.")


def _features(vgg: Path) -> Features:
    from vstyle.models.vgg import Features
    from vstyle.training.vgg import read_vgg

    return Features(read_vgg(vgg))


def _prune(source: Path, samples: list[Sample], share: float, output: Path) -> None:
    from vstyle.compress.prune import prune

    before, after = prune(source, samples, share, output)
    console.say(f"{output}: inner channels {list(before.inner)} become {list(after.inner)}")


def _job(source: Path, pruned: Path, photos: Path, styles: Path, vgg: Path | None) -> Job:
    """Return what to train a pruned model on: it is replaced by what it becomes."""
    import torch

    from vstyle import device
    from vstyle.training.train import Job

    where = torch.device(device.choose("auto")[0])
    return Job(photos, styles, vgg, pruned, start=pruned, device=where, teacher=source)


def _recover(job: Job, plan: Recipe, model: str) -> None:
    """Train a pruned model; leave if it is stopped, and say how to go on by hand."""
    number = learning.learn(job, plan, quiet=False)
    if not number:
        return
    pictures = ["--content", str(job.photos), "--styles", str(job.paintings)]
    weights = ["--vgg", str(job.vgg)] if job.vgg else []
    again = ["distill", "--teacher", model, *pictures, *weights, "-o", str(job.output), "--resume"]
    console.say(f"stopped; go on with: vstyle {shlex.join(again)}, and quantize {job.output}")
    raise typer.Exit(128 + number)


def _rows(found: Report) -> list[list[str]]:
    """Lay out what was found: a row per measure, a column per model."""
    rows = [["", *(side.title for side in found.sides)]]
    measures = [side.measures for side in found.sides]
    for lines, records in ((ROWS, found.sides), (MEASURES, measures)):
        for words, field, form in lines:
            values = [getattr(record, field, None) for record in records]
            if any(value is not None for value in values):
                rows.append([words, *("" if v is None else form.format(v) for v in values)])
    worst = f"{found.worst_layer}, {found.worst_layer_psnr:.1f} dB"
    return [*rows, ["rounded alone, the worst layer", *[""] * (len(found.sides) - 1), worst]]
