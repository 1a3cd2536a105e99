"""Film for the second stage: real clips with estimated motion, scenes with the true one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vstyle.errors import InputError
from vstyle.folders import CLIPS, below
from vstyle.models.constants import constant
from vstyle.scene import Scene, motion, render
from vstyle.training.data import Memory, Picture, Square, scaled, upload
from vstyle.training.motion import Sequence
from vstyle.video.decode import Frame, open_clip
from vstyle.video.flow import track

CLIP_FRAMES = 150  # that are read of each clip, from its start
STILL = 1e-4  # of the frame; a clip whose places move less per frame on average shows no motion
SCENES, SCENE_FRAMES = 6, 16  # films rendered, and frames of each
WIDE = (9, 16)


@dataclass(frozen=True)
class Footage:
    """A shot without cuts. Motion goes back: what is at p in frame t was at p + flow in t - 1."""

    frames: NDArray[np.uint8]  # (T, H, W, 3)
    flows: NDArray[np.float16]  # (T - 1, h, w, 2), shares of the frame's width and height
    visible: NDArray[np.uint8]  # (T - 1, h, w), 255 where that place was seen in frame t - 1


@dataclass(frozen=True)
class Cut:
    """Some frames of a shot, and the square of them to look at, in pixels of the frames."""

    footage: Footage
    start: int
    count: int
    top: int
    left: int
    side: int
    mirrored: bool


def read_clips(folder: Path, side: int, least: int, memory: Memory) -> tuple[list[Footage], str]:
    """Read the shots of at least `least` frames of all clips below a folder, and a note.

    Frames are reduced to a short side of `side` pixels; the motion is Farneback's, as in painting;
    where it is not trusted counts as hidden. The note says what was left out, if anything.
    Raises InputError if there is nothing left.
    """
    shots: list[Footage] = []
    unreadable = still = short = 0
    for found in _read_all(below(folder, CLIPS), side):
        if found is None:
            unreadable += 1
            continue
        long = [shot for shot in found if len(shot.frames) >= least]
        moving = [shot for shot in long if np.abs(shot.flows.astype(np.float32)).mean() > STILL]
        short += not long
        still += bool(long) and not moving
        shots += [_keep(shot, memory) for shot in moving]
    left_out = (
        f"{unreadable} unreadable, {short} shorter than {least} frames, {still} without motion"
    )
    if not shots:
        raise InputError(
            f"no usable clip in {folder} ({left_out})", "Give a folder of mp4, mkv or webm files."
        )
    note = f"{folder}: left out {left_out} clips, kept {len(shots)} shots"
    return shots, note if unreadable + short + still else ""


def render_scenes(side: int, seed: int, memory: Memory, least: int) -> list[Footage]:
    """Render a few scenes of `side` pixels high and at least `least` frames, with their motion."""
    return [
        _keep(_scene(side, seed * SCENES + index, max(SCENE_FRAMES, least)), memory)
        for index in range(SCENES)
    ]


def choose(shots: list[Footage], size: int, count: int, rng: np.random.Generator) -> Cut:
    """Draw `count` frames of a shot and a square of them, at least `size` large where it can be."""
    shot = shots[rng.integers(len(shots))]
    height, width = shot.frames.shape[1:3]
    side = min(round(size * rng.uniform(1, 1.4)), height, width)
    return Cut(
        shot,
        int(rng.integers(len(shot.frames) - count + 1)),
        count,
        int(rng.integers(height - side + 1)),
        int(rng.integers(width - side + 1)),
        side,
        bool(rng.random() < 0.5),
    )


def sequence(cuts: list[Cut], size: int, device: torch.device) -> Sequence:
    """Bring cuts of equal length to one size, on the device that trains."""
    parts = [_part(cut, size, device) for cut in cuts]
    count = cuts[0].count
    return Sequence(
        [torch.cat([frames[t : t + 1] for frames, _, _ in parts]) for t in range(count)],
        [torch.cat([flows[t : t + 1] for _, flows, _ in parts]) for t in range(count - 1)],
        [torch.cat([seen[t : t + 1] for _, _, seen in parts]) for t in range(count - 1)],
    )


def _part(cut: Cut, size: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return frames (T, 3, s, s), flows (T - 1, s, s, 2) in pixels, visible (T - 1, 1, s, s)."""
    shot, end = cut.footage, cut.start + cut.count
    rows, columns = slice(cut.top, cut.top + cut.side), slice(cut.left, cut.left + cut.side)
    squares = [Square(frame[rows, columns], cut.mirrored) for frame in shot.frames[cut.start : end]]
    frames = scaled(squares, size, device)
    flow = upload(shot.flows[cut.start : end - 1], device).float().permute(0, 3, 1, 2)
    seen = upload(shot.visible[cut.start : end - 1], device)[:, None].float() / 255
    height, width = shot.frames.shape[1:3]
    # The motion may have been measured on smaller frames: look up where our pixels are in those.
    at = (torch.arange(size, device=device) + 0.5) / size * cut.side
    x, y = (cut.left + at) / width * 2 - 1, (cut.top + at) / height * 2 - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).expand(len(flow), -1, -1, -1)
    flow, seen = (
        F.grid_sample(values, grid, padding_mode="border", align_corners=False)
        for values in (flow, seen)
    )
    if cut.mirrored:
        flow, seen = flow.flip(3), seen.flip(3)
    unit = constant((width, height), device) * size / cut.side
    flows = flow.permute(0, 2, 3, 1) * unit
    if cut.mirrored:
        flows = flows * constant((-1.0, 1.0), device)
    places = torch.stack(
        torch.meshgrid(*[torch.arange(size, device=device)] * 2, indexing="xy"), -1
    )
    before = places + flows
    inside = ((before >= 0) & (before <= size - 1)).all(-1)[:, None]
    return frames, flows, seen * inside


def _read_all(paths: list[Path], side: int) -> Iterator[list[Footage] | None]:
    """Read the shots of clips, several at a time, in order; None for what cannot be read."""

    def read(path: Path) -> list[Footage] | None:
        try:
            return list(_shots(path, side))
        except InputError:
            return None

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as readers:
        yield from readers.map(read, paths)


def _shots(path: Path, side: int) -> Iterator[Footage]:
    """Decode a clip, as far as it is read at all, into shots between its cuts."""
    pictures: list[Picture] = []
    flows: list[NDArray[Any]] = []
    visible: list[NDArray[Any]] = []
    with open_clip(path) as source:
        frames = islice((item for item in source.items if isinstance(item, Frame)), CLIP_FRAMES)
        for frame, moved, _ in track(frames):
            if moved is None:
                if len(pictures) > 1:
                    yield Footage(np.stack(pictures), np.stack(flows), np.stack(visible))
                pictures, flows, visible = [], [], []
            else:
                h, w = moved.flow.shape[:2]
                flows.append((moved.flow / np.array([w, h], np.float32)).astype(np.float16))
                visible.append((moved.trust * 255).astype(np.uint8))
            pictures.append(_reduced(frame.image, side))
    if len(pictures) > 1:
        yield Footage(np.stack(pictures), np.stack(flows), np.stack(visible))


def _reduced(image: Picture, side: int) -> Picture:
    """Reduce a frame (H, W, 3) to a short side of `side`; a smaller one stays as it is."""
    height, width = image.shape[:2]
    scale = side / min(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _scene(side: int, seed: int, count: int) -> Footage:
    """Render one film of 24 frames a second, and its exact motion."""
    width = side * WIDE[1] // WIDE[0]
    film = Scene(width=width, height=side, frames=count, rate=Fraction(24), seed=seed)
    moves = [motion(film, t, -1) for t in range(1, count)]
    unit = np.array([width, side], np.float32)
    return Footage(
        np.stack([render(film, t) for t in range(count)]),
        np.stack([(move.flow / unit).astype(np.float16) for move in moves]),
        np.stack([move.visible.astype(np.uint8) * 255 for move in moves]),
    )


def _keep(shot: Footage, memory: Memory) -> Footage:
    return Footage(*(memory.keep(part) for part in (shot.frames, shot.flows, shot.visible)))
