"""The networks that a run begins with: new, of a model, grown from one, or of an earlier run."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from vstyle import checkpoint
from vstyle.engine.build import load_model
from vstyle.errors import CheckpointError, UsageError
from vstyle.models.build import Networks, from_arrays, new_networks
from vstyle.models.config import GeneratorConfig, parse
from vstyle.models.cut import cut, fits
from vstyle.models.grow import grow
from vstyle.training.distill import Teacher
from vstyle.training.recipe import Recipe
from vstyle.training.trainer import state_path

if TYPE_CHECKING:
    from vstyle.training.train import Job


def begin(job: Job, recipe: Recipe, teacher: Teacher | None) -> Networks:
    """Return new networks, those of a model, or some as large as those of the run to go on with.

    Raises CheckpointError if they are none of ours, UsageError if they cannot grow as is asked.

    A new student reads styles as its teacher does: that takes no time in use, however large the
    encoder, and need not be learned twice. If it is smaller in all, it begins with parts of the
    teacher.
    """
    if job.resume:  # all weights are in the state of the run, which may have begun from any model
        return _as_large_as(state_path(job.output))
    if job.start:
        networks = load(job.start)
        return _grown(networks, recipe) if recipe.grow else networks
    if teacher:
        encoder = copy.deepcopy(teacher.networks.encoder)
        sizes = dataclasses.replace(recipe.generator, code=encoder.config.code)
        if fits(sizes, teacher.networks.generator.config):
            return cut(teacher.networks, sizes)
        return dataclasses.replace(new_networks(sizes, encoder.config), encoder=encoder)
    if recipe.fixed_encoder:
        raise UsageError("fixed_encoder: nothing has learned to read styles yet", "Use --from.")
    return new_networks(recipe.generator, recipe.style)


def _grown(networks: Networks, recipe: Recipe) -> Networks:
    sizes = dataclasses.replace(recipe.generator, code=networks.generator.config.code)
    try:
        return grow(networks, sizes)
    except ValueError as error:
        raise UsageError(f"the model cannot grow so: {error}", "Change [generator].") from error


def _as_large_as(state: Path) -> Networks:
    try:
        return new_networks(*parse(checkpoint.describe(state).config))
    except ValueError as error:
        raise CheckpointError(f"{state} cannot be gone on with: {error}", "Begin anew.") from error


def load(model: Path) -> Networks:
    """Read a model's networks. Raises CheckpointError."""
    found = load_model(model)
    return from_arrays(found.header.config, found.tensors)


def origin(job: Job, sizes: GeneratorConfig) -> str:
    """Return what a run of a generator of these sizes began from: names of files, or "nothing"."""
    if job.resume:
        return str(checkpoint.describe(state_path(job.output)).provenance["started_from"])
    if job.start:
        return job.start.name
    if job.teacher and fits(sizes, parse(checkpoint.describe(job.teacher).config)[0]):
        return f"parts of {job.teacher.name}"
    return "nothing"
