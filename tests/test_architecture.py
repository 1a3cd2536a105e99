"""The law of imports, and the size of modules: a test, not a wish."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "vstyle"
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. A module may import from its own layer and from those below it.
LAYERS = [
    {"errors"},
    {"device", "folders", "pixels", "profiles", "strips"},
    {"models"},
    {"checkpoint"},
    {"pictures", "styles"},
    {"engine"},
    {"video"},
    {"scene", "measures"},
    {"training"},
    {"compress", "bench"},
    {"cli"},
]
DOORS = {"__init__", "__main__"}  # of the package: they belong to no layer
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
TALKERS = {"typer", "rich"}  # for the command line only


def layer_of(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(module: Path) -> set[str]:
    """Return the full names of all modules imported, inside functions and type checks too."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def calls_of(module: Path) -> set[str]:
    """Return the names of all functions called, as they are written."""
    calls = (node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call))
    return {ast.unparse(call.func) for call in calls}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(module: Path) -> None:
    layer = layer_of(module)
    if layer in DOORS:
        return
    assert layer in RANK, f"{layer} has no place in the law of imports"
    for name in imports_of(module):
        top, _, rest = name.partition(".")
        if top == "vstyle" and rest.split(".")[0] in RANK:
            assert RANK[rest.split(".")[0]] <= RANK[layer], f"imports {name}"
        if layer != "cli":
            assert top not in TALKERS, f"imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_never_speaks(module: Path) -> None:
    if layer_of(module) not in {"cli", *DOORS}:
        assert not calls_of(module) & {"print", "sys.exit", "exit", "quit", "input"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_small(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 350


def test_help_imports_nothing_heavy() -> None:
    heavy = {"torch", "cv2", "av", "numpy", "openvino", "PIL", "imageio_ffmpeg"}
    check = (
        "import sys; from vstyle.cli import app\n"
        "assert app.exit_code(lambda: app.app(['--help'])) == 0\n"
        "assert app.exit_code(lambda: app.app(['stylize', '--help'])) == 0\n"
        "assert app.exit_code(lambda: app.app(['bench', '--help'])) == 0\n"
        f"sys.exit(' '.join({heavy!r} & sys.modules.keys()) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
