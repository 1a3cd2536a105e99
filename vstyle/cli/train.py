"""`vstyle train`: learn to paint in any style from a folder of photos and one of paintings."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from vstyle.cli import console, options
from vstyle.errors import UsageError

if TYPE_CHECKING:
    from types import FrameType

    from vstyle.training.recipe import Recipe

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def train(
    *,
    content: Annotated[Path, typer.Option(help="Folder of photos.", exists=True, file_okay=False)],
    styles: Annotated[
        Path | None, typer.Option(help="Folder of paintings.", exists=True, file_okay=False)
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(help="Folder of clips, for the second stage.", exists=True, file_okay=False),
    ] = None,
    style: Annotated[
        Path | None,
        typer.Option(help="Specialise in this one picture.", exists=True, dir_okay=False),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The model to write.")
    ],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME|FILE", help="A model to begin from."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run that made OUTPUT.")] = False,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="cpu, gpu, smoke, style, or a TOML file."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Change a field of the recipe: rate=5e-4, generator.inner.2=96, phases.0.batch=2.",
        ),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(help="Steps in all.", min=1)] = None,
    max_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time in all: 90s, 10m, 1.5h, 2d.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of all that is random.", min=0)] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(
            help="VGG-19, safetensors or .pth; torchvision's is fetched if none is given.",
            envvar="VSTYLE_VGG",
        ),
    ] = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Train a model that paints in any style, or one that paints in a single style better.

    Ctrl-C saves what was learned; --resume goes on from there. torchrun trains on several GPUs.

    Examples:
      vstyle train --content photos/ --styles art/ -o mine.safetensors

      vstyle train --content photos/ --style my.jpg --from student -o my.safetensors --max-time 10m

      vstyle train --content photos/ --styles art/ -o mine.safetensors --resume
    """
    import torch

    from vstyle import device as devices
    from vstyle.checkpoint import find_model
    from vstyle.training.pace import Pace
    from vstyle.training.train import Job, fit
    from vstyle.training.trainer import state_path

    if (styles is None) == (style is None):
        raise UsageError("there must be --styles or --style, one of them", "See --help.")
    if style and not (start or resume):
        raise UsageError("--style specialises a model", "Say which: --from student.")
    where = torch.device(devices.choose(device)[0])
    name = recipe or ("style" if style else "gpu" if where.type == "cuda" else "cpu")
    state = state_path(output) if resume and recipe is None else None
    flags = {"steps": max_steps, "seconds": _seconds(max_time), "seed": seed}
    given = [f"{field}={value}" for field, value in flags.items() if value is not None]
    plan = _recipe(name, state, [*(settings or []), *given])
    job = Job(
        content,
        styles or style or content,
        vgg,
        output,
        videos,
        find_model(start) if start else None,
        resume,
        where,
    )
    silent = quiet or os.environ.get("RANK", "0") != "0"
    pace, done = Pace(), 0
    with Stop() as stop:
        steps = fit(job, plan, (lambda _: None) if silent else console.note, stop.asked)
        for step in steps if silent else console.draw_steps(steps, plan.steps):
            stop.patient = True
            pace.add(step)
            done = step.number
    if not silent:
        console.say(f"{output}: {done} steps" if done else f"{output}: nothing was left to do")
        if words := pace.words(where):
            console.say(words)
    if stop.number:
        if not silent:
            again = [word for word in sys.argv[1:] if word != "--resume"]
            console.say(f"stopped; go on with: vstyle {shlex.join([*again, '--resume'])}")
        raise typer.Exit(128 + stop.number)


class Stop:
    """While it is entered, a signal is kept for the end of the step: no step is left half done.

    Before the first step there is nothing to lose, and after the first signal no more patience.
    """

    def __init__(self) -> None:
        self.number = 0  # of the signal
        self.patient = False
        self.before: dict[int, object] = {}

    def asked(self) -> bool:
        """Whether there was a signal."""
        return self.number != 0

    def __enter__(self) -> Self:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self.before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.patient and not self.number:
            self.number = number
            return
        handler = self.before[number]
        if callable(handler):
            handler(number, frame)


def _recipe(name: str, state: Path | None, settings: list[str]) -> Recipe:
    """Return the recipe that a run was begun with, if `state` is its, else the one called `name`.

    With its fields changed as `settings` say.
    """
    from vstyle import checkpoint
    from vstyle.training.recipe_file import change, read_recipe, recipe_of

    if state is None:
        return change(read_recipe(name), settings)
    stored = checkpoint.describe(state).provenance.get("recipe", {})
    return change(recipe_of(stored, f"the recipe in {state}"), settings)


def _seconds(text: str | None) -> float | None:
    """Return a time such as 90s, 10m or 1.5h in seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found or not float(found[1]):
        raise UsageError(f"--max-time {text} is no time", "Write 90s, 10m, 1.5h or 2d.")
    return float(found[1]) * UNITS[found[2] or "s"]
