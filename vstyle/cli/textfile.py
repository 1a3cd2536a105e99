"""Files of text that a verb writes on the side."""

from __future__ import annotations

import os
from pathlib import Path

from vstyle.errors import OutputError
from vstyle.folders import is_folder


def check_place(path: Path) -> None:
    """Raise OutputError now, not after an hour, if the file cannot be written."""
    folder = path.resolve().parent
    if is_folder(path) or not is_folder(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written", "Name a file in a folder that can be.")


def write(path: Path, text: str) -> None:
    """Write the file. Raises OutputError."""
    try:
        # A name of a file need not be text.
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", "Name another place for it."
        ) from error
