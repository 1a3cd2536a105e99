"""What people see: everything on stderr, and a moving bar only where it can move."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

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
from rich.text import Text

if TYPE_CHECKING:
    from vstyle.video.decode import Frame
    from vstyle.video.stylize import Job


def complain(message: str, hint: str = "") -> None:
    """Say what went wrong, and in a second line what to do."""
    console = _console()
    _line(console, f"vstyle: {message}")
    if hint:
        _line(console, f"hint: {hint}")


def note(message: str) -> None:
    """Say something that the user should know."""
    _line(_console(), f"note: {message}")


def say(message: str) -> None:
    """Say that something is done."""
    _line(_console(), message)


def draw(job: "Job", frames: "Iterable[Frame]") -> "Iterator[Frame]":
    """Let the painted frames go by and draw how many there were, how fast, and what is left."""
    for message in job.notes:
        note(message)
    console = _console()
    if not console.is_terminal or console.is_dumb_terminal:
        yield from frames
        return
    end = job.clip.duration
    # By time, not by count: few containers know how many frames they hold.
    with Progress(*_columns(end is not None), console=console, transient=True) as progress:
        task = progress.add_task(job.clip.path.name, total=end, count=0)
        for count, frame in enumerate(frames, start=1):
            time = frame.time - float(job.clip.origin)
            progress.update(task, completed=time if end is None else min(time, end), count=count)
            yield frame


class _Rate(ProgressColumn):
    """Frames painted, and frames per second."""

    def render(self, task: Task) -> Text:
        count = int(task.fields["count"])
        elapsed = task.elapsed or 0
        rate = f"{count / elapsed:.1f}" if elapsed > 0 else "-"
        return Text(f"{count} frames, {rate} fps")


def _columns(total: bool) -> list[ProgressColumn]:
    """Return what the bar is made of; without a total there is only a sign of life."""
    name = TextColumn("{task.description}", markup=False)
    if not total:
        return [SpinnerColumn(), name, _Rate()]
    left = TextColumn("left")
    return [name, BarColumn(), _Rate(), TimeRemainingColumn(compact=True), left]


def _console() -> Console:
    """Return stderr as it is now. Rich heeds NO_COLOR and TERM=dumb."""
    return Console(stderr=True, highlight=False)


def _line(console: Console, text: str) -> None:
    """Print one line, whatever is in it: names of files can hold newlines and brackets."""
    console.print(" ".join(text.split("\n")), markup=False, soft_wrap=True)
