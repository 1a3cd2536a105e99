"""The loop: it learns, it saves, and a run that stopped goes on as if it had not."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from vstyle import checkpoint
from vstyle.errors import CheckpointError, InputError, OutputError, TrainingError, UsageError
from vstyle.models.build import new_networks
from vstyle.scene.canvas import paint_canvas
from vstyle.training.batches import Data
from vstyle.training.data import Memory
from vstyle.training.health import FAULTS, Health
from vstyle.training.paintings import Paintings
from vstyle.training.ranks import Ranks
from vstyle.training.recipe import Phase, Recipe
from vstyle.training.recipe_file import change, read_recipe, recipe_of
from vstyle.training.step import Step
from vstyle.training.train import Job, fit, train
from vstyle.training.trainer import Trainer, rate, state_path

# Both stages and every term, in six steps.
TINY = change(
    read_recipe("smoke"),
    ["steps=6", "phases.0.size=48", "phases.1.size=64", "sheet_every=3", "scene_share=0.0"],
)


@pytest.fixture
def job(folders: Path, tmp_path: Path, vgg_file: Path) -> Job:
    return Job(folders / "photos", folders / "paintings", vgg_file, tmp_path / "out.safetensors")


@dataclasses.dataclass
class Run:
    job: Job
    steps: list[Step]
    notes: list[str]


@pytest.fixture(scope="session")
def whole(folders: Path, tmp_path_factory: pytest.TempPathFactory, vgg_file: Path) -> Run:
    """Run all six steps, once for all tests that only look at what came of it."""
    torch.set_num_threads(1)
    output = tmp_path_factory.mktemp("whole") / "out.safetensors"
    job = Job(folders / "photos", folders / "paintings", vgg_file, output)
    notes: list[str] = []
    return Run(job, list(fit(job, TINY, notes.append)), notes)


def test_a_run_makes_a_model_that_says_where_it_is_from(whole: Run) -> None:
    """All terms are finite, and the checkpoint holds data, steps, recipe and losses."""
    steps = whole.steps
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [step.size for step in steps] == [48, 48, 48, 64, 64, 64]
    assert all(np.isfinite(list(step.terms.values())).all() for step in steps)
    seen = {name for step in steps for name in step.terms}
    assert seen >= {"content", "structure", "moments", "gram", "grid", "variation", "flow"}
    assert seen >= {"long_flow", "identity", "cycle", "adversarial", "discriminator"}
    about = checkpoint.load(whole.job.output, "model").header.provenance
    assert (about["photos"], about["paintings"], about["steps"]) == (2, 1, 6)
    assert recipe_of(about["recipe"], "the checkpoint") == TINY
    assert about["losses"] == steps[-1].terms
    assert "left out 1 unreadable and 1 tiny" in whole.notes[0]


def test_the_log_has_a_line_per_step_and_sheets(whole: Run) -> None:
    """JSON lines, sheets of both stages, TensorBoard's file."""
    folder = whole.job.output.with_suffix(".log")
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[3]["total"] == pytest.approx(whole.steps[3].terms["total"], abs=1e-5)
    sheets = sorted((folder / "sheets").iterdir())
    assert [sheet.stem for sheet in sheets] == ["step-000003", "step-000006"]
    # Of two films of three frames: a column for the style, three rows each.
    with Image.open(sheets[1]) as sheet:
        assert sheet.size == (4 * 64, 2 * 3 * 64)
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    assert [event.step for event in events.Scalars("terms/total")] == [1, 2, 3, 4, 5, 6]
    assert len(events.Images("sheet")) == 2


def test_a_resumed_run_equals_one_that_never_stopped(job: Job, whole: Run, tmp_path: Path) -> None:
    """Same losses, same weights, bit for bit, the discriminator's too; each line logged once."""
    again = dataclasses.replace(job, output=tmp_path / "again.safetensors")
    first = []
    for step in (run := fit(again, TINY)):
        first.append(step)
        if step.number == 4:
            break
    run.close()
    with (again.output.with_suffix(".log") / "log.jsonl").open("a") as log:
        log.write('{"step": 5}\n{"step')  # a crash came after step 5 and before the next save
    rest = list(fit(dataclasses.replace(again, resume=True), TINY))
    assert [s.terms for s in first + rest] == [s.terms for s in whole.steps]
    one, other = (
        checkpoint.load(state_path(path), "training").tensors
        for path in (whole.job.output, again.output)
    )
    assert one.keys() == other.keys()
    assert any(name.startswith("critic-adam") for name in one)
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name])
    lines = (again.output.with_suffix(".log") / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5, 6]


def test_a_run_can_begin_from_a_model(job: Job, whole: Run) -> None:
    """Only the weights are needed, not the state of the run that made them; its sizes hold."""
    onward = dataclasses.replace(job, start=whole.job.output)
    other = change(TINY, ["generator.blocks=[1, 1, 3]"])
    next(run := fit(onward, other))
    run.close()
    about = checkpoint.describe(onward.output).provenance
    assert about["started_from"] == whole.job.output.name
    assert about["recipe"]["generator"]["blocks"] == [1, 1, 1]
    # And when it is gone on with, whatever the recipe says then.
    again = next(run := fit(dataclasses.replace(job, resume=True), other))
    run.close()
    assert again.number == 2


def test_a_model_can_grow(job: Job, whole: Run) -> None:
    """And goes on as the larger one; one that would shrink is refused."""
    larger = change(TINY, ["grow=true", "generator.widths=[16, 24, 32]", "generator.blocks.2=2"])
    steps = fit(dataclasses.replace(job, start=whole.job.output), larger)
    assert next(iter(steps)).number == 1
    steps.close()
    assert checkpoint.describe(job.output).config["generator"]["widths"] == [16, 24, 32]
    smaller = change(larger, ["generator.widths.0=8"])
    with pytest.raises(UsageError, match="cannot grow"):
        list(fit(dataclasses.replace(job, start=whole.job.output), smaller))


def test_a_run_can_specialise_in_one_picture(job: Job, whole: Run) -> None:
    """The style that is drawn is that picture and none of its variants."""
    picture = job.paintings / "own.png"
    one = dataclasses.replace(job, start=whole.job.output, paintings=picture)
    *_, last = fit(one, change(TINY, ["steps=2"]))
    assert last.number == 2
    about = checkpoint.describe(job.output).provenance
    assert (about["paintings"], about["recipe"]["fixed_encoder"]) == (1, True)
    # Its code stays: of one painting an encoder would learn that it is usual.
    before, after = (
        checkpoint.load(path, "model").tensors for path in (whole.job.output, job.output)
    )
    for name in (name for name in before if name.startswith("style.")):
        np.testing.assert_array_equal(after[name], before[name])


def test_time_ends_a_run(job: Job) -> None:
    """A run of a second is over long before its hundred thousand steps."""
    recipe = dataclasses.replace(TINY, steps=100_000, seconds=1.0)
    *_, last = fit(job, recipe)
    assert last.number < 1000
    assert last.done >= 1


def test_stopping_ends_after_a_whole_step(job: Job) -> None:
    """And what was done is saved."""
    asked: list[bool] = []
    numbers = []
    for step in fit(job, TINY, stop=lambda: bool(asked)):
        numbers.append(step.number)
        if step.number == 2:
            asked.append(True)
    assert numbers == [1, 2]
    assert checkpoint.describe(job.output).provenance["steps"] == 2


def tiny_trainer(recipe: Recipe) -> Trainer:
    torch.manual_seed(0)
    return Trainer(new_networks(recipe.generator, recipe.style), recipe, Ranks(torch.device("cpu")))


def test_it_learns_to_return_the_frame() -> None:
    """Some steps of reconstruction on one photo: the identity term is halved.

    The palette is right from the first step, so that there is not more to gain.
    """
    recipe = dataclasses.replace(
        TINY,
        steps=90,
        cycle=0,
        phases=(Phase(0, 32, 2),),
        reconstruction=90,
        warm_up=5,
        film_share=0,
        regrade_share=0,
        grid=0,  # of so small a picture everything is its grid
        adversarial=0,
        rate=3e-3,
    )
    photo = paint_canvas(64)
    data = Data([photo], Paintings([photo], Memory(1e9), 4), [], [])
    terms = [s.terms["identity"] for s in train(tiny_trainer(recipe), data, None)]
    assert np.mean(terms[-5:]) < np.mean(terms[:3]) / 2


def test_a_step_that_is_not_finite_is_not_taken() -> None:
    """The weights stay as they are, and the next step is a usual one."""
    trainer = tiny_trainer(TINY)
    before = [weight.clone() for weight in trainer.parameters()]
    weight = trainer.networks.generator.head.conv.weight
    trainer.go_at(1e-3)
    trainer.descend((weight * math.nan).sum())
    assert all(map(torch.equal, before, trainer.parameters()))
    trainer.descend(weight.square().sum())
    assert not torch.equal(before[0], trainer.parameters()[0]) or not torch.equal(
        weight, before[[id(w) for w in trainer.parameters()].index(id(weight))]
    )


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"total": math.nan}, "not finite"),
        ({"content": 4.6}, "nothing of the photos is left"),
        ({"discriminator": 0.0}, "discriminator is at zero"),
    ],
)
def test_what_lasts_too_long_is_a_fault(terms: dict[str, float], words: str) -> None:
    """One step less is none, and a good step makes forget the bad ones; others say nothing."""
    (name,) = terms
    patience = FAULTS["finite" if name == "total" else name][0]
    health = Health()
    for number in range(patience - 1):
        health.check(number, terms)
    assert health.doubtful
    health.check(0, {name: 1.0})
    assert not health.doubtful
    for number in range(patience - 1):
        health.check(number, terms)
    with pytest.raises(TrainingError, match=words):
        health.check(patience, terms)


def test_a_run_gone_wrong_keeps_what_was_saved(job: Job, whole: Run) -> None:
    """Numbers that are not finite end a run; the model from before is untouched."""
    for path in (whole.job.output, state_path(whole.job.output)):
        shutil.copy(path, job.output.parent)
    before = job.output.read_bytes(), state_path(job.output).read_bytes()
    wild = ["steps=30", "rate=1e30", "warm_up=0", "largest_gradient=1e30", "reconstruction=30"]
    with pytest.raises(TrainingError, match="not finite"):
        list(fit(dataclasses.replace(job, resume=True), change(TINY, wild)))
    assert (job.output.read_bytes(), state_path(job.output).read_bytes()) == before


def test_a_run_in_doubt_keeps_what_was_saved(
    job: Job, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it ends while a fault lasts, and says so; with nothing from before it saves all it has."""
    monkeypatch.setattr(Health, "bad", property(lambda _: True))
    for path in (whole.job.output, state_path(whole.job.output)):
        shutil.copy(path, job.output.parent)
    before = job.output.read_bytes()
    longer = dataclasses.replace(TINY, steps=12)
    notes: list[str] = []
    next(steps := fit(dataclasses.replace(job, resume=True), longer, notes.append))
    steps.close()
    assert notes[-1] == "the run went bad: what was saved after step 6 is kept"
    assert job.output.read_bytes() == before
    alone = dataclasses.replace(job, output=job.output.with_name("alone.safetensors"))
    next(steps := fit(alone, TINY))
    steps.close()
    assert alone.output.exists()


def test_weights_that_no_file_holds_are_not_saved(job: Job) -> None:
    trainer = Trainer(new_networks(TINY.generator, TINY.style), TINY, Ranks(torch.device("cpu")))
    next(trainer.average.generator.parameters()).data.fill_(1e6)
    with pytest.raises(TrainingError, match="too large"):
        trainer.save(job.output, {})
    assert not job.output.exists()


def test_what_is_begun_anew_is_not_gone_on_with(job: Job, whole: Run) -> None:
    """The state of a run that is replaced goes when the new one begins."""
    shutil.copy(state_path(whole.job.output), state_path(job.output))
    next(steps := fit(job, TINY))
    assert not state_path(job.output).exists()
    steps.close()
    assert checkpoint.describe(state_path(job.output)).provenance["steps"] == 1


def test_a_full_disk_ends_the_log_in_words(job: Job) -> None:
    folder = job.output.with_suffix(".log")
    (folder / "sheets").mkdir(parents=True)
    (folder / "log.jsonl").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        list(fit(job, TINY))


def test_a_single_painting_does_not_change_how_styles_are_read(job: Job, whole: Run) -> None:
    """A folder of one is one: what begins from a model keeps its codes."""
    recipe = dataclasses.replace(TINY, steps=1)
    list(fit(dataclasses.replace(job, start=whole.job.output), recipe))
    before, after = (checkpoint.load(path, "model").tensors for path in (
        whole.job.output, job.output,
    ))  # fmt: skip
    for name in (name for name in before if name.startswith("style.")):
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.parametrize(
    "fault", ["no photos", "vgg is a text", "vgg is another file", "no run", "no place"]
)
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
        "no place": ({"output": tmp_path / "text" / "a.safetensors"}, OutputError, "be written"),
    }[fault]
    with pytest.raises(error, match=words):
        next(fit(dataclasses.replace(job, **changes), TINY))


def test_the_rate_warms_up_and_falls_to_a_twentieth() -> None:
    """Its landmarks."""
    recipe = Recipe(steps=1000, warm_up=100, rate=1e-3, phases=(Phase(0, 64, 1),))
    assert rate(recipe, 0, 0) == pytest.approx(1e-5)
    assert rate(recipe, 100, 0.1) == pytest.approx(1e-3, rel=0.03)
    assert rate(recipe, 500, 0.5) == pytest.approx(0.525e-3)
    assert rate(recipe, 1000, 1) == pytest.approx(5e-5)
    # Halved by its phase; and led by time alone where that is what ends the run.
    halved = dataclasses.replace(recipe, phases=(Phase(0, 64, 1), Phase(0.5, 64, 1, 0.5)))
    assert rate(halved, 500, 0.5) == pytest.approx(0.525e-3 / 2)
