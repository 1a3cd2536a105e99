"""The ffmpeg process: started, fed, waited for, and never left behind."""

import errno
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import IO

import imageio_ffmpeg

from vstyle.errors import OutputError
from vstyle.video.watch import PATIENCE, Watch, kill

# ffmpeg exits with the low byte of its error.
_NO_ROOM = {
    -errno.ENOSPC & 0xFF: "no space left where the output goes",
    -errno.EDQUOT & 0xFF: "your quota of space is used up where the output goes",
    -errno.EFBIG & 0xFF: "no file may be as large as the output would be",
    -signal.SIGXFSZ: "no file may be as large as the output would be",
}
_NO_READER = -errno.EPIPE & 0xFF
_LAST_WORDS = 10  # seconds in which an interrupted ffmpeg can finish its file
_TAIL = 8192  # bytes of ffmpeg's words that are looked at
_LONGEST = 300  # letters of them that are repeated

# What ffmpeg says after the line that matters.
_ECHOES = re.compile(
    r"Conversion failed|Error while (opening|filtering)|Could not open encoder|Task finished|"
    r"Terminating thread|Nothing was written|Error (sending|muxing|opening output|submitting|"
    r"initializing output|writing trailer|closing)|Could not write header|Last message|Broken pipe"
)
_SPEAKER = re.compile(r"^(\[[^\]]*\]\s*)+")  # "[libx264 @ 0x55d0] "


def executable() -> str:
    """Return the ffmpeg to run: VSTYLE_FFMPEG, else the one that came with imageio-ffmpeg."""
    return os.environ.get("VSTYLE_FFMPEG") or str(imageio_ffmpeg.get_ffmpeg_exe())


@cache
def filters(program: str) -> frozenset[str]:
    """Return the names of the filters that an ffmpeg has."""
    return frozenset(row[1] for row in listing(program, "-filters") if len(row) > 2)


@cache
def options(program: str) -> frozenset[str]:
    """Return the options that an ffmpeg has, as its help lists them."""
    return frozenset(row[0] for row in listing(program, "-h", "long") if row)


def listing(program: str, *request: str) -> list[list[str]]:
    """Return what an ffmpeg says when it is asked, in lines of words; OutputError if it cannot."""
    command = [program, "-hide_banner", "-nostdin", *request]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError as error:
        raise _cannot_be_run(program, error) from error
    return [line.split() for line in told.splitlines()]


def _cannot_be_run(program: str, error: OSError) -> OutputError:
    return OutputError(
        f"ffmpeg cannot be run ({program}: {error.strerror})",
        "Set VSTYLE_FFMPEG to an ffmpeg that works, or unset it.",
    )


@dataclass(frozen=True)
class Child:
    """A running ffmpeg that reads from `send` and says what went wrong into `words`.

    Where an OutputError is raised, it is a BrokenPipeError if the reader of its output has left.
    """

    process: subprocess.Popen[bytes]
    words: IO[bytes]
    watch: Watch

    def send(self, data: bytes) -> None:
        """Write all of `data` to ffmpeg; OutputError if it no longer listens."""
        assert self.process.stdin is not None
        rest = memoryview(data)
        try:
            with self.watch.waiting():
                while rest:  # one write need not take all of it
                    rest = rest[self.process.stdin.write(rest) :]
        except OSError:
            raise self._failure() from None

    def finish(self) -> None:
        """Tell ffmpeg that this was all and wait until it has written the file, or OutputError."""
        assert self.process.stdin is not None
        with suppress(OSError):  # if it is gone, its exit code says why
            self.process.stdin.close()
        with self.watch.waiting():
            code = self.process.wait()
        if code != 0:
            raise self._failure()

    def _failure(self) -> OutputError | BrokenPipeError:
        """Return the error that tells why ffmpeg ended."""
        with self.watch.waiting():
            code = self.process.wait()
        if self.watch.stalled:
            return OutputError(
                f"ffmpeg did nothing for {self.watch.patience:g} s",
                "Is the place of the output still there? --patience 0 waits for ever.",
            )
        if code == _NO_READER:
            return BrokenPipeError(errno.EPIPE, "the reader of the output has left")
        if code == 0:
            return OutputError("ffmpeg ended before the last frame", "Run it again.")
        if code in _NO_ROOM:
            return OutputError(_NO_ROOM[code], "Make room, or write elsewhere.")
        if code < 0:
            return OutputError(
                f"ffmpeg was killed by signal {-code}", "Is memory short? Run it again."
            )
        reason = _reason(self.words).rstrip(".")
        return OutputError(
            f"ffmpeg failed with code {code}: {reason}", "Try another --codec or another container."
        )


@contextmanager
def running(
    command: Sequence[str],
    stdout: int | None = None,
    finish: bool = False,
    patience: float = PATIENCE,
) -> Iterator[Child]:
    """Run ffmpeg while the block lasts; if it still runs at the end of it, it is killed.

    With `finish` it has some seconds before that to end its file well. What it writes to its
    standard output goes to the descriptor `stdout`, if there is one. If it does nothing for
    `patience` seconds when it is waited for, it is killed as well.
    """
    # A file, not a pipe: a pipe that nobody reads stops a talkative ffmpeg for ever.
    with tempfile.TemporaryFile() as words:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if stdout is None else stdout,
                stderr=words,
                bufsize=0,
                start_new_session=True,  # else Ctrl-C would reach it before us
            )
        except OSError as error:
            raise _cannot_be_run(command[0], error) from error
        watch = Watch(process, stdout, patience)
        try:
            yield Child(process, words, watch)
        finally:
            watch.close()
            assert process.stdin is not None
            try:
                with suppress(OSError):
                    process.stdin.close()
                if finish:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_LAST_WORDS)
            finally:  # a second Ctrl-C does not wait
                kill(process)
                process.wait()


def _reason(words: IO[bytes]) -> str:
    """Return the last line of ffmpeg's that is not the echo of an earlier one."""
    words.seek(0, os.SEEK_END)
    words.seek(max(0, words.tell() - _TAIL))
    lines = words.read().decode(errors="replace").splitlines()
    lines = [_SPEAKER.sub("", line).strip() for line in lines]
    telling = [line for line in lines if line and not _ECHOES.search(line)]
    return (telling or [line for line in lines if line] or ["it did not say why"])[-1][:_LONGEST]
