"""What the fuzz targets share: a folder, a corpus, and a run of a bounded number of cases."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import atheris

# Of one case: seconds, and megabytes of the whole process. libFuzzer ends the run beyond them.
LIMITS = ["-timeout=20", "-rss_limit_mb=2048", "-malloc_limit_mb=1024"]


def fuzz(check: Callable[[Path], None], seeds: Mapping[str, bytes], longest: int) -> None:
    """Mutate the seeds, guided by the coverage of the instrumented Python, and check each result.

    `check` gets a file with the case in it. Anything that it raises, a crash, a hang or too much
    memory ends the run with an error and leaves the case behind as `crash-...`. Further arguments
    of the command, such as `-runs=1000`, are libFuzzer's.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus, case = Path(folder, "corpus"), Path(folder, "case")
        corpus.mkdir()
        for name, data in seeds.items():
            Path(corpus, name).write_bytes(data)

        def one(data: bytes) -> None:
            case.write_bytes(data)
            check(case)

        words = [sys.argv[0], str(corpus), f"-max_len={longest}", *LIMITS, *sys.argv[1:]]
        atheris.Setup(words, one)
        atheris.Fuzz()
