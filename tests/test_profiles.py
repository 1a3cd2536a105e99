"""Pictures come in as their colour profile says: a matrix worked out by hand is the oracle."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from vstyle.engine.base import Identity
from vstyle.pictures import read_picture
from vstyle.video.stylize import stylize

GAMMA = 2.2
# Primaries as columns of XYZ, adapted to D50: of Display P3, and of sRGB (Lindbloom).
P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


def profile(primaries: np.ndarray | None = P3, gamma: float = GAMMA) -> bytes:
    """Return an ICC profile (version 2.4) of a screen with these primaries; None: of greys."""

    def xyz(values: np.ndarray) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    name = b"linear sRGB\0"
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags = [
        (b"desc", b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)),
        (b"wtpt", xyz(np.array([0.9642, 1, 0.8249]))),
    ]
    if primaries is None:
        tags.append((b"kTRC", curve))
    else:
        tags += zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, primaries.T), strict=True)
        tags += [(key, curve) for key in (b"rTRC", b"gTRC", b"bTRC")]
    kind = b"GRAY" if primaries is None else b"RGB "
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for key, data in tags:
        table += key + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x02400000, b"mntr", kind, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def squares() -> np.ndarray:
    """Return 8x8 squares of 27 colours, none of which sRGB cannot show."""
    levels = np.array([70, 120, 180], np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(3, 9, 3)
    return colours.repeat(8, 0).repeat(8, 1)


def seen(values: np.ndarray) -> np.ndarray:
    """Return Display P3's values as sRGB's, in floats, 0..255."""
    linear = (values / 255) ** GAMMA @ P3.T @ np.linalg.inv(SRGB).T
    curved = 1.055 * linear.clip(0.0031308) ** (1 / 2.4) - 0.055
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, curved).clip(0, 1)


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_the_profile_of_a_style_is_heeded(suffix: str, tmp_path: Path) -> None:
    place = tmp_path / f"a.{suffix}"
    Image.fromarray(squares()).save(place, icc_profile=profile(), lossless=True)
    assert np.abs(read_picture(place) - seen(squares())).max() < 2


def test_a_profile_that_says_nothing_new_changes_nothing(tmp_path: Path) -> None:
    """Nor does one that is no profile, or of other colours than the picture's."""
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for wrong in (same, b"no profile at all"):
        Image.fromarray(squares()).save(tmp_path / "a.png", icc_profile=wrong)
        np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), squares())
    grey = Image.fromarray(squares()[..., 0])
    grey.save(tmp_path / "a.png", icc_profile=profile())
    assert (read_picture(tmp_path / "a.png") == squares()[..., :1]).all()


def curved(values: np.ndarray) -> np.ndarray:
    """Return linear values as sRGB's, in floats, 0..255."""
    return 255 * (1.055 * (values / 255) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
def test_linear_pixels_of_every_kind(mode: str, tmp_path: Path) -> None:
    """What calls itself sRGB need not be it."""
    grey = np.tile(np.arange(40, 240, 20, dtype=np.uint8), (8, 1))
    image = Image.fromarray(grey).convert("RGB" if mode == "P" else mode)
    image = image.convert("P", palette=Image.Palette.ADAPTIVE) if mode == "P" else image
    primaries = None if mode.startswith("L") else SRGB
    image.save(tmp_path / "a.png", icc_profile=profile(primaries, gamma=1))
    found = read_picture(tmp_path / "a.png")
    assert np.abs(found - curved(grey[..., None].astype(float))).max() < 2


@pytest.mark.parametrize(("mode", "clear"), [("L", 100), ("RGB", (100, 100, 100))])
def test_the_colour_that_means_nothing_stays_clear(
    mode: str, clear: object, tmp_path: Path
) -> None:
    grey = np.tile(np.arange(40, 240, 20, dtype=np.uint8), (8, 1))
    primaries = None if mode == "L" else SRGB
    image = Image.fromarray(grey).convert(mode)
    image.save(tmp_path / "a.png", transparency=clear, icc_profile=profile(primaries, gamma=1))
    expected = np.where(grey == 100, 255, curved(grey.astype(float)))[..., None]
    assert np.abs(read_picture(tmp_path / "a.png") - expected).max() < 2


def test_deep_greys_are_no_garbage(tmp_path: Path) -> None:
    for kind in (np.float32, np.int32):
        values = np.tile(np.arange(40, 240, 20).astype(kind), (8, 1))
        image = Image.fromarray(values)
        image.save(tmp_path / "a.tiff", icc_profile=profile(None, gamma=1))
        found = read_picture(tmp_path / "a.tiff")
        assert np.abs(found - values[..., None].astype(int)).max() <= 1


def test_transparency_stays_with_the_profile(tmp_path: Path) -> None:
    picture = np.dstack([squares(), np.full(squares().shape[:2], 255, np.uint8)])
    picture[:8, :, 3] = 0
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=profile())
    found = read_picture(tmp_path / "a.png")
    assert (found[:8] == 255).all()
    assert np.abs(found[8:] - seen(squares()[8:])).max() < 2


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("suffix", ["png", "tiff", "jpg"])
def test_a_photo_with_a_profile(suffix: str, orientation: int, tmp_path: Path) -> None:
    """In a process of its own: PyAV kills the one that lists what comes with such a PNG."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    words = {"icc_profile": profile(), "exif": exif}
    if suffix == "jpg":
        words |= {"quality": 97, "subsampling": 0}
    Image.fromarray(squares()).save(tmp_path / f"in.{suffix}", **words)
    command = [sys.executable, "-m", "vstyle", "stylize", tmp_path / f"in.{suffix}"]
    done = subprocess.run(
        [*command, "--model", "identity", "-o", tmp_path / "out.png"],
        check=False,
        capture_output=True,
    )
    assert (done.returncode, [p.name for p in tmp_path.glob(".*")]) == (0, []), done.stderr
    with Image.open(tmp_path / "out.png") as picture:
        assert not picture.info.get("icc_profile")
        found = np.asarray(picture.convert("RGB"))
    assert np.abs(found - seen(np.rot90(squares(), -(orientation == 6)))).mean() < 2


def test_painted_greys_and_rows(tmp_path: Path) -> None:
    """A row of pictures has one profile; where it has not, that is said."""
    grey = np.tile(np.arange(40, 240, 20, dtype=np.uint8), (8, 1))
    for number, gamma in enumerate((1, 1, 2), start=1):
        place = tmp_path / f"{number}.png"
        Image.fromarray(grey).save(place, icc_profile=profile(None, gamma=gamma))
    report = stylize(tmp_path / "1.png", tmp_path / "out.png", Identity)
    found = np.asarray(Image.open(tmp_path / "out.png").convert("RGB"))
    assert np.abs(found - curved(grey[..., None].astype(float))).max() < 3
    assert not [note for note in report.notes if "profile" in note]
    report = stylize(tmp_path / "%d.png", tmp_path / "out.mkv", Identity)
    assert [note for note in report.notes if "several colour profiles" in note]
