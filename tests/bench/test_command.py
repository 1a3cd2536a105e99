"""`vstyle bench` as people meet it: rows, document, comparison, exit codes, what can be wrong."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vstyle.bench import document as documents
from vstyle.bench import records
from vstyle.bench.document import Document
from vstyle.bench.stopwatch import IN_PATH, STAGES
from vstyle.bench.tables import number
from vstyle.cli.app import app, exit_code

SCHEMA = json.loads(Path(documents.__file__).with_name("schema.json").read_text())

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(capfd: pytest.CaptureFixture[str]) -> Bench:
    """Run the command in this process; return its exit code and what it said."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        code = exit_code(lambda: app(["bench", *map(str, words)]))
        return code, *capfd.readouterr()

    return run


@pytest.fixture(scope="module")
def made(cfr: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path, str]:
    """Measure a small clip on a device that is here and one that is not: code, JSON, stderr."""
    path = tmp_path_factory.mktemp("bench") / "new.json"
    words = ["bench", "--clip", cfr, "--device", "cpu", "--device", "cuda:7", "--model", "student"]
    words += ["--model", "picasso", "--style", "great-wave", "--runs", "3", "--json"]
    words += ["--report", path.with_name("report.html")]
    command = [sys.executable, "-m", "vstyle", *map(str, words)]
    with path.open("w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, path, done.stderr


def test_what_is_here_is_measured_and_what_is_not_is_said(made: tuple[int, Path, str]) -> None:
    """One line for each absent thing, the other rows, and 1 as the exit code."""
    code, path, said = made
    found = documents.read(path)
    assert code == 1
    rows = [(row.model, row.device, row.size) for row in found.speed]
    assert rows == [("student", "cpu", "64x48")]
    failed = [(each.row, each.exit_code) for each in found.failures]
    assert failed == [("picasso", 4), ("cuda:7", 6)]
    lines = [line for line in said.splitlines() if line.startswith("vstyle: ")]
    assert re.match(r"vstyle: picasso: .*student", lines[0])
    assert re.match(r"vstyle: cuda:7: the device cuda:7 is not here. There is: cpu", lines[1])


def test_the_page_is_written(made: tuple[int, Path, str]) -> None:
    """With the row that was measured, those that were not, and the frames before and after."""
    page = made[1].with_name("report.html").read_text()
    (row,) = documents.read(made[1]).speed
    for words in (number(row.fps.median), "cuda:7: the device cuda:7 is not here", "as great-wave"):
        assert words in page
    assert page.count('src="data:image/jpeg') == 2


def test_the_figures_fit_each_other(made: tuple[int, Path, str]) -> None:
    """Times of stages, frames and runs are all of one clip."""
    found = documents.read(made[1])
    (row,), (floor,), (roof,) = found.speed, found.floors, found.roofs
    assert row.frames == floor.frames == 20
    assert len(row.fps.runs) == len(floor.fps.runs) == len(row.network_ms.runs) == 3
    assert min(row.fps.runs) <= row.fps.median <= max(row.fps.runs)
    assert row.floor_share == pytest.approx(row.fps.median / floor.fps.median)
    assert set(row.stages_ms) == set(STAGES)
    # Of stages that wait for each other; what is lost between them is the machine's affair.
    assert sum(row.stages_ms[stage].median for stage in IN_PATH) < 3 * 1000 / min(row.fps.runs)
    assert list(row.frame_ms) == sorted(row.frame_ms)
    assert all(spent.median <= spent.p95 <= spent.p99 for spent in row.stages_ms.values())
    assert row.peak_rss_mb is not None
    assert 50 < row.peak_rss_mb < 4000
    assert row.gpu_memory_mb is None
    assert row.work is not None
    assert row.reach is not None
    assert row.reach.gflop_s == pytest.approx(row.work.gflop / row.network_ms.median * 1000)
    assert row.reach.copy_share == pytest.approx(row.reach.gb_s / roof.copy_gb_s)
    assert row.startup_s > 0


def test_the_document_keeps_to_its_schema(made: tuple[int, Path, str]) -> None:
    """And comes back from JSON as it was; nothing in it names this machine's user or paths."""
    text = made[1].read_text()
    jsonschema.validate(json.loads(text), SCHEMA, format_checker=jsonschema.FormatChecker())
    assert documents.to_json(documents.read(made[1])) == text.rstrip("\n")
    environment = json.dumps(json.loads(text)["environment"])
    assert str(Path.home()) not in environment
    assert os.uname().nodename not in environment.split('"')


def test_the_schema_describes_every_field() -> None:
    """Neither the records nor the schema know a field that the other does not."""
    described = SCHEMA["$defs"] | {"Document": SCHEMA}
    kinds = [kind for kind in vars(records).values() if is_dataclass(kind)]
    assert {kind.__name__ for kind in kinds} | {"Document"} == set(described)
    for kind in [*kinds, Document]:
        assert list(described[kind.__name__]["properties"]) == [f.name for f in fields(kind)]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d.pop("environment"),
        lambda d: d.update(extra=1),
        lambda d: d["speed"][0].update(size=640),
        lambda d: d["speed"][0]["fps"].update(median=None),
    ],
)
def test_the_schema_is_strict(
    made: tuple[int, Path, str], break_it: Callable[[Any], object]
) -> None:
    """A broken document fits neither the schema nor the reader."""
    broken = json.loads(made[1].read_text())
    break_it(broken)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)
    bad = made[1].with_name("broken.json")
    bad.write_text(json.dumps(broken))
    with pytest.raises(documents.InputError, match="no result of vstyle bench"):
        documents.read(bad)


@pytest.mark.slow
def test_a_regression_ends_with_1(
    made: tuple[int, Path, str], bench: Bench, cfr: Path, tmp_path: Path
) -> None:
    """Against a past that was ten times as fast; it is seen beside the JSON, too."""
    old = json.loads(made[1].read_text())
    for row in old["speed"]:
        row["fps"] = {key: _times(value, 10) for key, value in row["fps"].items()}
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old))
    code, out, err = bench(
        *("--clip", cfr, "--device", "cpu", "--style", "great-wave", "--runs", "3"),
        *("--model", "student", "--json", "--compare", path),
    )
    assert code == 1
    jsonschema.validate(json.loads(out), SCHEMA)
    assert re.search(r"fps.*-\d\d\.\d%.*REGRESSION", err)


def _times(value: Any, factor: float) -> Any:
    return [each * factor for each in value] if isinstance(value, list) else value * factor


BAD = {
    "absent device": (["--device", "cuda:7"], 6, "There is: cpu"),
    "unknown device": (["--device", "gpu"], 2, "is no device"),
    "unknown model": (["--model", "picasso"], 4, "Shipped models"),
    "foreign size": (["--size", "640*360"], 2, "Write it like 640x360"),
    "odd size": (["--size", "641x360"], 2, "Sides must be even"),
    "size too small": (["--size", "8x8"], 2, "16 or more"),
    "size too large": (["--size", "90000x90000"], 2, "8192x8192 is the largest"),
    "unknown style": (["--style", "stary-night"], 2, "starry-night"),
    "missing clip": (["--clip", "none.mp4"], 3, "does not exist"),
    "clip from a pipe": (["--clip", "-"], 2, "can be read only once"),
    "clip is a text": (["--clip", "text.mp4"], 3, "not a video"),
    "missing old result": (["--compare", "none.json"], 3, "cannot be read"),
    "old result is a text": (["--compare", "text.mp4"], 3, "not JSON"),
    "newer result": (["--compare", "newer.json"], 3, "Update vstyle"),
    "no place for the page": (["--report", "none/report.html"], 5, "cannot be written"),
    "no styles": (["--quality", "--styles", "empty"], 3, "no picture in"),
    "no clips": (["--quality", "--clips", "empty"], 3, "no clip in"),
    "no VGG": (["--speed", "--quality", "--vgg", "text.mp4"], 4, "VGG file"),
    "absent device for quality": (["--quality", "--device", "cuda:7"], 6, "There is: cpu"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_in_one_line(
    case: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right exit code, and what to do."""
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video")
    Path("newer.json").write_text(json.dumps({"format": 99}))
    Path("empty").mkdir()
    words, code, hint = BAD[case]
    found, _, said = bench("--style", "great-wave", "--quiet", *words)
    assert found == code
    assert hint in said
    assert len(said.splitlines()) == 1
    assert said.startswith("vstyle: ")


def test_no_room_for_the_clip_is_said(tmp_path: Path) -> None:
    """Where no file may grow beyond 8 kB, the clip cannot be written."""
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
    words = ["vstyle", "bench", "-q", "-s", "great-wave", "--size", "64x48"]
    start = f"from vstyle.cli.app import main; sys.argv = {words}; main()"
    done = subprocess.run(
        [sys.executable, "-c", limit + start],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 5
    assert re.fullmatch(r"vstyle: .*there is no place for what is measured on.*\n", done.stderr)
    assert not list(tmp_path.iterdir())


def test_a_document_is_what_was_found() -> None:
    """Records in, the same records in the document; noise is noted."""
    floor = records.Floor("clip", "64x48", 20, records.repeated([10.0, 12.0]), 1.0, {})
    busy = {"load": [9, 9, 9], "cpu": {"usable_cores": 2}}
    found = documents.assemble("now", ["vstyle"], busy, [floor])
    assert found.floors == (floor,)
    assert "floor at 64x48 varied by 18 %" in found.notes[0]
    assert "busy before the first run" in found.notes[1]
    assert json.loads(documents.to_json(found))["floors"] == json.loads(json.dumps([asdict(floor)]))
