"""Every measure against an independent one: a closed form, scikit-image, the judge of ../shared."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openvino  # noqa: F401 - its import starts a thread, which no test is to be blamed for
import pytest
import torch
from skimage.metrics import structural_similarity

from vstyle import checkpoint
from vstyle.bench import footage, likeness, quality
from vstyle.bench.records import Failure, Quality
from vstyle.bench.steadiness import e_warp, estimated_motion, moved, sharpness, steadiness
from vstyle.engine.base import Picture
from vstyle.engine.build import build_engine
from vstyle.errors import InputError
from vstyle.folders import names_of
from vstyle.models.vgg import Features
from vstyle.pictures import read_picture
from vstyle.scene import Motion, Scene, motion, render
from vstyle.training.vgg import read_vgg
from vstyle.video.plan import Encoding
from vstyle.video.stylize import stylize

SHARED = Path(__file__).resolve().parents[3] / "shared"
JUDGE = SHARED / "tools" / "judge.py"
VGG = SHARED / "data" / "vgg19-normalised-relu3_4.safetensors"
CLIP = SHARED / "data" / "dev" / "video"
STYLES = SHARED / "data" / "dev" / "style"


def noise(height: int = 40, width: int = 60, seed: int = 0) -> Picture:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), 2), np.uint8)


def random_vgg() -> dict[str, torch.Tensor]:
    """Return VGG-19's layers as far as is looked at, with random weights."""
    random = torch.Generator().manual_seed(0)
    weights, inputs = {}, 3
    for index, width in zip(
        (0, 2, 5, 7, 10, 12, 14, 16), (8, 8, 16, 16, 32, 32, 32, 32), strict=True
    ):
        kernel = torch.randn(width, inputs, 3, 3, generator=random)
        weights[f"features.{index}.weight"] = kernel * (2 / (9 * inputs)) ** 0.5
        weights[f"features.{index}.bias"] = torch.zeros(width)
        inputs = width
    return weights


def shift(height: int, width: int, x: int, y: int) -> Motion:
    """Return the motion of a picture that moves by whole pixels."""
    rows, columns = np.mgrid[:height, :width]
    visible = (columns + x < width) & (rows + y < height) & (columns + x >= 0) & (rows + y >= 0)
    return Motion(np.full((height, width, 2), (x, y), np.float32), visible)


@pytest.mark.parametrize(("x", "y"), [(3, 0), (-5, 2), (0, 0)])
@pytest.mark.parametrize("brighter", [0, 10, -25])
def test_e_warp_in_closed_form(x: int, y: int, brighter: int) -> None:
    """A picture that moves by whole pixels and gets brighter by d has (d/255)^2, exactly."""
    now = (noise() // 2 + 60).astype(np.uint8)
    then = (np.roll(now, (y, x), (0, 1)).astype(int) + brighter).astype(np.uint8)
    found = e_warp(now, then, shift(40, 60, x, y))
    assert found == pytest.approx((brighter / 255) ** 2, rel=1e-5, abs=1e-12)


def test_e_warp_sees_only_what_is_visible() -> None:
    """What is hidden may be anything; a step of d in a quarter of the pixels has d^2/4."""
    now = np.full((40, 60, 3), 100, np.uint8)
    then = now.copy()
    then[:20, :30] = 151
    still = shift(40, 60, 0, 0)
    assert e_warp(now, then, still) == pytest.approx(0.2**2 / 4)
    still.visible[:20, :30] = False
    assert e_warp(now, then, still) == 0
    still.visible[:] = False
    assert e_warp(now, then, still) is None


def test_steadiness_is_a_mean_over_pairs() -> None:
    """E_warp of the squares, tRMSE of their roots, and pairs are `step` frames apart."""
    levels = [0, 51, 51, 102]
    frames = [np.full((40, 60, 3), level, np.uint8) for level in levels]
    still = shift(40, 60, 0, 0)
    near, far = steadiness(frames, [still] * 3), steadiness(frames, [still] * 2)
    assert near is not None
    assert far is not None
    assert (near.e_warp, near.trmse) == pytest.approx((0.08 / 3, 0.4 / 3))
    assert (far.e_warp, far.trmse) == pytest.approx((0.04, 0.2))
    assert steadiness(frames, []) is None


@pytest.mark.parametrize("seed", [0, 3])
def test_the_estimated_motion_is_nearly_the_exact_one(seed: int) -> None:
    """On a rendered scene, where both think that a place is visible; and most of it is."""
    scene = Scene(320, 180, 96, seed=seed, shimmer=0.0)
    exact = motion(scene, 10)
    found = estimated_motion(render(scene, 10), render(scene, 11))
    both = exact.visible & found.visible
    gap = np.hypot(*np.moveaxis(exact.flow - found.flow, 2, 0))[both]
    assert both.mean() > 0.75
    assert np.median(gap) < 0.12
    assert gap.mean() < 0.3


def test_what_is_hidden_is_not_visible() -> None:
    """A square that moves 12 pixels over a ground hides a strip of it."""
    ground, thing = noise(160, 240, 1), noise(60, 60, 2)
    first, second = ground.copy(), ground.copy()
    first[40:100, 80:140] = thing
    second[40:100, 92:152] = thing
    found = estimated_motion(first, second)
    assert found.visible[45:95, 142:150].mean() < 0.2
    assert found.visible[10:30, 20:220].mean() > 0.9


def test_values_are_looked_up_between_pixels() -> None:
    ramp = np.tile(np.arange(60, dtype=np.float32), (40, 1))
    found = moved(ramp, np.full((40, 60, 2), (0.25, 0), np.float32))
    np.testing.assert_allclose(found[:, :-1], ramp[:, :-1] + 0.25, atol=0.02)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_ssim_as_scikit_image_does(strength: float) -> None:
    """Wang's settings: Gaussian window of 11 pixels and deviation 1.5, on grey pictures."""
    one, other = noise(90, 120, 3), noise(90, 120, 4)
    mixed = np.asarray(cv2.addWeighted(other, strength, one, 1 - strength, 0), np.uint8)
    grey = [each @ np.array([0.299, 0.587, 0.114]) / 255 for each in (mixed, one)]
    expected = structural_similarity(
        *grey, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert likeness.ssim(mixed, one) == pytest.approx(expected, abs=1e-4)


def test_sharpness_of_a_ramp() -> None:
    """Sobel's gradient of a slope of s levels a pixel is 8 s."""
    ramp = np.repeat((3 * np.arange(60)).astype(np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    assert sharpness(ramp[:, 2:-2]) == pytest.approx(24 * 54 / 56)


class Darker:
    """Paints its last picture, one level darker; the first frame as it is."""

    factor = 4
    precision = "uint8"

    def paint(self, frame: Picture, carried: Picture | None, *_: object) -> Picture:
        return frame if carried is None else np.maximum(carried, 1) - np.uint8(1)


def test_drift_in_closed_form(inverter) -> None:
    """An engine that does not feed back has none; one that darkens by a level has as many."""
    steady = quality.drift(inverter, "style", 30)
    assert (steady.colour, steady.sharpness, steady.frames) == (0, 1, 30)
    darker = quality.drift(Darker(), "style", 15)
    assert darker.colour == pytest.approx(5 / 255, rel=0.15)  # some pixels are black before


def test_a_clip_too_short_for_ten_frames_has_no_long_term(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ffmpeg
) -> None:
    clip = tmp_path / "short.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", "-c:v", "ffv1", clip)
    found = footage.filmed(clip, "short")
    assert (len(found.frames), len(found.near), len(found.far)) == (5, 4, 0)
    assert not found.exact


def test_clips_that_show_nothing_say_nothing() -> None:
    """No detail of a black frame to compare with, no way to a style that is there already."""
    black = np.zeros((40, 60, 3), np.uint8)
    clip = footage.estimated("black", [black] * 4)
    found = quality.measured([noise()] * 4, clip, [], [], None)
    assert found.detail is None
    assert found.ssim is not None
    assert quality.mean_of([found, replace(found, detail=2.0)]).detail == 2.0
    vgg = Features(random_vgg())
    here, there = likeness.look(vgg, black), likeness.look(vgg, noise())
    assert likeness.style_distance(there, here, here) is None
    assert likeness.gram_distance(there, here, here) is None
    assert likeness.style_distance(here, there, here) == 0


def test_clips_too_short_or_too_small_are_refused() -> None:
    for picture, count, words in ((noise(), 2, "only 2 frames"), (noise(8, 8), 4, "8x8")):
        with pytest.raises(InputError, match=words):
            footage.estimated("a", [picture] * count)
    assert len(footage.estimated("a", [noise(12, 12)] * 4).near) == 3


def test_files_of_one_name_are_told_apart() -> None:
    paths = [Path("day/1.mp4"), Path("night/1.mp4"), Path("night/2.mp4")]
    assert names_of(paths) == [str(paths[0]), str(paths[1]), "2"]


def test_a_model_is_judged_without_vgg_and_bad_ones_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The rendered scene has exact motion; there is no style without VGG; the source is a floor."""
    monkeypatch.setattr(footage, "SEEDS", (0,))
    monkeypatch.setattr(footage, "SCENE", Scene(96, 64, 96, shimmer=0.0))
    monkeypatch.setattr(footage, "FRAMES", 12)
    monkeypatch.setattr(quality, "STILL", (64, 48))
    monkeypatch.setattr(quality, "HELD", 12)
    style, text, film = tmp_path / "style.png", tmp_path / "text.png", tmp_path / "film.mp4"
    cv2.imwrite(str(style), noise(64, 64))
    text.write_text("no picture")
    film.write_text("no film")
    twin = tmp_path / "twin.safetensors"
    twin.write_bytes(checkpoint.find_model("student").read_bytes())
    models = ("student", "picasso", "student", str(twin))  # what is named twice is measured once
    wanted = quality.Wanted(models, "cpu", None, (film,), (text, style))
    found = list(quality.measure(wanted))
    failures = [each.row for each in found if isinstance(each, Failure)]
    assert failures == ["text.png", "picasso", "film"]
    row, same = (each for each in found if isinstance(each, Quality))
    assert replace(same, model="student") == row  # equal weights are equal, side by side
    (pair,) = row.pairs
    assert (pair.clip, pair.style, pair.exact) == ("scene 0", "style", True)
    measures = pair.measures
    assert (measures.style, measures.gram, measures.content) == (None, None, None)
    assert measures.trmse is not None
    assert measures.source_trmse is not None
    assert measures.trmse > 0
    assert measures.source_trmse > 0
    assert measures.e_warp is not None
    assert measures.trmse**2 <= measures.e_warp * (1 + 1e-9)  # the mean of roots is the smaller
    assert row.mean == measures
    assert [each.style for each in row.drifts] == ["style"]
    assert len([each for each in found if isinstance(each, quality.Seen)]) == 2


@pytest.mark.slow
@pytest.mark.skipif(not JUDGE.is_file(), reason=f"needs {JUDGE}")
def test_the_judge_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ffmpeg) -> None:
    """An independent program on the same painted file: within 2 % where definitions coincide.

    The clip is RGB and the style picture has its final size: how YUV becomes RGB, and how pictures
    are reduced, is not part of the definitions.
    """
    clip, style = tmp_path / "clip.mkv", tmp_path / "style.png"
    ffmpeg("-i", sorted(CLIP.glob("*.mp4"))[0], "-c:v", "ffv1", "-pix_fmt", "bgr0", clip)
    cv2.imwrite(str(style), read_picture(sorted(STYLES.iterdir())[0], 384))
    painted = tmp_path / f"{clip.stem}__{style.stem}.mkv"
    engine, _ = build_engine("student", str(style), "cpu")
    stylize(clip, painted, lambda: engine, encoding=Encoding("ffv1"))
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text(f"{clip}\t{style}\n")
    result = tmp_path / "judge.json"
    words = ["--pairs", pairs, "--data", "/", "--out", tmp_path, "--vgg", VGG, "--json", result]
    subprocess.run([sys.executable, JUDGE, *words], check=True, capture_output=True)
    judge = json.loads(result.read_text())["mean"]

    monkeypatch.setattr(footage, "SEEDS", ())
    monkeypatch.setattr(quality, "HELD", 12)
    wanted = quality.Wanted(("student",), "cpu", Features(read_vgg(VGG)), (clip,), (style,))
    (row,) = (each for each in quality.measure(wanted) if isinstance(each, Quality))
    ours = row.mean
    same = {
        "style": ours.style, "gram": ours.gram, "content": ours.content, "ssim": ours.ssim,
        "detail": ours.detail, "ewarp": ours.e_warp, "flicker": ours.trmse,
        "flicker10": ours.trmse_long, "floor": ours.source_trmse,
        "floor10": ours.source_trmse_long,
    }  # fmt: skip
    for name, value in same.items():
        assert value == pytest.approx(judge[name], rel=0.02), name
