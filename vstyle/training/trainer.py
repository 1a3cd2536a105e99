"""What a run keeps: the networks, their average, the optimisers; saved and gone on from."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vstyle import checkpoint
from vstyle.errors import CheckpointError, OutputError, TrainingError
from vstyle.models.build import Networks, configs, from_arrays, to_arrays
from vstyle.models.tensors import Tensors
from vstyle.training.critic import Critic
from vstyle.training.objective import Painter
from vstyle.training.optimiser import adam, set_rate
from vstyle.training.ranks import Ranks
from vstyle.training.recipe import Recipe

# What makes the codes, of hundreds of statistics, must be the slower: all layers follow it.
ENCODER_PACE = 0.2


class Trainer:
    """The networks, their average, and the optimisers: all that a run must keep."""

    def __init__(self, networks: Networks, recipe: Recipe, ranks: Ranks) -> None:
        self.networks = networks
        self.recipe = recipe
        self.ranks = ranks
        self.number = 0  # steps done
        self.seconds = 0.0  # that they took
        self.whole = True  # False in the middle of a step, when nothing must be saved
        networks.encoder.requires_grad_(not recipe.fixed_encoder)
        networks.generator.detail.requires_grad_(not recipe.fixed_relief)
        for net in (networks.generator, networks.encoder):
            net.train(net is networks.generator or not recipe.fixed_encoder)
            net.to(ranks.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(networks)
        self.painter = ranks.share(Painter(networks))
        self.optimiser = adam(self._groups(), (0.9, 0.99), ranks.device)
        self.critic = Critic(recipe, ranks) if recipe.adversarial else None

    def parameters(self) -> list[Tensor]:
        """Return all tensors trained for the model, always in the same order."""
        nets = _parts(self.networks)
        return [weight for net in nets for weight in net.parameters() if weight.requires_grad]

    def _groups(self) -> list[dict[str, Any]]:
        """Return the parameters as the optimiser takes them, each group with its own pace."""
        generator, encoder = self.networks.generator, self.networks.encoder
        return [
            {"params": list(generator.parameters()), "pace": 1.0},
            {"params": list(encoder.parameters()), "pace": ENCODER_PACE},
        ]

    def go_at(self, rate: float) -> None:
        """Set the learning rate of what comes next, the discriminator's in proportion."""
        set_rate(self.optimiser, rate)
        if self.critic:
            share = self.recipe.discriminator_rate / self.recipe.rate
            set_rate(self.critic.optimiser, rate * share)

    def descend(self, loss: Tensor) -> Tensor:
        """Go one step down and return the norm of the gradient.

        A step that is not finite is not taken.
        """
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.whole = False
        norm = torch.nn.utils.clip_grad_norm_(self.parameters(), self.recipe.largest_gradient)
        # Asked on the device, so that nobody has to wait for the answer.
        self.optimiser.found_inf = (~norm.isfinite()).float()  # type: ignore[attr-defined]
        self.optimiser.step()
        return norm

    @torch.no_grad()
    def count(self) -> None:
        """End a step: bring the average up to date."""
        self.number += 1
        # A young average would remember the random start: let it be quick at first.
        keep = min(self.recipe.average, self.number / (self.number + 10))
        for slow, fast in zip(_parts(self.average), _parts(self.networks), strict=True):
            torch._foreach_lerp_(list(slow.parameters()), list(fast.parameters()), 1 - keep)
            for kept, seen in zip(slow.buffers(), fast.buffers(), strict=True):
                kept.copy_(seen)
        self.whole = True

    def save(self, path: Path, provenance: dict[str, Any]) -> None:
        """Write the averaged weights as a model, and beside it all that is needed to go on.

        Raises OutputError, or TrainingError for weights that no model's file can hold; what was
        saved before is then still there.
        """
        about = provenance | {"steps": self.number, "recipe": asdict(self.recipe)}
        about |= {"seconds": round(self.seconds, 1)}
        header = checkpoint.Header("model", configs(self.average), about)
        state = {f"now.{name}": array for name, array in to_arrays(self.networks, False).items()}
        state |= {
            f"average.{name}": array for name, array in to_arrays(self.average, False).items()
        }
        state |= _state_of("adam.", self.optimiser)
        if self.critic:
            for name, value in self.critic.network.state_dict().items():
                state[f"critic.{name}"] = value.cpu().numpy()
            state |= _state_of("critic-adam.", self.critic.optimiser)
        training = checkpoint.Header("training", configs(self.average), about)
        with np.errstate(over="ignore"):
            model = to_arrays(self.average, half=True)
        if not all(np.isfinite(array).all() for array in model.values()):
            raise TrainingError(
                f"after step {self.number} weights are too large for a model's file",
                "What was saved before, if anything, is kept; lower `rate`, go on with --resume.",
            )
        try:
            checkpoint.save(path, header, model)
            checkpoint.save(state_path(path), training, state)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be saved after step {self.number}: {error.strerror}",
                "What was saved before is still there; free some room and go on with --resume.",
            ) from error

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote beside a model; CheckpointError if it does not fit."""
        found = checkpoint.load(state_path(path), "training")
        try:
            for prefix, networks in (("now.", self.networks), ("average.", self.average)):
                arrays = _below(found.tensors, prefix)
                loaded = from_arrays(found.header.config, arrays)
                for net, new in zip(_parts(networks), _parts(loaded), strict=True):
                    net.load_state_dict(new.state_dict())
            _restore(self.optimiser, _below(found.tensors, "adam."))
            critic = _below(found.tensors, "critic.")
            if self.critic and critic:  # a run may have begun without one
                tensors = {name: torch.from_numpy(array) for name, array in critic.items()}
                self.critic.network.load_state_dict(tensors)
                _restore(self.critic.optimiser, _below(found.tensors, "critic-adam."))
        except (ValueError, RuntimeError, IndexError) as error:
            raise CheckpointError(
                f"{state_path(path)} does not fit this recipe: {str(error).splitlines()[0]}",
                "Go on with the recipe that it was begun with.",
            ) from error
        about = found.header.provenance
        self.number, self.seconds = int(about["steps"]), float(about.get("seconds", 0.0))


def rate(recipe: Recipe, number: int, done: float) -> float:
    """Return the learning rate after `number` steps, when `done` (0..1) of the run is over."""
    # A linear warm-up, times a cosine down to a twentieth, times what the phase says.
    warm = min(1.0, (number + 1) / max(recipe.warm_up, 1))
    cosine = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return recipe.rate * warm * cosine * recipe.phase(done).rate


def state_path(model: Path) -> Path:
    """Return where the state of a training run is kept, beside the model it makes."""
    return model.with_suffix(".training.safetensors")


def _parts(networks: Networks) -> tuple[nn.Module, nn.Module]:
    return networks.generator, networks.encoder


def _state_of(prefix: str, optimiser: torch.optim.Optimizer) -> dict[str, NDArray[Any]]:
    """Return an optimiser's moments by name."""
    return {
        f"{prefix}{index}.{name}": value.cpu().numpy()
        for index, moments in optimiser.state_dict()["state"].items()
        for name, value in moments.items()
    }


def _restore(optimiser: torch.optim.Optimizer, arrays: Tensors) -> None:
    """Give an optimiser its moments back."""
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, array in arrays.items():
        index, what = name.split(".")
        value = torch.from_numpy(array.copy())
        if what != "step":
            # The fused optimiser goes through memory: moments must lie there as the weights do.
            value = torch.empty_like(weights[int(index)]).copy_(value)
        moments.setdefault(int(index), {})[what] = value
    optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})


def _below(arrays: Tensors, prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
