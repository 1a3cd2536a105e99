"""The bars of real time on a CPU, and what is measured against each: all sides in one run.

Ratios of times are taken on the same machine within minutes of each other, so that they mean
something where the machine is slow or busy; absolute times then say less.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vstyle import checkpoint, styles
from vstyle.bench import meters, worker
from vstyle.bench.clips import Size, make_clip, own_painting
from vstyle.bench.parse import parse
from vstyle.bench.records import Speed
from vstyle.bench.stopwatch import TURNS, by_turns
from vstyle.engine.build import load_model, style_code
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.models import config
from vstyle.models.fold import generator_layers
from vstyle.video.codecs import quality_options
from vstyle.video.decode import open_clip
from vstyle.video.ffmpeg import executable
from vstyle.video.stylize import frames_of

LARGE = Size(3840, 2160)
FEW = 24  # frames of the large clip: memory is all that is asked of it
LOOK = 0.02  # seconds between two looks at how large a process is


@dataclass(frozen=True)
class Bar:
    """One thing that is asked for: at least so much if `least`, else at most."""

    name: str
    measured: float
    bar: float
    least: bool = False
    beside: str = ""  # what belongs to the figure

    @property
    def met(self) -> bool:
        """Tell whether it is as it should be."""
        return self.measured >= self.bar if self.least else self.measured <= self.bar


@dataclass(frozen=True)
class Ran:
    """What a command took."""

    seconds: float
    core_seconds: float  # of all cores
    peak_mb: float


def measure(clip: Path | None, model: Path | None, runs: int, folder: Path) -> Iterator[Bar | str]:
    """Yield the bars, and before what takes long a text that says what is measured.

    On a clip, or else the rendered one, brought to the sizes of the bars, with an int8 model; the
    one that ships if none is given. `folder` is for what is made on the way.
    """
    yield "making the clips"
    large, _ = make_clip(clip, Size(1280, 720), folder)
    small, _ = make_clip(large, Size(640, 360), folder)
    student = checkpoint.find_model("student")
    model = model or checkpoint.find_model("student-int8")
    style = own_painting(folder)

    yield "transcoding plainly"
    plain = transcode(large, folder / "plain.mp4")
    yield "painting 1280x720"
    row = _painted(large, model, style, runs, folder)
    yield Bar("frames per second, 1280x720", row.fps.median, 30, least=True)
    seconds = row.frames / row.fps.median
    beside = f"{seconds:.1f} s, ffmpeg {plain.seconds:.1f} s"
    yield Bar("wall time over a plain transcode's", seconds / plain.seconds, 3.3, beside=beside)
    beside = f"ffmpeg {plain.core_seconds / row.frames * 1000:.1f}"
    yield Bar("ms of all cores per 1280x720 frame", row.cpu_ms, 2000 / 30, beside=beside)
    yield Bar("first frame out, s", row.startup_s + row.first_frame_ms / 1000, 3)
    beside = f"made ready ahead of it in {row.stages_ms['ready'].median:.1f}"
    yield Bar("network alone, ms per 1280x720 frame", row.network_ms.median, 14, beside=beside)
    beside = f"ffmpeg {plain.peak_mb:.0f}"
    yield Bar("memory at 1280x720, MB", row.peak_rss_mb or np.nan, 500, beside=beside)

    yield "painting 640x360"
    row = _painted(small, model, style, runs, folder)
    yield Bar("frames per second, 640x360", row.fps.median, 90, least=True)
    yield "painting 3840x2160"
    huge, _ = make_clip(_beginning(large, folder), LARGE, folder)
    plain = transcode(huge, folder / "plain.mp4")
    painted = stylize(huge, model, style, folder / "painted.mp4")
    beside = f"ffmpeg {plain.peak_mb:.0f}"
    yield Bar("memory at 3840x2160, MB", painted.peak_mb or np.nan, 1200, beside=beside)

    yield "comparing int8 with fp32"
    whole, steps = both(model, style, large)
    beside = f"{steps:.1f} ms, fp32 {whole:.1f} ms"
    yield Bar("int8 over fp32, times as fast", whole / steps, 1.8, least=True, beside=beside)
    yield Bar("vstyle --help, s", _help(), 0.3)
    yield Bar("size of the int8 model, MB", model.stat().st_size / 1e6, 0.8)
    yield Bar("size of the shipped model, MB", student.stat().st_size / 1e6, 2)


def transcode(clip: Path, target: Path) -> Ran:
    """Let ffmpeg copy a clip with the encoder settings of `stylize`."""
    options, _ = quality_options("libx264", None, None)
    command = [executable(), "-v", "error", "-nostdin", "-y", "-i", f"file:{clip}", "-c:a", "copy"]
    return _run([*command, "-c:v", "libx264", *options, f"file:{target}"])


def stylize(clip: Path, model: Path, style: Path, target: Path) -> Ran:
    """Paint a clip by the command itself; its ffmpeg is another process, and not counted."""
    ends = [str(clip), "--style", str(style), "--model", str(model), "-o", str(target)]
    command = [sys.executable, "-m", "vstyle", "stylize", "--device", "cpu", "--overwrite", "-q"]
    return _run([*command, *ends])


def _run(command: Sequence[str]) -> Ran:
    begin, before = time.perf_counter(), meters.cpu_seconds()
    process = subprocess.Popen(command)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, meters.peak_rss(process.pid) or 0)
        time.sleep(LOOK)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Ran(seconds, meters.cpu_seconds() - before, peak)


def both(model: Path, style: Path, clip: Path) -> tuple[float, float]:
    """Return the ms of a frame of a clip with an int8 model's weights in fp32, and in int8."""
    found = load_model(model)
    sizes, _ = config.parse(found.header.config)
    layers = generator_layers(found.tensors, style_code(found, styles.read(style), model.stem))
    bounds = config.parse_bounds(found.header.config)
    with open_clip(clip) as source:
        frame = next(frames_of(source.items, lambda _: None)).image
    engines = [OpenVinoEngine(sizes, layers, each) for each in (None, bounds)]
    whole, steps = by_turns(engines, frame)
    return whole, steps


def _painted(clip: Path, model: Path, style: Path, runs: int, folder: Path) -> Speed:
    """Paint a clip in a process of its own, as `vstyle stylize` does."""
    return parse(
        Speed,
        worker.run(
            {
                "kind": "speed",
                "clip": str(clip),
                "shows": clip.name,
                "output": str(folder / "painted.mp4"),
                "runs": runs,
                "model": str(model),
                "style": str(style),
                "device": "cpu",
            }
        ),
    )


def _beginning(clip: Path, folder: Path) -> Path:
    """Write the first few frames of a clip."""
    target = folder / "beginning.mp4"
    words = ["-v", "error", "-nostdin", "-y", "-i", f"file:{clip}", "-frames:v", str(FEW)]
    subprocess.run([executable(), *words, f"file:{target}"], check=True)
    return target


def _help() -> float:
    """Return the seconds that `vstyle --help` takes, the median of some calls."""
    command = (sys.executable, "-m", "vstyle", "--help")
    times = []
    for _ in range(TURNS):
        begin = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))
