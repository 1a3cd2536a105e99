"""The loop: it learns, it saves, and a run that stopped goes on as if it had not."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from vstyle import checkpoint
from vstyle.errors import CheckpointError, InputError
from vstyle.models.vgg import PLAN
from vstyle.scene.canvas import paint_canvas
from vstyle.training.recipe import Phase, Recipe
from vstyle.training.train import Job, fit
from vstyle.training.trainer import rate

TINY = Recipe(steps=6, phases=(Phase(0, 48, 2), Phase(0.5, 64, 1)), reconstruction=1, warm_up=2)


@pytest.fixture(scope="session")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write VGG-19's first ten convolutions with random weights."""
    torch.manual_seed(0)
    weights, inputs = {}, 3
    for step in PLAN:
        if isinstance(step, str) or step[1] > 16:
            continue
        width = 64 if step[1] < 5 else 128 if step[1] < 10 else 256
        weights[f"features.{step[1]}.weight"] = (
            torch.randn(width, inputs, 3, 3) * (inputs * 4.5) ** -0.5
        )
        weights[f"features.{step[1]}.bias"] = torch.zeros(width)
        inputs = width
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(weights, path)
    return path


@pytest.fixture
def job(tmp_path: Path, vgg: Path) -> Job:
    """Two photos (noise, smoothed by scaling) and one painting."""
    for name in ("photos", "paintings"):
        (tmp_path / name).mkdir()
    rng = np.random.default_rng(0)
    for index in range(2):
        small = Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8))
        small.resize((96, 72)).save(tmp_path / "photos" / f"{index}.png")
    (tmp_path / "photos" / "broken.jpg").write_text("no picture")
    Image.fromarray(paint_canvas(96)).save(tmp_path / "paintings" / "own.png")
    return Job(tmp_path / "photos", tmp_path / "paintings", vgg, tmp_path / "out.safetensors")


def test_a_run_makes_a_model_that_says_where_it_is_from(job: Job) -> None:
    """All terms are finite, and the checkpoint holds data, steps, recipe and losses."""
    steps = list(fit(job, TINY))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert all(np.isfinite(list(step.terms.values())).all() for step in steps)
    about = checkpoint.load(job.output, "model").header.provenance
    assert (about["photos"], about["paintings"], about["steps"]) == (2, 1, 6)
    assert about["recipe"]["steps"] == 6
    assert about["losses"] == steps[-1].terms


def test_a_resumed_run_equals_one_that_never_stopped(job: Job, tmp_path: Path) -> None:
    """Same losses, same weights, bit for bit."""
    whole = list(fit(job, TINY))
    weights = checkpoint.load(job.output, "model").tensors
    again = dataclasses.replace(job, output=tmp_path / "again.safetensors")
    first = []
    for step in (run := fit(again, TINY)):
        first.append(step)
        if step.number == 3:
            break
    run.close()
    rest = list(fit(dataclasses.replace(again, resume=True), TINY))
    assert [s.terms for s in first + rest] == [s.terms for s in whole]
    for name, tensor in checkpoint.load(again.output, "model").tensors.items():
        np.testing.assert_array_equal(tensor, weights[name])


def test_a_run_can_begin_from_a_model(job: Job, tmp_path: Path) -> None:
    """Only the weights are needed, not the state of the run that made them."""
    list(fit(job, TINY))
    onward = dataclasses.replace(job, start=job.output, output=tmp_path / "onward.safetensors")
    next(run := fit(onward, TINY))
    run.close()
    about = checkpoint.describe(onward.output).provenance
    assert about["started_from"] == job.output.name


def test_it_learns_to_return_the_frame() -> None:
    """Some steps of reconstruction on one photo: the identity term falls to a third."""
    from vstyle.models.build import new_networks
    from vstyle.models.config import GeneratorConfig, StyleConfig
    from vstyle.training.data import Paintings
    from vstyle.training.train import train
    from vstyle.training.trainer import Trainer

    torch.manual_seed(0)
    recipe = Recipe(
        steps=60,
        phases=(Phase(0, 32, 2),),
        reconstruction=60,
        warm_up=5,
        film_share=0,
        regrade_share=0,
        grid=0,  # of so small a picture everything is its grid
        rate=3e-3,
    )
    config = GeneratorConfig(widths=(16, 16, 32), blocks=1, code=16)
    trainer = Trainer(new_networks(config, StyleConfig((8,), 16, 16)), recipe)
    photo = paint_canvas(64)
    terms = [s.terms["identity"] for s in train(trainer, [photo], Paintings([photo], None), None)]
    assert np.mean(terms[-5:]) < np.mean(terms[:3]) / 3


@pytest.mark.parametrize("fault", ["no photos", "vgg is a text", "vgg is another file", "no run"])
def test_bad_input_is_one_clear_error(job: Job, tmp_path: Path, fault: str) -> None:
    """Each names what is wrong."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no weights")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    changes, error, words = {
        "no photos": ({"photos": tmp_path / "empty"}, InputError, "no readable picture"),
        "vgg is a text": ({"vgg": tmp_path / "text"}, CheckpointError, "cannot be read"),
        "vgg is another file": ({"vgg": tmp_path / "foreign"}, CheckpointError, "is not VGG-19"),
        "no run": ({"resume": True}, CheckpointError, "cannot be read"),
    }[fault]
    with pytest.raises(error, match=words):
        next(fit(dataclasses.replace(job, **changes), TINY))


def test_the_rate_warms_up_and_falls_to_a_twentieth() -> None:
    """Its three landmarks."""
    recipe = Recipe(steps=1000, warm_up=100, rate=1e-3)
    assert rate(recipe, 0) == pytest.approx(1e-5)
    assert rate(recipe, 100) == pytest.approx(1e-3)
    assert rate(recipe, 1000) == pytest.approx(5e-5)
