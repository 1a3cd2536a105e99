"""Is the run still sound? Watches the terms for what no more steps would mend."""

from __future__ import annotations

import math

from vstyle.errors import TrainingError
from vstyle.training.objective import CONTENT_LEVELS

# Pictures that have nothing to do with each other are 2 apart in normalised features.
CEILING = 0.95 * 2 * sum(weight for _, weight in CONTENT_LEVELS)
# The loss of a discriminator that cannot be fooled at all.
UNFOOLED = 0.01

# What may go wrong: for how many steps in a row it must, what it means, and what to do.
FAULTS = {
    "finite": (10, "the numbers are not finite", "lower `rate`"),
    "content": (
        300,
        "the content term is at its ceiling: nothing of the photos is left",
        "lower `moments`, `gram` or `rate`",
    ),
    "discriminator": (
        300,
        "the discriminator is at zero: it teaches nothing any more",
        "lower `discriminator_rate` or raise `r1`",
    ),
}


class Health:
    """Counts for how many steps in a row each fault has been seen."""

    def __init__(self) -> None:
        self.streaks = dict.fromkeys(FAULTS, 0)

    @property
    def doubtful(self) -> bool:
        """Whether a fault shows, however short: what was saved before may be the better state."""
        return any(self.streaks.values())

    @property
    def bad(self) -> bool:
        """Whether a fault has lasted for a tenth of the steps that end a run."""
        return any(10 * self.streaks[name] >= patience for name, (patience, *_) in FAULTS.items())

    def check(self, number: int, terms: dict[str, float]) -> None:
        """Look at the terms of step `number`; TrainingError if a fault has lasted for too long."""
        seen = {
            "finite": not all(map(math.isfinite, terms.values())),
            # Steps without the term say nothing about it.
            "content": terms["content"] > CEILING if "content" in terms else None,
            "discriminator": (
                terms["discriminator"] < UNFOOLED if "discriminator" in terms else None
            ),
        }
        for name, (patience, what, remedy) in FAULTS.items():
            if seen[name] is not None:
                self.streaks[name] = self.streaks[name] + 1 if seen[name] else 0
            if self.streaks[name] >= patience:
                raise TrainingError(
                    f"step {number}: for {patience} steps {what}",
                    f"What was saved before, if anything, is kept; {remedy}, go on with --resume.",
                )
