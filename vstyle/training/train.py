"""The training loop: paint, measure, step; average the weights; save; go on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vstyle import checkpoint
from vstyle.errors import CheckpointError
from vstyle.models.build import Networks, from_arrays, new_networks
from vstyle.models.config import READ_SIDE, SIDE, GeneratorConfig, StyleConfig
from vstyle.models.vgg import Features
from vstyle.training import losses, motion
from vstyle.training.data import (
    PHOTO_SIDE,
    Paintings,
    batch,
    crop,
    pyramid,
    read_folder,
    read_vgg,
)
from vstyle.training.recipe import Recipe
from vstyle.training.trainer import Trainer

SAVE_EVERY = 300  # seconds of training that a crash may cost
MARGIN = 1.25  # films are cut from squares this much larger than their frames
LEAST_DISTANCE = (
    0.3  # of a photo to its style, below which the style terms are not scaled up further
)
# Shapes are kept at full size (relu2_1, relu3_1) and, or large blots would be free, at a quarter:
# (place in PYRAMID, weight).
CONTENT_LEVELS = ((1, 0.3), (2, 1.0), (8, 0.4), (9, 0.6))


@dataclass(frozen=True)
class Step:
    """One step, done: what it cost, and what was painted last (for a look at it)."""

    number: int
    terms: dict[str, float]
    source: Tensor  # (B, 3, H, W), values 0..1
    style: Tensor  # (B, 3, SIDE, SIDE)
    painted: Tensor  # (B, 3, H, W)


@dataclass(frozen=True)
class Job:
    """What to train on, and where the model goes."""

    photos: Path  # folder of photos, the content
    paintings: Path  # folder of pictures, the styles
    vgg: Path  # VGG-19 as safetensors, torchvision's key names
    output: Path  # the model; the state of the run is kept beside it
    start: Path | None = None  # a model to begin from instead of from nothing
    resume: bool = False  # go on with the run whose state is beside `output`
    licence: str = "trained on the user's own pictures"


def fit(job: Job, recipe: Recipe) -> Iterator[Step]:
    """Train a model of any style and save it now and then, and at the end, however it ends.

    Raises InputError for a folder without pictures, CheckpointError for a model or VGG file.
    """
    torch.manual_seed(recipe.seed)
    features = Features(read_vgg(job.vgg), fast_dtype())
    if job.start:
        found = checkpoint.load(job.start, "model")
        try:
            networks = from_arrays(found.header.config, found.tensors)
        except ValueError as error:
            raise CheckpointError(f"{job.start}: {error}") from error
    else:
        networks = new_networks(GeneratorConfig(), StyleConfig())
    trainer = Trainer(networks, recipe)
    if job.resume:
        trainer.resume(job.output)
    photos = read_folder(job.photos, PHOTO_SIDE)
    paintings = read_folder(job.paintings, READ_SIDE)
    provenance = {
        "photos": len(photos),
        "paintings": len(paintings),
        "started_from": job.start.name if job.start else "nothing",
        "licence": job.licence,
    }
    saved = time.monotonic()
    try:
        for step in train(trainer, photos, Paintings(paintings, features), features):
            provenance["losses"] = step.terms
            if time.monotonic() - saved > SAVE_EVERY:
                trainer.save(job.output, provenance)
                saved = time.monotonic()
            yield step
    finally:
        trainer.save(job.output, provenance)


def fast_dtype() -> torch.dtype:
    """Return what VGG is computed in: bfloat16 where the processor multiplies it natively."""
    native = torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if native else torch.float32


def train(
    trainer: Trainer,
    photos: list[NDArray[np.uint8]],
    paintings: Paintings,
    features: Features,
) -> Iterator[Step]:
    """Train until the recipe's steps are done; stop iterating and it stops.

    What a step draws depends on the seed and the step's number alone, so that a resumed run goes
    on as if it had never stopped.
    """
    recipe = trainer.recipe
    wanted: Tensor | list[losses.Statistics]
    while trainer.number < recipe.steps:
        phase = recipe.phase(trainer.number)
        rng = np.random.default_rng([recipe.seed, trainer.number])
        chance = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        filmed = rng.random() < recipe.film_share
        reconstructing = trainer.number < recipe.reconstruction
        large = int(phase.size * MARGIN) if filmed else phase.size
        large = min(large, PHOTO_SIDE)
        sources, others = (_photos(photos, phase.batch, large, rng) for _ in range(2))
        film = motion.film(sources, others, phase.size, recipe.film_frames if filmed else 1, chance)
        if reconstructing or rng.random() < recipe.identity_share:
            wanted = film.frames[-1]
            if rng.random() < recipe.regrade_share:
                wanted = _regraded(wanted, rng)
            style = torch.nn.functional.interpolate(
                wanted, (SIDE, SIDE), mode="bilinear", antialias=True
            )
        else:
            drawn = [paintings.draw(rng) for _ in range(phase.batch)]
            style = torch.stack([one.picture for one in drawn])
            wanted = _stack([one.target for one in drawn])
        painted = paint_film(trainer.networks, film, style, rng)
        total, terms = _objective(trainer, film, painted, wanted, features)
        terms["gradient"] = trainer.step(total)
        terms["total"] = total.item()
        yield Step(trainer.number, terms, film.frames[-1], style, painted[-1].detach())


def _objective(
    trainer: Trainer,
    film: motion.Sequence,
    painted: list[Tensor],
    target: Tensor | list[losses.Statistics],
    features: Features,
) -> tuple[Tensor, dict[str, float]]:
    """Return the weighted sum of the terms of a painted film, and the terms by name.

    `target` is the style's statistics, or a picture that the last frame should become.
    """
    recipe = trainer.recipe
    parts: dict[str, tuple[float, Tensor]] = {}
    source, last = film.frames[-1], painted[-1]
    if isinstance(target, Tensor):
        parts["identity"] = (recipe.identity, losses.identity(last, target))
    else:
        ramp = min(1.0, 0.2 + 0.8 * trainer.number / max(recipe.style_ramp, 1))
        reached = pyramid(features, last)
        with torch.no_grad():
            before = pyramid(features, source)
            looks = [losses.statistics(found) for found in before]
        gaps = [
            weight * losses.content(reached[level], before[level])
            for level, weight in CONTENT_LEVELS
        ]
        parts["content"] = (recipe.content, torch.stack(gaps).sum(0))
        parts["structure"] = (recipe.structure, losses.structure(last, source))
        styles = [losses.statistics(found) for found in reached]
        for name, weight, distance in (
            ("moments", recipe.moments, losses.moments_distance),
            ("gram", recipe.gram, losses.gram_distance),
        ):
            gap = _mean([distance(a, b) for a, b in zip(styles, target, strict=True)])
            # Relative to the unpainted frame's: a pair that starts far away counts no more.
            start = _mean([distance(a, b) for a, b in zip(looks, target, strict=True)])
            parts[name] = (weight * ramp, gap / start.clamp_min(LEAST_DISTANCE))
    period = trainer.networks.generator.config.factor
    seams = losses.grid(last, period) + losses.grid(last, 4 * period)
    parts["grid"] = (recipe.grid, seams)
    if film.flows:
        unsteady = [
            losses.flow(after, motion.warp(before, flow), visible)
            for before, after, flow, visible in zip(
                painted, painted[1:], film.flows, film.visible, strict=False
            )
        ]
        parts["flow"] = (recipe.flow, _mean(unsteady))
    total = sum((weight * term.mean() for weight, term in parts.values()), torch.zeros(()))
    return total, {name: term.mean().item() for name, (_, term) in parts.items()}


def paint_film(
    networks: Networks, film: motion.Sequence, style: Tensor, rng: np.random.Generator
) -> list[Tensor]:
    """Paint the frames in turn, each seeing the last painted picture carried along the motion.

    What is carried is imprecise, as it is on real film: the flow is off by a fraction of a pixel
    and the trust is blurred, in half of the films.
    """
    generator = networks.generator
    factor = generator.config.factor
    code = networks.encoder(style)
    rough = rng.random() < 0.5
    painted: list[Tensor] = []
    for index, frame in enumerate(film.frames):
        if index == 0:
            carried = torch.zeros_like(frame)
            trust = torch.zeros_like(frame[:, :1, ::factor, ::factor])
        else:
            flow, visible = film.flows[index - 1], film.visible[index - 1]
            if rough:
                error = torch.from_numpy(
                    rng.normal(0, 0.3, (len(frame), 2, 6, 6)).astype(np.float32)
                )
                error = torch.nn.functional.interpolate(error, frame.shape[2:], mode="bicubic")
                flow = flow + error.permute(0, 2, 3, 1)
                visible = torch.nn.functional.avg_pool2d(visible, 9, 1, 4, count_include_pad=False)
            carried = motion.warp(painted[-1], flow).clamp(0, 1)
            trust = torch.nn.functional.avg_pool2d(visible, factor)
        painted.append(generator(frame, carried, trust, code))
    return painted


def _regraded(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Give every channel of every picture (B, 3, H, W), 0..1, another contrast and brightness.

    Both can be read off the result's palette, so there is one right answer; turned hues could not.
    """
    shape = (len(pictures), 3, 1, 1)
    gain = torch.from_numpy(rng.uniform(0.4, 1.2, shape).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-0.25, 0.25, shape).astype(np.float32))
    return ((pictures - 0.5) * gain + 0.5 + shift).clamp(0, 1)


def _photos(
    photos: list[NDArray[np.uint8]], count: int, size: int, rng: np.random.Generator
) -> Tensor:
    return batch([crop(photos[i], size, rng) for i in rng.integers(len(photos), size=count)])


def _stack(targets: list[list[losses.Statistics]]) -> list[losses.Statistics]:
    """Turn a list of styles, each a list of layers, into a list of layers, each a batch."""
    return [
        losses.Statistics(
            torch.cat([layer.mean for layer in layers]),
            torch.cat([layer.deviation for layer in layers]),
            torch.cat([layer.gram for layer in layers]),
        )
        for layers in zip(*targets, strict=True)
    ]


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean(0)
