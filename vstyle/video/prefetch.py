"""Read ahead in a thread, so that decoding and painting happen at the same time."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2
"""Items read ahead: enough to smooth out slow frames (3 were no faster), and of 4K 50 MB of
pictures at most, with two thirds as much that is made ready of them."""


@dataclass(frozen=True)
class _End:
    """The last thing in the queue: there are no more items, or `error` happened."""

    error: BaseException | None = None


def prefetch(
    items: Iterable[T], depth: int = DEPTH, stop: Callable[[], object] | None = None
) -> Generator[T]:
    """Yield `items`, read by a thread that is at most `depth` of them ahead.

    An error of `items` is raised here, after the items before it. The thread ends when the items
    do, or when this generator is closed, and never outlives it. `stop` is called then, if an item
    may be waited for: it must end the wait.
    """
    queue: Queue[T | _End] = Queue(depth)
    abandoned = Event()
    thread = Thread(target=_fill, args=(queue, items, abandoned), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := queue.get(), _End):
            yield item
        stop = None
        if item.error is not None:
            raise item.error
    finally:
        abandoned.set()
        if stop is not None:
            stop()
        thread.join()


def _fill(queue: Queue[T | _End], items: Iterable[T], abandoned: Event) -> None:
    """Put the items into the queue, then the end, unless nobody wants them any more."""
    end = _End()
    try:
        for item in items:
            _put(queue, item, abandoned)
            if abandoned.is_set():
                return
    except BaseException as error:  # whatever it is, the reader gets it
        end = _End(error)
    _put(queue, end, abandoned)


def _put(queue: Queue[T | _End], item: T | _End, abandoned: Event) -> None:
    """Wait for room in the queue, but not for a reader who has left."""
    while not abandoned.is_set():
        try:
            queue.put(item, timeout=0.1)
        except Full:
            continue
        return
