"""What a run leaves to look at: a line per step, curves, and sheets of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vstyle.errors import OutputError
from vstyle.training.step import Step

NO_TENSORBOARD = "tensorboard is not installed: only log.jsonl and sheets (vstyle[train] has it)"
MOST = 4  # films, or times two pictures, on a sheet


def log_folder(model: Path) -> Path:
    """Return where the log of a run is kept, beside the model it makes."""
    return model.with_suffix(".log")


def log_file(model: Path) -> Path:
    """Return the file of that folder that has a line for every step."""
    return log_folder(model) / "log.jsonl"


class Log:
    """Writes a run's log: `log.jsonl`, `sheets/step-N.png`, and TensorBoard's event files.

    Lines after step `number` are from a run that stopped before it saved: they are dropped.
    """

    def __init__(self, model: Path, number: int) -> None:
        """Begin or go on with the log of a model; OutputError if it cannot be written."""
        self.folder = log_folder(model)
        path = log_file(model)
        with self._writing():
            (self.folder / "sheets").mkdir(parents=True, exist_ok=True)
            there = number and path.exists()
            lines = path.read_text(encoding="utf-8").splitlines() if there else []
            kept = [line for line in lines if _number(line) <= number]
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
            self.file = path.open("a", encoding="utf-8")
        self.board = _board(self.folder, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self.board:
            self.board.close()
        with suppress(OSError):  # of a line that could not be written, which has been said
            self.file.close()

    def write(self, step: Step) -> None:
        """Write a step's line and curves."""
        terms = {name: round(value, 6) for name, value in step.terms.items()}
        line: dict[str, float | str] = {
            "step": step.number,
            "size": step.size,
            "images": step.images,
            "rate": step.rate,
        }
        line |= {"seconds": round(step.seconds, 4), "waited": round(step.waited, 4)}
        # A number that is not finite is no JSON.
        line |= {name: value if np.isfinite(value) else str(value) for name, value in terms.items()}
        with self._writing():
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            if self.board:
                for name, value in terms.items():
                    self.board.add_scalar(f"terms/{name}", value, step.number)
                self.board.add_scalar("run/rate", step.rate, step.number)
                images = step.images / step.seconds
                self.board.add_scalar("run/images per second", images, step.number)

    def sheet(self, step: Step) -> None:
        """Keep a contact sheet of a step."""
        picture = contact_sheet(step)
        with self._writing():
            Image.fromarray(picture).save(self.folder / "sheets" / f"step-{step.number:06}.png")
            if self.board:
                self.board.add_image("sheet", picture, step.number, dataformats="HWC")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what goes wrong while the log is written into OutputError."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"the log {self.folder} cannot be written: {error.strerror}",
                "Make room, and go on with --resume.",
            ) from error


def contact_sheet(step: Step) -> NDArray[np.uint8]:
    """Lay out what a step painted, (H, W, 3).

    Of a single frame: rows of content, style and painted, a column per picture. Of a film: for each
    of its pictures the style, then a column per frame: the content, the painted frame, and by how
    much it differs from the last one, four times as strong, about grey.
    """
    size = step.frames[0].shape[-1]
    style = F.interpolate(step.style, (size, size), mode="bilinear", antialias=True)
    if len(step.frames) == 1:
        rows = [step.frames[0], style, step.painted[0]]
        return _picture(torch.cat([torch.cat(list(row[: 2 * MOST]), 2) for row in rows], 1))
    bands = []
    for index in range(min(len(style), MOST)):
        frames, painted = ([one[index] for one in some] for some in (step.frames, step.painted))
        grey = torch.full_like(painted[0], 0.5)
        changes = [b - a for a, b in pairwise(painted)]
        rows = [
            torch.cat([style[index], *frames], 2),
            torch.cat([grey, *painted], 2),
            torch.cat([grey, grey, *(0.5 + 4 * change for change in changes)], 2),
        ]
        bands.append(torch.cat(rows, 1))
    return _picture(torch.cat(bands, 1))


def _picture(tensor: Tensor) -> NDArray[np.uint8]:
    """(3, H, W), about 0..1 -> (H, W, 3) uint8."""
    values = tensor.detach().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(values.permute(1, 2, 0).cpu().numpy())


def _number(line: str) -> float:
    """Return the step of a line; infinity for one that was cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def _board(folder: Path, number: int) -> Any:
    """Return TensorBoard's writer, None if it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    writer: Any = SummaryWriter(str(folder), purge_step=number + 1 if number else None)
    return writer
