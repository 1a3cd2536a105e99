"""The recurrence: what is carried, when it is forgotten, and what strength does."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstyle import pixels
from vstyle.engine.base import Grain, Mask, Picture
from vstyle.models.contrast import contrast
from vstyle.video.canvas import follow
from vstyle.video.decode import Frame
from vstyle.video.flow import Motion, Tracked
from vstyle.video.paint import blend, carry, paint, ready, show, trust_mask

STILL = Motion(np.zeros((6, 8, 2), np.float32), np.ones((6, 8), np.float32))


class Adder:
    """Paints the frame's number of times that it was carried: shows what it was given."""

    factor = 4

    def __init__(self) -> None:
        self.calls: list[tuple[Picture | None, Mask | None]] = []

    def paint(
        self,
        frame: Picture,
        carried: Picture | None,
        trust: Mask | None,
        grain: Grain,
    ) -> Picture:
        assert grain.shape == pixels.grid(*frame.shape[:2], self.factor)
        self.calls.append((carried, trust))
        return np.full_like(frame, 10) if carried is None else carried + np.uint8(1)


def frames(count: int) -> list[Frame]:
    image = np.full((13, 18, 3), 200, np.uint8)
    return [Frame(image, index, Fraction(1, 25)) for index in range(count)]


def tracks(frames: list[Frame], *motions: Motion | None) -> list[Tracked]:
    canvas = follow(None, np.zeros((6, 8), np.uint8), None)
    return [Tracked(*pair, canvas) for pair in zip(frames, motions, strict=True)]


def test_the_last_picture_is_carried_and_forgotten_at_a_cut() -> None:
    engine = Adder()
    tracked = tracks(frames(5), None, STILL, STILL, None, STILL)
    painted = list(paint(tracked, engine))
    assert [int(frame.image[0, 0, 0]) for frame in painted] == [10, 11, 12, 10, 11]
    assert [frame.pts for frame in painted] == [0, 1, 2, 3, 4]
    assert engine.calls[3] == (None, None)
    trust = engine.calls[1][1]
    assert trust is not None
    assert trust.shape == pixels.grid(13, 18, 4) == (4, 5)
    assert trust.dtype == np.uint8
    assert trust.min() == 255


def test_an_engine_is_given_what_it_made_of_a_frame_before_its_turn() -> None:
    """Frames are made ready without being painted; each is painted from its own look."""

    class Far(Adder):
        def look(self, frame: Picture) -> tuple[str, Picture]:
            return "seen", frame

        def paint(self, frame: Any, *others: Any) -> Picture:
            word, picture = frame
            assert word == "seen"
            return super().paint(picture, *others)

    engine = Far()
    turns = list(ready(tracks(frames(3), None, STILL, None), engine))
    assert not engine.calls
    assert [turn.trust is None for turn in turns] == [True, False, True]
    assert [int(made.picture[0, 0, 0]) for made in carry(turns, engine)] == [10, 11, 10]


def test_strength_is_for_the_eyes_only() -> None:
    tracked = tracks(frames(3), None, STILL, STILL)
    painted = list(paint(tracked, Adder(), 0.5))
    assert [int(frame.image[0, 0, 0]) for frame in painted] == [105, 106, 106]  # of 200 and 10..12


def test_strength_0_is_the_source_and_1_the_paint() -> None:
    source, painted = np.full((2, 2, 3), 3, np.uint8), np.full((2, 2, 3), 9, np.uint8)
    assert np.array_equal(blend(source, painted, 0), source)
    assert np.array_equal(blend(source, painted, 1), painted)


def test_an_engine_of_8_bits_is_shown_8_bits() -> None:
    deep = [Frame(frame.image * np.uint16(257), frame.pts, frame.time_base) for frame in frames(2)]
    painted = list(paint(tracks(deep, None, STILL), Adder()))
    assert [int(frame.image[0, 0, 0]) for frame in painted] == [10 * 257, 11 * 257]
    assert all(frame.image.dtype == np.uint16 for frame in painted)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([1, 4, 8, 16]))
def test_the_mask_fits_the_grid(height: int, width: int, factor: int) -> None:
    assert trust_mask(STILL, height, width, factor).shape == pixels.grid(height, width, factor)


@pytest.mark.parametrize("trust", [0, 1])
def test_the_mask_keeps_its_ends(trust: int) -> None:
    motion = Motion(STILL.flow, np.full((6, 8), trust, np.float32))
    assert (trust_mask(motion, 48, 64, 8) == 255 * trust).all()


def test_the_grading_is_for_the_eyes_only() -> None:
    class Coloured(Adder):
        contrast = contrast(np.full((8, 8, 3), 200, np.uint8))

        def paint(self, *seen: Any) -> Picture:
            picture = super().paint(*seen)
            picture[:, 9:] = picture[0, 0] + np.uint8(50)
            return picture

    engine = Coloured()
    painted = list(carry(ready(tracks(frames(3), None, STILL, STILL), engine), engine))
    assert all(0 < np.ptp(frame.image) < 50 for frame in show(painted, engine))
    assert (painted[-1].picture.min(), painted[-1].picture.max()) == (12, 62)
    source = frames(1)
    assert np.array_equal(next(paint(tracks(source, None), engine, 0)).image, source[0].image)
