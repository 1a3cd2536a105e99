"""A part of a clip is that part, to the frame; another rate is ffmpeg's idea of it."""

import subprocess
from collections.abc import Callable
from fractions import Fraction
from math import ceil
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.cli.options import per_second
from vstyle.engine.base import Identity
from vstyle.errors import UsageError
from vstyle.video.decode import Frame, open_clip
from vstyle.video.ffmpeg import executable
from vstyle.video.plan import Encoding
from vstyle.video.reading import Reading
from vstyle.video.resume import perform_in_pieces
from vstyle.video.stylize import prepare, stylize

FRAMES, RATE = 60, 25
START, END = Fraction(53, 50), Fraction(91, 50)  # 1.06 and 1.82 s: within a group of pictures

Ffmpeg = Callable[..., None]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Path:
    """Make 60 frames, each brighter than the last, a keyframe in every 12, with B-frames.

    With sound, subtitles at 0.9, 1.2 and 2.3 s, and three chapters.
    """
    folder = tmp_path_factory.mktemp("film")
    raw, words, notes = folder / "raw", folder / "words.srt", folder / "notes.txt"
    raw.write_bytes(b"".join(bytes([4 * index]) * (64 * 48) for index in range(FRAMES)))
    cue = "{}\n00:00:0{} --> 00:00:0{}\n{}\n\n"
    cues = [("0,900", "1,100", "one"), ("1,200", "1,500", "two"), ("2,300", "2,350", "three")]
    words.write_text("".join(cue.format(n, *parts) for n, parts in enumerate(cues, 1)))
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART={}\nEND={}\ntitle={}\n"
    parts = [(0, 1000, "a"), (1000, 1500, "b"), (1500, 2400, "c")]
    notes.write_text(";FFMETADATA1\n" + "".join(chapter.format(*part) for part in parts))
    path = folder / "film.mkv"
    picture = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "64x48", "-r", RATE, "-i", raw]
    sound = ["-f", "lavfi", "-i", "sine=d=2.4", "-i", words, "-i", notes]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-map_chapters", "3"]
    codec = ["-c:v", "libx264", "-g", 12, "-bf", 2, "-crf", 1, "-pix_fmt", "yuv420p"]
    ffmpeg(*picture, *sound, *maps, *codec, "-c:a", "aac", "-c:s", "srt", path)
    return path


def shown(path: Path, reading: Reading) -> list[tuple[Fraction, int]]:
    """Return the time of every frame, from the beginning of the part, and its number."""
    with open_clip(path, reading) as source:
        frames = [item for item in source.items if isinstance(item, Frame)]
    origin = source.clip.origin
    return [(f.pts * f.time_base - origin, round(f.image.mean() / 4)) for f in frames]


@pytest.mark.parametrize("kind", ["mkv", "mp4", "ts", "nut", "h264", "avi"])
def test_a_part_is_cut_to_the_frame(kind: str, film: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    path = tmp_path / f"film.{kind}"
    codec = ["-c:v", "mpeg4", "-q:v", 1] if kind == "avi" else ["-c", "copy"]
    maps = ["-map", "0:v"] if kind in {"h264", "avi", "nut"} else ["-map", "0:v", "-map", "0:a"]
    ffmpeg("-i", film, *maps, *codec, path)
    whole = shown(path, Reading())
    assert [number for _, number in whole] == list(range(FRAMES))
    expected = [(time - START, number) for time, number in whole if START <= time < END]
    assert shown(path, Reading(START, END)) == expected
    assert shown(path, Reading(start=START))[: len(expected)] == expected
    assert shown(path, Reading(end=END))[-1] == (expected[-1][0] + START, expected[-1][1])


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_sound_subtitles_and_chapters_of_a_part(film: Path, suffix: str, tmp_path: Path) -> None:
    painted = tmp_path / f"out.{suffix}"
    stylize(film, painted, Identity, reading=Reading(START, END))
    with av.open(str(film)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
        within = [p for p in packets if START <= p.pts * p.time_base < END]
    with av.open(str(painted)) as container:
        after = [p for p in container.demux(audio=0) if p.size]
    assert [bytes(p) for p in after] == [bytes(p) for p in within]
    for before, kept in zip(within, after, strict=True):
        time = kept.pts * kept.time_base
        assert abs(before.pts * before.time_base - START - time) <= Fraction(1, 1000)
    with av.open(str(painted)) as container:
        spoken = [(p.pts * p.time_base, bytes(p)) for p in container.demux(subtitles=0) if p.size]
        chapters = [
            (c["metadata"]["title"], float(c["start"] * (c["time_base"] or 0)))
            for c in container.chapters()
        ]
    assert [(float(t), w[-3:]) for t, w in spoken if len(w) > 2] == [(0.14, b"two")]
    assert chapters == [("b", 0), ("c", 0.44)]


@pytest.mark.parametrize("start", [START, Fraction(2)])
def test_sound_of_a_part_that_is_converted(
    start: Fraction, film: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """Left to itself, ffmpeg cuts as much off it once more: of a late part nothing is left."""
    source, painted = tmp_path / "film.mkv", tmp_path / "out.mp4"
    louder = ["-af", "volume='t':eval=frame", "-ac", "2"]
    ffmpeg("-i", film, "-c:v", "copy", *louder, "-c:a", "dca", "-strict", "-2", source)
    stylize(source, painted, Identity, reading=Reading(start, start + Fraction(2, 5)))
    with av.open(str(painted)) as container:
        heard = {f.time: f.to_ndarray().max() for f in container.decode(audio=0)}
    assert min(heard) < 0.05
    assert abs(max(heard) - 0.4) < 0.05
    early, late = (next(v for t, v in heard.items() if t > after) for after in (0.09, 0.29))
    rise = (start + Fraction(3, 10)) / (start + Fraction(1, 10))
    assert late / early == pytest.approx(float(rise), rel=0.04)


@pytest.mark.parametrize("sound", ["aac", "alac"])
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_part_in_pieces_is_the_part(
    suffix: str, sound: str, film: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """With streams that ffmpeg reads itself, and pictures that are decoded before zero."""
    source = tmp_path / "film.mkv"
    ffmpeg("-i", film, "-map", "0", "-c", "copy", "-c:a", sound, source)
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    reading = Reading(START, END)
    stylize(source, one, Identity, reading=reading)
    with prepare(source, other, Identity, reading=reading) as job:
        perform_in_pieces(job, "")
    for kind in ("video", "audio", "subtitles"):
        times = []
        for path in (one, other):
            with av.open(str(path)) as container:
                packets = container.demux(getattr(container.streams, kind)[0])
                times.append(sorted(float(p.pts * p.time_base) for p in packets if p.size))
        assert times[0] == pytest.approx(times[1], abs=0.002)


def test_the_first_frame_is_not_lost_by_rounding(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """FFmpeg says to the microsecond, up or down, when a file begins."""
    for ticks in (25590, 25595):  # of 15360 a second
        path = tmp_path / f"{ticks}.mp4"
        late = ["-bsf:v", f"setts=ts=TS+{ticks}", "-video_track_timescale", "15360"]
        picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=30:d=1", "-c:v", "libx264", "-bf", "0"]
        ffmpeg(*picture, *late, path)
        with av.open(str(path)) as container:
            assert container.start_time > av.time_base
        assert [time for time, _ in shown(path, Reading(end=Fraction(1, 2)))] == [
            Fraction(n, 30) for n in range(15)
        ]


def test_subtitles_and_length_of_a_clip_that_begins_late(
    film: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    late = ["-itsoffset", "100", "-i", film, "-copyts", "-map", "0", "-c", "copy"]
    for source, words in ((tmp_path / "in.mp4", ["-c:s", "mov_text"]), (tmp_path / "in.mkv", [])):
        ffmpeg(*late, *words, source)
        painted = tmp_path / f"{source.suffix[1:]}.out.mp4"
        report = stylize(source, painted, Identity)
        assert report.clip.duration == pytest.approx(2.4, abs=0.1)
        with av.open(str(painted)) as container:
            packets = [p for p in container.demux(subtitles=0) if p.size]
            ends = float((packets[-1].pts + packets[-1].duration) * packets[-1].time_base)
        spoken = [float(p.pts * p.time_base) for p in packets if p.size > 2]
        assert spoken == pytest.approx([0.9, 1.2, 2.3], abs=0.03)
        assert ends < 2.5


@pytest.mark.parametrize("sound", ["aac", "alac"])
def test_no_sound_from_before_the_cut(
    sound: str, film: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    ffmpeg("-i", film, "-map", "0:v", "-map", "0:a", "-c:v", "copy", "-c:a", sound, whole)
    ffmpeg("-ss", "0.9", "-i", whole, "-c", "copy", cut)
    stylize(cut, tmp_path / "out.mkv", Identity)
    with av.open(str(tmp_path / "out.mkv")) as container:
        begins = [float(p.pts * p.time_base) for p in container.demux(audio=0) if p.size]
    assert -0.13 < begins[0] <= 0.01


def test_no_audio(film: Path, tmp_path: Path) -> None:
    report = stylize(film, tmp_path / "out.mp4", Identity, reading=Reading(sound=False))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
        assert len(container.streams.subtitles) == 1
    assert not [note for note in report.notes if "audio" in note]


def test_a_part_after_the_end_is_refused(film: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no picture"):
        stylize(film, tmp_path / "out.mp4", Identity, reading=Reading(start=Fraction(9)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", ["50", "10", "30000/1001", "25"])
@pytest.mark.parametrize("name", ["cfr", "vfr"])
def test_another_rate_is_what_ffmpeg_makes_of_it(
    name: str, rate: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, painted = request.getfixturevalue(name), tmp_path / "out.mkv"
    reading, lossless = Reading(rate=Fraction(rate)), Encoding(codec="ffv1")
    stylize(source, painted, Identity, reading=reading, encoding=lossless)
    command = [
        executable(),
        "-v",
        "error",
        "-nostdin",
        "-copyts",
        "-i",
        str(source),
        "-vf",
        f"fps={rate}",
    ]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    theirs = np.frombuffer(raw, np.uint8).reshape(-1, 48 * 64).astype(int)
    with open_clip(painted) as clip:
        ours = [item for item in clip.items if isinstance(item, Frame)]
    assert len(ours) == len(theirs)
    for index, frame in enumerate(ours):
        first = ours[0].pts * frame.time_base
        assert abs(frame.pts * frame.time_base - first - index / Fraction(rate)) <= Fraction(1, 999)
        grey = frame.image.astype(int) @ (299, 587, 114) / 1000
        limited = theirs[index].reshape(48, 64)
        assert min(abs(grey - limited).mean(), abs(grey - (limited - 16) / 219 * 255).mean()) < 3


def test_the_command_takes_times_and_rates(
    film: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from vstyle.cli import app as door

    def run(name: str, *words: str) -> int:
        command = ["stylize", str(film), "--model", "identity", "-o", str(tmp_path / name)]
        return door.exit_code(lambda: door.app([*command, *words]))

    assert run("a.mp4", "--start", "0:01.06", "--duration", ".76", "--no-audio") == 0
    assert "19 frames" in capfd.readouterr().err
    assert run("b.mp4", "--start", "1.06", "--end", "0:0:1.82", "--fps", "50/1") == 0
    assert "38 frames" in capfd.readouterr().err
    for words in (
        ["--start", "-1"],
        ["--start", "soon"],
        ["--fps", "0"],
        ["--fps", "1/0"],
        ["--start", "1", "--end", "1"],
        ["--end", "1", "--duration", "1"],
        ["--start", "9"],
    ):
        assert run("c.mp4", *words) == 2, words
    assert not (tmp_path / "c.mp4").exists()


def test_of_the_shortest_clip_something_is_left(film: Path) -> None:
    for end in (Fraction(1, 25), Fraction(2, 5)):
        found = shown(film, Reading(end=end, rate=Fraction(1)))
        assert [time for time, _ in found] == [0]


def test_a_part_begins_with_the_frame_of_a_slow_rate(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    path = tmp_path / "slow.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=4:d=3", "-c:v", "ffv1", path)
    found = [time for time, _ in shown(path, Reading(Fraction(17, 20), Fraction(13, 10)))]
    assert found == [0, Fraction(3, 20), Fraction(2, 5)]


@pytest.mark.parametrize(
    ("word", "rate"),
    [
        ("29.97002997", "30000/1001"),
        ("23.976023976", "24000/1001"),
        ("59.94005994005994", "60000/1001"),
        ("29.97", "2997/100"),
        ("12.5", "25/2"),
        ("30000/1001", "30000/1001"),
    ],
)
def test_a_rate_is_what_is_meant(word: str, rate: str) -> None:
    assert per_second(word) == Fraction(rate)


def test_a_part_begins_with_what_is_shown_then(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """A slide may have begun long before."""
    slides = tmp_path / "slides.mkv"
    grey = ["-f", "lavfi", "-i", "color=s=64x48:r=1/5:d=20", "-vf", "geq=lum=60+N*40:cb=128:cr=128"]
    ffmpeg(*grey, "-c:v", "ffv1", slides)
    whole = [number for _, number in shown(slides, Reading())]
    assert len(set(whole)) == 4
    assert shown(slides, Reading(Fraction(7))) == [
        (Fraction(0), whole[1]), (Fraction(3), whole[2]), (Fraction(8), whole[3]),
    ]  # fmt: skip
    assert shown(slides, Reading(Fraction(7), Fraction(9))) == [(Fraction(0), whole[1])]
    assert shown(slides, Reading(Fraction(5), Fraction(9))) == [(Fraction(0), whole[1])]
    assert shown(slides, Reading(Fraction(16))) == [(Fraction(0), whole[3])]
    assert shown(slides, Reading(Fraction(7, 2), Fraction(18, 5))) == [(Fraction(0), whole[0])]
    assert shown(slides, Reading(Fraction(23, 5), Fraction(5))) == [(Fraction(0), whole[0])]
    with pytest.raises(UsageError, match="no picture in the part"):
        shown(slides, Reading(Fraction(25)))
    assert [n for _, n in shown(slides, Reading(Fraction(7), rate=Fraction(1)))] == [
        *whole[1:2] * 3, *whole[2:3] * 5, *whole[3:] * 5,
    ]  # fmt: skip
    stylize(slides, tmp_path / "o.mp4", Identity, reading=Reading(Fraction(7), Fraction(9)))
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.duration == 2 * av.time_base


@pytest.mark.parametrize("start", [Fraction(11, 5), Fraction(15, 2)])
def test_a_part_begins_between_coarse_ticks(
    start: Fraction, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """AVI counts frames: one a second here."""
    source, target = tmp_path / "slow.avi", tmp_path / "o.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=1:d=8", "-c:v", "mpeg4", source)
    stylize(source, target, Identity, reading=Reading(start))
    after = [Fraction(0), *(Fraction(second) - start for second in range(ceil(start), 8))]
    with av.open(str(target)) as container:
        assert [frame.pts * frame.time_base for frame in container.decode(video=0)] == after


def test_the_last_frame_ends_with_the_part(vfr: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """Or when the next one came, whichever is earlier; mp4 says how long each is shown."""
    said = tmp_path / "said.mp4"
    ffmpeg("-i", vfr, "-c", "copy", said)
    with open_clip(said) as source:
        times = [item.pts * item.time_base for item in source.items if isinstance(item, Frame)]
    begin, after = times[9], times[10]
    for end in (begin + (after - begin) / 2, after):
        painted = tmp_path / f"{end.numerator}.mkv"
        lossless = Encoding(codec="ffv1")
        stylize(said, painted, Identity, reading=Reading(end=end), encoding=lossless)
        with av.open(str(painted)) as container:
            *_, last = container.decode(video=0)
            over = (last.pts + last.duration) * last.time_base
        assert abs(over - end) <= Fraction(1, 1000)
