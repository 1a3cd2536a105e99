"""What a frame leaves is kept for the next one."""

import ctypes
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's malloc.h
KEPT = 256 << 20  # bytes
# Bytes: glibc takes larger arrays from the system each time, whatever it is told.
LARGEST = 32 << 20


def keep_freed() -> None:
    """Let the C library keep freed memory, up to KEPT bytes, for what is asked for next.

    All threads share it: what one has made another frees, and each would keep as much for itself.
    Left to itself glibc hands large arrays back and takes new ones from the system, page by page:
    4 core-ms per frame of 1280x720. Other C libraries stay as they are.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(_TRIM_THRESHOLD, KEPT)
            library.mallopt(_MMAP_THRESHOLD, LARGEST)
            library.mallopt(_ARENA_MAX, 1)
