"""Painting a batch, and what it costs: the generator's whole objective."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vstyle.models.build import Networks
from vstyle.models.vgg import Features
from vstyle.training import losses, motion
from vstyle.training.batches import Batch
from vstyle.training.canvas import strokes
from vstyle.training.grade import contrast, grade
from vstyle.training.paintings import pyramid_of_part
from vstyle.training.recipe import Recipe

# Shapes are kept at full size (relu2_1, relu3_1) and, or large blots would be free, at a quarter:
# (place in PYRAMID, weight).
CONTENT_LEVELS = ((1, 0.3), (2, 1.0), (8, 0.4), (9, 0.6))


Parts = dict[str, tuple[float | Tensor, Tensor]]
"""The terms of the objective by name, each with its weight."""


@dataclass(frozen=True)
class Painted:
    """What the networks made of a batch."""

    frames: list[Tensor]  # each (B, 3, H, W), graded
    strokes: Tensor  # (B, 1, H / factor, W / factor): the last frame's canvas
    code: Tensor  # (B, code), of the styles
    back: Tensor | None  # (B, 3, H, W): the last frame painted in the source's own style


class Painter(nn.Module):
    """Paint a batch in one call, so that several processes can share it (DDP wraps one module)."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.generator = networks.generator
        self.encoder = networks.encoder

    def forward(self, batch: Batch) -> Painted:
        """Paint the frames in turn, each seeing the last painted picture carried along the motion.

        What is returned of them is graded, as what is shown is; what is carried along is not.
        And, if the batch asks for it, paint the last of them back in the style of its own source.
        """
        film, factor = batch.film, self.generator.config.factor
        cuda = film.frames[0].device.type == "cuda"
        pictures = batch.style if batch.own is None else torch.cat([batch.style, batch.own])
        codes = self.encoder(pictures).split(len(batch.style))
        grains = strokes(film.frames, [flow for flow, _ in batch.carry], factor, batch.canvas)
        with torch.autocast("cuda", torch.bfloat16, enabled=cuda):
            painted: list[Tensor] = []
            for index, frame in enumerate(film.frames):
                carried = torch.zeros_like(frame)
                trust = torch.zeros_like(frame[:, :1, ::factor, ::factor])
                if index:
                    flow, visible = batch.carry[index - 1]
                    carried = motion.warp(painted[-1], flow).clamp(0, 1)
                    trust = F.avg_pool2d(visible, factor)
                with torch.set_grad_enabled(torch.is_grad_enabled() and index >= batch.fixed):
                    new = self.generator(frame, carried, trust, grains[index], codes[0])
                    painted.append(new.float())
            shown = _graded(painted, batch.contrast)
            back = None
            if batch.own is not None:
                last = shown[-1].clamp(0, 1)
                back = self.generator(last, carried * 0, trust * 0, grains[-1], codes[1]).float()
                back = grade(back, contrast(film.frames[-1]))
        return Painted(shown, grains[-1], codes[0], back)


def objective(
    recipe: Recipe,
    features: Features,
    batch: Batch,
    painted: Painted,
    *,
    factor: int,
    taught: list[Tensor] | None = None,
) -> Parts:
    """Return the terms of a painted batch by name, each as (weight, its mean over the pictures).

    `factor` is the generator's; `taught` are the frames as a teacher painted them, if there is one.
    """
    parts: Parts = {}
    source, last = batch.film.frames[-1], painted.frames[-1]
    if isinstance(batch.wanted, Tensor):
        parts["identity"] = (recipe.identity, losses.identity(last, batch.wanted))
    else:
        goal = taught[-1] if taught and recipe.taught_features else None
        if recipe.sees_features:
            parts |= _looks(recipe, features, batch, last, goal)
        if recipe.structure:
            parts["structure"] = (recipe.structure, losses.structure(last, source))
        if recipe.shapes:
            parts["shapes"] = (recipe.shapes, losses.shapes(last, source, painted.strokes))
        if recipe.tints:
            parts["tints"] = (recipe.tints, losses.tints(last, source, painted.strokes))
        if recipe.tone:
            parts["tone"] = (recipe.tone, losses.tone(last, source, batch.style))
    parts |= _flaws(recipe, last, factor)
    if painted.back is not None:
        parts["cycle"] = (recipe.cycle, losses.identity(painted.back, source))
    film, learned = batch.film, slice(batch.fixed, None)
    if taught and recipe.taught:
        pairs = zip(painted.frames[learned], taught[learned], strict=True)
        parts["taught"] = (recipe.taught, _mean([losses.identity(*pair) for pair in pairs]))
    if film.flows and recipe.flow:
        unsteady = [
            losses.flow(after, motion.warp(before, flow), visible)
            for (before, after), flow, visible in zip(
                pairwise(painted.frames[learned]),
                film.flows[learned],
                film.visible[learned],
                strict=True,
            )
        ]
        parts["flow"] = (recipe.flow, _mean(unsteady))
    if len(film.flows) > 1 and recipe.long_flow:
        flow, visible = motion.compose(film.flows, film.visible)
        far = losses.flow(last, motion.warp(painted.frames[0], flow), visible)
        parts["long_flow"] = (recipe.long_flow, far)
    return {name: (weight, term.mean()) for name, (weight, term) in parts.items()}


def _graded(frames: list[Tensor], style: Tensor) -> list[Tensor]:
    """Grade all frames at once: on a GPU that takes as long as for one."""
    graded = grade(torch.cat(frames), style.repeat(len(frames), 1, 1, 1))
    return list(torch.split(graded, len(style)))


def _flaws(recipe: Recipe, picture: Tensor, factor: int) -> Parts:
    """Return the terms that see how a picture was made, but for those of no weight."""
    terms = {
        "grid": lambda: losses.grid(picture, factor) + losses.grid(picture, 4 * factor),
        "seams": lambda: losses.seams(picture, factor),
        "dots": lambda: losses.dots(picture, factor),
        "variation": lambda: losses.variation(picture),
    }
    weights = {name: float(getattr(recipe, name)) for name in terms}
    return {name: (weight, terms[name]()) for name, weight in weights.items() if weight}


def _looks(
    recipe: Recipe,
    features: Features,
    batch: Batch,
    last: Tensor,
    goal: Tensor | None,
) -> Parts:
    """Return the terms that VGG sees: the source's shapes, the painting's statistics.

    `goal` is the last frame as a teacher painted it, if that counts.
    """
    assert not isinstance(batch.wanted, Tensor)
    source, wanted = batch.film.frames[-1], batch.wanted
    reached = pyramid_of_part(features, last, batch.corner)
    with torch.no_grad():
        before = pyramid_of_part(features, source, batch.corner)
        looks = [losses.statistics(found) for found in before]
    parts: Parts = {}
    if recipe.content:
        gaps = [
            weight * losses.content(reached[level], before[level])
            for level, weight in CONTENT_LEVELS
        ]
        parts["content"] = (recipe.content, torch.stack(gaps).sum(0))
    if goal is not None:
        with torch.no_grad():
            wanted_features = pyramid_of_part(features, goal, batch.corner)
        apart = [losses.likeness(a, b) for a, b in zip(reached, wanted_features, strict=True)]
        parts["taught_features"] = (recipe.taught_features, _mean(apart))
    styles = [losses.statistics(found) for found in reached]
    for name, weight, distance in (
        ("moments", recipe.moments, losses.moments_distance),
        ("gram", recipe.gram, losses.gram_distance),
    ):
        if not weight:
            continue
        gap = _mean([distance(a, b) for a, b in zip(styles, wanted, strict=True)])
        # Relative to the unpainted frame's: a pair that starts far away counts no more.
        start = _mean([distance(a, b) for a, b in zip(looks, wanted, strict=True)])
        parts[name] = (weight * batch.ramp, gap / start.clamp_min(recipe.least_distance))
    return parts


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean(0)
