"""In training the strokes are those of painting."""

import cv2
import numpy as np
import torch

from vstyle.models.canvas import TILE
from vstyle.scene import Scene, render
from vstyle.training.canvas import strokes
from vstyle.video.canvas import follow, grain
from vstyle.video.flow import shrink

H, W, FACTOR = 96, 160, 4


def picture(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].float() / 255


def test_they_lie_where_painting_lays_them() -> None:
    """Over a pan, on frames whose grid is as large as the small grey picture: the same strokes."""
    film = [render(Scene(W * FACTOR, H * FACTOR, frames=3), t) for t in range(3)]
    flow = np.full((H, W, 2), (1.25, -0.5), np.float32)
    large = torch.from_numpy(cv2.resize(flow * FACTOR, (W * FACTOR, H * FACTOR)))[None]
    start = torch.zeros(1, 2)
    found = strokes([picture(frame) for frame in film], [large, large], FACTOR, start)
    canvas = None
    for t, mine in enumerate(found):
        canvas = follow(canvas, shrink(film[t]), flow if t else None)
        assert mine.shape == (1, 1, H, W)
        theirs = grain(canvas, H, W)
        assert np.corrcoef(mine.numpy().ravel(), theirs.ravel())[0, 1] > 0.95


def test_films_lie_elsewhere_on_the_noise() -> None:
    """As its start says; a whole tile away it is the same noise."""
    frame = torch.full((3, 3, 64, 64), 0.5)
    start = torch.tensor([[0.0, 0], [40, 7], [TILE, 2 * TILE]])
    (drawn,) = strokes([frame], [], FACTOR, start)
    assert abs(np.corrcoef(drawn[0].ravel(), drawn[1].ravel())[0, 1]) < 0.3
    torch.testing.assert_close(drawn[2], drawn[0], atol=2e-3, rtol=0)
