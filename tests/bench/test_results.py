"""The committed results and the README agree, and say how they were made."""

import json
import runpy
from pathlib import Path

import jsonschema
import pytest

from vstyle.bench import document as documents

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "docs" / "benchmarks").glob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_a_committed_result_keeps_to_the_schema(path: Path) -> None:
    schema = json.loads(Path(documents.__file__).with_name("schema.json").read_text())
    jsonschema.validate(json.loads(path.read_text()), schema)
    assert documents.read(path).speed


def test_the_readme_has_the_committed_results() -> None:
    """Word for word what the script makes of them: run `scripts/bench_table.py` to bring it up."""
    script = runpy.run_path(str(ROOT / "scripts" / "bench_table.py"))
    table = script["table"](script["read_all"]())
    assert f"{script['BEGIN']}\n{table}\n{script['END']}" in (ROOT / "README.md").read_text()
    assert RESULTS


def test_every_option_is_documented() -> None:
    """The page on measuring names what the command knows and nothing else."""
    text = (ROOT / "docs" / "benchmark.md").read_text()
    for word in ("--runs", "--clip", "--clips", "--styles", "--vgg", "--tolerance", "--report"):
        assert word in text
