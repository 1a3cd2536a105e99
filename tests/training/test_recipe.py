"""Recipes: those that ship are sound, and what is wrong with another is said in a line."""

import dataclasses
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from vstyle import checkpoint
from vstyle.errors import UsageError
from vstyle.models.build import new_networks
from vstyle.training.recipe import Phase, Recipe
from vstyle.training.recipe_file import TERMS, change, read_recipe, recipe_of, shipped_recipes


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_is_sound(name: str) -> None:
    """It can be read, and survives the way through a checkpoint's header."""
    recipe = read_recipe(name)
    assert recipe_of(dataclasses.asdict(recipe), "again") == recipe


def test_the_gpu_recipe_makes_a_teacher_that_is_small_enough() -> None:
    """Less than four million parameters, at most 8 MB in fp16."""
    recipe = read_recipe("gpu")
    networks = new_networks(recipe.generator, recipe.style)
    nets = (networks.generator, networks.encoder)
    count = sum(weight.numel() for net in nets for weight in net.parameters())
    assert 3e6 < count <= 4e6


def test_the_recipe_of_the_shipped_student_can_be_read() -> None:
    """As it was written by an earlier version: what it did not know has its default."""
    stored = checkpoint.describe(checkpoint.find_model("student")).provenance["recipe"]
    assert recipe_of(stored, "student").steps == stored["steps"]


def test_fields_are_set_by_text() -> None:
    """Numbers, words, nested fields, items of lists and whole lists."""
    recipe = change(
        Recipe(),
        [
            "rate=5e-4",
            "adversarial_form=minimax",
            "generator.inner.1=96",
            "phases.1.batch=8",
            "generator.widths=[16, 32]",
        ],
    )
    assert (recipe.rate, recipe.adversarial_form) == (5e-4, "minimax")
    assert (recipe.generator.inner, recipe.generator.widths) == ((32, 96), (16, 32))
    assert [phase.batch for phase in recipe.phases] == [4, 8, 2]
    phases = change(recipe, ["phases=[{start=0, size=64, batch=2, video=true}]"]).phases
    assert phases == (Phase(0, 64, 2, video=True),)


def test_a_recipe_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    """TOML is."""
    path = tmp_path / "mine.toml"
    path.write_text("steps = 7  # für Ölbilder", encoding="utf-8")
    code = "import sys; from vstyle.training.recipe_file import read_recipe; "
    code += "print(read_recipe(sys.argv[1]).steps)"
    place = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | place)
    assert done.stdout.strip() == b"7", done.stderr


def test_the_phase_follows_what_is_done() -> None:
    """At its very start a phase holds, and the last one to the end."""
    recipe = dataclasses.replace(Recipe(), phases=(Phase(0, 64, 1), Phase(0.5, 96, 1)))
    assert [recipe.phase(done).size for done in (0, 0.49, 0.5, 1)] == [64, 64, 96, 96]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stepz = 5", "no field 'stepz'.*Did you mean 'steps'"),
        ("steps = 5.5", "steps = 5.5 is not a whole number"),
        ("steps = true", "steps = True is not a whole number"),
        ("steps = 0", "steps is less than 1"),
        ("rate = 'fast'", "rate = 'fast' is not a number"),
        ("rate = nan", "rate = nan is not a number"),
        ("content = -1", "content = -1 is not a number, 0 or more"),
        ("film_share = 1.5", "film_share = 1.5 is more than 1"),
        ("adversarial_form = 'wgan'", "adversarial_form is not one of minimax"),
        ("phases = []", "phases = .* is not a list"),
        ("phases = [{start = 0, size = 64}]", "phases.0 lacks .*batch"),
        ("phases = [{start = 0, size = 50, batch = 1}]", "phases.0.size = 50 is not a multiple"),
        ("phases = [{start = 0.1, size = 64, batch = 1}]", "phases do not start one after"),
        ("generator = {widths = [1, 2, 3]}", "widths, blocks and inner are not as many"),
        ("generator = {depth = 3}", "no field 'generator.depth'"),
        ("generator = {code = 64}", "are not the same"),
        ("generator.code = 9\nstyle.code = 9\ndiscriminator.code = 9", "of 9 entries is too short"),
        ("generator = {inner = [8, 0, 8]}", "generator.inner is not positive"),
        ("steps 5", "cannot be read"),
        ("video_frames = 1", "video_frames is less than 2"),
        ("generator.factor = 1", "generator.factor is less than 2"),
        ("rate = 0.0", "rate is 0"),
        ("phases = [{start = 0.0, size = 64}]", r"phases\.0 lacks batch\. "),
    ],
)
def test_a_wrong_recipe_is_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    """Unknown fields, wrong types, numbers that make no sense, and what is no TOML."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_recipe(str(path))
    assert "\n" not in (line := f"{caught.value.message}. {caught.value.hint}")
    assert re.search(words, line), line


def test_a_recipe_that_asks_for_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="all of them"):
        change(Recipe(), [f"{name}=0" for name in TERMS])
    number = {f.name for f in fields(Recipe) if f.type == "float"}
    assert set(TERMS) <= number


@pytest.mark.parametrize("setting", ["rate", "rte=1", "phases.9.batch=1", "rate.x=1", "steps=x"])
def test_a_wrong_setting_is_one_clear_error(setting: str) -> None:
    with pytest.raises(UsageError):
        change(Recipe(), [setting])


def test_an_unknown_recipe_names_those_that_ship() -> None:
    with pytest.raises(UsageError) as caught:
        read_recipe("gpuu")
    assert "gpu" in caught.value.hint
