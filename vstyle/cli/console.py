"""What people see: all but tables on stderr, and a moving bar only where it can move."""

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table as Grid
from rich.text import Text

if TYPE_CHECKING:
    from vstyle.bench.run import Event
    from vstyle.bench.tables import Table
    from vstyle.training.step import Step
    from vstyle.video.decode import Frame
    from vstyle.video.stylize import Job


# What people, terminals and systems stop a program with; Windows has no SIGHUP.
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
STEPS_PER_LINE = 100  # of training, where no bar can move
WIDE = 200  # columns of a table that goes into a file


def complain(message: str, hint: str = "") -> None:
    """Say in one line what went wrong, and what to do."""
    _line(_console(), f"vstyle: {message}. {hint}" if hint else f"vstyle: {message}")


def note(message: str) -> None:
    """Say something that the user should know."""
    _line(_console(), f"note: {message}")


def say(message: str) -> None:
    """Say that something is done."""
    _line(_console(), message)


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of words in columns as wide as they need."""
    console = _console()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        _line(console, "  ".join(cells).rstrip())


def draw(job: "Job", frames: "Iterable[Frame]", painter: str) -> "Iterator[Frame]":
    """Let the painted frames go by and draw how many there were, how fast, and what is left.

    `painter` says what paints them.
    """
    console = _console()
    if not _moving(console):
        yield from frames
        return
    end = job.clip.duration
    # By time, not by count: few containers know how many frames they hold.
    name = painter.partition(" with ")[0]  # with what else is for those who ask with -v
    columns = _columns(end is not None, console.width, cell_len(name))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=end, count=0)
        for count, frame in enumerate(frames, start=1):
            time = frame.time - float(job.clip.origin)
            progress.update(task, completed=time if end is None else min(time, end), count=count)
            yield frame


def draw_steps(steps: "Iterable[Step]", total: int) -> "Iterator[Step]":
    """Let the training steps go by and draw a bar with the losses; off a terminal, some lines."""
    console = _console()
    if not _moving(console):
        for step in steps:
            if step.number % STEPS_PER_LINE == 0:
                _line(console, f"step {step.number} of {total}: {_losses(step)}")
            yield step
        return
    columns = (BarColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        for step in steps:
            words = f"{step.number} of {total}  {_losses(step)}"
            # By the share that is done: a run may end by time.
            progress.update(task, completed=step.done, description=words)
            yield step


def draw_rows(events: "Iterable[Event]", quiet: bool) -> "Iterator[Event]":
    """Let what a benchmark finds go by: say what is measured now, and what could not be."""
    from vstyle.bench.records import Failure

    console = _console()
    moving = _moving(console) and not quiet
    with console.status("") if moving else nullcontext() as status:
        for event in events:
            if not isinstance(event, str):
                if isinstance(event, Failure):
                    complain(f"{event.row}: {event.message}")
                yield event
            elif status is not None:
                status.update(Text(event))
            elif not quiet:
                _line(console, event)


def show(found: "Iterable[Table]", aside: bool = False) -> None:
    """Print tables on stdout: they are what was asked for. If they are `aside`, on stderr."""
    console = Console(highlight=False, stderr=aside)
    if not console.file.isatty():
        console.width = WIDE
    for each in found:
        grid = Grid(title=each.title, title_justify="left", box=SIMPLE_HEAD, padding=0)
        for index, head in enumerate(each.heads):
            grid.add_column(Text(head), justify="left" if index < each.words else "right")
        for row in each.rows:
            grid.add_row(*(Text(word) for word in row))
        console.print(grid)
        if each.note:
            console.print(Text(each.note, "dim"))
        console.print()


def _losses(step: "Step") -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in step.terms.items())


def _moving(console: Console) -> bool:
    """Tell whether there is a terminal to draw on. Not `is_terminal`: FORCE_COLOR would do."""
    return console.file.isatty() and not console.is_dumb_terminal


class _Rate(ProgressColumn):
    """Frames painted, and frames per second."""

    def render(self, task: Task) -> Text:
        count = int(task.fields["count"])
        elapsed = task.elapsed or 0
        rate = f"{count / elapsed:.1f}" if elapsed > 0 else "-"
        return Text(f"{count} frames, {rate} fps")


_FACTS = 40  # columns of a terminal for numbers: `12345 frames, 100.0 fps 1:23:45 left`
_BAR = (8, 40)  # the least that shows anything, and the most


def _columns(total: bool, width: int, name: int) -> list[ProgressColumn]:
    """Return what the bar is made of; without a total there is only a sign of life.

    In a line of `width` columns, what is left by the numbers is the bar's, then the name's, which
    is `name` long.
    """
    room = width - _FACTS
    named = [TextColumn("{task.description}", markup=False)] if room > name + _BAR[0] else []
    if not total:
        return [SpinnerColumn(), *named, _Rate()]
    room = min(room - (name + 1 if named else 0), _BAR[1])
    bar = [BarColumn(bar_width=room)] if room >= _BAR[0] else []
    left = [TimeRemainingColumn(compact=True), TextColumn("left")] if width >= _FACTS - 2 else []
    return [*named, *bar, _Rate(), *left]


def _console() -> Console:
    """Return stderr as it is now. Rich heeds NO_COLOR and TERM=dumb."""
    return Console(stderr=True, highlight=False)


def _line(console: Console, text: str) -> None:
    """Print one line, whatever is in it: names of files can hold newlines and brackets."""
    console.print(" ".join(text.split("\n")), markup=False, emoji=False, soft_wrap=True)
