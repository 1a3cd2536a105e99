"""What HDR says of its light survives, or it is said beforehand that it does not."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from fidelity.clips import MASTERED

from vstyle.engine.base import Identity
from vstyle.video.decode import open_clip
from vstyle.video.ffmpeg import executable
from vstyle.video.plan import Encoding
from vstyle.video.reading import Reading
from vstyle.video.resume import perform_in_pieces
from vstyle.video.stylize import prepare, stylize

TEN = "yuv420p10le"


@pytest.fixture
def hdr(tmp_path: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make five frames in PQ that say that they were made on a screen of 1000 cd/m2."""
    path = tmp_path / "hdr.mkv"
    tags = "range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
    source = f"testsrc2=s=64x48:r=25:d=0.2,format={TEN},setparams={tags}"
    ffmpeg(
        *("-f", "lavfi", "-i", source, "-c:v", "libx265"),
        *("-x265-params", f"log-level=error:bframes=0:{MASTERED}", path),
    )
    return path


def said(path: Path) -> list[float] | None:
    """Return the numbers of the screen, in 1 and cd/m2, then the two of the light."""
    with av.open(str(path)) as container:
        facts = next(container.decode(video=0)).side_data
        screen, light = (
            facts.get(name) for name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
        )
    if screen is None:
        return None
    pairs = np.frombuffer(bytes(screen), np.int32)[:20].reshape(10, 2)
    return [*(pairs[:, 0] / pairs[:, 1]), *np.frombuffer(bytes(light), np.uint32)[:2]]


def test_the_fixture_says_what_it_was_told(hdr: Path) -> None:
    primaries = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329]
    assert said(hdr) == pytest.approx([*primaries, 1e-4, 1000, 1000, 400])
    with open_clip(hdr, Reading(deep=True)) as source:
        display, light = MASTERED.removeprefix("master-display=").split(":max-cll=")
        assert (source.clip.mastering.display, source.clip.mastering.light) == (display, light)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("libx264", "mp4"),
        ("libx265", "mkv"),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in [("libx265", "ts"), ("libvpx-vp9", "webm"), ("libsvtav1", "mp4")]
        ),
    ],
)
def test_it_survives(codec: str, suffix: str, hdr: Path, tmp_path: Path) -> None:
    whole, pieces = tmp_path / f"whole.{suffix}", tmp_path / f"pieces.{suffix}"
    encoding = Encoding(codec, pixels=TEN)
    assert stylize(hdr, whole, Identity, encoding=encoding).notes == ()
    with prepare(hdr, pieces, Identity, encoding=encoding) as job:
        perform_in_pieces(job, "")
    # AV1 counts in steps of 2**-16, and the darkest in 2**-14 cd/m2.
    for painted in (whole, pieces):
        assert said(painted) == pytest.approx(said(hdr), rel=1e-4, abs=5e-5)


def test_what_cannot_hold_it_is_said(hdr: Path, tmp_path: Path) -> None:
    deep = Encoding("ffv1", pixels="gbrp16le")
    report = stylize(hdr, tmp_path / "out.nut", Identity, encoding=deep)
    assert any("the screen it was made on is left out: nut" in note for note in report.notes)
    assert said(tmp_path / "out.nut") is None


def test_what_is_tone_mapped_says_nothing_of_it(hdr: Path, tmp_path: Path) -> None:
    report = stylize(hdr, tmp_path / "out.mp4", Identity)
    assert not any("screen" in note for note in report.notes)
    assert said(tmp_path / "out.mp4") is None


def bits(*fields: tuple[int, int]) -> bytes:
    """Pack (value, how many bits) as a bitstream has them, with a stop bit at the end."""
    text = "".join(f"{value:0{width}b}" for value, width in fields) + "1"
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8))


@pytest.fixture
def scenes(hdr: Path, tmp_path: Path, ffmpeg: Callable[..., None]) -> Path:
    """Put an HDR10+ message (SMPTE ST 2094-40, one window) in front of every picture."""
    raw, path = tmp_path / "raw.hevc", tmp_path / "scenes.mkv"
    ffmpeg("-i", hdr, "-c", "copy", "-bsf:v", "hevc_mp4toannexb", raw)
    about = [(1, 2), (400, 27), (0, 1), *[(3000, 17)] * 3, (500, 17), (0, 4), (9, 10)]
    message = bytes.fromhex("b5003c0001 04 01") + bits(*about, (0, 1), (0, 1), (0, 1))
    unit = b"\0\0\0\1\x4e\x01\x04" + bytes([len(message)]) + message + b"\x80"
    assert not any(message[i : i + 2] == b"\0\0" for i in range(len(message)))  # needs no escapes
    parts = raw.read_bytes().split(b"\0\0\1")
    # Slices have the types 0 to 21; those of x265 with a picture each begin with the bit "first".
    whole = b""
    for part in parts[1:]:
        first = part[0] >> 1 & 63 < 22 and part[2] & 128
        whole += (unit if first else b"") + b"\0\0\1" + part
    raw.write_bytes(whole)
    ffmpeg("-r", "25", "-i", raw, "-c", "copy", "-bsf:v", "setts=ts=N*40", path)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).side_data.get("DYNAMIC_HDR_PLUS") is not None
    return path


def test_what_is_said_of_single_scenes_is_said_to_be_left_out(
    scenes: Path, hdr: Path, tmp_path: Path
) -> None:
    """Where HDR is kept; and of a video that says no such thing, nothing."""
    deep = Encoding("libx265", pixels=TEN)
    report = stylize(scenes, tmp_path / "out.mkv", Identity, encoding=deep)
    assert [note for note in report.notes if "HDR10+" in note]
    for clip, how in ((hdr, deep), (scenes, Encoding())):
        notes = stylize(clip, tmp_path / "other.mkv", Identity, encoding=how, overwrite=True).notes
        assert not [note for note in notes if "HDR10+" in note]


def test_an_older_ffmpeg_is_not_asked_for_more(
    hdr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose help lists none of the later options, and that does not take them."""
    old = tmp_path / "ffmpeg.sh"
    old.write_text(
        f'#!/bin/bash\n[[ " $* " == *" -h long "* ]] && exit 0\n'
        f'[[ "$*" == *noise=drop* || "$*" == *mastering* ]] && exit 1\nexec {executable()} "$@"\n'
    )
    old.chmod(0o755)
    monkeypatch.setenv("VSTYLE_FFMPEG", str(old))
    encoding = Encoding("ffv1", pixels="gbrp16le")
    report = stylize(hdr, tmp_path / "out.mkv", Identity, encoding=encoding)
    assert any("left out: ffmpeg is too old to be told it" in note for note in report.notes)
    assert report.frames == 5
