"""Twelve flat patches of known colour come back the same, for every matrix and range."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.engine.base import Identity
from vstyle.video.decode import Frame, open_clip
from vstyle.video.plan import Encoding
from vstyle.video.stylize import stylize

PATCHES = np.array(
    [
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255),
        (0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 120, 60), (30, 90, 160), (90, 40, 20),
    ],
    np.uint8,
)  # fmt: skip
SIDE = 16


@pytest.fixture
def patches(tmp_path: Path, ffmpeg: Callable[..., None]) -> Callable[[str, str, str], Path]:
    """Make three frames of twelve patches of 16x16 in a matrix and a range, tagged as such."""

    def make(matrix: str, limits: str, pixels: str) -> Path:
        row = np.repeat(np.repeat(PATCHES[None], SIDE, 0), SIDE, 1)
        raw, path = tmp_path / "raw.rgb", tmp_path / f"{matrix}-{limits}-{pixels}.mp4"
        raw.write_bytes(row.tobytes() * 3)
        scale = f"scale=flags=accurate_rnd+full_chroma_int:out_color_matrix={matrix}"
        tag = "smpte170m" if matrix == "bt601" else matrix.replace("2020", "2020nc")
        filters = f"{scale}:out_range={limits},format={pixels},setparams=range={limits}"
        picture = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIDE * 12}x{SIDE}", "-i", raw]
        codec = ["-c:v", "libx264", "-crf", "1", "-preset", "ultrafast"]
        ffmpeg(*picture, "-vf", f"{filters}:colorspace={tag}", *codec, path)
        return path

    return make


def colours(path: Path) -> list[np.ndarray]:
    """Return the colour at the middle of every patch, for each frame."""
    middle = slice(SIDE // 2, None, SIDE)
    with open_clip(path) as source:
        return [i.image[SIDE // 2, middle] for i in source.items if isinstance(i, Frame)]


@pytest.mark.parametrize("limits", ["tv", "pc"])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
def test_patches_survive(
    matrix: str, limits: str, patches: Callable[[str, str, str], Path], tmp_path: Path
) -> None:
    source, painted = patches(matrix, limits, "yuv420p"), tmp_path / "painted.mp4"
    stylize(source, painted, Identity, encoding=Encoding(crf=1))
    for name, path in {"decoded": source, "painted": painted}.items():
        for found in colours(path):
            assert np.abs(found.astype(int) - PATCHES).max() <= 3, name


def test_the_output_says_what_its_colour_is(cfr: Path, tmp_path: Path) -> None:
    stylize(cfr, tmp_path / "out.mp4", Identity)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert [frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc] == [1] * 4


def test_untagged_video_is_601_below_720_lines(
    ntsc: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    tall = tmp_path / "tall.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=16x720:d=0.1,format=yuv420p", "-c:v", "libx264", tall)
    for path, matrix in {ntsc: 6, tall: 1}.items():
        with open_clip(path) as source:
            assert source.clip.colour.matrix == matrix
