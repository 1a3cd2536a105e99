"""The discriminator's side of training: judging painted pictures, and learning to."""

from __future__ import annotations

import torch
from torch import Tensor

from vstyle.models.discriminator import Discriminator
from vstyle.training import adversarial
from vstyle.training.optimiser import adam
from vstyle.training.ranks import Ranks
from vstyle.training.recipe import Recipe


class Critic:
    """A discriminator and its optimiser. Codes are taken as they are: they learn nothing here."""

    def __init__(self, recipe: Recipe, ranks: Ranks) -> None:
        self.recipe = recipe
        self.network = Discriminator(recipe.discriminator).to(ranks.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.shared = ranks.share(self.network)
        self.optimiser = adam([{"params": self.network.parameters()}], (0.5, 0.99), ranks.device)
        self.bf16 = ranks.device.type == "cuda"

    def judge(self, painted: Tensor, code: Tensor) -> Tensor:
        """Return what painted pictures (B, 3, H, W) cost the generator: (B,)."""
        self.network.requires_grad_(False).eval()
        try:
            with torch.autocast("cuda", torch.bfloat16, enabled=self.bf16):
                logits = self.network(painted, code.detach())
        finally:
            self.network.requires_grad_(True).train()
        return adversarial.generator_loss(self.recipe.adversarial_form, logits)

    def learn(self, real: Tensor, painted: Tensor, code: Tensor) -> dict[str, Tensor]:
        """Go one step; return the loss and the penalty."""
        recipe, count = self.recipe, len(real)
        real = real.detach().requires_grad_(recipe.r1 > 0)
        # Real and painted pictures in one call: spectral norm takes a step of its own in each.
        with torch.autocast("cuda", torch.bfloat16, enabled=self.bf16):
            maps = self.shared(torch.cat([real, painted.detach()]), code.detach().repeat(2, 1))
        reals, fakes = [one[:count] for one in maps], [one[count:] for one in maps]
        loss = adversarial.discriminator_loss(recipe.adversarial_form, reals, fakes).mean()
        terms, total = {"discriminator": loss}, loss
        if recipe.r1:
            terms["r1"] = adversarial.gradient_penalty(reals, real).mean()
            total = loss + recipe.r1 * terms["r1"]
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.largest_gradient)
        # A step that is not finite is not taken; asked on the device, so that nobody waits.
        self.optimiser.found_inf = (~norm.isfinite()).float()  # type: ignore[attr-defined]
        self.optimiser.step()
        return {name: term.detach() for name, term in terms.items()}
