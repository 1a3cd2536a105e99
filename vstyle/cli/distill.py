"""`vstyle distill`: a small and fast model that learns from a large one."""

from __future__ import annotations

from typing import Annotated

import typer

from vstyle.cli import learning, options


def distill(
    *,
    teacher: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The model whose pictures are learned from.")
    ],
    content: learning.Content,
    styles: learning.Styles = None,
    videos: learning.Videos = None,
    style: learning.Style = None,
    output: learning.Output,
    start: learning.Start = None,
    resume: learning.Resume = False,
    overwrite: options.Overwrite = False,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="distill, distill-style, recover, or a TOML file."),
    ] = None,
    settings: learning.Settings = None,
    max_steps: learning.MaxSteps = None,
    max_time: learning.MaxTime = None,
    seed: learning.Seed = None,
    vgg: learning.Vgg = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Train a student: a smaller model that paints as its teacher does.

    With --style it paints in that one style only, with a network that is smaller still. Ctrl-C
    saves what was learned; --resume goes on from there.

    Examples:
      vstyle distill --teacher big.safetensors --content photos/ --styles art/ -o small.safetensors

      vstyle distill --teacher student --content photos/ --style my.jpg -o my.safetensors
    """
    looks = learning.looks_of(styles, style)

    import torch

    from vstyle import device as devices
    from vstyle.checkpoint import find_model
    from vstyle.training.train import Job
    from vstyle.training.trainer import state_path

    where = torch.device(devices.choose(device)[0])
    name = recipe or ("distill-style" if style else "distill")
    state = state_path(output) if resume and recipe is None else None
    given = learning.limits(max_steps, max_time, seed)
    plan = learning.plan_of(name, state, [*(settings or []), *given])
    origin = find_model(start) if start else None
    master = find_model(teacher)
    learning.check_output(output, (origin, master, style), not (resume or overwrite))
    job = Job(content, looks, vgg, output, videos, origin, resume, where, master)
    learning.leave_if_stopped(learning.learn(job, plan, quiet=quiet), quiet=quiet)
