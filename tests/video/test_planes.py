"""Planes of 4:2:0 against FFmpeg's zscale and H.273 by hand."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vstyle.engine.base import Identity
from vstyle.video import colour
from vstyle.video.colour import Colour, alike, to_yuv_filters
from vstyle.video.decode import open_clip
from vstyle.video.ffmpeg import executable, filters
from vstyle.video.plan import Encoding, plan_encoding
from vstyle.video.planes import planes
from vstyle.video.stylize import stylize

SD = Colour(colour.SMPTE170M, full=False)
HD = Colour(colour.BT709, full=False)
MATRICES = (
    colour.BT709,
    colour.FCC,
    colour.BT601,
    colour.SMPTE170M,
    colour.SMPTE240M,
    colour.BT2020,
)


def drawn(height: int, width: int, low: int = 0, high: int = 255, side: int = 9) -> np.ndarray:
    """Return a picture of soft shapes of about `side` pixels."""
    lattice = np.random.default_rng(3).uniform(
        low, high, (height // side + 2, width // side + 2, 3)
    )
    large = cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
    return large.clip(low, high).round().astype(np.uint8)


def parts(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return brightness, (H, W), and colour, (2, H / 2, W / 2)."""
    height, width = len(found) * 2 // 3, found.shape[1]
    return found[:height], found[height:].reshape(2, height // 2, width // 2)


@pytest.mark.parametrize(
    ("rgb", "limited", "full"),
    [
        ((0, 0, 0), (16, 128, 128), (0, 128, 128)),
        ((255, 255, 255), (235, 128, 128), (255, 128, 128)),
        ((255, 0, 0), (63, 102, 240), (54, 99, 255)),
        ((0, 0, 255), (32, 240, 118), (18, 255, 116)),
    ],
)
def test_one_colour_is_what_h273_says(rgb: tuple, limited: tuple, full: tuple) -> None:
    """Of BT.709, by hand: 63 is 16 + 219 * 0.2126."""
    picture = np.full((6, 4, 3), rgb, np.uint8)
    for all_of_it, wanted in {False: limited, True: full}.items():
        brightness, (blue, red) = parts(planes(picture, Colour(colour.BT709, full=all_of_it)))
        for found, value in zip((brightness, blue, red), wanted, strict=True):
            assert (found == value).all()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_planes_are_those_of_zscale(
    matrix: int, full: bool, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Another library's, whose filter for colour is another one: a picture of soft shapes."""
    if "zscale" not in filters(executable()):
        pytest.skip("this ffmpeg has no zscale")
    picture, raw, made = drawn(64, 96), tmp_path / "in.rgb", tmp_path / "out.yuv"
    raw.write_bytes(picture.tobytes())
    chain = ",".join(to_yuv_filters(Colour(matrix, full), "gbrp"))
    given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "96x64", "-i", raw]
    ffmpeg(*given, "-vf", chain, "-pix_fmt", "yuv420p", "-f", "rawvideo", made)
    wanted = parts(np.fromfile(made, np.uint8).reshape(96, 96))
    found = parts(planes(picture, Colour(matrix, full)))
    for ours, theirs, most, mean in zip(found, wanted, (1, 6), (0.05, 0.7), strict=True):
        gap = np.abs(ours.astype(int) - theirs)
        assert gap.max() <= most
        assert gap.mean() <= mean


def test_colour_lies_on_the_first_of_two_columns() -> None:
    """A ramp of colour has at each place what the picture has there."""
    ramp = np.arange(40, 200, 2, dtype=np.uint8)
    picture = np.zeros((8, len(ramp), 3), np.uint8)
    picture[..., 0] = ramp
    _, (_, red) = parts(planes(picture, HD))
    wanted = 128 + 224 / 255 * 0.5 * ramp[::2]
    assert np.abs(red[:, 1:] - wanted[1:]).max() <= 0.6  # before the first there is nothing


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (6, 3)])
def test_odd_sides_are_padded(size: tuple[int, int]) -> None:
    picture = drawn(*size)
    below, right = (side % 2 for side in size)
    even = np.pad(picture, ((0, below), (0, right), (0, 0)), mode="edge")
    assert np.array_equal(planes(picture, HD), planes(even, HD))


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = drawn(90, 50)
    in_strips = planes(picture, HD)
    monkeypatch.setattr("vstyle.video.planes.ROWS", 1000)
    assert np.array_equal(in_strips, planes(picture, HD))


@pytest.mark.parametrize(("size", "said"), [("64x48", b"C420mpeg2"), ("65x49", b"C420jpeg")])
def test_y4m_says_where_colour_lies(
    size: str, said: bytes, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """On the left by us, in the middle where swscale converts odd sizes."""
    clip, made = tmp_path / "in.mkv", tmp_path / "out.y4m"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s={size}:d=0.2", "-c:v", "ffv1", clip)
    stylize(clip, made, Identity)
    assert said in made.read_bytes()[:100]


@pytest.mark.parametrize(
    ("name", "codec", "colour_of_it"),
    [
        ("a.mp4", None, SD),
        ("a.mp4", "libx265", SD),
        ("a.webm", "libvpx", Colour(colour.BT601, full=False)),
        ("a.mkv", "ffv1", None),
        ("a.mov", "prores_ks", None),
    ],
)
def test_what_is_420_goes_as_planes_of_the_colour_of_its_codec(
    name: str, codec: str | None, colour_of_it: Colour | None, ntsc: Path, tmp_path: Path
) -> None:
    with open_clip(ntsc) as source:
        plan = plan_encoding(source, tmp_path / name, Encoding(codec=codec))
    if colour_of_it is None:
        assert plan.planar is None
    else:
        assert plan.planar is not None
        assert alike(plan.planar, colour_of_it)
        assert "scale" not in " ".join(plan.video)
