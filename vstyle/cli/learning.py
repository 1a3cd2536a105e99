"""What the verbs that train share: options, the recipe, a run and its bar, how it is stopped."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from vstyle.cli import console, textfile
from vstyle.errors import UsageError
from vstyle.folders import exists

if TYPE_CHECKING:
    from types import FrameType

    from vstyle.training.recipe import Recipe
    from vstyle.training.train import Job

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Content = Annotated[Path, typer.Option(help="Folder of photos.", exists=True, file_okay=False)]
Styles = Annotated[
    Path | None, typer.Option(help="Folder of paintings.", exists=True, file_okay=False)
]
Style = Annotated[
    Path | None,
    typer.Option(help="Specialise in this one picture.", exists=True, dir_okay=False),
]
Videos = Annotated[
    Path | None,
    typer.Option(help="Folder of clips, for the second stage.", exists=True, file_okay=False),
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The model to write.")]
Start = Annotated[
    str | None, typer.Option("--from", metavar="NAME|FILE", help="A model to begin from.")
]
Resume = Annotated[bool, typer.Option(help="Go on with the run that made OUTPUT.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change a field of the recipe: rate=5e-4, generator.inner.1=96, phases.0.batch=2.",
    ),
]
MaxSteps = Annotated[int | None, typer.Option(help="Steps in all.", min=1)]
MaxTime = Annotated[
    str | None, typer.Option(metavar="TIME", help="Time in all: 90s, 10m, 1.5h, 2d.")
]
Seed = Annotated[int | None, typer.Option(help="Of all that is random.", min=0)]
Vgg = Annotated[
    Path | None,
    typer.Option(
        help="VGG-19, safetensors or .pth; torchvision's is fetched if none is given.",
        envvar="VSTYLE_VGG",
    ),
]


def looks_of(styles: Path | None, style: Path | None) -> Path:
    """Return the one of both that was given; UsageError if none was, or both."""
    found = styles or style
    if found is None or (styles and style):
        raise UsageError("there must be --styles or --style, one of them", "See --help.")
    return found


def check_output(output: Path, sources: Iterable[Path | None], begins: bool) -> None:
    """Refuse an output that cannot be written, is one of the sources, or, if a run begins, exists.

    The state and the log of a run, beside it, count as well; a log without a single step does not.
    Raises OutputError or UsageError.
    """
    from vstyle.training.log import log_file
    from vstyle.training.trainer import state_path

    textfile.check_place(output)
    if output.resolve() in {source.resolve() for source in sources if source}:
        raise UsageError(f"{output} is what the run begins from", "Choose another output name.")
    if not begins:
        return
    state, log = state_path(output), log_file(output)
    logged = exists(log) and log.stat().st_size > 0
    for path in (output, state, *([log] if logged else [])):
        if exists(path):
            going_on = "--resume to go on with it, " if exists(state) else ""
            raise UsageError(
                f"{path} exists",
                f"Add {going_on}--overwrite to begin anew, or choose another name.",
            )


def plan_of(name: str, state: Path | None, settings: list[str]) -> Recipe:
    """Return the recipe that a run was begun with, if `state` is its, else the one called `name`.

    With its fields changed as `settings` say.
    """
    from vstyle.training.recipe_file import change, read_recipe, recipe_of_run

    return change(recipe_of_run(state) if state else read_recipe(name), settings)


def limits(steps: int | None, time: str | None, seed: int | None) -> list[str]:
    """Return the settings that --max-steps, --max-time and --seed stand for."""
    flags = {"steps": steps, "seconds": _seconds(time), "seed": seed}
    return [f"{field}={value}" for field, value in flags.items() if value is not None]


def learn(job: Job, plan: Recipe, *, quiet: bool) -> int:
    """Train, drawing the steps; return the signal that stopped it, 0 if it came to its end."""
    from vstyle.training.pace import Pace
    from vstyle.training.train import fit

    silent = quiet or _follower()
    pace, done = Pace(), 0
    with Stop() as stop:
        steps = fit(job, plan, (lambda _: None) if silent else console.note, stop.asked)
        for step in steps if silent else console.draw_steps(steps, plan.steps):
            stop.patient = True
            pace.add(step)
            done = step.number
    if not silent:
        console.say(
            f"{job.output}: {done} steps" if done else f"{job.output}: nothing was left to do"
        )
        if words := pace.words(job.device):
            console.say(words)
    return stop.number


def leave_if_stopped(number: int, *, quiet: bool) -> None:
    """Say how to go on with a run that the signal `number` stopped, and leave; 0 is none."""
    if not number:
        return
    if not (quiet or _follower()):
        again = [word for word in sys.argv[1:] if word not in {"--resume", "--overwrite", "-y"}]
        how = "torchrun as before, and -m vstyle" if "RANK" in os.environ else "vstyle"
        console.say(f"stopped; go on with: {how} {shlex.join([*again, '--resume'])}")
    raise typer.Exit(128 + number)


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
        for number in console.STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
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


def _follower() -> bool:
    """Tell whether this is one of several processes and not the first, which does the talking."""
    return os.environ.get("RANK", "0") != "0"


def _seconds(text: str | None) -> float | None:
    """Return a time such as 90s, 10m or 1.5h in seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found or not float(found[1]):
        raise UsageError(f"{text} is no time", "Write 90s, 10m, 1.5h or 2d.")
    return float(found[1]) * UNITS[found[2] or "s"]
