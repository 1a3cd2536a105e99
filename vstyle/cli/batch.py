"""Several clips in a row: where each one goes, and going on after a bad one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from vstyle.cli import console
from vstyle.cli.report import Voice
from vstyle.errors import OutputError, UsageError, VstyleError
from vstyle.folders import is_folder

SPARE = ".mkv"
"""The suffix of a painted clip whose own kind vstyle does not write."""


def targets(
    clips: Sequence[Path], output: Path | None, folder: Path | None
) -> list[tuple[Path, Path]]:
    """Return each clip with the place where it goes; UsageError or OutputError if it has none."""
    if output is not None and folder is not None:
        raise UsageError("--output and --out-dir are two places", "Give one of them.")
    if folder is None:
        if output is None:
            raise UsageError("no output is given", "Add -o FILE, or --out-dir FOLDER.")
        if len(clips) > 1:
            raise UsageError("several clips cannot become one file", "Add --out-dir FOLDER.")
        return [(clips[0], output)]
    if not is_folder(folder):
        raise OutputError(f"{folder} is no directory", "Make it first, or choose another place.")
    if Path("-") in clips:
        raise UsageError("standard input has no name to be written under", "Add -o FILE.")
    places = [(clip, folder / _written_as(clip)) for clip in clips]
    for place, times in Counter(place for _, place in places).items():
        if times > 1:
            raise UsageError(f"{times} clips would become {place}", "Paint them one by one.")
    return places


def _written_as(clip: Path) -> str:
    """Return the name of a painted clip."""
    from vstyle.video.stills import is_sequence
    from vstyle.video.streams import CONTAINERS

    if is_sequence(clip):  # pictures become a film, which is called as their folder is
        return f"{clip.resolve().parent.name}{SPARE}"
    return clip.name if clip.suffix.lower() in CONTAINERS else f"{clip.name}{SPARE}"


def paint_all(
    places: Iterable[tuple[Path, Path]],
    paint: Callable[[Path, Path], object],
    voice: Voice,
    done: str = "done",
) -> bool:
    """Paint one clip after the other; say what is wrong with one and go on. Tell if all are well.

    In the end there is a table of what became of each; `done` is what it says of those that went
    well.
    """
    rows: list[tuple[str, str, str]] = []
    for clip, place in places:
        try:
            paint(clip, place)
        except VstyleError as error:
            where = "" if str(clip) in error.message else f"{clip}: "
            console.complain(f"{where}{error.message}", error.hint)
            rows.append(("failed", str(clip), error.message))
        else:
            rows.append((done, str(clip), str(place)))
    failed = sum(state == "failed" for state, _, _ in rows)
    if failed or not voice.quiet:
        console.table(rows)
    return not failed
