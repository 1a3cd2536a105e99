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
from vstyle.models.config import parse
from vstyle.models.cut import cut, fits
from vstyle.models.grow import grow
from vstyle.training.distill import Teacher
from vstyle.training.recipe import Recipe
from vstyle.training.trainer import state_path

if TYPE_CHECKING:
    from vstyle.training.train import Job


NOTHING = "nothing"
"""What new networks began from."""


def begin(job: Job, recipe: Recipe, teacher: Teacher | None) -> tuple[Networks, str]:
    """Return the networks of a run, and what they began from, as a model says it.

    They are new, those of a model, or some as large as those of the run to go on with. Raises
    CheckpointError if they are none of ours, UsageError if they cannot grow as is asked.

    A new student reads styles as its teacher does: that takes no time in use, however large the
    encoder, and need not be learned twice. If it is smaller in all, it begins with parts of the
    teacher.
    """
    if job.resume:  # all weights are in the state of the run, which may have begun from any model
        return _of_the_run(state_path(job.output))
    if job.start:
        networks = load(job.start)
        return _grown(networks, recipe) if recipe.grow else networks, job.start.name
    if teacher and job.teacher:
        known = teacher.networks
        sizes = dataclasses.replace(recipe.generator, code=known.encoder.config.code)
        if fits(sizes, known.generator.config):
            return cut(known, sizes), f"parts of {job.teacher.name}"
        new = new_networks(sizes, known.encoder.config)
        return dataclasses.replace(new, encoder=copy.deepcopy(known.encoder)), NOTHING
    if recipe.fixed_encoder:
        raise UsageError("fixed_encoder: nothing has learned to read styles yet", "Use --from.")
    return new_networks(recipe.generator, recipe.style), NOTHING


def _grown(networks: Networks, recipe: Recipe) -> Networks:
    sizes = dataclasses.replace(recipe.generator, code=networks.generator.config.code)
    try:
        return grow(networks, sizes)
    except ValueError as error:
        raise UsageError(f"the model cannot grow so: {error}", "Change [generator].") from error


def _of_the_run(state: Path) -> tuple[Networks, str]:
    known = checkpoint.describe(state)
    try:
        return new_networks(*parse(known.config)), str(known.provenance["started_from"])
    except ValueError as error:
        raise CheckpointError(f"{state} cannot be gone on with: {error}", "Begin anew.") from error


def load(model: Path) -> Networks:
    """Read a model's networks. Raises CheckpointError."""
    found = load_model(model)
    return from_arrays(found.header.config, found.tensors)
