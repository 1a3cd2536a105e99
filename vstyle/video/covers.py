"""Cover pictures as files beside the growing output, for ffmpeg to attach to it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vstyle.errors import OutputError
from vstyle.video.opening import open_container
from vstyle.video.part import part_of


def place_of(destination: Path, stream: int) -> Path:
    """Return the hidden file that holds the cover in a stream of the source while ffmpeg runs."""
    return part_of(destination).with_suffix(f".{stream}.part")


@contextmanager
def covers_beside(destination: Path, path: Path, streams: Sequence[int]) -> Iterator[None]:
    """Write the covers in `streams` of the file at `path`, one file each, and remove them after."""
    with ExitStack() as stack:
        for stream in streams:
            place = place_of(destination, stream)
            stack.callback(place.unlink, missing_ok=True)
            with open_container(path, None) as container:
                picture = next(container.demux(container.streams[stream]))
            try:
                place.write_bytes(bytes(picture))
            except OSError as error:
                raise OutputError(
                    f"{destination.parent} cannot be written: {error.strerror}",
                    "Choose another place for the output.",
                ) from error
        yield
