"""What does each term of the objective buy? Trains without one at a time, and prints a table.

Every run begins from the same seed, or the same model, has as many steps, and lacks one thing; the
measures are those of `vstyle bench --quality`. Runs that are there already are not made again.

    python scripts/ablation.py --content photos/ --styles paintings/ --vgg vgg.safetensors \
        --steps 150 --from student --folder train/ablation -- --clips clips/ --device cpu

What follows `--` goes to `vstyle bench`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

# What a run lacks: the settings that take it away. All terms are on in the first one.
FULL = ["cycle=4.0", "adversarial=0.3", "long_flow=8.0", "variation=0.05", "adversarial_start=0.1"]
# A model that can paint need not learn to return the frame first.
GOING_ON = ["reconstruction=0", "style_ramp=1"]
WITHOUT = {
    "nothing": [],
    "content": ["content=0.0"],
    "structure": ["structure=0.0"],
    "shapes": ["shapes=0.0"],
    "tints": ["tints=0.0"],
    "tone": ["tone=0.0"],
    "moments": ["moments=0.0"],
    "gram": ["gram=0.0"],
    "adversarial": ["adversarial=0.0"],
    "cycle": ["cycle=0.0"],
    "identity": ["identity=0.0", "identity_share=0.0", "reconstruction=0"],
    "flow": ["flow=0.0"],
    "long_flow": ["long_flow=0.0"],
    "grid": ["grid=0.0"],
    "seams": ["seams=0.0"],
    "dots": ["dots=0.0"],
    "variation": ["variation=0.0"],
    "stage 2": ["phases=[{start=0, size=128, batch=4}, {start=0.3, size=192, batch=3}]"],
}
MEASURES = ("style", "gram", "content", "ssim", "detail", "trmse", "trmse_long")


def main() -> None:
    """Train what is not there yet, measure everything, print the table."""
    options, bench = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    models = {name: options.folder / f"without-{name}.safetensors" for name in WITHOUT}
    for name, model in models.items():
        if not model.exists():
            train(options, model, [*FULL, *WITHOUT[name]])
    print(table(measure(options, list(models.values()), bench), models))


def parse() -> tuple[argparse.Namespace, list[str]]:
    """Return our own options, and those for `vstyle bench`."""
    ours, bench = sys.argv[1:], []
    if "--" in ours:
        ours, bench = ours[: ours.index("--")], ours[ours.index("--") + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--styles", type=Path, required=True)
    parser.add_argument("--vgg", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=Path("train/ablation"))
    parser.add_argument("--steps", type=int, default=150, help="of every run")
    parser.add_argument("--from", dest="start", help="a model to begin from; default: from nothing")
    parser.add_argument("--recipe", default="cpu")
    return parser.parse_args(ours), bench


def train(options: argparse.Namespace, model: Path, settings: list[str]) -> None:
    """Train one model for as many steps as every one has."""
    part = model.with_name(f"part-{model.name}")  # a run that was stopped is made again
    settings = [*(GOING_ON if options.start else []), *settings]
    changes = [word for setting in settings for word in ("--set", setting)]
    pictures = ["--content", options.content, "--styles", options.styles, "--vgg", options.vgg]
    begin = ["--from", options.start] if options.start else []
    length = ["--recipe", options.recipe, "--max-steps", options.steps]
    vstyle("train", *pictures, *begin, *length, *changes, "-o", part, "--overwrite")
    part.rename(model)


def measure(options: argparse.Namespace, models: list[Path], bench: list[str]) -> dict[str, dict]:
    """Return the mean measures of each model, by its file."""
    asked = [word for model in models for word in ("--model", model)]
    # 1: some rows could not be measured, which has been said; the document has all the others.
    words = ["--quality", "--json", "--vgg", options.vgg, *asked, *bench]
    found = vstyle("bench", *words, fine=(0, 1))
    return {row["model"]: row["mean"] for row in json.loads(found)["quality"]}


def vstyle(*words: object, fine: tuple[int, ...] = (0,)) -> str:
    """Run a command of vstyle and return what it prints; its messages go through.

    Raises CalledProcessError if its exit code is none of those that are `fine`.
    """
    command = [sys.executable, "-m", "vstyle", *map(str, words)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode not in fine:
        done.check_returncode()
    return done.stdout


def table(means: dict[str, dict], models: dict[str, Path]) -> str:
    """Lay out the measures in Markdown, a line per thing left out; empty where there are none."""
    lines = [f"| without | {' | '.join(MEASURES)} |", "|---" * (len(MEASURES) + 1) + "|"]
    for name, model in models.items():
        mean = means.get(str(model), {})
        values = [mean.get(measure) for measure in MEASURES]
        shown = ["" if value is None else f"{value:.3g}" for value in values]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
