"""Which model is taken where none is named, and what is said of it."""

import pytest

from vstyle.engine import build
from vstyle.errors import CheckpointError, DeviceError


def test_the_student_is_taken_in_int8_where_that_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU with OpenVINO; torch would compute its weights as floating-point numbers."""
    pytest.importorskip("openvino")
    assert build.choose_model("auto", "cpu") == "student-int8"
    assert build.choose_model("auto", "cuda:0") == "student"
    monkeypatch.setattr(build, "find_spec", lambda _: None)
    assert build.choose_model("auto", "cpu") == "student"


def test_what_is_named_is_taken() -> None:
    assert build.choose_model("student", "cpu") == "student"
    with pytest.raises(CheckpointError, match="picasso"):
        build.choose_model("picasso", "cpu")
    with pytest.raises(DeviceError):
        build.build_engine("auto", "great-wave", "cuda:7")


def test_what_was_chosen_is_said() -> None:
    _, words = build.build_engine("auto", "great-wave", "cpu")
    assert words.startswith(f"{build.choose_model('auto', 'cpu')} on cpu with ")
    assert "asked for" in words
