"""The training loop: paint, measure, step; average the weights; save; go on where it stopped."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vstyle.errors import CheckpointError, DeviceError, UsageError
from vstyle.models.config import READ_SIDE
from vstyle.models.vgg import Features
from vstyle.pictures import read_picture
from vstyle.training.batches import MARGIN, Batch, Data, Draw, draw, realise
from vstyle.training.begin import NOTHING, begin, load
from vstyle.training.data import Memory, read_folder
from vstyle.training.distill import Teacher, check_lesson
from vstyle.training.footage import Footage, read_clips, render_scenes
from vstyle.training.health import Health
from vstyle.training.log import NO_TENSORBOARD, Log
from vstyle.training.objective import Painted, objective
from vstyle.training.pace import Counter, fast_dtype
from vstyle.training.paintings import Paintings, Targets
from vstyle.training.ranks import Ranks, joined
from vstyle.training.recipe import Recipe
from vstyle.training.recipe_file import check, recipe_of_run
from vstyle.training.replay import Outcome, Replayed, mapped
from vstyle.training.step import Numbers, Step
from vstyle.training.trainer import Trainer, rate, state_path
from vstyle.training.vgg import find_vgg, read_vgg
from vstyle.training.whiten import samples, whiten

SAVE_EVERY = 300  # seconds of training that a crash may cost
PHOTO_SIDE = 320  # pixels; least short side at which photos are kept
READERS = 6  # threads that draw data and cut it
AHEAD = 6  # steps whose data is drawn in advance
LAG = 4  # steps that a GPU may be behind: nobody waits for the numbers of its latest one
# Steps, and about how many seconds, after which several processes ask each other whether to stop:
# whoever has started them waits for half a minute.
AGREE_EVERY, AGREE_WITHIN = 10, 5.0


@dataclass(frozen=True)
class Job:
    """What to train on, and where the model goes."""

    photos: Path  # folder of photos, the content
    paintings: Path  # folder of pictures, the styles; or the one picture to specialise in
    vgg: Path | None  # VGG-19; None finds or fetches it
    output: Path  # the model; the state of the run and its log are kept beside it
    videos: Path | None = None  # folder of clips, for the second stage
    start: Path | None = None  # a model to begin from instead of from nothing
    resume: bool = False  # go on with the run whose state is beside `output`
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - it cannot be changed
    teacher: Path | None = None  # a model whose pictures are learned from
    licence: str = "trained on the user's own pictures"


def fit(
    job: Job,
    recipe: Recipe,
    note: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Step]:
    """Train a model of any style and save it now and then, and at the end, however it ends.

    `note` is told what the user should know; once `stop` says yes, no further step is begun.
    Raises InputError for a folder with nothing in it, CheckpointError for a model or VGG file,
    OutputError for a place that cannot be written, DeviceError for memory, TrainingError for a run
    that went wrong, which is then not saved again.
    """
    with joined(job.device) as ranks:
        for phase in recipe.phases:
            if phase.batch % ranks.count:
                raise UsageError(
                    f"a batch of {phase.batch} cannot be shared by {ranks.count} processes",
                    "Change the batch of the phase.",
                )
        judge = recipe.discriminator
        if job.resume:
            begun = recipe_of_run(state_path(job.output))  # raises, before much is read, if none is
            judge = begun.discriminator if begun.adversarial else judge
        torch.manual_seed(recipe.seed)
        features = Features(read_vgg(_vgg(job, ranks)), fast_dtype(ranks.device))
        teacher = Teacher(load(job.teacher), ranks.device) if job.teacher else None
        check_lesson(recipe, teacher, job.teacher)
        networks, origin = begin(job, recipe, teacher)
        sizes: dict[str, Any] = {
            "generator": networks.generator.config,
            "style": networks.encoder.config,
            "discriminator": dataclasses.replace(judge, code=networks.encoder.config.code),
        }
        recipe = dataclasses.replace(recipe, **sizes)
        check(recipe, "recipe with the sizes of the model")
        data, about = _read(job, recipe, note)
        about["started_from"] = origin
        # One painting teaches nothing about reading styles: what it has would become what is usual,
        # and its code would move away from all that the generator knows.
        alone = len(data.paintings.pictures) == 1
        known = teacher is not None or origin != NOTHING  # the encoder can read styles
        fixed = recipe.fixed_encoder or (alone and known)
        recipe = dataclasses.replace(recipe, fixed_encoder=fixed)
        if not (job.resume or fixed or alone):
            whiten(networks, samples(data.paintings))
        trainer = Trainer(networks, recipe, ranks)
        if job.resume:
            trainer.resume(job.output)
        steps = train(trainer, data, features.to(ranks.device), stop, teacher=teacher)
        yield from _kept(trainer, _delayed(steps, ranks.device), job.output, about, note)


def _vgg(job: Job, ranks: Ranks) -> Path:
    """Return the file of VGG-19, which one process of each machine fetches if need be."""
    error: CheckpointError | None = None
    if ranks.local == 0:
        try:
            find_vgg(job.vgg)
        except CheckpointError as found:
            error = found
    if ranks.any(error is not None):
        raise error or CheckpointError("VGG-19 is not here", "See what another process says.")
    return find_vgg(job.vgg)


def _kept(
    trainer: Trainer,
    steps: Iterator[Step],
    output: Path,
    about: dict[str, Any],
    note: Callable[[str], None],
) -> Iterator[Step]:
    """Take the steps; log and save what comes of it, if this is the first process."""
    health = Health()
    if trainer.ranks.rank:
        for step in steps:
            health.check(step.number, step.terms)
            yield step
        return
    begun, kept, saved, sound = trainer.number, trainer.number, time.monotonic(), True
    with Log(output, trainer.number) as log:
        if not begun:  # or --resume might go on with the run that this one replaces
            state_path(output).unlink(missing_ok=True)
        if not log.board:
            note(NO_TENSORBOARD)
        try:
            for step in steps:
                log.write(step)
                sound = False
                health.check(step.number, step.terms)
                sound = True
                about["losses"] = step.terms
                if step.number % trainer.recipe.sheet_every == 0:
                    log.sheet(step)
                if time.monotonic() - saved > SAVE_EVERY and not health.doubtful:
                    trainer.save(output, about)
                    kept, saved = step.number, time.monotonic()
                yield step
        finally:
            if sound and trainer.whole and trainer.number > begun:
                # A bad state is better than none, and worse than an earlier one.
                if health.bad and kept:
                    note(f"the run went bad: what was saved after step {kept} is kept")
                else:
                    trainer.save(output, about)


def train(
    trainer: Trainer,
    data: Data,
    features: Features,
    stop: Callable[[], bool] = lambda: False,
    *,
    targets: Targets | None = None,
    teacher: Teacher | None = None,
) -> Generator[Step]:
    """Train until the recipe's steps or seconds are over, or `stop` says yes.

    `targets` are those that an earlier call has worked out, if there was one; `teacher` paints what
    is to be painted, if there is one.

    What a step draws depends on the seed, its number and the share of the run that is done alone,
    so that a resumed run goes on as if it had never stopped.
    """
    recipe, ranks, counter = trainer.recipe, trainer.ranks, Counter()
    targets = targets or Targets(features, ranks.device)
    descend = Replayed(partial(_descend, trainer, features, teacher), ranks)
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="draw")
    ahead: deque[Future[Draw]] = deque()
    last = time.perf_counter()
    ask_at = trainer.number
    try:
        while True:
            while len(ahead) < AHEAD and (share := _done(trainer, len(ahead))) < 1:
                number = trainer.number + len(ahead)
                whose = {"rank": ranks.rank, "count": ranks.count}
                ahead.append(readers.submit(draw, recipe, data, number, share, **whose))
            asked = ranks.count == 1 or trainer.number >= ask_at
            if not ahead or (asked and ranks.any(stop())):
                return
            start = time.perf_counter()
            drawn = ahead.popleft().result()
            waited = time.perf_counter() - start
            speed = rate(recipe, drawn.number, drawn.done)
            trainer.go_at(speed)
            with _enough_memory(recipe, drawn):
                batch = realise(recipe, drawn, targets, ranks.device)
                kind = _kind(drawn, batch)
                with counter(kind):
                    outcome = descend(kind, batch)
            trainer.count()
            now = time.perf_counter()
            trainer.seconds += now - last
            if asked:  # all the same, for all ask at once
                pace = ranks.agree(now - last)
                ask_at = trainer.number + max(0, min(AGREE_EVERY, int(AGREE_WITHIN / pace)) - 1)
            yield Step(
                trainer.number,
                _done(trainer),
                drawn.phase.size,
                len(batch.style) * drawn.frames * ranks.count,
                speed,
                now - last,
                waited,
                counter.known[kind] * ranks.count,
                Numbers(outcome.names, outcome.values),
                batch.film.frames,
                batch.style,
                [frame.clone() for frame in outcome.painted.frames],
            )
            last = now
    finally:
        readers.shutdown(cancel_futures=True)


@contextmanager
def _enough_memory(recipe: Recipe, drawn: Draw) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        phase = recipe.phases.index(drawn.phase)
        raise DeviceError(
            f"the GPU is out of memory at step {drawn.number}",
            f"Lower the batch or the size of that phase: --set phases.{phase}.batch=N.",
        ) from error


def _descend(
    trainer: Trainer, features: Features, teacher: Teacher | None, batch: Batch
) -> Outcome:
    """Take one step of the generator, and one of the discriminator."""
    critic, recipe = trainer.critic, trainer.recipe
    painted: Painted = trainer.painter(batch)
    factor = trainer.networks.generator.config.factor
    taught = teacher.paint(batch) if teacher and (recipe.taught or recipe.taught_features) else None
    parts = objective(recipe, features, batch, painted, factor=factor, taught=taught)
    last = painted.frames[-1]
    if critic and batch.crops is not None:
        parts["adversarial"] = (recipe.adversarial, critic.judge(last, painted.code).mean())
    total = torch.stack([weight * term for weight, term in parts.values()]).sum()
    terms = {name: term for name, (_, term) in parts.items()} | {"total": total}
    terms["gradient"] = trainer.descend(total)
    if critic and batch.crops is not None:
        terms |= critic.learn(batch.crops, last, painted.code)
    values = torch.stack([value.detach().float() for value in terms.values()])
    return Outcome(mapped(painted, Tensor.detach), tuple(terms), values)


def _kind(drawn: Draw, batch: Batch) -> object:
    """Return what decides how many operations a step takes."""
    images = len(batch.style), drawn.frames, batch.fixed
    return drawn.phase.size, *images, drawn.cycle, batch.crops is None, bool(drawn.styles)


def _done(trainer: Trainer, ahead: int = 0) -> float:
    """Return the share of the run that will be done `ahead` steps from now, the same everywhere."""
    recipe = trainer.recipe
    share = (trainer.number + ahead) / recipe.steps
    if recipe.seconds:
        share = max(share, trainer.ranks.agree(trainer.seconds / recipe.seconds))
    return share


def _delayed(steps: Generator[Step], device: torch.device) -> Iterator[Step]:
    """Hand steps on when their numbers are there: on a GPU some steps later."""
    held: deque[Step] = deque()
    with closing(steps):
        for step in steps:
            held.append(step)
            if device.type != "cuda" or len(held) > LAG:
                yield held.popleft()
        yield from held


def _read(job: Job, recipe: Recipe, note: Callable[[str], None]) -> tuple[Data, dict[str, Any]]:
    """Read all there is to train on; return it, and what the model's file should say of it."""
    memory = Memory(recipe.memory * 1e9)
    side = int(max(phase.size for phase in recipe.phases) * MARGIN)
    content = read_folder(job.photos, max(PHOTO_SIDE, side), memory)
    notes = [content.note(str(job.photos))]
    if job.paintings.is_file():
        paintings = Paintings([read_picture(job.paintings, READ_SIDE)], memory, 1)
    else:
        styles = read_folder(job.paintings, READ_SIDE, memory)
        notes.append(styles.note(str(job.paintings)))
        paintings = Paintings(styles.pictures, memory, recipe.variants)
    clips: list[Footage] = []
    scenes: list[Footage] = []
    filmed = any(phase.video for phase in recipe.phases)
    if job.videos and not filmed:
        notes.append("the clips are not used: no phase of this recipe has video = true")
    if filmed:
        if job.videos:
            clips, left_out = read_clips(job.videos, side, recipe.video_frames, memory)
            notes.append(left_out)
        if recipe.scene_share:
            scenes = render_scenes(side, recipe.seed, memory, recipe.video_frames)
    for line in filter(None, notes):
        note(line)
    about = {
        "photos": len(content.pictures),
        "paintings": len(paintings.pictures),
        "shots": len(clips),
        **({"teacher": job.teacher.name} if job.teacher else {}),
        "licence": job.licence,
    }
    return Data(content.pictures, paintings, scenes, clips), about
