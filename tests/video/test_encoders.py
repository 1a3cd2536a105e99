"""What encoders and containers cannot do is worked around, and said before."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.engine.base import Identity
from vstyle.errors import UsageError
from vstyle.video.codecs import quality_options
from vstyle.video.plan import Encoding
from vstyle.video.stylize import Report, stylize

Ffmpeg = Callable[..., None]


def times(path: Path) -> list[Fraction]:
    """Return when each frame is shown, from the first on."""
    with av.open(str(path)) as container:
        found = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    return [time - found[0] for time in found]


def painted(source: Path, target: Path, codec: str | None = None) -> Report:
    return stylize(source, target, Identity, encoding=Encoding(codec))


def test_an_encoder_that_counts_coarsely_is_given_what_it_can_count(
    cfr: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """MPEG-4 has 16 bits for the ticks of a second, and MPEG-TS has 90,000."""
    source, target = tmp_path / "in.ts", tmp_path / "out.mp4"
    ffmpeg("-i", cfr, "-c", "copy", source)
    assert (
        "times are rounded to 1/45000 s: mpeg4 counts no finer"
        in painted(source, target, "mpeg4").notes
    )
    apart = [abs(a - b) for a, b in zip(times(source), times(target), strict=True)]
    assert max(apart) <= Fraction(1, 45000)


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_an_encoder_that_knows_few_rates_is_given_the_rate(
    suffix: str, cfr: Path, tmp_path: Path
) -> None:
    painted(cfr, tmp_path / f"out{suffix}", "mpeg1video")
    assert times(tmp_path / f"out{suffix}") == times(cfr)


def test_frames_without_times_may_end_sooner(vfr: Path, tmp_path: Path) -> None:
    """Y4M counts frames: these come more slowly than the rate says."""
    report = painted(vfr, tmp_path / "out.y4m")
    assert "yuv4mpegpipe holds no times: the frames were not evenly spaced" in report.notes
    assert len(times(tmp_path / "out.y4m")) == len(times(vfr))


def test_y4m_holds_10_bits(cfr: Path, tmp_path: Path) -> None:
    deep = Encoding(pixels="yuv420p10le")
    stylize(cfr, tmp_path / "out.y4m", Identity, encoding=deep)
    with av.open(str(tmp_path / "out.y4m")) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p10le"


@pytest.mark.parametrize(("name", "meant"), [("h264", "libx264"), ("hevc", "libx265")])
def test_a_codec_is_not_its_encoder(name: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        quality_options(name, None, None)
    assert caught.value.hint == f"Did you mean {meant}?"


def test_the_names_of_tracks_stay(cfr: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    source = tmp_path / "in.mp4"
    ffmpeg("-i", cfr, "-c", "copy", "-metadata:s:a:0", "title=Commentary", source)
    for suffix in (".mp4", ".mov", ".mkv"):
        painted(source, tmp_path / f"out{suffix}")
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            said = container.streams.audio[0].metadata
            assert "Commentary" in {said.get("title"), said.get("name")}


def test_frames_of_another_size_are_said(cfr: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    one, two, both = (tmp_path / f"{name}.ts" for name in ("one", "two", "both"))
    ffmpeg("-i", cfr, "-an", "-c", "copy", one)
    ffmpeg(
        "-i", cfr, "-an", "-vf", "scale=48:64", "-c:v", "libx264", "-output_ts_offset", "0.8", two
    )
    both.write_bytes(one.read_bytes() + two.read_bytes())
    notes = painted(both, tmp_path / "out.mp4").notes
    assert any("changes its size: 20 frames were scaled to the first's" in n for n in notes)
    assert not any("changes its size" in n for n in painted(one, tmp_path / "one.mp4").notes)


@pytest.mark.parametrize(("rate", "said"), [(100, False), (240, True)])
def test_more_frames_than_a_gif_shows_are_said(
    rate: int, said: bool, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    source = tmp_path / "in.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:r={rate}:d=0.1", "-c:v", "libx264", source)
    report = painted(source, tmp_path / "out.gif")
    assert any("gif shows 100 frames a second at most" in note for note in report.notes) == said


@pytest.mark.parametrize(("name", "least"), [("libvpx", 4), ("libsvtav1", 1), ("libx264", 0)])
def test_the_best_quality_is_what_the_encoder_takes(name: str, least: int) -> None:
    """SVT-AV1 takes 0 for no wish at all, and libvpx refuses what is below 4."""
    options, notes = quality_options(name, 0, None)
    assert options[options.index("-crf") + 1] == str(least)
    assert bool(notes) == bool(least)
    options, notes = quality_options(name, 30, None)
    assert options[options.index("-crf") + 1] == "30"
    assert notes == ()


@pytest.mark.parametrize(
    ("codec", "pixels", "size"),
    [
        ("qtrle", "rgb24", (65, 49)),
        ("libx264rgb", "gbrp", (65, 49)),
        ("snow", "yuv420p", (66, 50)),
        ("dpx", "rgb24", (65, 49)),  # knows grey first
        ("zmbv", "bgr0", (65, 49)),  # and this a palette
    ],
)
def test_an_encoder_of_no_list_gets_pixels_that_it_knows(
    codec: str, pixels: str, size: tuple[int, int], odd: Path, tmp_path: Path
) -> None:
    """And an odd size is padded only if these want it."""
    target = tmp_path / "out.mov"
    if codec in {"snow", "dpx", "zmbv"}:
        target = tmp_path / "out.mkv"
    report = painted(odd, target, codec)
    assert any("padded" in note for note in report.notes) == (size != (65, 49))
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
    assert (frame.format.name, (frame.width, frame.height)) == (pixels, size)


def test_sound_that_nobody_can_decode_is_left_out(
    cfr: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """Newer phones write a second track, in a codec of their own, beside the usual one."""
    source, target = tmp_path / "two.mov", tmp_path / "out.mp4"
    tone = ["-f", "lavfi", "-i", "sine=d=0.8"]
    maps = ["-map", "0:v", "-map", "1", "-map", "2"]
    ffmpeg("-i", cfr, *tone, *tone, *maps, "-c:v", "copy", "-c:a", "aac", source)
    data = bytearray(source.read_bytes())
    entry = data.index(b"mp4a", data.rindex(b"stsd"))
    data[entry : entry + 4] = b"apac"
    ends = data.index(b"esds", entry)
    data[ends : ends + 4] = b"dapa"
    source.write_bytes(data)
    report = painted(source, target)
    assert "audio stream 2 (unknown) is left out: it cannot be decoded" in report.notes
    with av.open(str(target)) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac"]


@pytest.mark.parametrize(
    "codec",
    ["libtheora", *(pytest.param(n, marks=pytest.mark.slow) for n in ("libaom-av1", "libxvid"))],
)
def test_an_encoder_that_few_ask_for_makes_every_frame(
    codec: str, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """Left to itself, ffmpeg gives them 200 kbit/s; libtheora then makes a tenth of the frames."""
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    picture = "testsrc2=s=160x120:d=0.6,noise=alls=6:allf=t,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "ffv1", source)
    painted(source, target, codec)
    apart = [abs(a - b) for a, b in zip(times(target), times(source), strict=True)]
    assert max(apart) <= Fraction(1, 1000)
    assert np.abs(first(source, "gray").astype(int) - first(target, "gray")).mean() < 4


def first(path: Path, form: str = "rgb24") -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format=form)


@pytest.mark.parametrize("pixels", ["yuvj420p", "yuvj444p"])
def test_pixels_of_full_range_hold_what_they_say(
    pixels: str, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=0x102030:s=64x48:d=0.2", "-crf", "1", source)
    stylize(source, target, Identity, encoding=Encoding(pixels=pixels, crf=1))
    with av.open(str(target)) as container:
        assert next(container.decode(video=0)).color_range == 2
    assert np.abs(first(source).astype(int) - first(target)).max() <= 2


@pytest.mark.parametrize("shape", [Fraction(160, 117), Fraction(135, 128)])
def test_the_shape_of_pixels_is_kept_exactly(
    shape: Fraction, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    told = f"setsar={shape.numerator}/{shape.denominator}:max=1000"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:d=0.2,{told}", source)
    painted(source, target)
    with av.open(str(target)) as container:
        assert container.streams.video[0].sample_aspect_ratio == shape


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_what_tracks_are_to_players_stays(
    suffix: str, cfr: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """Which are played unasked, which are for whom: none is made so that was not."""
    words, source, target = tmp_path / "w.srt", tmp_path / "in.mkv", tmp_path / f"out{suffix}"
    words.write_text("1\n00:00:00,100 --> 00:00:00,500\nHello\n")
    marks = ["0", "default", "visual_impaired", "0", "forced"]
    said = [word for n, mark in enumerate(marks, 1) for word in (f"-disposition:{n}", mark)]
    inputs = ["-i", cfr, "-i", words]
    maps = ["-map", "0", "-map", "0:a", "-map", "0:a", "-map", "1", "-map", "1"]
    ffmpeg(*inputs, *maps, "-c:v", "copy", "-c:a", "copy", "-c:s", "srt", *said, source)
    painted(source, target)
    with av.open(str(source)) as before, av.open(str(target)) as after:
        told = [int(stream.disposition) for stream in before.streams]
        kept = [int(stream.disposition) for stream in after.streams]
    assert [mark & now for mark, now in zip(told, kept, strict=True)] == told
    if suffix == ".mkv":  # mp4 has other marks, which mean these and more
        assert kept == told


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_sound_that_was_cut_off_stays_off(
    suffix: str, cfr: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """An mp4 cut without encoding has sound from before the cut, and says not to play it."""
    cut, target = tmp_path / "cut.mp4", tmp_path / f"out{suffix}"
    ffmpeg("-ss", "0.5", "-i", cfr, "-c", "copy", cut)
    with av.open(str(cut)) as container:
        hidden = [p for p in container.demux(audio=0) if p.size and p.is_discard]
        assert min(p.pts * p.time_base for p in hidden) < -0.3
    painted(cut, target)
    with av.open(str(target)) as container:
        begins = [p.pts * p.time_base for p in container.demux(audio=0) if p.size]
    assert -0.13 < begins[0] <= 0
    assert max(b - a for a, b in pairwise(begins)) < 0.05
