"""Reading ahead changes neither items nor errors, and its thread never outlives the reader."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from vstyle.video.prefetch import prefetch


def test_items_come_in_order() -> None:
    assert list(prefetch(range(100), 3)) == list(range(100))


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    read = prefetch(items())
    assert next(read) == 1
    with pytest.raises(ValueError, match="broken"):
        next(read)


def test_the_thread_ends_when_the_reader_leaves_early() -> None:
    with closing(prefetch(iter(int, 1))) as items:
        next(items)
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_what_is_waited_for_is_ended_first() -> None:
    """Of two threads in a row, the first of which waits for data that never comes."""
    came = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        came.wait()
        yield 2

    with (
        closing(prefetch(items(), stop=came.set)) as first,
        closing(prefetch((item + 1 for item in first), depth=1, stop=came.set)) as second,
    ):
        assert next(second) == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_no_more_is_read_than_the_depth() -> None:
    read = []
    with closing(prefetch((read.append(index) or index for index in range(100)), 4)) as items:
        next(items)
        time.sleep(0.2)
        assert len(read) <= 6  # one given out, four waiting, one in hand
