"""Clips made for the tests, each by the recipe in its docstring, and a watch over what is left."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

# Hooks and a fixture of pytest's, for all tests.
from fidelity.ledger import (  # noqa: F401
    committed,
    enter,
    pytest_addoption,
    pytest_sessionfinish,
)
from hypothesis import settings

from vstyle import pixels
from vstyle.engine.base import Grain, Picture
from vstyle.video.ffmpeg import executable

# Started in the background, as CI may do, we would hand down that Ctrl-C is to be ignored.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.8,format=yuv420p"]
SOUND = ["-f", "lavfi", "-i", "sine=f=440:d=0.8"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast"]
AAC = ["-c:a", "aac"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute in one thread: for small networks a second one only waits, often for long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or a part file behind."""
    place = "tmp_path" in request.fixturenames and request.getfixturevalue("tmp_path")
    threads = set(threading.enumerate())
    children = children_of(os.getpid())
    yield
    patience = time.monotonic() + 2  # Rich tells its thread to stop, but does not wait for it
    while set(threading.enumerate()) - threads and time.monotonic() < patience:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= threads
    assert children_of(os.getpid()) <= children
    assert not place or not list(place.rglob(".*.part"))


@pytest.fixture(name="children_of", scope="session")
def children_of_fixture() -> Callable[[int], set[int]]:
    """Tell the direct children of a process."""
    return children_of


def children_of(parent: int) -> set[int]:
    """Return the processes whose parent is `parent`, as Linux tells it."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended since
        if int(fields[1]) == parent:
            found.add(int(stat.parent.name))
    return found


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    """Run ffmpeg with these arguments."""

    def run(*arguments: str | Path) -> None:
        command = [executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
        subprocess.run([*command, *map(str, arguments)], check=True)

    return run


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def cfr(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make 20 frames of 64x48 at 25 per second, BT.709, no B-frames, with 0.8 s of AAC."""
    path = clips / "cfr.mp4"
    tags = ["-vf", "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"]
    ffmpeg(*PICTURE, *SOUND, *tags, *H264, "-bf", "0", *AAC, path)
    return path


@pytest.fixture(scope="session")
def ntsc(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make 24 frames at 30000/1001 per second, with B-frames."""
    path = clips / "ntsc.mp4"
    source = "testsrc2=s=64x48:r=30000/1001:d=0.8,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-bf", "3", path)
    return path


@pytest.fixture(scope="session")
def avi(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make 24 frames at 30000/1001 per second in AVI, whose ticks are 1001/30000 s."""
    path = clips / "ntsc.avi"
    source = "testsrc2=s=64x48:r=30000/1001:d=0.8,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", source, *SOUND, "-c:v", "mpeg4", "-c:a", "mp3", path)
    return path


@pytest.fixture(scope="session")
def vfr(clips: Path) -> Path:
    """Make 30 frames with gaps of 7 to 250 ms between them, set by hand in ticks of 1 ms."""
    path = clips / "vfr.mkv"
    gaps = np.random.default_rng(0).integers(7, 250, 30)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(np.cumsum(gaps)):
            image = np.full((48, 64, 3), index * 8, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = int(time)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def odd(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make 8 frames of 65x49, which only 4:4:4 can hold, of a moving test picture."""
    path = clips / "odd.mp4"
    source = "testsrc2=s=80x60:r=25:d=0.32,format=yuv444p,crop=65:49:3:3:exact=1"
    ffmpeg("-f", "lavfi", "-i", source, *H264, path)
    return path


@pytest.fixture(scope="session")
def rotated(clips: Path, cfr: Path, ffmpeg: Callable[..., None]) -> Path:
    """Copy the clip `cfr` with a note that it is to be shown turned by 90 degrees."""
    path = clips / "rotated.mp4"
    ffmpeg("-display_rotation", "90", "-i", cfr, "-map", "0", "-c", "copy", path)
    return path


@pytest.fixture(scope="session")
def late(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make a picture that begins 0.52 s after the sound."""
    path = clips / "late.mkv"
    ffmpeg(*SOUND, "-itsoffset", "0.52", *PICTURE, "-map", "1:v", "-map", "0:a", *H264, *AAC, path)
    return path


@pytest.fixture(scope="session")
def rich(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make two sounds in two languages, subtitles, two chapters and a title, pixels of 4:3."""
    path = clips / "rich.mkv"
    subtitles = clips / "words.srt"
    subtitles.write_text("1\n00:00:00,100 --> 00:00:00,500\nHello\n")
    chapters = clips / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\ntitle=A title\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=one\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=800\ntitle=two\n"
    )
    maps = ["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4"]
    languages = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"]
    codecs = ["-vf", "setsar=4/3", *H264, *AAC, "-c:s", "srt"]
    inputs = [*PICTURE, *SOUND, *SOUND, "-i", subtitles, "-i", chapters]
    ffmpeg(*inputs, *maps, "-map_chapters", "4", *languages, *codecs, path)
    return path


@pytest.fixture(scope="session")
def sound_only(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make sound in an mp4 without a picture."""
    path = clips / "sound.mp4"
    ffmpeg(*SOUND, *AAC, path)
    return path


@pytest.fixture(scope="session")
def text(clips: Path) -> Path:
    """Write words in a file called .mp4: FFmpeg could show them as the screen of a terminal."""
    path = clips / "text.mp4"
    path.write_text("This is no video.\n" * 50)
    return path


@pytest.fixture(scope="session")
def empty(clips: Path) -> Path:
    """Make a file with nothing in it."""
    path = clips / "empty.mp4"
    path.touch()
    return path


@pytest.fixture(scope="session")
def long_clip(clips: Path, ffmpeg: Callable[..., None]) -> Path:
    """Make 3000 frames of 160x120: more than can be done before a signal arrives."""
    path = clips / "long.mp4"
    source = "testsrc=s=160x120:r=100:d=30,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", source, *H264, "-g", "500", path)
    return path


class Inverter:
    """Paints negatives. Counts its frames, and those that come with a carried picture."""

    factor = 4
    precision = "uint8"

    def __init__(self) -> None:
        self.frames = self.carried = 0

    def paint(self, frame: Picture, carried: Picture | None, *_: object) -> Picture:
        self.frames += 1
        self.carried += carried is not None
        return 255 - frame


@pytest.fixture
def inverter() -> Inverter:
    """Return an engine whose work is easy to check."""
    return Inverter()


@pytest.fixture(scope="session")
def real_clips() -> list[Path]:
    """Return the clips of ../shared, real film; a checkout without it skips the test."""
    found = sorted(SHARED.glob("video/*.mp4")) + sorted(SHARED.glob("dev/video/*.mp4"))
    if not found:
        pytest.skip(f"needs the clips of {SHARED}")
    return found


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write VGG-19's first ten convolutions with random weights, an eighth as wide."""
    import torch
    from safetensors.torch import save_file

    from vstyle.models.vgg import PLAN

    torch.manual_seed(0)
    weights, inputs = {}, 3
    for step in PLAN:
        if isinstance(step, str) or step[1] > 16:
            continue
        width = 8 if step[1] < 5 else 16 if step[1] < 10 else 32
        weights[f"features.{step[1]}.weight"] = (
            torch.randn(width, inputs, 3, 3) * (inputs * 4.5) ** -0.5
        )
        weights[f"features.{step[1]}.bias"] = torch.zeros(width)
        inputs = width
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(weights, path)
    return path


def grain(frame: Picture, factor: int, seed: int = 0) -> Grain:
    """Return noise as large as the grain of a frame: any values of -1..1 will do."""
    size = pixels.grid(frame.shape[0], frame.shape[1], factor)
    return np.random.default_rng(seed).uniform(-1, 1, size).astype(np.float32)
