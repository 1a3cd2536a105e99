"""The clips to measure on: rendered, scaled, or the user's own as it is."""

from pathlib import Path

import av
import pytest

from vstyle.bench import clips
from vstyle.bench.clips import FRAMES, Size, make_clip, own_painting, parse_sizes
from vstyle.errors import DeviceError, InputError, UsageError
from vstyle.pictures import read_picture


def shape(path: Path) -> tuple[int, int, int, int]:
    """Return width, height, frames and sounds of a clip."""
    with av.open(str(path)) as container:
        frames = [(frame.width, frame.height) for frame in container.decode(video=0)]
        return *frames[0], len(frames), len(container.streams.audio)


def test_sizes_are_read() -> None:
    assert parse_sizes("640x360, 1280x720") == [Size(640, 360), Size(1280, 720)]


@pytest.mark.parametrize("text", ["", "640", "640x", "x360", "640X360", "640x360,", "-2x2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        parse_sizes(text)


def test_a_clip_is_rendered_in_the_size_asked_for(tmp_path: Path) -> None:
    clip, shows = make_clip(None, Size(64, 36), tmp_path)
    assert shape(clip) == (64, 36, FRAMES, 1)
    assert str(FRAMES) in shows


@pytest.mark.parametrize("size", [Size(30000, 16), Size(16, 6146), Size(10924, 1000)])
def test_a_film_too_large_to_be_rendered_is_refused(size: Size, tmp_path: Path) -> None:
    """At once: a strip is cut out of a picture of 16:9, and costs as much."""
    with pytest.raises(UsageError, match=f"no film of {size}"):
        make_clip(None, size, tmp_path)


def test_memory_that_runs_out_while_rendering_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an error of that row: others may still be measured. A fault of ours stays one."""

    def failing(error: Exception) -> None:
        def write_clip(*_: object) -> None:
            raise error

        monkeypatch.setattr(clips, "write_clip", write_clip)

    failing(MemoryError("Unable to allocate 9 GiB"))
    with pytest.raises(DeviceError, match="64x36"):
        make_clip(None, Size(64, 36), tmp_path)
    failing(ValueError("operands could not be broadcast"))
    with pytest.raises(ValueError, match="operands"):
        make_clip(None, Size(64, 36), tmp_path)


def test_a_clip_of_the_user_is_taken_as_it_is_or_scaled(cfr: Path, tmp_path: Path) -> None:
    """With all its frames and its sound."""
    assert make_clip(cfr, None, tmp_path) == (cfr, "cfr.mp4")
    clip, shows = make_clip(cfr, Size(32, 32), tmp_path)
    assert shape(clip) == (32, 32, 20, 1)
    assert shows == "cfr.mp4"


def test_a_clip_without_a_picture_is_refused(sound_only: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no video"):
        make_clip(sound_only, Size(32, 32), tmp_path)


def test_our_own_painting_is_a_picture(tmp_path: Path) -> None:
    assert min(read_picture(own_painting(tmp_path)).shape[:2]) >= 256
