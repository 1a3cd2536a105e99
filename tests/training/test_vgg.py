"""Where VGG-19 comes from, with a file standing in for the one on the network."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from vstyle.errors import CheckpointError
from vstyle.training import vgg


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder of our own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("VSTYLE_VGG", "VSTYLE_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_file_is_fetched_once_and_only_if_it_is_the_right_one(home: Path) -> None:
    """By its SHA-256; nothing else appears under its name."""
    source = home / "served.pth"
    source.write_bytes(b"weights")
    target = home / "deep" / "kept.pth"
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        vgg.fetch(source.as_uri(), "0" * 64, target)
    assert not list(target.parent.iterdir())
    vgg.fetch(source.as_uri(), hashlib.sha256(b"weights").hexdigest(), target)
    assert target.read_bytes() == b"weights"
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        vgg.fetch((home / "nothing").as_uri(), "0" * 64, home / "other.pth")


def test_flag_then_variable_then_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with VSTYLE_OFFLINE the network is never asked."""
    monkeypatch.setenv("VSTYLE_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="VSTYLE_OFFLINE"):
        vgg.find_vgg(None)
    cached = home / "vstyle" / "vgg19-dcbb9e9d.pth"
    cached.parent.mkdir()
    cached.touch()
    assert vgg.find_vgg(None) == cached
    elsewhere = home / "elsewhere" / cached.name
    elsewhere.parent.mkdir()
    elsewhere.touch()
    monkeypatch.setenv("VSTYLE_CACHE_DIR", str(elsewhere.parent))
    assert vgg.find_vgg(None) == elsewhere
    monkeypatch.setenv("VSTYLE_VGG", "named.safetensors")
    assert vgg.find_vgg(None) == Path("named.safetensors")
    assert vgg.find_vgg(Path("given.pth")) == Path("given.pth")


def test_torchvisions_own_file_is_read_as_well(tmp_path: Path, vgg_file: Path) -> None:
    """A .pth of a state dictionary, whose classifier is left out."""
    weights = load_file(vgg_file)
    torch.save(weights | {"classifier.0.weight": torch.zeros(2)}, tmp_path / "vgg.pth")
    found = vgg.read_vgg(tmp_path / "vgg.pth")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_a_pickle_of_anything_else_is_not_run(tmp_path: Path) -> None:
    """It is refused, with one line."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "done",)

    torch.save(Evil(), tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match="cannot be read") as caught:
        vgg.read_vgg(tmp_path / "evil.pth")
    assert "\n" not in caught.value.message
    assert not (tmp_path / "done").exists()
