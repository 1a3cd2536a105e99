"""The door: verbs, exit codes, signals. The verbs import what is heavy, when they run."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from vstyle import __version__
from vstyle.cli.bench import bench
from vstyle.cli.console import STOPS, complain
from vstyle.cli.distill import distill
from vstyle.cli.quantize import quantize
from vstyle.cli.stylize import stylize
from vstyle.cli.train import train
from vstyle.errors import DeviceError, VstyleError, out_of_memory

BUG = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # `main` has its own words for them
    rich_markup_mode="rich",
)


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"vstyle {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show where an error came from.", envvar="VSTYLE_DEBUG"),
    ] = False,
) -> None:
    """Paint videos in the style of any picture: steadily, with the sound kept."""
    if debug:
        os.environ["VSTYLE_DEBUG"] = "1"  # `main` asks when it catches the error


app.command()(stylize)
app.command()(quantize)
app.command()(train)
app.command()(distill)
app.command()(bench)


def main() -> None:
    """Run the command line and leave with the exit code of what happened."""
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, leave)
    sys.exit(exit_code(app))


def leave(number: int, _: FrameType | None) -> None:
    """End the program in a way that everything is cleaned up."""
    for each in STOPS:  # a second one, of whatever kind, must not disturb the cleaning
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def exit_code(run: Callable[[], object]) -> int:
    """Call `run`, tell the user in one line what went wrong, and return the exit code."""
    try:
        run()
    except SystemExit as done:
        if isinstance(done.__context__, BrokenPipeError):  # Typer has made a plain 1 of it
            return BROKEN_PIPE
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except VstyleError as error:
        _trace()
        complain(error.message, error.hint)
        return error.exit_code
    except Exception as error:
        _trace()
        return _unforeseen(error)
    return 0


def _unforeseen(error: Exception) -> int:
    """Say what an error is that is none of ours, and return its exit code."""
    if out_of_memory(error):
        complain("memory ran out", "Free some of it, or choose something smaller.")
        return DeviceError.exit_code
    hint = "" if _debugging() else "Run it again with VSTYLE_DEBUG=1 to see where."
    complain(f"this should not happen: {type(error).__name__}: {error}", hint)
    return BUG


def _debugging() -> bool:
    return os.environ.get("VSTYLE_DEBUG", "") not in {"", "0"}


def _trace() -> None:
    """Show where the error being handled came from, if that is wanted."""
    if _debugging():
        traceback.print_exc()
