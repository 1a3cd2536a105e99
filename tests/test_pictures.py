"""Pictures of every kind that a user may point at come in as upright 8 bit RGB."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vstyle.errors import InputError
from vstyle.pictures import read_picture, squares


def gradient(height: int = 40, width: int = 60) -> np.ndarray:
    """Make a picture whose corners tell which way up it is."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 255 // height, x * 255 // width, (y + x) % 200], -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    """Every common format is read, at its own size."""
    Image.fromarray(gradient()).save(tmp_path / f"a.{suffix}", quality=95)
    found = read_picture(tmp_path / f"a.{suffix}")
    assert found.shape == (40, 60, 3)
    assert np.abs(found.astype(int) - gradient()).mean() < (15 if suffix == "gif" else 6)


@pytest.mark.parametrize(("orientation", "turned"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_rotation(tmp_path: Path, orientation: int, turned: int) -> None:
    """A phone's picture comes in upright: NumPy's rotation is the oracle."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(gradient()).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), np.rot90(gradient(), turned))


def test_alpha_is_laid_over_white(tmp_path: Path) -> None:
    """Half transparent black is grey; what lies under full transparency does not show."""
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[0, :, 3] = 128
    Image.fromarray(rgba).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")
    assert np.abs(found[0].astype(int) - 127).max() <= 1
    assert (found[1] == 255).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    """Grey of 16 bits: 32768 is middle grey."""
    Image.fromarray(np.full((4, 4), 32768, np.uint16)).save(tmp_path / "a.png")
    assert np.abs(read_picture(tmp_path / "a.png").astype(int) - 127).max() <= 1


@pytest.mark.parametrize(
    ("white", "kind", "level"),
    [(1.0, np.float32, 0.5), (255, np.float32, 128), (65535, np.float32, 32768),
     (255, np.int32, 128), (65535, np.int32, 32768)],
)  # fmt: skip
def test_grey_of_any_kind(white: float, kind: type, level: float, tmp_path: Path) -> None:
    """Of 32 bits a file does not say how large white is; what is no number is black."""
    values = np.full((4, 4), level, kind)
    values[0] = white
    if kind is np.float32:
        values[1] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    found = read_picture(tmp_path / "a.tif").astype(int)
    assert (found[0] == 255).all()
    assert np.abs(found[2:] - 127).max() <= 1
    assert kind is np.int32 or (found[1] == 0).all()


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    """Colour of 16 bits, which Pillow cannot write: a PNG put together by hand."""
    row = b"\0" + struct.pack(">3H", 65535, 32768, 0) * 2

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(row * 2)), chunk(b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    assert read_picture(tmp_path / "a.png")[0, 0].tolist() == [255, 128, 0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr"])
def test_modes(tmp_path: Path, mode: str) -> None:
    """Palettes, grey and print colours come in as RGB."""
    Image.fromarray(gradient()).convert(mode).save(tmp_path / "a.tiff")
    assert read_picture(tmp_path / "a.tiff").shape == (40, 60, 3)


def test_short_side(tmp_path: Path) -> None:
    """Scaled down or up, the short side is what was asked for and the shape is kept."""
    Image.fromarray(gradient(400, 600)).save(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg", 100).shape == (100, 150, 3)
    assert read_picture(tmp_path / "a.jpg", 800).shape == (800, 1200, 3)


def bomb(path: Path) -> None:
    """Write a PNG header that promises 30000 x 20000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30000, 20000, 8, 2, 0, 0, 0)
    data = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data + struct.pack(">I", 1 << 20) + b"IDAT")


@pytest.mark.parametrize(
    "fault", ["missing", "directory", "text", "empty", "cut", "bomb", "thread", "avif"]
)
def test_what_is_no_picture_is_an_input_error(tmp_path: Path, fault: str) -> None:
    """One line that names the file, whatever is wrong with it."""
    path = tmp_path / "a.png"
    if fault == "directory":
        path.mkdir()
    elif fault == "text":
        path.write_text("this is no picture")
    elif fault == "empty":
        path.touch()
    elif fault == "cut":
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif fault == "bomb":
        bomb(path)
    elif fault == "avif":  # of which Pillow says in its own way that it is damaged
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)).save(
            path, "AVIF"
        )
        data = bytearray(path.read_bytes())
        begin = data.index(b"mdat") + 4
        data[begin : begin + 40] = b"\xff" * 40
        path.write_bytes(data)
    elif fault == "thread":
        Image.fromarray(np.zeros((8000, 1, 3), np.uint8)).save(path)
    with pytest.raises(InputError, match=r"a\.png") as caught:
        read_picture(path, 384)
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("height", "width", "count"), [(40, 40, 1), (40, 41, 2), (40, 60, 2), (90, 40, 4)]
)
def test_squares_cover_the_picture(height: int, width: int, count: int) -> None:
    """From edge to edge, overlapping by half or more, all of the size asked for."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[0] = picture[-1] = picture[:, 0] = picture[:, -1] = 255
    found = squares(picture, 40)
    assert len(found) == count
    assert all(square.shape == (40, 40, 3) for square in found)
    assert found[0][0, 0].min() == found[-1][-1, -1].min() == 255


def test_a_very_long_picture_has_not_too_many_squares() -> None:
    """A banner costs no more than any picture."""
    assert len(squares(np.zeros((2, 4000, 3), np.uint8), 8)) == 9
