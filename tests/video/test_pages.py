"""Large arrays that come and go cost no pages."""

import platform
import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from vstyle.video.memory import keep_freed
if sys.argv[1] == "kept":
    keep_freed()
def faults():
    for _ in range(50):
        arrays = [np.ones(n * 1_000_000, np.uint8) for n in (3, 7, 4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(-faults() + faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_what_is_freed_is_used_again() -> None:
    """Fifty rounds of 14 MB: tens of thousands of page faults if the arrays are new each time."""
    command = [sys.executable, "-c", CODE]
    kept, new = (
        int(subprocess.run([*command, how], capture_output=True, text=True, check=True).stdout)
        for how in ("kept", "new")
    )
    assert kept < 0.1 * new
