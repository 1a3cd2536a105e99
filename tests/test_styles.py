"""Styles by name and by picture."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vstyle import checkpoint, styles
from vstyle.checkpoint import Checkpoint
from vstyle.engine.build import load_model
from vstyle.errors import InputError, UsageError
from vstyle.models.contrast import contrast

SHIPPED = sorted(styles.names())


def code_of(name: str, mark: str, model: str) -> NDArray[np.float32]:
    """Return the code of a shipped style for the model with this fingerprint."""
    file = styles.read(styles.find(name)).source
    assert isinstance(file, Checkpoint)
    return styles.code_for(file, mark, model, name)


def test_at_least_twelve_styles_ship() -> None:
    """They are files in the folder, and every one is in its table with a preview."""
    assert len(SHIPPED) >= 12
    table = (styles.IN_TREE / "README.md").read_text()
    for name in SHIPPED:
        assert f"| `{name}` |" in table
        assert (styles.IN_TREE / "previews" / f"{name}.jpg").is_file()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_style_has_a_code_for_every_shipped_model(name: str) -> None:
    """A model that changed without `make styles` is caught here."""
    for model, path in checkpoint.shipped_models().items():
        mark = styles.fingerprint(load_model(path).tensors)
        assert code_of(name, mark, model).ndim == 1


def test_codes_differ() -> None:
    """No two names are the same style."""
    path = checkpoint.find_model("student")
    mark = styles.fingerprint(load_model(path).tensors)
    codes = [code_of(name, mark, "student") for name in SHIPPED]
    for i, one in enumerate(codes):
        for other in codes[:i]:
            assert np.abs(one - other).max() > 1e-2


def test_an_unknown_name_suggests_the_nearest() -> None:
    """A slip of the finger is answered with what was meant."""
    with pytest.raises(UsageError) as caught:
        styles.find("stary-nigth")
    assert "starry-night" in caught.value.hint


def test_a_path_that_is_not_there_is_an_input_error() -> None:
    """What looks like a path is not taken for a name."""
    with pytest.raises(InputError, match="does not exist"):
        styles.find("pictures/none.jpg")


def test_a_code_is_of_no_use_to_another_model(tmp_path: Path) -> None:
    """For any other model the picture itself is needed, and the message says so."""
    path = tmp_path / "dots.safetensors"
    found = contrast(np.zeros((9, 9, 3), np.uint8))
    codes = {"student": ("abc", np.ones(4, np.float32))}
    styles.save_style(path, codes, found, {"painting": "Dots"})
    style = styles.read(path)
    assert isinstance(style.source, Checkpoint)
    np.testing.assert_array_equal(style.contrast, found)
    np.testing.assert_array_equal(
        styles.code_for(style.source, "abc", "student", "dots"), np.ones(4)
    )
    with pytest.raises(UsageError) as caught:
        styles.code_for(style.source, "other", "mine.safetensors", "dots")
    assert "picture" in caught.value.hint


def test_a_fingerprint_is_of_names_and_values() -> None:
    """Another value, another name or another order: only the order does not matter.

    Nor does the generator: what a code means is decided by the encoder.
    """
    a, b = np.zeros(2, np.float16), np.ones(2, np.float16)
    mark = styles.fingerprint({"style.a": a, "style.b": b})
    assert mark == styles.fingerprint({"style.b": b, "style.a": a})
    assert mark != styles.fingerprint({"style.a": b, "style.b": b})
    assert mark != styles.fingerprint({"style.a": a, "style.c": b})
    assert mark == styles.fingerprint({"style.a": a, "style.b": b, "generator.a": b})
