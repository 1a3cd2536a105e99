"""In equals out: with engines that do nothing or little, everything but the paint is kept."""

import threading
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.engine.base import Engine, Grain, Identity, Mask, Picture
from vstyle.errors import InputError, OutputError, UsageError
from vstyle.video.decode import Frame, open_clip
from vstyle.video.pipe import carried_codecs
from vstyle.video.plan import Encoding
from vstyle.video.reading import Reading
from vstyle.video.streams import PIPED
from vstyle.video.stylize import Job, stylize

LOSSLESS = Encoding(codec="ffv1")


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def images(path: Path) -> list[np.ndarray]:
    with open_clip(path) as source:
        return [item.image for item in source.items if isinstance(item, Frame)]


def packets(path: Path, track: int = 0) -> list[tuple[Fraction, bytes]]:
    """Return when each packet of sound begins, in seconds, and what is in it."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        base = stream.time_base
        return [(p.pts * base, bytes(p)) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("name", ["cfr", "ntsc", "vfr", "late", "rotated", "avi"])
def test_every_frame_keeps_its_time(
    name: str, suffix: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, painted = request.getfixturevalue(name), tmp_path / f"out{suffix}"
    report = stylize(source, painted, Identity)
    before, after = times(source), times(painted)
    # Matroska counts in milliseconds. AVI has coarse ticks, and they are exact too.
    tick = Fraction(1, 1000) if suffix == ".mkv" else min(report.clip.time_base, Fraction(1, 1000))
    assert report.frames == len(before) == len(after)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= tick
    assert images(painted)[0].shape == (report.clip.height, report.clip.width, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 10, 11, 12, 13, 31])
def test_players_find_as_many_frames_per_second(
    count: int, suffix: str, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Whatever the last group of frames; and the track lasts as long, in both of its counts."""
    source, painted = tmp_path / "in.mp4", tmp_path / f"out{suffix}"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=30000/1001", "-frames:v", str(count)]
    ffmpeg(*picture, "-c:v", "libx264", source)
    stylize(source, painted, Identity)
    with av.open(str(source)) as before, av.open(str(painted)) as after:
        rates = [float(container.streams.video[0].average_rate) for container in (before, after)]
        assert rates[1] == pytest.approx(rates[0], rel=1e-9)
        assert after.duration == before.duration
        assert len({packet.duration for packet in after.demux(video=0) if packet.size}) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("name", ["cfr", "late"])
def test_the_sound_is_the_same(
    name: str, suffix: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, painted = request.getfixturevalue(name), tmp_path / f"out{suffix}"
    stylize(source, painted, Identity)
    before, after = packets(source), packets(painted)
    assert [data for _, data in before] == [data for _, data in after]
    assert max(abs(b[0] - a[0]) for b, a in zip(before, after, strict=True)) <= Fraction(1, 1000)


def test_sound_that_the_pipe_cannot_carry_comes_from_the_file(
    cfr: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    source, painted = tmp_path / "alac.mov", tmp_path / "out.mkv"
    ffmpeg("-i", cfr, "-c:v", "copy", "-c:a", "alac", source)
    assert stylize(source, painted, Identity).notes == ()
    assert [data for _, data in packets(painted)] == [data for _, data in packets(source)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_everything_else_rides_along(rich: Path, suffix: str, tmp_path: Path) -> None:
    painted = tmp_path / f"out{suffix}"
    stylize(rich, painted, Identity)
    with av.open(str(painted)) as container:
        assert [s.metadata["language"] for s in container.streams.audio] == ["eng", "fra"]
        assert len(container.streams.subtitles) == 1
        assert [c["metadata"]["title"] for c in container.chapters()] == ["one", "two"]
        assert [c["start"] * (c["time_base"] or 0) for c in container.chapters()] == [
            0,
            Fraction(2, 5),
        ]
        assert container.metadata["title"] == "A title"
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
        words = [bytes(p) for p in container.demux(subtitles=0) if p.size]
    assert any(b"Hello" in word for word in words)
    for track in (0, 1):
        assert [data for _, data in packets(painted, track)] == [
            data for _, data in packets(rich, track)
        ]


def test_ffv1_keeps_the_paint_bit_for_bit(
    ntsc: Path, odd: Path, inverter: Engine, tmp_path: Path
) -> None:
    for source in (ntsc, odd):
        painted = tmp_path / f"{source.stem}.mkv"
        seen: list[np.ndarray] = []

        def keep(_: Job, frames: Iterable[Frame], seen: list[np.ndarray] = seen) -> Iterable[Frame]:
            return (seen.append(frame.image) or frame for frame in frames)

        stylize(source, painted, lambda: inverter, encoding=LOSSLESS, watch=keep)
        for before, kept, after in zip(images(source), seen, images(painted), strict=True):
            assert np.array_equal(after, 255 - before)
            assert np.array_equal(after, kept)


def test_strength_0_is_the_source(ntsc: Path, inverter: Engine, tmp_path: Path) -> None:
    stylize(ntsc, tmp_path / "out.mkv", lambda: inverter, strength=0, encoding=LOSSLESS)
    for before, after in zip(images(ntsc), images(tmp_path / "out.mkv"), strict=True):
        assert np.array_equal(before, after)


def test_an_odd_size_is_padded_and_said(odd: Path, tmp_path: Path) -> None:
    report = stylize(odd, tmp_path / "out.mp4", Identity, encoding=Encoding(crf=0))
    assert any("65x49 is odd" in note for note in report.notes)
    for before, after in zip(images(odd), images(tmp_path / "out.mp4"), strict=True):
        assert after.shape == (50, 66, 3)
        assert np.abs(after[:49, :65].astype(int) - before).mean() < 20  # 4:4:4 to 4:2:0
        assert np.abs(after[:, 65].astype(int) - after[:, 64]).mean() < 20  # edge, not black


@pytest.mark.parametrize(
    ("suffix", "codec", "note"),
    [
        (".webm", None, "becomes libopus"),
        (".avi", "mpeg4", "becomes libmp3lame"),
        (".gif", None, "left out"),
        (".ts", None, ""),
        (".nut", "ffv1", ""),
        (".mov", "prores_ks", ""),
        (".mkv", "libx265", ""),
        (".mkv", "libsvtav1", ""),
        (".mkv", "mpeg2video", ""),
    ],
)
def test_every_container_is_written(
    suffix: str, codec: str | None, note: str, cfr: Path, tmp_path: Path
) -> None:
    painted = tmp_path / f"out{suffix}"
    report = stylize(cfr, painted, Identity, encoding=Encoding(codec=codec))
    assert note in " ".join(report.notes)
    assert bool(report.notes) == bool(note)
    before, after = times(cfr), times(painted)
    spacing = [b - a for a, b in pairwise(after)]
    assert len(before) == len(after)
    assert max(abs(space - Fraction(1, 25)) for space in spacing) <= Fraction(1, 100)


def test_a_broadcast_counts_from_its_beginning(
    cfr: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    broadcast, painted = tmp_path / "late.ts", tmp_path / "out.mp4"
    ffmpeg("-i", cfr, "-c", "copy", "-output_ts_offset", "3600", broadcast)
    stylize(broadcast, painted, Identity)
    before, after = times(broadcast), times(painted)
    assert 0 <= after[0] < Fraction(1, 10)
    shift = before[0] - after[0]
    assert max(abs(b - a - shift) for b, a in zip(before, after, strict=True)) <= Fraction(1, 90000)
    sound = packets(broadcast)[0][0] - packets(painted)[0][0]
    assert abs(sound - shift) < Fraction(1, 10000)


@pytest.mark.parametrize("suffix", ["flv", "mkv", "mp4"])
def test_a_clip_cut_out_of_a_longer_one_counts_from_its_beginning(
    suffix: str, cfr: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Where nothing begins for seconds: players do so, and `--start` means it."""
    source = tmp_path / f"in.{suffix}"
    codec = ["-c:v", "libx264", "-bf", "0", "-c:a", "copy", "-copyts"]
    ffmpeg("-itsoffset", "100", "-i", cfr, *codec, source)
    with av.open(str(source)) as container:
        assert container.start_time > 99_000_000
    whole, part = tmp_path / "whole.mkv", tmp_path / "part.mkv"
    stylize(source, whole, Identity)
    stylize(source, part, Identity, reading=Reading(Fraction(1, 5), Fraction(3, 5)))
    assert 0 <= times(whole)[0] < Fraction(1, 10)
    assert abs(packets(whole)[0][0]) < Fraction(1, 20)
    assert len(times(part)) == 10
    assert 0 <= times(part)[0] < Fraction(1, 20)


def test_what_avi_cannot_time_is_said(
    cfr: Path, vfr: Path, late: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    behind = tmp_path / "behind.mkv"  # its sound
    ffmpeg(
        "-i",
        cfr,
        "-itsoffset",
        "0.5",
        "-i",
        cfr,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c",
        "copy",
        behind,
    )
    said = {
        path: [
            note
            for note in stylize(path, tmp_path / f"{n}.avi", Identity).notes
            if "holds no" in note
        ]
        for n, path in enumerate((cfr, vfr, late, behind))
    }
    assert [len(notes) for notes in said.values()] == [0, 1, 0, 1]
    assert "begins 0.50 s after the picture" in said[behind][0]
    assert "not evenly spaced" in said[vfr][0]


def test_nothing_happens_when_something_is_wrong(cfr: Path, text: Path, tmp_path: Path) -> None:
    existing = tmp_path / "exists.mp4"
    existing.write_bytes(b"mine")
    copy, hard, soft = tmp_path / "in.mp4", tmp_path / "hard.mp4", tmp_path / "soft.mp4"
    copy.write_bytes(cfr.read_bytes())
    hard.hardlink_to(copy)
    soft.symlink_to(copy)
    listing = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def no_engine() -> Engine:
        raise AssertionError("an engine was made for nothing")

    for source, destination, error in [
        (cfr, existing, UsageError),
        (copy, copy, UsageError),
        (copy, hard, UsageError),
        (copy, soft, UsageError),
        (cfr, tmp_path, UsageError),
        (cfr, tmp_path / "out.txt", UsageError),
        (cfr, tmp_path / "nowhere" / "out.mp4", OutputError),
        (text, tmp_path / "out.mp4", InputError),
    ]:
        overwrite = destination is not existing
        with pytest.raises(error):
            stylize(source, destination, no_engine, overwrite=overwrite)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == listing


def test_an_error_in_the_middle_leaves_the_old_output(cfr: Path, tmp_path: Path) -> None:
    existing = tmp_path / "out.mp4"
    existing.write_bytes(b"mine")

    class Breaks(Identity):
        left = 5

        def paint(
            self, frame: Picture, carried: Picture | None, trust: Mask | None, grain: Grain
        ) -> Picture:
            self.left -= 1
            if not self.left:
                raise MemoryError
            return super().paint(frame, carried, trust, grain)

    with pytest.raises(MemoryError):
        stylize(cfr, existing, Breaks, overwrite=True)
    assert [thread.name for thread in threading.enumerate()].count("prefetch") == 0
    assert list(tmp_path.iterdir()) == [existing]
    assert existing.read_bytes() == b"mine"
    stylize(cfr, existing, Identity, overwrite=True)
    assert len(times(existing)) == 20


@pytest.mark.slow
def test_memory_does_not_grow(long_clip: Path, tmp_path: Path) -> None:
    sizes = []

    def watch(_: Job, frames: Iterable[Frame]) -> Iterable[Frame]:
        for frame in frames:
            with open("/proc/self/statm") as pages:  # noqa: PTH123
                sizes.append(int(pages.read().split()[1]) * 4096)
            yield frame

    stylize(long_clip, tmp_path / "out.mp4", Identity, watch=watch)
    assert len(sizes) == 3000
    assert np.mean(sizes[-200:]) - np.mean(sizes[500:700]) < 3 << 20


def test_the_pipe_takes_the_sounds_that_are_said_to_come_through() -> None:
    assert carried_codecs() >= PIPED
