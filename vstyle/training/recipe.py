"""A training recipe: one record, every field a number that somebody may want to change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """From `start` (a share of all steps) on, train on `batch` squares of `size` pixels."""

    start: float
    size: int
    batch: int


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, but for the data."""

    steps: int = 6000
    phases: tuple[Phase, ...] = (Phase(0, 128, 4), Phase(0.4, 192, 3), Phase(0.85, 256, 2))
    seed: int = 0

    # Optimiser: Adam, linear warm-up, then a cosine down to a twentieth.
    rate: float = 1e-3
    warm_up: int = 100  # steps
    average: float = (
        0.998  # of the exponential moving average of the weights, which is what is saved
    )
    largest_gradient: float = 5.0  # norm beyond which the gradient is scaled down

    # Weights of the terms. Each term is about 1 for a picture that has nothing of what it asks for.
    content: float = 0.8
    structure: float = 0.5
    moments: float = 12.0
    gram: float = 10.0
    flow: float = 12.0
    identity: float = 10.0
    grid: float = 4.0
    style_ramp: int = 500  # steps until the style terms have their full weight: they would else win
    reconstruction: int = 150  # first steps, which only learn to return the frame

    # How often a batch is a short film, painted with the recurrence closed, and how long it is.
    film_share: float = 0.5
    film_frames: int = 3
    identity_share: float = 0.25  # how often a photo is asked for in its own style, which is itself
    regrade_share: float = 0.7  # how often of these in its own style, but with other colours

    def phase(self, step: int) -> Phase:
        """Return the phase that a step belongs to."""
        return [phase for phase in self.phases if phase.start * self.steps <= step][-1]
