"""Film for the second stage: real clips with estimated motion, scenes with the true one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vstyle.errors import InputError
from vstyle.folders import CLIPS, below
from vstyle.models.constants import pixels
from vstyle.scene import Scene, motion, render
from vstyle.training.data import Memory, Picture, on_device, scaled, upload
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
class Film:
    """Squares of some frames of as many shots as a batch has, brought to one size."""

    frames: NDArray[np.uint8]  # (T, B, size, size, 3)
    flows: NDArray[np.float32]  # (T - 1, B, size, size, 2), pixels
    visible: NDArray[np.uint8]  # (T - 1, B, size, size), 0..255


def read_clips(folder: Path, side: int, least: int, memory: Memory) -> tuple[list[Footage], str]:
    """Read the shots of at least `least` frames of all clips below a folder, and a note.

    Frames are reduced to a short side of `side` pixels; the motion is found as in painting;
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


def film(shots: list[Footage], batch: int, size: int, count: int, rng: np.random.Generator) -> Film:
    """Draw `count` frames of each of `batch` shots, and squares of them of size x size pixels.

    The squares are at least `size` large before they are reduced, where they can be.
    """
    parts = []
    for _ in range(batch):
        shot = shots[rng.integers(len(shots))]
        height, width = shot.frames.shape[1:3]
        side = min(round(size * rng.uniform(1, 1.4)), height, width)
        start = int(rng.integers(len(shot.frames) - count + 1))
        top, left = (int(rng.integers(whole - side + 1)) for whole in (height, width))
        part = square(shot, range(start, start + count), (top, left, side), size)
        parts.append(mirrored(part) if rng.random() < 0.5 else part)
    return joined(parts)


def square(shot: Footage, times: range, place: tuple[int, int, int], size: int) -> Film:
    """Cut frames to the square at `place` (top, left, side, in their pixels); a batch of one."""
    top, left, side = place
    height, width = shot.frames.shape[1:3]
    frames = shot.frames[times.start : times.stop, top : top + side, left : left + side]
    between = slice(times.start, times.stop - 1)
    flows, visible = shot.flows[between], shot.visible[between]
    # The motion may have been measured on smaller frames: where our pixels' centres are in those.
    y, x = flows.shape[1] / height, flows.shape[2] / width
    step = side / size
    where = np.array(
        [[step * x, 0, (left + step / 2) * x - 0.5], [0, step * y, (top + step / 2) * y - 0.5]]
    )
    looked_up = partial(
        cv2.warpAffine,
        M=where,
        dsize=(size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    unit = np.array([width, height], np.float32) / step
    return Film(
        np.stack([scaled(frame, size) for frame in frames])[:, None],
        np.stack([looked_up(flow.astype(np.float32)) * unit for flow in flows])[:, None],
        np.stack([looked_up(seen).astype(np.uint8, copy=False) for seen in visible])[:, None],
    )


def mirrored(film: Film) -> Film:
    """Return a film as in a mirror: left is right, also of the motion."""
    flows = film.flows[:, :, :, ::-1] * np.array([-1, 1], np.float32)
    return Film(film.frames[:, :, :, ::-1], flows, film.visible[:, :, :, ::-1])


def joined(parts: list[Film]) -> Film:
    """Make batches of films of equal length and size into one."""
    return Film(
        np.concatenate([part.frames for part in parts], 1),
        np.concatenate([part.flows for part in parts], 1),
        np.concatenate([part.visible for part in parts], 1),
    )


def sequence(film: Film, device: torch.device) -> Sequence:
    """Bring a film to the device that trains; what comes from outside a frame was not visible."""
    frames = on_device(film.frames, device)
    flows = upload(film.flows, device)
    size = flows.shape[3]
    before = pixels(size, size, device) + flows
    inside = ((before >= 0) & (before <= size - 1)).all(-1)
    visible = (upload(film.visible, device).float() / 255 * inside)[:, :, None]
    return Sequence(list(frames), list(flows), list(visible))


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
