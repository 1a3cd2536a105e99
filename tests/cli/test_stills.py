"""Photos and numbered pictures go in, painted pictures and clips come out."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

Run = Callable[..., tuple[int, str, str]]
IDENTITY = ["--model", "identity"]


def photo(path: Path, orientation: int = 1) -> np.ndarray:
    """Write a picture of soft colours; return it as it is to be seen, as Pillow knows it."""
    y, x = np.mgrid[:41, :61]
    image = Image.fromarray(np.stack([y * 6, x * 4, (x + y) * 2], -1).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif, **({"quality": 97} if path.suffix == ".jpg" else {}))
    image.info["exif"] = exif.tobytes()
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("output", ["png", "jpg", "jpeg", "webp", "bmp", "tiff"])
@pytest.mark.parametrize(
    "source",
    ["jpg", *(pytest.param(k, marks=pytest.mark.slow) for k in ["png", "webp", "bmp", "tiff"])],
)
def test_a_picture_becomes_a_picture(source: str, output: str, vstyle: Run, tmp_path: Path) -> None:
    before = photo(tmp_path / f"in.{source}")
    place = tmp_path / f"out 50%d.{output}"
    code, _, err = vstyle("stylize", tmp_path / f"in.{source}", *IDENTITY, "-o", place)
    assert code == 0, err
    after = np.asarray(Image.open(place).convert("RGB")).astype(int)
    exact = {source, output} <= {"png", "bmp", "tiff"}
    assert np.abs(after - before).mean() <= (0 if exact else 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "suffix", ["jpg", *(pytest.param(k, marks=pytest.mark.slow) for k in ["png", "webp", "tiff"])]
)
def test_a_photo_is_upright(suffix: str, orientation: int, vstyle: Run, tmp_path: Path) -> None:
    """Whichever of the eight ways up, half of them mirrored, its EXIF says."""
    before = photo(tmp_path / f"in.{suffix}", orientation)
    assert vstyle("stylize", tmp_path / f"in.{suffix}", *IDENTITY, "-o", tmp_path / "o.png")[0] == 0
    with Image.open(tmp_path / "o.png") as after:
        assert after.getexif().get(0x0112, 1) == 1
        assert np.abs(np.asarray(after.convert("RGB")).astype(int) - before).mean() < 3


def test_photos_and_films_in_avif(vstyle: Run, tmp_path: Path) -> None:
    """They are kinds of mp4: of a moving one the first picture is but its cover."""
    frames = [Image.fromarray(np.full((48, 64, 3), 20 * n, np.uint8)) for n in range(10)]
    frames[5].save(tmp_path / "still.avif")
    frames[0].save(tmp_path / "film.avif", save_all=True, append_images=frames[1:], duration=40)
    code, _, err = vstyle("stylize", tmp_path / "still.avif", *IDENTITY, "-o", tmp_path / "o.png")
    assert code == 0, err
    assert np.abs(np.asarray(Image.open(tmp_path / "o.png")).astype(int) - 100).max() <= 4
    assert vstyle("stylize", tmp_path / "film.avif", *IDENTITY, "-o", tmp_path / "o.mkv")[0] == 0
    with av.open(str(tmp_path / "o.mkv")) as container:
        greys = [f.to_ndarray(format="gray").mean() for f in container.decode(video=0)]
    assert greys == pytest.approx(range(0, 200, 20), abs=12)
    code, _, err = vstyle("stylize", tmp_path / "film.avif", *IDENTITY, "-o", tmp_path / "p.png")
    assert code == 2, err


def numbered(folder: Path, numbers: range) -> None:
    folder.mkdir()
    for number in numbers:
        image = np.full((40, 60, 3), number, np.uint8)
        Image.fromarray(image).save(folder / f"{number:04d}.png")


def test_numbered_pictures_are_a_clip(vstyle: Run, tmp_path: Path) -> None:
    numbered(tmp_path / "frames", range(97, 117))
    output = tmp_path / "o.mkv"
    words = [*IDENTITY, "--codec", "ffv1", "-o", output]
    assert vstyle("stylize", tmp_path / "frames" / "%04d.png", *words)[0] == 0
    with av.open(str(output)) as container:
        frames = list(container.decode(video=0))
    assert [frame.to_ndarray(format="rgb24")[0, 0, 0] for frame in frames] == list(range(97, 117))
    assert [round(frame.time * 25) for frame in frames] == list(range(20))


def test_a_photo_can_become_a_clip_of_one_frame(vstyle: Run, tmp_path: Path) -> None:
    photo(tmp_path / "in.png")
    assert vstyle("stylize", tmp_path / "in.png", *IDENTITY, "-o", tmp_path / "o.mp4")[0] == 0
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert len(list(container.decode(video=0))) == 1


def test_a_picture_from_a_camera_becomes_a_picture(vstyle: Run, tmp_path: Path) -> None:
    """FFmpeg tells most JPEGs by their name, not by what is in them; and one may be of a row."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "0001.jpg", quality=95, subsampling=0)
    for name, output in (("0001.jpg", tmp_path / "a.png"), ("%04d.jpg", tmp_path / "b.png")):
        code, _, err = vstyle("stylize", tmp_path / name, *IDENTITY, "-o", output)
        assert code == 0, err
        assert np.abs(np.asarray(Image.open(output)).astype(int) - noise).mean() < 5


def test_a_row_of_pictures_goes_where_others_go(vstyle: Run, tmp_path: Path) -> None:
    """It may replace an output, though not itself, and is called as its folder is."""
    numbered(tmp_path / "100%d", range(5))
    row, output = tmp_path / "100%d" / "%04d.png", tmp_path / "o.mkv"
    output.write_text("older")
    assert vstyle("stylize", row, *IDENTITY, "-o", output)[0] == 2
    assert vstyle("stylize", row, *IDENTITY, "-o", output, "-y")[0] == 0
    code, _, err = vstyle("stylize", row, *IDENTITY, "-o", row.with_name("0003.png"), "-y")
    assert code == 2
    assert "is the input itself" in err
    (tmp_path / "painted").mkdir()
    assert vstyle("stylize", row, *IDENTITY, "--out-dir", tmp_path / "painted")[0] == 0
    assert [path.name for path in (tmp_path / "painted").iterdir()] == ["100%d.mkv"]


def test_a_folder_of_pictures_by_wildcard(vstyle: Run, tmp_path: Path) -> None:
    numbered(tmp_path / "frames", range(3))
    (tmp_path / "painted").mkdir()
    pictures = sorted((tmp_path / "frames").iterdir())
    assert vstyle("stylize", *pictures, *IDENTITY, "--out-dir", tmp_path / "painted")[0] == 0
    assert len(list((tmp_path / "painted").iterdir())) == 3


@pytest.mark.parametrize(
    ("source", "output", "code", "reason"),
    [
        ("cfr.mp4", "o.png", 2, "can hold one picture"),
        ("none/%04d.png", "o.mp4", 3, "there is no file"),
        ("frames/%04d.png", "o.mp4", 3, "0005.png is missing"),
        ("frames/%04d.png", "o.png", 2, "can hold one picture"),
        ("frames/0001.png", "o%04d.doc", 2, "is no format"),
    ],
)
def test_what_is_no_picture_is_said(  # noqa: PLR0917
    source: str, output: str, code: int, reason: str, vstyle: Run, tmp_path: Path, cfr: Path
) -> None:
    os.link(cfr, tmp_path / "cfr.mp4")
    numbered(tmp_path / "frames", range(5))
    if code == 3:
        Image.new("RGB", (60, 40)).save(tmp_path / "frames" / "0006.png")
    found = vstyle("stylize", tmp_path / source, *IDENTITY, "-o", tmp_path / output)
    assert found[0] == code
    assert reason in found[2]
    assert not (tmp_path / output).exists()
