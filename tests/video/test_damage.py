"""Broken sources: what can be painted is, the damage is counted, nothing of it is carried on."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from vstyle.engine.base import Grain, Identity, Mask, Picture
from vstyle.errors import InputError, VstyleError
from vstyle.video.decode import Frame, Reading, open_clip
from vstyle.video.flow import track
from vstyle.video.paint import paint
from vstyle.video.stylize import perform, prepare, stylize

STRICT = Reading(strict=True)

KINDS = {
    "mp4": ["-c:v", "libx264", "-bf", "2", "-movflags", "+faststart", "-c:a", "aac"],
    "mkv": ["-c:v", "libx264", "-bf", "2", "-c:a", "aac"],
    "ts": ["-c:v", "libx264", "-c:a", "aac"],
    "avi": ["-c:v", "mpeg4", "-c:a", "mp3"],
    "flv": ["-c:v", "libx264", "-c:a", "aac"],
    "nut": ["-c:v", "libx264", "-c:a", "aac"],
}


@pytest.fixture(scope="session")
def whole(clips: Path, ffmpeg: Callable[..., None]) -> Callable[[str], Path]:
    """Make 75 frames of 160x120 with 3 s of sound, in a container of this kind."""

    def make(kind: str) -> Path:
        path = clips / f"whole.{kind}"
        if not path.exists():
            picture = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=3,format=yuv420p"]
            ffmpeg(*picture, "-f", "lavfi", "-i", "sine=d=3", *KINDS[kind], path)
        return path

    return make


@pytest.fixture
def cut(whole: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Keep the first half of a file's bytes."""

    def make(kind: str) -> Path:
        data, path = whole(kind).read_bytes(), tmp_path / f"cut.{kind}"
        path.write_bytes(data[: len(data) // 2])
        return path

    return make


@pytest.fixture
def flipped(whole: Callable[[str], Path], tmp_path: Path) -> Callable[[str, int], Path]:
    """Turn 40 bits of a file, chosen by a seed, behind its header."""

    def make(kind: str, seed: int) -> Path:
        data, path = bytearray(whole(kind).read_bytes()), tmp_path / f"flipped.{kind}"
        rng = np.random.default_rng(seed)
        for place in rng.integers(4000, len(data), 40):
            data[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        return path

    return make


def notes_of(path: Path, tmp_path: Path) -> tuple[int, str]:
    report = stylize(path, tmp_path / "out.mkv", Identity)
    return report.frames, " ".join(report.notes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_not_called_damaged(
    kind: str, whole: Callable[[str], Path], tmp_path: Path
) -> None:
    assert notes_of(whole(kind), tmp_path) == (75, "")


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_file_is_painted_and_said_to_be_half(
    kind: str, cut: Callable[[str], Path], tmp_path: Path
) -> None:
    frames, words = notes_of(cut(kind), tmp_path)
    assert 20 < frames < 55
    # The others state no length: all that can show is the piece at the end, torn in two.
    if kind in {"mp4", "mkv", "flv"}:
        assert "s are missing" in words


@pytest.mark.parametrize("kind", ["mp4", "avi"])
def test_broken_frames_are_counted(
    kind: str, flipped: Callable[[str, int], Path], tmp_path: Path
) -> None:
    frames, words = notes_of(flipped(kind, 0), tmp_path)
    assert frames > 60
    assert "damaged" in words


@pytest.mark.parametrize("kind", ["mp4"])
def test_strict_refuses_what_is_damaged(
    kind: str, cut: Callable[[str], Path], flipped: Callable[[str, int], Path], tmp_path: Path
) -> None:
    for source in (cut(kind), flipped(kind, 0)):
        with (
            pytest.raises(InputError, match="is damaged"),
            prepare(source, tmp_path / "out.mkv", Identity, reading=STRICT) as job,
        ):
            perform(job)
        assert not (tmp_path / "out.mkv").exists()


@pytest.mark.slow
def test_strict_takes_what_is_whole(whole: Callable[[str], Path], tmp_path: Path) -> None:
    for kind in KINDS:
        with prepare(whole(kind), tmp_path / f"{kind}.mkv", Identity, reading=STRICT) as job:
            assert perform(job).frames == 75


def test_nothing_broken_is_carried_on(flipped: Callable[[str, int], Path]) -> None:
    """A damaged frame begins afresh, and so does the next: the painter sees neither's picture."""
    with open_clip(flipped("mp4", 0)) as source:
        frames = [item for item in source.items if isinstance(item, Frame)]
    assert 0 < sum(frame.damaged for frame in frames) < 60
    before = [False, *[frame.damaged for frame in frames[:-1]]]
    for (frame, motion, canvas), after_damage in zip(track(frames), before, strict=True):
        if frame.damaged or after_damage:
            assert motion is None
            ((_, _, anew),) = track([frame])
            np.testing.assert_allclose(canvas.along, anew.along, atol=1e-4)
    seen = []

    class Watcher(Identity):
        def paint(
            self, frame: Picture, carried: Picture | None, trust: Mask | None, grain: Grain
        ) -> Picture:
            seen.append(carried is not None)
            return super().paint(frame, carried, trust, grain)

    list(paint(track(frames), Watcher()))
    assert not any(
        carry
        for frame, after, carry in zip(frames, before, seen, strict=True)
        if frame.damaged or after
    )
    assert any(seen)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_is_a_bug_report(
    kind: str, flipped: Callable[[str, int], Path], tmp_path: Path
) -> None:
    """Whatever is broken, it is painted or refused in words."""
    for seed in range(4):
        with suppress(VstyleError):
            notes_of(flipped(kind, seed), tmp_path)
        (tmp_path / "out.mkv").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["mov", "gif"])
def test_a_last_frame_that_stays_is_no_damage(
    kind: str, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Shown for a second: longer than what is missing of a file that is cut."""
    path = tmp_path / f"long.{kind}"
    stays = r"setts=pts=PTS:dts=DTS:duration=if(gt(NEXT_PTS\,PTS)\,NEXT_PTS-PTS\,1/TB)"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", "-bsf:v", stays, path)
    report = stylize(path, tmp_path / "out.mkv", Identity, reading=STRICT)
    assert (report.frames, report.notes) == (5, ())


def test_frames_that_only_stay_are_no_damage(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    """Theora writes nothing for a frame that is like the last one; TrueHD counts in half ticks."""
    theora, truehd = tmp_path / "still.ogg", tmp_path / "high.mkv"
    picture = [
        "-f",
        "lavfi",
        "-i",
        "color=red:s=64x48:r=25:d=0.4",
        "-f",
        "lavfi",
        "-i",
        "sine=d=0.4",
    ]
    ffmpeg(*picture, "-c:v", "libtheora", "-c:a", "libvorbis", theora)
    ffmpeg(*picture, "-c:v", "libx264", "-c:a", "truehd", "-strict", "-2", truehd)
    for source in (theora, truehd):
        assert stylize(source, source.with_suffix(".out.mkv"), Identity, reading=STRICT).notes == ()
