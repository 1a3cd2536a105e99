"""Teacher to student: what is learned from whom, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vstyle import checkpoint
from vstyle.cli.app import app, exit_code
from vstyle.errors import UsageError
from vstyle.models.build import Networks, configs, new_networks, to_arrays
from vstyle.models.config import GeneratorConfig, StyleConfig
from vstyle.models.cut import cut
from vstyle.models.vgg import Features
from vstyle.scene.canvas import paint_canvas
from vstyle.training.batches import Data
from vstyle.training.begin import begin
from vstyle.training.data import Memory
from vstyle.training.distill import Teacher
from vstyle.training.paintings import Paintings
from vstyle.training.ranks import Ranks
from vstyle.training.recipe import Phase, Recipe
from vstyle.training.recipe_file import change, read_recipe
from vstyle.training.train import Job, fit, train
from vstyle.training.trainer import Trainer, state_path
from vstyle.training.vgg import read_vgg

CPU = torch.device("cpu")
# Blocks of another size than the student's, other widths, an encoder of its own.
LARGE = GeneratorConfig(2, (8, 16, 16), (1, 0, 1), (8, 8, 8), code=32)
TAUGHT = ["taught=20.0", "taught_features=5.0", "scene_share=0.0"]
# Film in both stages, so that there is a recurrence to close.
TINY = change(read_recipe("smoke"), [*TAUGHT, "steps=4", "film_share=1.0", "reconstruction=0"])


def large(seed: int = 0) -> Networks:
    torch.manual_seed(seed)
    return new_networks(LARGE, StyleConfig((12,), 24, 32))


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a teacher with random weights."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    networks = large()
    header = checkpoint.Header("model", configs(networks), {})
    checkpoint.save(path, header, to_arrays(networks, half=True))
    return path


@pytest.fixture
def job(folders: Path, tmp_path: Path, vgg_file: Path, teacher_file: Path) -> Job:
    output = tmp_path / "out.safetensors"
    pictures = folders / "photos", folders / "paintings"
    return Job(*pictures, vgg_file, output, teacher=teacher_file)


@pytest.fixture
def words(job: Job) -> list[str]:
    """Return the command line of twenty steps of both stages."""
    folders = ["--content", str(job.photos), "--styles", str(job.paintings)]
    models = ["--teacher", str(job.teacher), "-o", str(job.output)]
    recipe = [word for setting in TAUGHT for word in ("--set", setting)]
    recipe += ["--recipe", "smoke", "--vgg", str(job.vgg), "--device", "cpu"]
    return ["distill", *folders, *models, *recipe]


def data(vgg_file: Path) -> tuple[Data, Features]:
    photo = paint_canvas(64)
    return Data([photo], Paintings([photo], Memory(1e9), 4), [], []), Features(read_vgg(vgg_file))


def student(recipe: Recipe) -> Trainer:
    torch.manual_seed(1)
    return Trainer(new_networks(recipe.generator, recipe.style), recipe, Ranks(CPU))


def test_a_student_is_made_of_a_teacher(words: list[str], job: Job) -> None:
    """Twenty steps of every term; the model says who taught it and reads styles as that one did."""
    assert exit_code(lambda: app([*words, "--set", "fixed_encoder=true"])) == 0
    made = checkpoint.load(job.output, "model")
    assert made.header.provenance["teacher"] == "teacher.safetensors"
    assert made.header.config["generator"]["factor"] == 4
    assert job.teacher is not None
    taught = checkpoint.load(job.teacher, "model").tensors
    encoder = [name for name in made.tensors if name.startswith("style.")]
    assert encoder
    for name in encoder:
        np.testing.assert_array_equal(made.tensors[name], taught[name])
    log = (job.output.with_suffix(".log") / "log.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in log]
    assert len(lines) == 20
    seen = {name for line in lines for name in line}
    assert seen >= {"taught", "taught_features", "content", "gram", "adversarial", "cycle", "flow"}
    # Photos in their own style have a right picture of their own.
    assert all(("identity" in line) != ("taught" in line) for line in lines)


def test_a_student_that_is_smaller_in_all_begins_with_parts_of_its_teacher(job: Job) -> None:
    """Another one is new; both read styles as the teacher does, and the run remembers which."""
    teacher = Teacher(large(), CPU)
    smaller = dataclasses.replace(LARGE, widths=(8, 8), blocks=(1, 0), inner=(8, 4))
    for sizes, said in {smaller: "parts of teacher.safetensors", TINY.generator: "nothing"}.items():
        begun, origin = begin(job, dataclasses.replace(TINY, generator=sizes), teacher)
        found = begun.generator.state_dict()
        assert begun.generator.config.widths == sizes.widths
        assert origin == said
        if sizes is smaller:
            for name, values in cut(teacher.networks, smaller).generator.state_dict().items():
                assert torch.equal(found[name], values)
        for name, values in teacher.networks.encoder.state_dict().items():
            assert torch.equal(begun.encoder.state_dict()[name], values)


def test_a_student_comes_nearer_to_its_teacher(vgg_file: Path) -> None:
    """On a fixed film, by the mean difference of the pictures, to less than two thirds."""
    phases = (Phase(0, 48, 2),)
    off = {"content": 0, "structure": 0, "tone": 0, "moments": 0, "gram": 0, "grid": 0, "flow": 0}
    recipe = dataclasses.replace(
        TINY, steps=60, phases=phases, rate=3e-3, identity_share=0, cycle=0, adversarial=0, **off
    )
    trainer, (pictures, features) = student(recipe), data(vgg_file)
    steps = list(train(trainer, pictures, features, teacher=Teacher(large(), CPU)))
    gaps = [step.terms["taught"] for step in steps]
    assert np.mean(gaps[-6:]) < np.mean(gaps[:3]) * 2 / 3
    features_gaps = [step.terms["taught_features"] for step in steps]
    assert np.mean(features_gaps[-6:]) < np.mean(features_gaps[:3])


def test_each_sees_its_own_last_picture(vgg_file: Path) -> None:
    """A student paints a film the same whoever teaches it; so does a teacher whoever learns."""
    pictures, features = data(vgg_file)
    runs = [
        next(train(student(TINY), pictures, features, teacher=teacher))
        for teacher in (None, Teacher(large(), CPU), Teacher(large(5), CPU))
    ]
    alone, *taught = runs
    assert len(alone.painted) > 1
    for run in taught:
        for one, other in zip(alone.painted, run.painted, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert taught[0].terms["taught"] != taught[1].terms["taught"]


def test_a_teacher_that_counts_for_nothing_is_not_asked(vgg_file: Path) -> None:
    """With both weights at 0 it never paints."""

    class Busy(Teacher):
        def paint(self, _):
            raise AssertionError

    recipe = dataclasses.replace(TINY, taught=0.0, taught_features=0.0)
    pictures, features = data(vgg_file)
    step = next(train(student(recipe), pictures, features, teacher=Busy(large(), CPU)))
    assert not any(name.startswith("taught") for name in step.terms)


def test_a_teacher_learns_nothing(vgg_file: Path) -> None:
    """Not one of its numbers changes, the running statistics of its encoder included.

    It paints with networks of its own: those that a student begins with stay where they are.
    """
    networks = large()
    known = {id(parameter) for parameter in networks.generator.parameters()}
    assert not known & {id(parameter) for parameter in Teacher(networks, CPU).painter.parameters()}
    before = {name: array.copy() for name, array in to_arrays(networks, half=False).items()}
    pictures, features = data(vgg_file)
    assert len(list(train(student(TINY), pictures, features, teacher=Teacher(networks, CPU)))) == 4
    for name, array in to_arrays(networks, half=False).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_resumed_distillation_equals_one_that_never_stopped(job: Job, tmp_path: Path) -> None:
    """Same weights and averages, bit for bit, with an encoder that is not the recipe's own."""
    *_, last = fit(job, TINY)
    assert last.number == 4
    again = dataclasses.replace(job, output=tmp_path / "again.safetensors")
    for step in (run := fit(again, TINY)):
        if step.number == 2:
            break
    run.close()
    stored = checkpoint.describe(state_path(again.output)).provenance["recipe"]
    assert stored["style"]["widths"] == [12]
    recipe = dataclasses.replace(TINY, style=StyleConfig((12,), 24, 32))
    list(fit(dataclasses.replace(again, resume=True), recipe))
    one, other = (
        checkpoint.load(state_path(path), "training").tensors for path in (job.output, again.output)
    )
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name])


def test_one_painting_does_not_change_how_a_student_reads_styles(job: Job) -> None:
    """Its encoder is its teacher's, of whatever sizes the rest is."""
    list(fit(job, dataclasses.replace(TINY, steps=2)))
    assert job.teacher
    before, after = (checkpoint.load(path, "model").tensors for path in (job.teacher, job.output))
    for name in (name for name in before if name.startswith("style.")):
        np.testing.assert_array_equal(before[name], after[name])


def test_one_style_and_a_student_to_begin_from(words: list[str], job: Job, folders: Path) -> None:
    """The one picture is all that is painted in; the student goes on from another's weights."""
    assert exit_code(lambda: app([*words, "--max-steps", "1"])) == 0
    first = job.output.rename(job.output.with_name("first.safetensors"))
    at = words.index("--styles")
    one = [*words[:at], "--style", str(folders / "paintings" / "own.png"), *words[at + 2 :]]
    again = [*one, "--from", str(first), "--max-steps", "1"]
    assert exit_code(lambda: app(again)) == 2  # the state of the first is there
    assert exit_code(lambda: app([*again, "--overwrite"])) == 0
    about = checkpoint.describe(job.output).provenance
    assert (about["paintings"], about["started_from"]) == (1, "first.safetensors")


def test_the_log_of_an_earlier_run_stays(words: list[str], job: Job) -> None:
    """Nor does a student take the place of another one's."""
    log = job.output.with_suffix(".log") / "log.jsonl"
    log.parent.mkdir()
    log.write_text('{"step": 1}\n')
    assert exit_code(lambda: app(words)) == 2
    assert log.read_text() == '{"step": 1}\n'


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (["--teacher", "nobody"], 4, "neither a shipped name nor a file"),
        (["--teacher", "{text}"], 4, "is not a vstyle file"),
        (["--teacher", "{style}"], 4, "is a style file, not a model file"),
        (["--set", "phases.0.size=50"], 2, "phases.0.size = 50 is not a multiple of 16"),
        (["--set", "generator.code=64"], 2, "are not the same"),
        (["--style", "{text}"], 2, "--styles or --style"),
        (["--resume"], 4, "cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    change: list[str],
    code: int,
    says: str,
    *,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the exit code of its kind, before anything is trained."""
    from vstyle import styles

    (tmp_path / "text").write_text("This is no model.")
    places = {"text": tmp_path / "text", "style": next(iter(styles.names().values()))}
    change = [word.format(**places) for word in change]
    assert exit_code(lambda: app([*words, *change])) == code
    err = capsys.readouterr().err
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_a_teacher_paints_sizes_that_it_can_paint(job: Job) -> None:
    """A teacher of larger blocks than its student's."""
    torch.manual_seed(0)
    config = dataclasses.replace(LARGE, factor=8)
    networks = new_networks(config, StyleConfig((12,), 24, 32))
    assert job.teacher is not None
    path = job.output.with_name("coarse.safetensors")
    header = checkpoint.Header("model", configs(networks), {})
    checkpoint.save(path, header, to_arrays(networks, half=True))
    with pytest.raises(UsageError, match=r"phases.0.size = 48 is not a multiple of 32"):
        next(fit(dataclasses.replace(job, teacher=path), TINY))


def test_a_recipe_with_a_teacher_is_not_for_train(job: Job) -> None:
    """Nothing would be taught, and nobody would notice."""
    with pytest.raises(UsageError, match="learns from a teacher"):
        next(fit(dataclasses.replace(job, teacher=None), TINY))
    alone = dataclasses.replace(TINY, taught=0.0, taught_features=0.0, fixed_encoder=True)
    with pytest.raises(UsageError, match="nothing has learned to read styles"):
        next(fit(dataclasses.replace(job, teacher=None), alone))


def test_the_student_of_one_style_is_half_of_the_any_style_one() -> None:
    """In operations per frame, counted on the networks."""
    from torch.utils.flop_counter import FlopCounterMode

    counts = []
    for name in ("distill", "distill-style"):
        recipe = read_recipe(name)
        generator = new_networks(recipe.generator, recipe.style).generator.eval()
        frame, code = torch.rand(1, 3, 64, 64), torch.randn(1, recipe.generator.code)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            generator(frame, frame, *[frame[:, :1, ::4, ::4]] * 2, code)
        counts.append(counter.get_total_flops())
    assert counts[1] <= counts[0] / 2
