"""Recipes from outside: shipped by name, from a TOML file, from a checkpoint, changed by flags."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from vstyle import checkpoint
from vstyle.errors import UsageError
from vstyle.models.config import parse
from vstyle.training.adversarial import FORMS
from vstyle.training.recipe import Recipe

# What every step has that is not of a photo in its own style.
TERMS = (
    "content", "structure", "shapes", "tints", "tone", "moments", "gram", "grid", "seams", "dots",
    "variation", "taught", "taught_features",
)  # fmt: skip
FOLDER = Path(__file__).parent / "recipes"
SHARES = ("start", "average", "adversarial_start")  # beside all that end in `_share`
# What is at least 1; of films at least 2 frames, of blocks at least 2 pixels.
LEAST = dict.fromkeys(("steps", "batch", "sheet_every", "scales", "variants"), 1) | dict.fromkeys(
    ("film_frames", "video_frames", "factor"), 2
)


def shipped_recipes() -> dict[str, Path]:
    """Return the recipes that come with vstyle: name -> file."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def read_recipe(name: str) -> Recipe:
    """Read a recipe by its shipped name or from a TOML file; fields left out have their defaults.

    Raises UsageError for a name that is nothing, a file that is no TOML, an unknown field, a wrong
    type or a number that makes no sense.
    """
    known = shipped_recipes()
    path = known.get(name, Path(name))
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(
            f"recipe '{name}' is neither a shipped name nor a file",
            f"Shipped recipes: {', '.join(known)}.",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"recipe {path} cannot be read: {error}", "Give a TOML file.") from error
    return recipe_of(values, f"recipe {path}")


def recipe_of(values: Mapping[str, Any], where: str) -> Recipe:
    """Build a recipe from plain values, as TOML and JSON give them. Raises UsageError."""
    recipe: Recipe = _record(Recipe, values, where, "")
    check(recipe, where)
    return recipe


def recipe_of_run(state: Path) -> Recipe:
    """Read the recipe that a run was begun with. Raises CheckpointError if there is no such run."""
    stored = checkpoint.describe(state).provenance.get("recipe", {})
    return recipe_of(stored, f"the recipe in {state}")


def change(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Set fields by text, such as `rate=1e-3`, `generator.inner=96`, `phases.0.batch=2`.

    Values are TOML; a bare word is a string. Raises UsageError.
    """
    values = _plain(asdict(recipe))
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: there is no value", "Write --set FIELD=VALUE.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *way, last = (int(key) if key.isdecimal() else key for key in name.strip().split("."))
        try:
            place = values
            for key in way:
                place = place[key]
            place[last] = value
        except (KeyError, IndexError, TypeError):
            raise UsageError(
                f"--set {setting}: the recipe has no field '{name}'", _guess(name, values)
            ) from None
    return recipe_of(values, "--set")


def _record(kind: Any, values: Mapping[str, Any], where: str, above: str) -> Any:
    """Build a record of one kind from a table; `above` is the way to it, for the messages."""
    hints = get_type_hints(kind)
    for name in values:
        if name not in hints:
            raise UsageError(f"{where}: there is no field '{above}{name}'", _guess(name, hints))
    clean = {
        name: _value(hints[name], value, where, above + name) for name, value in values.items()
    }
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    missing = needed - set(clean)
    try:
        return kind(**clean)
    except TypeError:
        raise UsageError(
            f"{where}: {above.rstrip('.')} lacks {', '.join(sorted(missing))}", "Add them."
        ) from None


def _value(kind: Any, value: Any, where: str, name: str) -> Any:
    """Return a value as its field wants it. Raises UsageError if it is of another type."""
    if is_dataclass(kind) and isinstance(value, Mapping):
        return _record(kind, value, where, f"{name}.")
    if get_origin(kind) is tuple and isinstance(value, list | tuple) and value:
        kinds = get_args(kind)
        kinds = (kinds[0],) * len(value) if kinds[-1] is Ellipsis else kinds
        if len(kinds) == len(value):
            return tuple(
                _value(one, item, where, f"{name}.{index}")
                for index, (one, item) in enumerate(zip(kinds, value, strict=True))
            )
    if kind is float and type(value) in {int, float} and math.isfinite(value) and value >= 0:
        return float(value)
    if kind in {int, bool, str} and type(value) is kind and (kind is not int or value >= 0):
        return value
    raise UsageError(f"{where}: {name} = {value!r} is not {_words(kind)}", "Change that field.")


def check(recipe: Recipe, where: str) -> None:
    """Refuse what has the right type and still makes no sense. Raises UsageError."""

    def refuse(name: str, why: str) -> None:
        raise UsageError(f"{where}: {name} {why}", "Change that field.")

    def numbers(record: Any, above: str) -> None:
        for field in fields(record):
            name, value = field.name, getattr(record, field.name)
            if is_dataclass(value):
                numbers(value, f"{name}.")
            elif (name.endswith("_share") or name in SHARES) and value > 1:
                refuse(above + name, f"= {value} is more than 1")
            elif name in LEAST and value < LEAST[name]:
                refuse(above + name, f"is less than {LEAST[name]}")
            elif above and name not in {"start", "video", "blocks"} and _least(value) <= 0:
                refuse(above + name, "is not positive")

    numbers(recipe, "")
    for index, phase in enumerate(recipe.phases):
        numbers(phase, f"phases.{index}.")
        multiple = recipe.generator.multiple
        if phase.size % multiple or phase.size < 48:
            refuse(
                f"phases.{index}.size", f"= {phase.size} is not a multiple of {multiple}, from 48"
            )
    if not recipe.rate:
        refuse("rate", "is 0: nothing would be learned")
    if not any(getattr(recipe, name) for name in TERMS):
        refuse(", ".join(TERMS), "have a weight of 0, all of them")
    starts = [phase.start for phase in recipe.phases]
    if starts[0] or starts != sorted(starts):
        refuse("phases", "do not start one after another, the first at 0")
    if recipe.scene_share + recipe.clip_share + recipe.still_share > 1:
        refuse("scene_share, clip_share and still_share", "are more than 1 together")
    if recipe.adversarial_form not in FORMS:
        refuse("adversarial_form", f"is not one of {', '.join(FORMS)}")
    if len({recipe.generator.code, recipe.style.code, recipe.discriminator.code}) > 1:
        refuse("generator.code, style.code and discriminator.code", "are not the same")
    try:  # what could not be read again must not be trained
        parse({key: _plain(asdict(getattr(recipe, key))) for key in ("generator", "style")})
    except ValueError as error:
        refuse("generator and style:", str(error))


def _least(value: Any) -> float:
    return float(min(value) if isinstance(value, tuple) else value)


def _plain(value: Any) -> Any:
    """Turn tuples into lists, all the way down, so that they can be changed."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _guess(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"Did you mean '{near[0]}'?" if near else f"Fields: {', '.join(known)}."


def _words(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    if kind in names:
        return names[kind] + (", 0 or more" if kind in {int, float} else "")
    return "a table" if is_dataclass(kind) else "a list of the right length"
