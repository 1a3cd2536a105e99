"""Deep, bright, sheer, interlaced, changing pictures: kept, or changed as is said."""

import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.engine.base import Identity
from vstyle.errors import UsageError
from vstyle.video.decode import Frame, open_clip
from vstyle.video.ffmpeg import executable
from vstyle.video.plan import Encoding
from vstyle.video.reading import Reading
from vstyle.video.stylize import Job, stylize

Ffmpeg = Callable[..., None]
FFV1 = Encoding(codec="ffv1")


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def decoded(path: Path, form: str, *filters: str) -> np.ndarray:
    """Return what ffmpeg decodes: all frames, 64x48, as 8 bit values of a packed format."""
    command = [executable(), "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0"]
    command += ["-vf", ",".join([*filters, f"format={form}"]), "-f", "rawvideo", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 48, 64, 4 if form == "rgba" else 3).astype(int)


@pytest.fixture
def ramp(tmp_path: Path, ffmpeg: Ffmpeg) -> Path:
    """Make two frames of all 877 greys of 10 bits, 64x48, without loss."""
    path, raw = tmp_path / "ramp.mkv", tmp_path / "raw"
    grey = np.resize(np.arange(64, 941, dtype=np.uint16), (48, 64))
    raw.write_bytes(np.stack([grey, *[np.full_like(grey, 512)] * 2] * 2).tobytes())
    picture = ["-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-s", "64x48", "-r", 25, "-i", raw]
    tags = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    ffmpeg(*picture, "-vf", tags, "-c:v", "libx265", "-x265-params", "lossless=1", path)
    return path


def greys(path: Path) -> np.ndarray:
    plane = first_frame(path).planes[0]
    return np.frombuffer(plane, np.uint16).reshape(48, -1)[:, :64].astype(int)


def test_10_bits_stay_10_bits(ramp: Path, tmp_path: Path) -> None:
    painted = tmp_path / "out.mkv"
    deep = Encoding(codec="ffv1", pixels="yuv444p10le")
    report = stylize(ramp, painted, Identity, encoding=deep)
    assert report.notes == ()
    assert len(np.unique(greys(ramp))) == 877
    assert np.array_equal(greys(ramp), greys(painted))


def test_10_bits_become_8_unless_asked_and_it_is_said(ramp: Path, tmp_path: Path) -> None:
    report = stylize(ramp, tmp_path / "out.mp4", Identity)
    assert any("10 bits per colour become 8: --pix-fmt yuv420p10le" in n for n in report.notes)
    assert first_frame(tmp_path / "out.mp4").format.name in {"yuv420p", "yuvj420p"}


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("libx264", "yuv420p11le"), ("prores_ks", "yuv420p"), ("ffv1", "nonsense")],
)
def test_a_pixel_format_that_the_encoder_lacks_is_refused(
    codec: str, pixels: str, cfr: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"{codec} has no pixel format '{pixels}'") as error:
        stylize(cfr, tmp_path / "out.mkv", Identity, encoding=Encoding(codec, pixels=pixels))
    assert "Did you mean" in error.value.hint
    assert not (tmp_path / "out.mkv").exists()


@pytest.fixture(params=["smpte2084", pytest.param("arib-std-b67", marks=pytest.mark.slow)])
def hdr(request: pytest.FixtureRequest, tmp_path: Path, ffmpeg: Ffmpeg) -> Path:
    """Make two frames of 12 steps of grey, from black to the brightest, BT.2020 in PQ or HLG."""
    path, raw = tmp_path / f"{request.param}.mkv", tmp_path / "raw"
    steps = np.repeat(np.linspace(0, 65535, 12).astype(np.uint16), 5)
    row = np.pad(steps, (0, 4), mode="edge")
    raw.write_bytes(np.broadcast_to(row[None, :, None], (48, 64, 3)).tobytes() * 2)
    picture = ["-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "64x48", "-r", 25, "-i", raw]
    scale = "zscale=matrix=2020_ncl:range=tv:rangein=pc,format=yuv420p10le"
    tags = f"range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={request.param}"
    codec = ["-c:v", "libx265", "-x265-params", "log-level=error", "-crf", 1]
    ffmpeg(*picture, "-vf", f"{scale},setparams={tags}", *codec, path)
    return path


def tags_of(path: Path) -> tuple[int, ...]:
    frame = first_frame(path)
    return (
        int(frame.colorspace),
        int(frame.color_range),
        int(frame.color_primaries),
        int(frame.color_trc),
    )


def test_hdr_becomes_bt709_and_that_is_said(hdr: Path, tmp_path: Path) -> None:
    painted = tmp_path / "out.mp4"
    report = stylize(hdr, painted, Identity, encoding=Encoding(crf=1))
    assert any("HDR: tone-mapped to BT.709" in note for note in report.notes)
    assert tags_of(painted) == (1, 1, 1, 1)
    middles = decoded(painted, "rgb24")[0, 24, 2:60:5]
    assert np.abs(middles - middles[:, :1]).max() <= 3  # greys stay grey
    assert (np.diff(middles[:, 0]) >= 0).all()
    assert middles[0, 0] <= 2
    assert middles[-1, 0] >= 250
    # Mid grey of PQ is 92 cd/m2, of HLG 50: much darker on paper than their numbers are.
    assert 60 < middles[6, 0] < 230


@pytest.mark.parametrize(
    "transfer", ["arib-std-b67", pytest.param("smpte2084", marks=pytest.mark.slow)]
)
def test_hdr_of_halved_colour_is_that_of_whole(
    transfer: str, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    """Phones film HDR in 4:2:0: every row of it, and every colour, is as in 4:4:4."""
    found = []
    for kind in ("yuv420p10le", "yuv444p10le"):
        source, painted = tmp_path / f"{kind}.mp4", tmp_path / f"{kind}.mkv"
        blend = "gradients=s=64x48:r=25:d=0.08:n=4:c0=red:c1=lime:c2=blue:c3=white:seed=1"
        picture = ["-f", "lavfi", "-i", f"{blend},format=gbrp"]
        scale = f"zscale=matrix=2020_ncl:range=tv:rangein=pc,format={kind}"
        tags = f"range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
        codec = ["-c:v", "libx265", "-x265-params", "log-level=error:lossless=1"]
        ffmpeg(*picture, "-vf", f"{scale},setparams={tags}", *codec, source)
        assert any("tone-mapped" in note for note in stylize(source, painted, Identity).notes)
        found.append(decoded(painted, "rgb24").astype(int))
    assert np.abs(found[0] - found[1]).mean() < 6  # of colours at the border of BT.2020


def test_hdr_is_kept_on_request(hdr: Path, tmp_path: Path) -> None:
    painted = tmp_path / "out.mp4"
    deep = Encoding(codec="libx265", pixels="yuv420p10le", crf=1)
    report = stylize(hdr, painted, Identity, encoding=deep)
    assert not any("tone-mapped" in note for note in report.notes)
    assert tags_of(painted) == tags_of(hdr)
    assert np.abs(decoded(painted, "rgb24") - decoded(hdr, "rgb24")).max() <= 3


@pytest.fixture
def sheer(tmp_path: Path, ffmpeg: Ffmpeg) -> Path:
    """Make five frames of a test picture that is less to be seen the further to the left."""
    path = tmp_path / "sheer.mkv"
    alpha = "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='X*4'"
    source = f"testsrc2=s=64x48:r=25:d=0.2,format=rgba,{alpha}"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "ffv1", "-pix_fmt", "bgra", path)
    return path


def test_alpha_goes_through_untouched(sheer: Path, tmp_path: Path) -> None:
    report = stylize(sheer, tmp_path / "out.mkv", Identity, encoding=FFV1)
    assert report.notes == ()
    before = decoded(sheer, "rgba")
    assert len(np.unique(before[..., 3])) == 64
    assert np.array_equal(decoded(tmp_path / "out.mkv", "rgba"), before)


def test_alpha_of_vp9_is_read_and_written(sheer: Path, tmp_path: Path) -> None:
    webm, again = tmp_path / "one.webm", tmp_path / "two.mkv"
    assert stylize(sheer, webm, Identity, encoding=Encoding(crf=4)).notes == ()
    assert stylize(webm, again, Identity, encoding=FFV1).notes == ()
    difference = decoded(again, "rgba")[..., 3] - decoded(sheer, "rgba")[..., 3]
    assert np.abs(difference).max() <= 3


def test_alpha_that_is_lost_is_said(sheer: Path, cfr: Path, tmp_path: Path) -> None:
    report = stylize(sheer, tmp_path / "out.mp4", Identity)
    assert any("transparent in places, the output will not be" in n for n in report.notes)
    assert stylize(cfr, tmp_path / "opaque.mp4", Identity).notes == ()


@pytest.fixture
def interlaced(tmp_path: Path, ffmpeg: Ffmpeg) -> Path:
    """Make 12 interlaced frames, top field first, of a picture that moves between the fields."""
    path = tmp_path / "interlaced.mp4"
    source = "testsrc=s=64x48:r=50:d=0.48,scroll=h=0.1,format=yuv420p"
    codec = ["-c:v", "libx264", "-crf", 1, "-flags", "+ildct+ilme"]
    ffmpeg("-f", "lavfi", "-i", source, "-vf", "interlace=scan=tff:lowpass=0", *codec, path)
    return path


def test_interlaced_frames_are_made_whole(interlaced: Path, tmp_path: Path) -> None:
    woven = decoded(interlaced, "rgb24")
    whole = decoded(interlaced, "rgb24", "bwdif=mode=send_frame:deint=interlaced")
    for reading, oracle, other in (
        (Reading(), whole, woven),
        (Reading(deinterlace=False), woven, whole),
    ):
        painted = tmp_path / f"{reading.deinterlace}.mkv"
        report = stylize(interlaced, painted, Identity, reading=reading, encoding=FFV1)
        assert any("deinterlaced" in note for note in report.notes) == reading.deinterlace
        after = decoded(painted, "rgb24")
        assert len(after) == len(oracle) == 12
        # Brightness only: of two fields ffmpeg's own conversion places the colour otherwise.
        near, far = (
            np.abs((after - one) @ (0.299, 0.587, 0.114)).mean() for one in (oracle, other)
        )
        assert near < far / 2


def test_whole_frames_are_not_touched(cfr: Path) -> None:
    with open_clip(cfr) as one, open_clip(cfr, Reading(deinterlace=False)) as other:
        pairs = zip(one.items, other.items, strict=True)
        for a, b in pairs:
            if isinstance(a, Frame) and isinstance(b, Frame):
                assert np.array_equal(a.image, b.image)


def test_a_change_of_size_does_not_shear(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """Two broadcasts in one file: the second is shown in the size of the first."""
    parts = []
    for name, size, colours in (("a", "64x48", ("red", "lime")), ("b", "96x80", ("blue", "white"))):
        left, right = colours
        half = f"color={right}:s={size}:r=25:d=0.2"
        source = f"color={left}:s={size}:r=25:d=0.2[l];{half}[r];[r]crop=iw/2:ih:0:0[c]"
        picture = f"{source};[l][c]overlay=W/2:0,format=yuv420p"
        path = tmp_path / f"{name}.ts"
        codec = ["-c:v", "mpeg2video", "-q:v", 1, "-g", 5, "-bf", 0]
        offset = ["-output_ts_offset", 0.2] if name == "b" else []
        ffmpeg("-filter_complex", picture, *codec, *offset, path)
        parts.append(path.read_bytes())
    both, painted = tmp_path / "both.ts", tmp_path / "out.mkv"
    both.write_bytes(b"".join(parts))
    stylize(both, painted, Identity, encoding=FFV1)
    images = decoded(painted, "rgb24")
    with av.open(str(both)) as container:  # the decoder itself loses the frame before the change
        assert [frame.width for frame in container.decode(video=0)] == [64] * 4 + [96] * 5
    assert len(images) == 9
    for index, (left, right) in {
        1: ((255, 0, 0), (0, 255, 0)),
        7: ((0, 0, 255), (255, 255, 255)),
    }.items():
        assert np.abs(images[index, :, 4:28] - left).max() <= 12
        assert np.abs(images[index, :, 36:60] - right).max() <= 12


def test_what_is_lost_is_said_before_the_first_frame(sheer: Path, tmp_path: Path) -> None:
    told: list[tuple[str, ...]] = []

    def watch(job: Job, frames: Iterable[Frame]) -> Iterable[Frame]:
        told.append(job.notes)
        assert "transparent" in " ".join(job.notes)
        return frames

    stylize(sheer, tmp_path / "out.mp4", Identity, watch=watch)
    assert told
