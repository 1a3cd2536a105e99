"""The file format: exact round trips, and a clear refusal of everything that is not ours."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save as pack

from vstyle import checkpoint
from vstyle.checkpoint import Header
from vstyle.errors import CheckpointError

HEADER = Header("model", {"generator": {"factor": 4}}, {"steps": 3})
TENSORS = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.ones(2, np.int8)}


@settings(max_examples=25)
@given(
    values=arrays.arrays(
        st.sampled_from([np.float16, np.float32, np.int8]),
        arrays.array_shapes(max_dims=4, max_side=4),
        elements=st.integers(-100, 100),
    )
)
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, values: np.ndarray) -> None:
    """Header and tensors come back exactly, and saving again gives the same bytes."""
    folder = tmp_path_factory.mktemp("round")
    checkpoint.save(folder / "a.safetensors", HEADER, {"x": values})
    found = checkpoint.load(folder / "a.safetensors", "model")
    assert found.header == HEADER == checkpoint.describe(folder / "a.safetensors")
    np.testing.assert_array_equal(found.tensors["x"], values)
    checkpoint.save(folder / "b.safetensors", found.header, found.tensors)
    assert (folder / "a.safetensors").read_bytes() == (folder / "b.safetensors").read_bytes()


def test_an_array_of_any_strides_comes_back_as_it_is(tmp_path: Path) -> None:
    """Convolutions in channels_last lie in memory in another order than their axes."""
    turned = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1)
    checkpoint.save(tmp_path / "a.safetensors", HEADER, {"x": turned})
    found = checkpoint.load(tmp_path / "a.safetensors", "model")
    np.testing.assert_array_equal(found.tensors["x"], turned)


def packed(about: object, tensors: dict[str, np.ndarray] = TENSORS) -> bytes:
    return pack(tensors, {"vstyle": json.dumps(about)})


def good(**changes: object) -> dict[str, object]:
    return {"kind": "model", "config": {}, "provenance": {}, "format": 1} | changes


def with_header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a vstyle file"),
    "text": (b"this is a text, and a long one at that", "not a vstyle file"),
    "huge header": (struct.pack("<Q", 1 << 63) + b"{}", "not a vstyle file"),
    "not json": (with_header(b"{not json}"), "not a vstyle file"),
    "deep json": (with_header(b"[" * 100_000), "not a vstyle file"),
    "other safetensors": (pack(TENSORS), "not a vstyle file"),
    "other metadata": (pack(TENSORS, {"format": "pt"}), "not a vstyle file"),
    "another kind": (packed(good(kind="style")), "is a style file, not a model file"),
    "unknown kind": (packed(good(kind="virus")), "not a vstyle file"),
    "newer": (packed(good(format=99)), "newer than this vstyle"),
    "format no number": (packed(good(format="1")), "not a vstyle file"),
    "config no object": (packed(good(config=[])), "not a vstyle file"),
    "truncated": (packed(good())[:-3], "cut short"),
    "truncated header": (packed(good())[:60], "cut short"),
    "trailing bytes": (packed(good()) + b"more", "damaged"),
    "not a number": (packed(good(), {"a": np.array([np.nan], np.float32)}), "not finite"),
    "infinite": (packed(good(), {"a": np.array([np.inf], np.float16)}), "not finite"),
    "name twice": (
        with_header(b'{"__metadata__":{"vstyle":"{}"},"__metadata__":{"vstyle":"{}"}}'),
        "not a vstyle file",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_ours_is_refused_in_one_line(tmp_path: Path, fault: str) -> None:
    """Foreign, truncated, newer and poisoned files, each with its reason."""
    data, reason = FAULTS[fault]
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=reason) as caught:
        checkpoint.load(path, "model")
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message


def test_a_missing_file_and_an_unknown_name(tmp_path: Path) -> None:
    """Both are checkpoint errors; the unknown name lists what there is."""
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load(tmp_path / "none.safetensors", "model")
    with pytest.raises(CheckpointError) as caught:
        checkpoint.find_model("picasso")
    assert "student" in caught.value.hint


def test_a_failed_save_leaves_the_last_file_as_it_was(tmp_path: Path, monkeypatch) -> None:
    """A full disk in the middle of a save costs the save, not the checkpoint."""
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, HEADER, TENSORS)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, HEADER, {"a": np.zeros(1, np.float32)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
