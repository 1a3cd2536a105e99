"""What is read is what is in the file: upright, in its own colours, at its own times."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.errors import InputError
from vstyle.video import decode, opening
from vstyle.video.decode import Frame, open_clip


def frames_of(path: Path) -> list[Frame]:
    with open_clip(path) as source:
        return [item for item in source.items if isinstance(item, Frame)]


def test_frames_keep_their_times_and_packets_their_bytes(cfr: Path) -> None:
    with open_clip(cfr) as source:
        items = list(source.items)
        clip = source.clip
    assert (clip.width, clip.height, clip.rate) == (64, 48, 25)
    assert clip.duration == pytest.approx(0.8, abs=0.05)
    pictures = [item for item in items if isinstance(item, Frame)]
    assert [frame.pts * frame.time_base for frame in pictures] == [
        Fraction(index, 25) for index in range(20)
    ]
    assert pictures[0].image.shape == (48, 64, 3)
    assert pictures[0].image.flags.c_contiguous
    with av.open(str(cfr)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    assert [bytes(item) for item in items if not isinstance(item, Frame)] == packets


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_are_upright(
    degrees: int, cfr: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    turned, upright = tmp_path / "turned.mp4", tmp_path / "upright.mkv"
    ffmpeg("-display_rotation", degrees, "-i", cfr, "-c", "copy", "-an", turned)
    ffmpeg("-i", turned, "-c:v", "ffv1", upright)  # ffmpeg turns the pictures by itself
    for ours, theirs in zip(frames_of(turned), frames_of(upright), strict=True):
        assert ours.image.shape == ((64, 48, 3) if degrees % 180 else (48, 64, 3))
        # Colour lies between pixels, on the other side of them when ffmpeg turns it first.
        assert np.abs(ours.image.astype(int) - theirs.image).mean() < 8


def test_a_cover_picture_is_not_the_video(
    cfr: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    cover, path = tmp_path / "cover.png", tmp_path / "cover.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=100x100", "-frames:v", "1", cover)
    maps = ["-map", "1", "-map", "0:v", "-c", "copy", "-disposition:v:0", "attached_pic"]
    ffmpeg("-i", cfr, "-i", cover, *maps, "-disposition:v:1", "default", path)
    assert len(frames_of(path)) == 20


def test_frames_without_times_are_counted(cfr: Path) -> None:
    frames = [av.VideoFrame(64, 48, "yuv420p") for _ in range(3)]
    with av.open(str(cfr)) as container:
        video = container.streams.video[0]
        timed = [frame.pts for frame in decode._stamped(iter(frames), video)]
        assert [time * video.time_base for time in timed] == [0, Fraction(1, 25), Fraction(2, 25)]


@pytest.mark.parametrize("codec", [["libx264", "-bf", "0"], ["mpeg4"]])
def test_avi_begins_at_its_beginning(
    codec: list[str], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    path = tmp_path / "clip.avi"
    source = "testsrc2=s=64x48:r=25:d=0.4,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", *codec, path)
    times = [frame.time for frame in frames_of(path)]
    assert times[0] == 0
    assert len(times) == 10


def test_a_frame_of_another_size_is_brought_to_the_first_ones(cfr: Path) -> None:
    with open_clip(cfr) as source:
        clip = source.clip
    frames = [av.VideoFrame(64, 48, "yuv420p"), av.VideoFrame(96, 32, "yuv420p")]
    convert = decode._converter(frames[0], clip)
    assert [convert(frame)[0].shape for frame in frames] == [(48, 64, 3), (48, 64, 3)]


def test_sound_only_text_and_nothing_are_refused(
    sound_only: Path, text: Path, empty: Path, tmp_path: Path
) -> None:
    for path, reason in {
        sound_only: "no video",
        text: "not a video",
        empty: "is empty",
        tmp_path: "is a directory",
        tmp_path / "missing.mp4": "does not exist",
    }.items():
        with pytest.raises(InputError, match=reason), open_clip(path):
            pass


def test_a_playlist_opens_no_other_file(cfr: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "list.mp4"
    for words in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{cfr}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{cfr}'\n",
    ):
        playlist.write_text(words)
        with pytest.raises(InputError), open_clip(playlist):
            pass


def test_a_name_is_never_a_protocol(
    cfr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data:1.mp4", "concat:a.mp4", "-i.mp4", "with space % d.mp4"):
        Path(name).write_bytes(cfr.read_bytes())
        assert len(frames_of(Path(name))) == 20


def test_a_frame_too_large_is_refused(cfr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(InputError), open_clip(cfr):
        pass
