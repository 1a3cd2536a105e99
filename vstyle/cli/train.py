"""`vstyle train`: learn to paint in any style from a folder of photos and one of paintings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from vstyle.cli import console


def train(
    *,
    content: Annotated[Path, typer.Option(help="Folder of photos.", exists=True, file_okay=False)],
    styles: Annotated[
        Path, typer.Option(help="Folder of paintings.", exists=True, file_okay=False)
    ],
    vgg: Annotated[Path, typer.Option(help="VGG-19 weights, safetensors, torchvision's names.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model to write.")],
    start: Annotated[Path | None, typer.Option("--from", help="A model to begin from.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run that made OUTPUT.")] = False,
    steps: Annotated[int | None, typer.Option(help="Steps in all.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of all that is random.", min=0)] = 0,
) -> None:
    """Train a model that paints in any style.

    Ctrl-C saves what was learned; --resume goes on from there.

    Examples:
      vstyle train --content photos/ --styles art/ --vgg vgg.safetensors -o my.safetensors

      vstyle train --content photos/ --styles art/ --vgg vgg.safetensors -o my.safetensors --resume
    """
    from vstyle.training.recipe import Recipe
    from vstyle.training.train import Job, fit

    recipe = Recipe()
    recipe = dataclasses.replace(recipe, steps=steps or recipe.steps, seed=seed)
    job = Job(content, styles, vgg, output, start, resume)
    for _ in console.draw_steps(fit(job, recipe), recipe.steps):
        pass
    console.say(f"{output}: {recipe.steps} steps")
