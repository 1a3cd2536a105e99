"""The teacher of a distillation: a trained model whose pictures a student learns from."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from vstyle.errors import UsageError
from vstyle.models.build import Networks
from vstyle.training.batches import Batch
from vstyle.training.objective import Painter
from vstyle.training.recipe import Recipe


class Teacher:
    """Paints what a student is to paint; learns nothing. Its sizes need not be the student's."""

    def __init__(self, networks: Networks, device: torch.device) -> None:
        self.networks = networks
        # A copy: what a student takes over begins where all models do, on the CPU.
        self.painter = Painter(copy.deepcopy(networks)).eval().requires_grad_(False)
        self.painter.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def paint(self, batch: Batch) -> list[Tensor] | None:
        """Paint the film of a batch, each frame (B, 3, H, W), values 0..1.

        Its recurrence is closed on its own pictures, as the student's is on the student's. None
        for photos in their own style: there the right picture itself is known.
        """
        if isinstance(batch.wanted, Tensor):
            return None
        frames: list[Tensor] = self.painter(replace(batch, own=None)).frames
        return frames


def check_lesson(recipe: Recipe, teacher: Teacher | None, path: Path | None) -> None:
    """Refuse a recipe that asks for a teacher where there is none, or for nothing of one.

    Or for sizes that it cannot paint. Raises UsageError. `path` is the teacher's file.
    """
    if teacher is None:
        if recipe.taught or recipe.taught_features:
            raise UsageError(
                "this recipe learns from a teacher", "Use vstyle distill --teacher MODEL."
            )
        return
    if not (recipe.taught or recipe.taught_features):
        raise UsageError(
            "this recipe learns nothing from a teacher: taught and taught_features are 0",
            "Use vstyle train --from MODEL, or --set taught=20.",
        )
    multiple = teacher.networks.generator.config.multiple
    for index, phase in enumerate(recipe.phases):
        if phase.size % multiple:
            raise UsageError(
                f"phases.{index}.size = {phase.size} is not a multiple of {multiple}, "
                f"as {path} needs",
                "Change that field.",
            )
