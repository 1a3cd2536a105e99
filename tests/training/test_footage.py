"""Film for the second stage: its motion is where the pixels go, also after cutting and scaling."""

import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from vstyle.errors import InputError
from vstyle.training import footage, motion
from vstyle.training.data import Memory

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def scene() -> footage.Footage:
    return footage._scene(96, 3, 4)


def unexplained(film: motion.Sequence) -> tuple[float, float]:
    """Return how far neighbouring frames differ along the motion, where visible, and at rest."""
    found = []
    for flows in (film.flows, [flow * 0 for flow in film.flows]):
        gaps = [
            ((motion.warp(a, flow) - b).abs().mean(1, keepdim=True) * seen).sum() / seen.sum()
            for a, b, flow, seen in zip(
                film.frames, film.frames[1:], flows, film.visible, strict=False
            )
        ]
        found.append(float(torch.stack(gaps).mean()))
    return found[0], found[1]


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_square_of_a_scene_moves_as_its_flow_says(scene: footage.Footage, mirrored: bool) -> None:
    """Cut, enlarged and mirrored, the flow still explains most of what changes."""
    cut = footage.square(scene, range(4), (20, 30, 60), 96)
    turned = footage.mirrored(cut) if mirrored else cut
    film = footage.sequence(footage.joined([turned, turned]), CPU)
    assert [tuple(frame.shape) for frame in film.frames] == [(2, 3, 96, 96)] * 4
    assert [tuple(flow.shape) for flow in film.flows] == [(2, 96, 96, 2)] * 3
    assert film.visible[0].mean() > 0.5
    along, still = unexplained(film)
    assert along < still / 2


def test_the_uncut_flow_is_the_scenes_own(scene: footage.Footage) -> None:
    """In pixels, to the precision it is kept in."""
    from vstyle.scene import Scene
    from vstyle.scene import motion as true_motion

    height, width = scene.frames.shape[1:3]
    film = footage.sequence(footage.square(scene, range(2), (0, 10, height), height), CPU)
    own = true_motion(Scene(width=width, height=height, frames=4, seed=3), 1, -1)
    window = own.flow[:, 10 : 10 + height]
    np.testing.assert_allclose(film.flows[0][0], window, atol=0.02 * np.abs(window).max())


def test_clips_become_shots(sound_only: Path, tmp_path: Path) -> None:
    """What moves is kept, reduced, with its motion; what cannot be used is counted."""
    write(tmp_path / "a.mkv", [2] * 6 + [0] + [-3] * 5)
    shutil.copy(sound_only, tmp_path / "b.mp4")
    write(tmp_path / "c.mkv", [0] * 8)
    shots, note = footage.read_clips(tmp_path, 40, 3, Memory(1e9))
    assert all(min(shot.frames.shape[1:3]) == 40 for shot in shots)
    assert all(len(shot.flows) == len(shot.frames) - 1 for shot in shots)
    (shot,) = shots
    assert len(shot.frames) == 12
    # In the third frame all is 2 of 128 pixels further right than it was; in the last, 3 left.
    assert np.median(shot.flows[1, ..., 0]) == pytest.approx(-2 / 128, rel=0.1)
    assert np.median(shot.flows[-1, ..., 0]) == pytest.approx(3 / 128, rel=0.1)
    assert "1 unreadable, 0 shorter than 3 frames, 1 without motion" in note
    rng = np.random.default_rng(0)
    film = footage.sequence(footage.film(shots, 2, 32, 3, rng), CPU)
    assert film.frames[2].shape == (2, 3, 32, 32)


def test_a_doubled_frame_has_a_motion_like_the_others(tmp_path: Path) -> None:
    """None, of the same size as theirs, in frames so large that motion is searched on smaller."""
    write(tmp_path / "a.mkv", [2, 2, 0, 2, 2], times=3)
    (shot,), _ = footage.read_clips(tmp_path, 40, 3, Memory(1e9))
    assert not shot.flows[1].any()
    assert shot.flows[2].any()


def test_a_folder_without_a_usable_clip_is_one_clear_error(tmp_path: Path) -> None:
    """It says why there is none."""
    write(tmp_path / "still.mkv", [0] * 8)
    with pytest.raises(InputError, match=r"no usable clip.*1 without motion"):
        footage.read_clips(tmp_path, 40, 3, Memory(1e9))
    with pytest.raises(InputError, match="1 shorter than 30 frames"):
        footage.read_clips(tmp_path, 40, 30, Memory(1e9))


def write(path: Path, steps: list[int], times: int = 1) -> None:
    """Write a picture of soft noise that moves by so many pixels from frame to frame."""
    coarse = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)
    image = cv2.resize(coarse, (times * 128, times * 96), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = times * 128, times * 96, "yuv420p"
        for step in steps:
            image = np.roll(image, step, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def test_real_film_is_explained_by_its_flow(real_clips: list[Path], tmp_path: Path) -> None:
    """Where it is trusted, the estimated motion explains more than standing still does."""
    (bear,) = (path for path in real_clips if path.stem == "bear")
    (tmp_path / bear.name).symlink_to(bear)
    shots, _ = footage.read_clips(tmp_path, 96, 4, Memory(1e9))
    rng = np.random.default_rng(0)
    film = footage.sequence(footage.film(shots, 4, 80, 4, rng), CPU)
    along, at_rest = unexplained(film)
    assert along < at_rest
