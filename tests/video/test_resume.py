"""What was stopped and gone on with is what was never stopped: frames, times, sound."""

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vstyle.engine.base import Engine, Grain, Mask, Picture
from vstyle.errors import OutputError, UsageError
from vstyle.video import resume
from vstyle.video.plan import Encoding
from vstyle.video.resume import folder_of, perform_in_pieces
from vstyle.video.stylize import Report, perform, prepare

LOSSLESS = Encoding(codec="ffv1")


class StoppedError(Exception):
    """Stands for whatever ends a run."""


class Echo:
    """Paints with much of the last picture in it: forgetting that would show for many frames."""

    factor = 4
    precision = "uint8"

    def __init__(self, stop_at: int | None = None) -> None:
        self.left, self.painted = stop_at, 0

    def paint(
        self, frame: Picture, carried: Picture | None, _: Mask | None, grain: Grain
    ) -> Picture:
        if self.left is not None and self.painted == self.left:
            raise StoppedError
        self.painted += 1
        if carried is None:
            return 255 - frame
        strokes = np.uint8(100 + 100 * cv2.resize(grain, frame.shape[1::-1]))
        frame = cv2.addWeighted(frame, 0.8, np.dstack([strokes] * 3), 0.2, 0)
        return np.asarray(cv2.addWeighted(frame, 0.3, carried, 0.7, 0), np.uint8)


def slow(value: object) -> object:
    """Leave a case to `make test-all`."""
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "PIECE", 7)


def whole(source: Path, place: Path, engine: Engine, encoding: Encoding) -> Report:
    with prepare(source, place, lambda: engine, encoding=encoding) as job:
        return perform(job)


def pieces(source: Path, place: Path, engine: Engine, encoding: Encoding, mark: str = "") -> Report:
    with prepare(source, place, lambda: engine, encoding=encoding) as job:
        return perform_in_pieces(job, mark)


def frames(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24").tobytes())
            for frame in container.decode(video=0)
        ]


def end(path: Path) -> str:
    """Return when the last frame is over, as Matroska says it."""
    with av.open(str(path)) as container:
        return container.streams.video[0].metadata["DURATION"]


def sounds(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(audio=0) if p.size]


@pytest.mark.parametrize("name", ["cfr", "ntsc", *map(slow, ["vfr", "late", "odd", "rich"])])
def test_pieces_are_the_whole(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Without loss, not a bit differs from a run that keeps nothing on disk."""
    source = request.getfixturevalue(name)
    one, other = tmp_path / "one.mkv", tmp_path / "other.mkv"
    report = whole(source, one, Echo(), LOSSLESS)
    assert pieces(source, other, Echo(), LOSSLESS).frames == report.frames
    assert frames(one) == frames(other)
    assert sounds(one) == sounds(other)
    assert end(one) == end(other)
    assert not folder_of(other).exists()


@pytest.mark.parametrize("stop_at", [8, 14, *map(slow, [0, 1, 7, 13, 19])])
def test_going_on_is_never_having_stopped(stop_at: int, cfr: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.mp4", tmp_path / "other.mp4"
    pieces(cfr, one, Echo(), Encoding())
    with pytest.raises(StoppedError):
        pieces(cfr, other, Echo(stop_at), Encoding())
    assert not other.exists()
    engine = Echo()
    report = pieces(cfr, other, engine, Encoding())
    done = stop_at // 7 * 7
    assert engine.painted == 20 - done
    assert (report.frames, report.painted) == (20, 20 - done)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_it_can_be_stopped_many_times(ntsc: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.mkv", tmp_path / "other.mkv"
    whole(ntsc, one, Echo(), LOSSLESS)
    for _ in range(3):
        with pytest.raises(StoppedError):
            pieces(ntsc, other, Echo(8), LOSSLESS)
    pieces(ntsc, other, Echo(), LOSSLESS)
    assert frames(one) == frames(other)


def test_painted_but_not_joined(cfr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "out.mp4"

    def stop(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(resume, "_join", stop)
        with pytest.raises(StoppedError):
            pieces(cfr, place, Echo(), Encoding())
    assert pieces(cfr, place, Echo(0), Encoding()).painted == 0
    assert len(frames(place)) == 20


def test_a_torn_piece_is_painted_again(cfr: Path, tmp_path: Path) -> None:
    """As after a crash of the machine: what is half on disk was never there."""
    one, other = tmp_path / "one.mkv", tmp_path / "other.mkv"
    whole(cfr, one, Echo(), LOSSLESS)
    with pytest.raises(StoppedError):
        pieces(cfr, other, Echo(16), LOSSLESS)
    folder = folder_of(other)
    (folder / ".000002.nut.vstyle-1.part").write_bytes(b"half")
    (folder / "000002.nut").write_bytes(b"half")
    (folder / "next.part").write_bytes(b"half")
    pieces(cfr, other, Echo(), LOSSLESS)
    assert frames(one) == frames(other)


def test_a_damaged_piece_is_told_in_words(cfr: Path, tmp_path: Path) -> None:
    place = tmp_path / "out.mkv"
    with pytest.raises(StoppedError):
        pieces(cfr, place, Echo(16), LOSSLESS)
    (folder_of(place) / "000000.nut").write_bytes(b"")
    with pytest.raises(OutputError, match=r"000000\.nut is damaged"):
        pieces(cfr, place, Echo(), LOSSLESS)


def test_one_run_at_a_time(cfr: Path, tmp_path: Path) -> None:
    """A second one is refused while the first is at work, which then ends well."""
    place = tmp_path / "out.mkv"

    class Asking(Echo):
        def paint(self, *given: object) -> Picture:
            if self.painted == 3:
                with pytest.raises(UsageError, match="another run is at work"):
                    pieces(cfr, place, Echo(), LOSSLESS)
            return super().paint(*given)  # type: ignore[arg-type]

    assert pieces(cfr, place, Asking(), LOSSLESS).painted == 20


@pytest.mark.parametrize("torn", [b"", b"half", b"PK\x03\x04 half of an archive"])
def test_torn_progress_is_none(cfr: Path, tmp_path: Path, torn: bytes) -> None:
    place = tmp_path / "out.mkv"
    folder_of(place).mkdir()
    (folder_of(place) / "progress.npz").write_bytes(torn)
    assert pieces(cfr, place, Echo(), LOSSLESS).painted == 20
    assert len(frames(place)) == 20


def test_other_work_is_not_gone_on_with(cfr: Path, vfr: Path, tmp_path: Path) -> None:
    place = tmp_path / "out.mkv"
    with pytest.raises(StoppedError):
        pieces(cfr, place, Echo(8), LOSSLESS)
    for source, encoding, mark in [
        (vfr, LOSSLESS, ""),
        (cfr, Encoding(), ""),
        (cfr, LOSSLESS, "another style"),
    ]:
        with pytest.raises(UsageError, match="holds an unfinished run"):
            pieces(source, place, Echo(), encoding, mark)
    assert pieces(cfr, place, Echo(), LOSSLESS).painted == 13


def test_the_input_is_known_by_what_is_in_it(cfr: Path, vfr: Path, tmp_path: Path) -> None:
    """Moved and copied it is the same; another one in its place is not."""
    source, place = tmp_path / "in.mp4", tmp_path / "out.mkv"
    shutil.copy(cfr, source)
    with pytest.raises(StoppedError):
        pieces(source, place, Echo(8), LOSSLESS)
    shutil.copy(vfr, source)
    with pytest.raises(UsageError, match="with another input"):
        pieces(source, place, Echo(), LOSSLESS)
    assert pieces(cfr, place, Echo(), LOSSLESS).painted == 13


def test_numbered_pictures_can_be_gone_on_with(tmp_path: Path) -> None:
    source, place = tmp_path / "%02d.png", tmp_path / "out.mkv"
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.full((48, 64, 3), number, np.uint8))
    with pytest.raises(StoppedError):
        pieces(source, place, Echo(8), LOSSLESS)
    shutil.copy(tmp_path / "00.png", tmp_path / "13.png")
    with pytest.raises(UsageError, match="with another input"):
        pieces(source, place, Echo(), LOSSLESS)
    cv2.imwrite(str(tmp_path / "13.png"), np.full((48, 64, 3), 13, np.uint8))
    assert pieces(source, place, Echo(), LOSSLESS).painted == 13


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mp4", "libx264"),
        ("webm", "libvpx-vp9"),
        ("mkv", "libx265"),
        ("mp4", "libsvtav1"),
        ("ts", "libx264"),
        ("nut", "ffv1"),
    ],
)
def test_every_container_can_be_made_in_pieces(
    suffix: str, codec: str, cfr: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    whole(cfr, one, Echo(), Encoding(codec))
    pieces(cfr, other, Echo(), Encoding(codec))
    before, after = frames(one), frames(other)
    assert len(before) == len(after) == 20
    with av.open(str(one)) as a, av.open(str(other)) as b:
        assert abs(a.duration - b.duration) <= av.time_base // 1000
    gaps = [x[0] - y[0] for x, y in zip(before, after, strict=True)]
    assert max(gaps) - min(gaps) <= Fraction(1, 1000)
    sound = [x[0] - y[0] for x, y in zip(sounds(one), sounds(other), strict=True)]
    assert max(abs(gap - gaps[0]) for gap in sound) <= Fraction(1, 1000)
    with av.open(str(one)) as a, av.open(str(other)) as b:
        x, y = a.streams.video[0].codec_context, b.streams.video[0].codec_context
        assert (x.colorspace, x.color_range, x.codec_tag) == (
            y.colorspace,
            y.color_range,
            y.codec_tag,
        )


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [
        ("webm", "libvpx-vp9", "yuv420p10le"),
        ("mkv", "ffv1", None),
        ("mkv", "mpeg4", None),
        pytest.param("webm", "libvpx", None, marks=pytest.mark.slow),
        pytest.param("mkv", "libsvtav1", None, marks=pytest.mark.slow),
        pytest.param("mov", "libx265", None, marks=pytest.mark.slow),
    ],
)
def test_what_is_said_of_the_picture_is_said_of_its_pieces(
    suffix: str, codec: str, pixels: str | None, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Colour and the shape of pixels, which NUT, in which the pieces are, does not hold."""
    source = tmp_path / "in.mkv"
    # HDR only where it stays: to bring it to BT.709 takes seconds to begin with.
    curve = "smpte2084" if pixels else "bt2020-10"
    told = f"colorspace=bt2020nc:color_primaries=bt2020:color_trc={curve}:range=tv"
    picture = f"testsrc2=s=63x48:d=0.4,format=yuv444p10le,setsar=64/45,setparams={told}"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "ffv1", source)
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    encoding = Encoding(codec, pixels=pixels)
    for make, place in ((whole, one), (pieces, other)):
        make(source, place, Echo(), encoding)
    with av.open(str(one)) as a, av.open(str(other)) as b:
        x, y = (
            [c.streams.video[0].sample_aspect_ratio, *tags(next(c.decode(video=0)))] for c in (a, b)
        )
    assert x == y


def tags(frame: av.VideoFrame) -> list[int]:
    return [frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc]


def test_transparency_that_lies_beside_packets_is_not_made_in_pieces(
    tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    source = tmp_path / "in.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.4,format=bgra", "-c:v", "ffv1", source)
    with pytest.raises(UsageError, match="transparent"):
        pieces(source, tmp_path / "out.webm", Echo(), Encoding())
    pieces(source, tmp_path / "out.mkv", Echo(), Encoding("ffv1"))


@pytest.mark.parametrize(
    ("suffix", "codec"), [("gif", None), ("avi", None), ("y4m", None), ("mov", "prores_ks")]
)
def test_what_cannot_be_joined_is_refused(
    suffix: str, codec: str | None, cfr: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="cannot be made in pieces"):
        pieces(cfr, tmp_path / f"out.{suffix}", Echo(), Encoding(codec))
    assert not list(tmp_path.iterdir())
