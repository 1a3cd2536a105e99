"""The adversarial term: its forms against formulas written out, its penalty, and its judge."""

import math

import numpy as np
import pytest
import torch

from vstyle.models.discriminator import Discriminator, DiscriminatorConfig
from vstyle.training import adversarial
from vstyle.training.critic import Critic
from vstyle.training.optimiser import set_rate
from vstyle.training.ranks import Ranks
from vstyle.training.recipe_file import change, read_recipe

R, F = 0.3, 0.2  # the logits of a real and of a painted patch


def log_d(x: float) -> float:
    return math.log(1 / (1 + math.exp(-x)))


@pytest.mark.parametrize(
    ("form", "generator", "discriminator"),
    [
        ("minimax", log_d(-F), -(log_d(R) + log_d(-F))),  # 1 - sigmoid(x) = sigmoid(-x)
        ("non-saturating", -log_d(F), -(log_d(R) + log_d(-F))),
        ("hinge", -F, max(0, 1 - R) + max(0, 1 + F)),
        ("least-squares", (F - 1) ** 2 / 2, ((R - 1) ** 2 + F**2) / 2),
    ],
)
def test_the_forms_are_the_formulas(form: str, generator: float, discriminator: float) -> None:
    """Two scales of different sizes count the same, and every picture by itself."""
    real, fake = ([torch.full((2, 1, s, s), x) for s in (4, 2)] for x in (R, F))
    assert adversarial.generator_loss(form, fake).tolist() == pytest.approx([generator] * 2)
    found = adversarial.discriminator_loss(form, real, fake)
    assert found.tolist() == pytest.approx([discriminator] * 2)


@pytest.mark.parametrize("form", adversarial.FORMS)
def test_both_sides_want_the_opposite(form: str) -> None:
    """Better fakes please the generator; the discriminator wants them lower, real ones higher."""
    real, fake = (torch.full((1, 1, 2, 2), x, requires_grad=True) for x in (R, F))
    (up,) = torch.autograd.grad(adversarial.generator_loss(form, [fake]).sum(), fake)
    down, higher = torch.autograd.grad(
        adversarial.discriminator_loss(form, [real], [fake]).sum(), (fake, real)
    )
    assert (up < 0).all()
    assert (down > 0).all()
    assert (higher < 0).all()


def test_the_penalty_of_a_linear_judge_is_half_its_squared_slope() -> None:
    """Mean logits of w x summed over 12 numbers: the slope is w everywhere."""
    w = torch.linspace(-1, 1, 12).view(1, 3, 2, 2)
    picture = torch.rand(4, 3, 2, 2, requires_grad=True)
    logits = [(w * picture).sum((1, 2, 3)).view(4, 1, 1, 1)]
    found = adversarial.gradient_penalty(logits, picture)
    assert found.tolist() == pytest.approx([w.square().sum().item() / 2] * 4)


def test_the_judge_knows_the_style_and_no_layer_is_steep() -> None:
    """Another code, other logits; a map per scale; the largest singular value of a layer is 1."""
    torch.manual_seed(0)
    judge = Discriminator(DiscriminatorConfig((8, 16), 3, 24))
    picture, code = torch.rand(2, 3, 64, 64), torch.randn(2, 24)
    maps = judge(picture, code)
    assert [tuple(one.shape) for one in maps] == [(2, 1, s, s) for s in (16, 8, 4)]
    assert not torch.allclose(maps[0], judge(picture, -code)[0])
    for _ in range(30):
        judge(picture, code)
    weight = judge.eval().scales[0].levels[0].weight.detach().flatten(1).numpy()
    assert np.linalg.svd(weight, compute_uv=False)[0] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("r1", [0.0, 1.0])
def test_it_learns_to_tell_bright_from_dark(r1: float) -> None:
    """And judging leaves no gradient in the judge."""
    torch.manual_seed(0)
    recipe = change(read_recipe("smoke"), ["discriminator_rate=5e-3", f"r1={r1}"])
    critic = Critic(recipe, Ranks(torch.device("cpu")))
    real, painted = torch.rand(4, 3, 32, 32) / 2 + 0.5, torch.rand(4, 3, 32, 32) / 2
    code = torch.randn(4, recipe.discriminator.code)
    set_rate(critic.optimiser, recipe.discriminator_rate)
    losses = [critic.learn(real, painted, code)["discriminator"].item() for _ in range(40)]
    assert losses[-1] < losses[0] / 2
    critic.optimiser.zero_grad()
    picture = painted.requires_grad_()
    critic.judge(picture, code).sum().backward()
    assert picture.grad is not None
    assert all(weight.grad is None for weight in critic.network.parameters())
    assert critic.judge(real, code).mean() < critic.judge(painted, code).mean()
