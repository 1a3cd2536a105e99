"""A wheel, built from the repository and unpacked elsewhere, does the main job."""

import subprocess
import sys
import zipfile
from pathlib import Path

import av

from vstyle import checkpoint, styles

ROOT = Path(__file__).parents[1]


def test_a_wheel_has_all_that_painting_needs(tmp_path: Path, cfr: Path) -> None:
    """Weights and styles are inside; nothing of the checkout is looked at."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    subprocess.run([*build, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    place = tmp_path / "elsewhere"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    out = tmp_path / "out.mkv"
    paint = [
        "-m",
        "vstyle",
        "stylize",
        cfr,
        "--style",
        "starry-night",
        "-o",
        out,
        "--device",
        "cpu",
    ]
    # -S leaves out the editable install's path to the checkout; the libraries are given by name.
    libraries = str(Path(av.__file__).parents[1])
    code = f"import sys; sys.path[:0] = [{str(place)!r}, {libraries!r}]; import runpy; "
    code += "runpy.run_module('vstyle', run_name='__main__', alter_sys=True)"
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *map(str, paint[2:])], check=True, cwd=tmp_path
    )
    assert out.stat().st_size > 0
    assert {path.stem for path in (place / "vstyle" / "styles").glob("*.safetensors")} == set(
        styles.names()
    )
    for name in ("schema.json", "report.css"):
        assert (place / "vstyle" / "bench" / name).stat().st_size > 0
    shipped = {path.name for path in checkpoint.shipped_models().values()}
    assert {path.name for path in (place / "vstyle" / "weights").iterdir()} == shipped


def test_the_weights_are_small() -> None:
    """The student is at most 4 MB, everything that ships at most 12 MB."""
    assert checkpoint.find_model("student").stat().st_size <= 4e6
    files = [*checkpoint.shipped_models().values(), *styles.names().values()]
    assert sum(path.stat().st_size for path in files) <= 12e6
