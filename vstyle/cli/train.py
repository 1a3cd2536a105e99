"""`vstyle train`: learn to paint in any style from a folder of photos and one of paintings."""

from __future__ import annotations

from typing import Annotated

import typer

from vstyle.cli import learning, options
from vstyle.errors import UsageError


def train(
    *,
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
        typer.Option(metavar="NAME|FILE", help="cpu, gpu, student, smoke, style, or a TOML file."),
    ] = None,
    settings: learning.Settings = None,
    max_steps: learning.MaxSteps = None,
    max_time: learning.MaxTime = None,
    seed: learning.Seed = None,
    vgg: learning.Vgg = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Train a model that paints in any style, or one that paints in a single style better.

    Ctrl-C saves what was learned; --resume goes on from there. torchrun trains on several GPUs.

    Examples:
      vstyle train --content photos/ --styles art/ -o mine.safetensors

      vstyle train --content photos/ --style my.jpg --from student -o my.safetensors --max-time 10m

      vstyle train --content photos/ --styles art/ -o mine.safetensors --resume
    """
    looks = learning.looks_of(styles, style)
    if style and not (start or resume):
        raise UsageError("--style specialises a model", "Say which: --from student.")

    import torch

    from vstyle import device as devices
    from vstyle.checkpoint import find_model
    from vstyle.training.train import Job
    from vstyle.training.trainer import state_path

    where = torch.device(devices.choose(device)[0])
    name = recipe or ("style" if style else "gpu" if where.type == "cuda" else "cpu")
    state = state_path(output) if resume and recipe is None else None
    given = learning.limits(max_steps, max_time, seed)
    plan = learning.plan_of(name, state, [*(settings or []), *given])
    origin = find_model(start) if start else None
    learning.check_output(output, (origin, style), not (resume or overwrite))
    job = Job(content, looks, vgg, output, videos, origin, resume, where)
    learning.leave_if_stopped(learning.learn(job, plan, quiet=quiet), quiet=quiet)
