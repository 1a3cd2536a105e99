"""What a run says of itself: before, while and after it paints, for people or for programs."""

import json
import shlex
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vstyle.cli import console
from vstyle.cli.options import Drawing
from vstyle.errors import OutputError, VstyleError

if TYPE_CHECKING:
    from vstyle.video.decode import Frame
    from vstyle.video.stylize import Job, Report

Facts = dict[str, Any]
"""One JSON object."""

INTERVAL = 0.5  # seconds between two lines of `--progress json`


@dataclass
class Voice:
    """Says as much as was asked for, in the form that was asked for."""

    json: bool
    progress: Drawing
    verbose: bool
    quiet: bool
    painter: str = ""  # what paints, in a few words
    told: list[Facts] = field(default_factory=list)  # one object per clip

    def before(self, job: "Job", dry_run: bool) -> None:
        """Say what will be done, or what would be."""
        found = facts(job, self.painter)
        if dry_run:
            self.told.append(found)
        if self.verbose or (dry_run and not self.json):
            for line in lines(found):
                console.say(line)
        if not self.quiet:
            for message in job.notes:
                console.note(message)

    def watch(self, job: "Job", frames: "Iterable[Frame]") -> "Iterable[Frame]":
        """Let the painted frames go by and show how far it is."""
        if self.progress is Drawing.JSON:
            return progress_lines(job, frames)
        return frames if self.quiet else console.draw(job, frames, self.painter)

    def after(self, report: "Report") -> None:
        """Say what was done."""
        job = report.job
        found = facts(job, self.painter)
        rate = report.painted / report.seconds
        done = {"frames": report.frames, "seconds": round(report.seconds, 3), "fps": round(rate, 2)}
        self.told.append({**found, **done, "warnings": report.notes})
        if not self.quiet:
            for message in report.notes[len(job.notes) :]:
                console.note(message)
            count = "1 frame" if report.frames == 1 else f"{report.frames} frames"
            words = f"{count}, {report.seconds:.1f} s, {rate:.1f} fps"
            console.say(f"{found['output']}: {words}")

    def failed(self, clip: Path, place: Path, error: VstyleError) -> None:
        """Keep in mind what went wrong."""
        what = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        self.told.append({"input": str(clip), "output": str(place), **what})

    def close(self, several: bool) -> None:
        """Print the one object, if it was asked for."""
        if not self.json or not self.told:
            return
        failed = sum("error" in one for one in self.told)
        whole: Facts = {"files": self.told, "failed": failed}
        try:
            typer.echo(json.dumps(whole if several else self.told[0]))
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"standard output cannot be written: {error.strerror}"
            if failed:  # that is on its way to be told
                console.complain(what)
                return
            raise OutputError(what, "Everything else is done.") from error


def facts(job: "Job", painter: str) -> Facts:
    """Return what is known before the first frame, fit for JSON."""
    from vstyle.video.colour import words
    from vstyle.video.command import command_for
    from vstyle.video.standard import STANDARD, name_of

    clip, plan = job.clip, job.plan
    encoders = {way.stream: way.encoder for way in plan.routes}
    others = [
        {
            "index": stream.index,
            "kind": stream.type,
            "codec": stream.codec_context.name if stream.codec_context else "unknown",
            "becomes": encoders.get(stream.index),
        }
        for stream in job.source.streams
    ]
    to_stdout = plan.destination == STANDARD
    return {
        "input": name_of(clip.path),
        "output": "standard output" if to_stdout else str(plan.destination),
        "size": [clip.width, clip.height],
        "rate": None if clip.rate is None else str(clip.rate),
        "time_base": str(clip.time_base),
        "duration": clip.duration,
        "colour": words(clip.colour),
        "streams": [{"kind": "video", "codec": job.source.codec, "becomes": plan.codec}, *others],
        "painter": painter,
        "warnings": plan.notes,
        "command": command_for(plan, clip),
    }


def lines(found: Facts) -> Iterator[str]:
    """Say the facts in lines for people."""
    width, height = found["size"]
    rate = found["rate"] or "unknown"
    yield f"input: {found['input']}, {width}x{height}, {rate} fps, {found['colour']}"
    for stream in found["streams"]:
        becomes = {"copy": "is copied", None: "is left out"}.get(
            stream["becomes"], f"becomes {stream['becomes']}"
        )
        yield f"{stream['kind']} ({stream['codec']}) {becomes}"
    yield f"painter: {found['painter']}"
    yield f"output: {found['output']}"
    yield f"command: {shlex.join(found['command'])}"


def progress_lines(job: "Job", frames: "Iterable[Frame]") -> "Iterator[Frame]":
    """Let the frames go by; now and then, and of the last, say on stderr how far it is.

    One JSON object a line.
    """
    begin = said = time.monotonic()
    line: Facts | None = None  # that has not been said
    for count, frame in enumerate(frames, start=1):
        now = time.monotonic()
        line = {
            "frame": count,
            "time": round(frame.time - float(job.clip.origin), 6),
            "duration": job.clip.duration,
            "fps": round(count / max(now - begin, 1e-6), 3),
        }
        if count == 1 or now - said >= INTERVAL:
            typer.echo(json.dumps(line), err=True)
            said, line = now, None
        yield frame
    if line:
        typer.echo(json.dumps(line), err=True)
