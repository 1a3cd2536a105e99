"""What is judged in training is graded as what is shown."""

import numpy as np
import torch

from vstyle.models.config import CODE
from vstyle.models.fold import colours
from vstyle.training.grade import grade
from vstyle.video import grade as shown


def test_batches_are_graded_as_frames_are() -> None:
    chance = np.random.default_rng(2)
    # In squares of the step, one pixel of each says all that there is to say.
    small = chance.integers(30, 200, (2, 12, 16, 3)).astype(np.uint8)
    frames = small.repeat(shown.STEP, 1).repeat(shown.STEP, 2)
    codes = chance.normal(0, 0.1, (2, CODE)).astype(np.float32)
    codes[:, 3:6] = 0.3, 0.4, 0.2
    batch = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    found = grade(batch, torch.from_numpy(codes)).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    for frame, code, one in zip(frames, codes, found, strict=True):
        assert np.abs(shown.grade(frame, colours(code)) - 255 * one).max() <= 0.51


def test_a_flat_picture_has_finite_gradients() -> None:
    picture = torch.full((1, 3, 16, 16), 0.4, requires_grad=True)
    grade(picture, torch.full((1, CODE), 0.1)).square().mean().backward()
    assert picture.grad is not None
    assert picture.grad.isfinite().all()
