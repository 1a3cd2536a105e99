"""What the tests of training share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vstyle.scene.canvas import paint_canvas


@pytest.fixture(autouse=True)
def always_one_thread(one_thread: None) -> None:
    """Train in one thread."""


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos (noise, smoothed by scaling), one painting; what is no photo, and a tiny one."""
    place = tmp_path_factory.mktemp("pictures")
    for name in ("photos", "paintings"):
        (place / name).mkdir()
    rng = np.random.default_rng(0)
    for index in range(2):
        small = Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8))
        small.resize((96, 72)).save(place / "photos" / f"{index}.png")
    (place / "photos" / "broken.jpg").write_text("no picture")
    Image.new("RGB", (90, 20)).save(place / "photos" / "tiny.png")
    Image.fromarray(paint_canvas(96)).save(place / "paintings" / "own.png")
    return place
