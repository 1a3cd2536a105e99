"""What a training run keeps: the networks, their average, the optimiser; saved and gone on from."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from vstyle import checkpoint
from vstyle.errors import CheckpointError
from vstyle.models.build import Networks, configs, from_arrays, to_arrays
from vstyle.training.recipe import Recipe


class Trainer:
    """The networks, their average, and the optimiser: all that a run must keep."""

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks = networks
        self.average = copy.deepcopy(networks)
        self.recipe = recipe
        self.number = 0
        for net in (networks.generator, networks.encoder):
            net.train()
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.parameters(), recipe.rate, betas=(0.9, 0.99))

    def parameters(self) -> list[Tensor]:
        """Return all trained tensors, always in the same order."""
        nets = (self.networks.generator, self.networks.encoder)
        return [weight for net in nets for weight in net.parameters()]

    def step(self, loss: Tensor) -> float:
        """Go one step down and return the norm of the gradient."""
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = rate(recipe, self.number)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.parameters(), recipe.largest_gradient)
        if norm.isfinite():
            self.optimiser.step()
        self.number += 1
        # A young average would remember the random start: let it be quick at first.
        keep = min(recipe.average, self.number / (self.number + 10))
        average, now = self.average, self.networks
        nets = ((average.generator, now.generator), (average.encoder, now.encoder))
        for slow, fast in nets:
            for held, new in zip(slow.parameters(), fast.parameters(), strict=True):
                held.data.lerp_(new.data, 1 - keep)
            for kept, seen in zip(slow.buffers(), fast.buffers(), strict=True):
                kept.copy_(seen)
        return float(norm)

    def save(self, path: Path, provenance: dict[str, Any]) -> None:
        """Write the averaged weights as a model, and beside it all that is needed to go on."""
        about = provenance | {"steps": self.number, "recipe": asdict(self.recipe)}
        header = checkpoint.Header("model", configs(self.average), about)
        checkpoint.save(path, header, to_arrays(self.average, half=True))
        state = {f"now.{name}": array for name, array in to_arrays(self.networks, False).items()}
        state |= {
            f"average.{name}": array for name, array in to_arrays(self.average, False).items()
        }
        for index, moments in self.optimiser.state_dict()["state"].items():
            state |= {f"adam.{index}.{name}": value.numpy() for name, value in moments.items()}
        header = checkpoint.Header("training", configs(self.average), about)
        checkpoint.save(state_path(path), header, state)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote beside a model; CheckpointError if it does not fit."""
        found = checkpoint.load(state_path(path), "training")
        try:
            for prefix, networks in (("now.", self.networks), ("average.", self.average)):
                arrays = _below(found.tensors, prefix)
                loaded = from_arrays(found.header.config, arrays)
                networks.generator.load_state_dict(loaded.generator.state_dict())
                networks.encoder.load_state_dict(loaded.encoder.state_dict())
            state = self.optimiser.state_dict()
            moments: dict[int, dict[str, Tensor]] = {}
            for name, array in _below(found.tensors, "adam.").items():
                index, what = name.split(".")
                moments.setdefault(int(index), {})[what] = torch.from_numpy(array.copy())
            self.optimiser.load_state_dict(state | {"state": moments})
        except (ValueError, RuntimeError) as error:
            raise CheckpointError(f"{state_path(path)} does not fit: {error}") from error
        self.number = int(found.header.provenance["steps"])


def rate(recipe: Recipe, number: int) -> float:
    """Return the learning rate of a step."""
    # 1. linear warm-up
    if number < recipe.warm_up:
        return recipe.rate * (number + 1) / recipe.warm_up
    # 2. cosine from the full rate to a twentieth
    done = (number - recipe.warm_up) / max(recipe.steps - recipe.warm_up, 1)
    return recipe.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def state_path(model: Path) -> Path:
    """Return where the state of a training run is kept, beside the model it makes."""
    return model.with_suffix(".training.safetensors")


def _below(arrays: checkpoint.Tensors, prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
