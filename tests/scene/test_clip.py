"""The film as a file: its pictures, times, colour and sound come out as they went in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.scene import Scene, render, sound, write_clip

SCENE = Scene(128, 96, frames=30, rate=Fraction(30000, 1001), seed=2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one second of a film at the broadcast rate, 30000/1001."""
    path = tmp_path_factory.mktemp("scene") / "film.mp4"
    write_clip(SCENE, path)
    return path


def test_pictures_and_times(clip: Path) -> None:
    """Every frame is there, at exactly n / rate, and looks like what was rendered."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        times = [frame.pts * frame.time_base for frame in decoded]
    assert times == [n / SCENE.rate for n in range(SCENE.frames)]
    shown = decoded[20].to_ndarray(format="rgb24", src_colorspace="ITU709").astype(float)
    error = shown - render(SCENE, 20)
    # Fine coloured grass loses some of its colour to 4:2:0, but no channel is off as a whole.
    assert np.abs(error).mean() < 6
    assert np.abs(error.mean((0, 1))).max() < 2


def test_colour_is_tagged(clip: Path) -> None:
    """Matrix, primaries, curve and range are said in the file: BT.709, limited."""
    with av.open(str(clip)) as container:
        context = container.streams.video[0].codec_context
        tags = (
            context.color_range,
            context.colorspace,
            context.color_primaries,
            context.color_trc,
        )
        assert tuple(map(int, tags)) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"


def test_sound_is_as_long_as_the_film(clip: Path) -> None:
    """The sound track is stereo and ends with the pictures, to within one AAC frame."""
    with av.open(str(clip)) as container:
        track = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(track))
        assert track.codec_context.layout.name == "stereo"
    expected = float(SCENE.seconds) * 48000
    assert abs(samples - expected) <= 1024


def test_sound_is_repeatable_and_gentle() -> None:
    """The samples are the film's length, never clipped, not silent, soft at both ends."""
    samples = sound(SCENE)
    assert samples.shape == (round(SCENE.seconds * 48000), 2)
    assert samples.dtype == np.int16
    assert np.array_equal(samples, sound(SCENE))
    level = np.abs(samples.astype(float))
    assert 3000 < level.max() < 20000
    assert level[:48].max() < 300
    assert level[-48:].max() < 300


def test_odd_sizes_are_refused(tmp_path: Path) -> None:
    """Odd sizes cannot be H.264 in 4:2:0, and nothing is left behind."""
    with pytest.raises(ValueError, match="even"):
        write_clip(Scene(321, 241, frames=2), tmp_path / "odd.mp4")
    assert not list(tmp_path.iterdir())
