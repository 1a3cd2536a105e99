"""Pictures as clips: one file is a clip of one frame, `frames/%04d.png` is one of many."""

import re
from pathlib import Path

from vstyle.errors import InputError
from vstyle.folders import exists

_NUMBER = re.compile(r"%(0?\d*)d")


def is_sequence(path: Path) -> bool:
    """Tell whether a path means numbered files; a file that has such a name is a file."""
    return len(_NUMBER.findall(path.name)) == 1 and not exists(path)


def files_of(path: Path) -> dict[int, Path]:
    """Return the pictures of a sequence by their numbers, in their order."""
    before, digits, after = _NUMBER.split(path.name)
    width = f"{{{int(digits)},}}" if digits.startswith("0") and int(digits) else "+"
    name = re.compile(re.escape(before) + rf"(\d{width})" + re.escape(after))
    matches = ((name.fullmatch(file.name), file) for file in path.parent.glob("*"))
    return dict(sorted((int(match[1]), file) for match, file in matches if match))


def parts_of(path: Path) -> list[Path]:
    """Return the files that a path means: those of a sequence, or the one."""
    return list(files_of(path).values()) if is_sequence(path) else [path]


def pattern_of(path: Path) -> Path:
    """Return a sequence as FFmpeg reads it: in the name of a folder, a % is no number."""
    return Path(str(path.parent).replace("%", "%%")) / path.name


def first_number(path: Path) -> int:
    """Return the number of the first picture of a sequence.

    InputError if there is none, or if one is missing between the first and the last.
    """
    digits = _NUMBER.split(path.name)[1]
    numbers = list(files_of(path))
    if not numbers:
        raise InputError(f"there is no file {path}", "Check the name and the number of digits.")
    for number, expected in zip(numbers, range(numbers[0], numbers[-1] + 1), strict=False):
        if number != expected:
            name_of_it = path.with_name(path.name.replace(f"%{digits}d", f"{expected:{digits}}"))
            raise InputError(f"{name_of_it} is missing in {path}", "Number the files in a row.")
    return numbers[0]
