"""The errors a user can meet: each knows what happened, what to do, and its exit code."""


class VstyleError(Exception):
    """Something the user can act on: a message (what, why) and a hint (what to do)."""

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VstyleError):
    """The command does not make sense: unknown style, output exists or is the input, bad recipe."""

    exit_code = 2


class InputError(VstyleError):
    """The clip or the style picture is missing, not readable, or not what it should be."""

    exit_code = 3


class CheckpointError(VstyleError):
    """A model file is missing, foreign, truncated, newer than this program, or not finite."""

    exit_code = 4


class OutputError(VstyleError):
    """Writing failed: ffmpeg refused or died, the place cannot be written, the disk is full."""

    exit_code = 5


class DeviceError(VstyleError):
    """The device asked for is not here, or ran out of memory."""

    exit_code = 6


def out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory ran out: each library has words of its own."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(words in said for words in _NO_MEMORY)


_NO_MEMORY = (
    "out of memory", "bad_alloc", "alloc_failed", "allocate memory", "failed to allocate",
    "not enough memory", "insufficient memory",
)  # fmt: skip


class TrainingError(VstyleError):
    """A training run went wrong by itself: numbers that are not finite, or a collapse."""

    exit_code = 1
