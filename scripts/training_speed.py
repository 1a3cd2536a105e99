"""How much of a training step is the networks? The loop beside a bare forward and backward.

    python scripts/training_speed.py --content photos/ --styles paintings/ --vgg vgg.safetensors

Takes steps of a recipe's first stage as `vstyle train` does, its log included, and before each of
them goes forward and backward through the very same batch with the same weights, with nothing
around it: no data, no optimiser, no average, no log. The paintings' statistics, which a long run
works out once, are worked out beforehand.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch

from vstyle import device as devices
from vstyle.models.build import new_networks
from vstyle.models.config import READ_SIDE
from vstyle.models.vgg import Features
from vstyle.training.batches import Batch, Data, draw, realise
from vstyle.training.data import Memory, read_folder
from vstyle.training.log import Log
from vstyle.training.objective import objective
from vstyle.training.pace import fast_dtype
from vstyle.training.paintings import Paintings, Targets
from vstyle.training.ranks import Ranks
from vstyle.training.recipe_file import change, read_recipe
from vstyle.training.train import PHOTO_SIDE, train
from vstyle.training.trainer import Trainer
from vstyle.training.vgg import find_vgg, read_vgg


def main() -> None:
    """Take the steps and print both times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--styles", type=Path, required=True)
    parser.add_argument("--vgg", type=Path)
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--steps", type=int, default=40, help="at most those of the recipe")
    parser.add_argument("--skip", type=int, default=10, help="first steps that are not counted")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    device = torch.device(devices.choose(options.device)[0])
    recipe = change(read_recipe(options.recipe), [*options.set, "reconstruction=0"])
    count = min(options.steps, recipe.steps)
    if not 0 <= options.skip < count:
        parser.error(
            f"of {count} steps {options.skip} cannot be left out: change --steps or --skip"
        )
    memory = Memory(recipe.memory * 1e9)
    photos = read_folder(options.content, PHOTO_SIDE, memory).pictures
    pictures = read_folder(options.styles, READ_SIDE, memory).pictures
    paintings = Paintings(pictures, memory, recipe.variants)
    features = Features(read_vgg(find_vgg(options.vgg)), fast_dtype(device)).to(device)
    torch.manual_seed(recipe.seed)
    networks = new_networks(recipe.generator, recipe.style)
    trainer = Trainer(networks, recipe, Ranks(device))
    data, targets = Data(photos, paintings, [], []), Targets(features, device)
    bare = whole = 0.0
    steps = train(trainer, data, features, targets=targets)
    with tempfile.TemporaryDirectory() as folder, Log(Path(folder) / "a.safetensors", 0) as log:
        for number in range(count):
            done = number / recipe.steps
            drawn = draw(recipe, data, number, done, rank=0, count=1)
            alone = forward_and_backward(trainer, features, realise(recipe, drawn, targets, device))
            start = time.perf_counter()
            log.write(next(steps))
            seconds = time.perf_counter() - start
            if number >= options.skip:
                bare, whole = bare + alone, whole + seconds
    steps.close()
    count -= options.skip
    print(f"{whole / count:.3f} s a step, bare {bare / count:.3f} s: {bare / whole:.0%}")


def forward_and_backward(trainer: Trainer, features: Features, batch: Batch) -> float:
    """Return the seconds that the generator, its objective and the way back take."""
    start = time.perf_counter()
    painted = trainer.painter(batch)
    factor = trainer.networks.generator.config.factor
    parts = objective(trainer.recipe, features, batch, painted, factor=factor)
    sum(weight * term for weight, term in parts.values()).backward()
    if batch.style.device.type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    for weight in trainer.parameters():
        weight.grad = None
    return seconds


if __name__ == "__main__":
    main()
