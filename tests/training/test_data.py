"""Pictures: kept as they are wherever they lie, cut as asked, drawn the same again."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vstyle.errors import InputError
from vstyle.training import batches, data
from vstyle.training.paintings import Paintings
from vstyle.training.recipe_file import change, read_recipe

CPU = torch.device("cpu")


@pytest.fixture
def noise() -> list[data.Picture]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (90, 100 + 20 * i, 3), np.uint8) for i in range(3)]


def test_what_does_not_fit_into_memory_lies_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same bytes, mapped; arrays of all kinds, larger than a chunk too; no file has a name."""
    monkeypatch.setenv("VSTYLE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(data, "CHUNK", 1000)
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 99, (7, size)).astype(kind) for size in (9, 31, 400) for kind in "BeB"
    ]
    memory = data.Memory(arrays[0].nbytes)
    kept = [memory.keep(array) for array in arrays]
    assert kept[0] is arrays[0]
    assert all(isinstance(array, np.memmap) for array in kept[1:])
    for array, same in zip(arrays, kept, strict=True):
        assert array.dtype == same.dtype
        np.testing.assert_array_equal(array, same)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    memory = data.Memory(10)
    assert isinstance(memory.keep(np.zeros(11, np.uint8)), np.memmap)
    assert not isinstance(memory.keep(np.zeros(10, np.uint8)), np.memmap)  # there is still room


def test_a_folder_is_read_in_order_and_faults_are_counted(folders: Path, tmp_path: Path) -> None:
    """Two photos among a text and a tiny picture; a folder with only those is refused."""
    found = data.read_folder(folders / "photos", 80, data.Memory(1e9))
    assert (len(found.pictures), found.unreadable, found.tiny) == (2, 1, 1)
    assert all(min(picture.shape[:2]) == 80 for picture in found.pictures)
    Image.new("RGB", (90, 20)).save(tmp_path / "tiny.png")
    with pytest.raises(InputError, match=r"no readable picture in .*1 tiny"):
        data.read_folder(tmp_path, 80, data.Memory(1e9))


def test_squares_are_cut_within_and_scaled_right() -> None:
    """A ramp stays a ramp, mirrored if so asked; equal values stay exactly equal."""
    ramp = np.tile(np.arange(0, 240, 4, np.uint8)[None, :, None], (60, 1, 3))
    for size in (32, 64):
        found = data.on_device(data.scaled(ramp[:48, :48], size), CPU)
        assert found.shape == (3, size, size)
        steps = (found[0, 5, 4:-4] * 255).diff()
        torch.testing.assert_close(steps, torch.full_like(steps, 4 * 48 / size), atol=1, rtol=0)
    rng = np.random.default_rng(0)
    cuts = [data.cut(ramp, 40, rng).astype(int) for _ in range(50)]
    assert all(cut.shape == (40, 40, 3) and (cut == cut[:1, :, :1]).all() for cut in cuts)
    # How large each was, and which way round: 4 levels a pixel before it was scaled.
    slopes = [round((cut[0, 30, 0] - cut[0, 10, 0]) / 2) for cut in cuts]
    assert min(slopes) < -30
    assert max(slopes) > 30
    assert len(set(slopes)) > 10
    assert 32 <= min(map(abs, slopes)) <= max(map(abs, slopes)) <= 53


def test_a_draw_depends_on_seed_step_and_rank_alone(noise: list[data.Picture]) -> None:
    """The same again for the same; other pictures for another step, process or seed."""
    recipe = change(read_recipe("smoke"), ["film_share=1.0", "reconstruction=0"])
    all_data = batches.Data(noise, Paintings(noise, data.Memory(1e9), 4), [], [])

    def draw(number: int, rank: int = 0, count: int = 1, seed: int = 0) -> batches.Draw:
        whose = dataclasses.replace(recipe, seed=seed)
        return batches.draw(whose, all_data, number, 0.1, rank=rank, count=count)

    def pixels(drawn: batches.Draw) -> bytes:
        assert drawn.photos is not None
        return drawn.photos.tobytes()

    assert pixels(draw(5)) == pixels(draw(5))
    assert len({pixels(draw(5)), pixels(draw(6)), pixels(draw(5, seed=1))}) == 3
    one, two = draw(5, 0, 2), draw(5, 1, 2)
    assert pixels(one) != pixels(two)
    assert len(one.photos) == len(two.photos) == 1
    # What decides the shape of a step is the same in all processes.
    for name in ("phase", "frames", "rough", "cycle", "regraded"):
        assert getattr(one, name) == getattr(two, name)
    assert (one.fronts is None) == (two.fronts is None)


def test_a_still_is_held_long_and_learned_from_only_at_its_end(noise: list[data.Picture]) -> None:
    """Thrice as many frames, the first two thirds of which are painted without a gradient."""
    settings = ["still_share=1.0", "scene_share=0.0", "clip_share=0.0", "identity_share=1.0"]
    recipe = change(read_recipe("smoke"), settings)
    drawn = batches.draw(
        recipe,
        batches.Data(noise, Paintings(noise, data.Memory(1e9), 4), [], []),
        15,
        0.9,
        rank=0,
        count=1,
    )
    batch = batches.realise(recipe, drawn, None, CPU)
    assert drawn.photos is not None
    assert drawn.fronts is None
    assert (len(batch.film.frames), len(batch.film.flows), batch.fixed) == (9, 8, 6)
