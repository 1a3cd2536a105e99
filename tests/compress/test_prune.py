"""Pruning: what nothing depends on can go, what matters least goes first, and the rest fits."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vstyle import checkpoint, styles
from vstyle.compress.calibrate import Sample
from vstyle.compress.prune import STEP, _shares, choose, importance, prune, without
from vstyle.engine.base import Picture
from vstyle.engine.eager import Eager
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.errors import UsageError
from vstyle.models.build import Networks, configs, from_arrays, new_networks, to_arrays
from vstyle.models.config import GeneratorConfig, StyleConfig, parse
from vstyle.models.fold import generator_layers
from vstyle.models.generator import Block
from vstyle.scene import Scene, render
from vstyle.video.decode import Frame
from vstyle.video.flow import track
from vstyle.video.paint import paint

CPU = torch.device("cpu")
CONFIG = GeneratorConfig(4, (8, 12, 16), (1, 1, 2), (16, 16, 24), code=16)


pytestmark = pytest.mark.usefixtures("one_thread")


def random_networks() -> Networks:
    torch.manual_seed(0)
    networks = new_networks(CONFIG, StyleConfig((8,), 8, 16))
    for name, weight in networks.generator.named_parameters():
        if name.endswith("style.weight"):
            torch.nn.init.normal_(weight, std=0.1)
    return networks


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Three frames of the scene, and a style picture."""
    from PIL import Image

    look = tmp_path_factory.mktemp("look") / "look.png"
    noise = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    Image.fromarray(noise).resize((300, 260)).save(look)
    frames = [Frame(render(Scene(128, 96), t), t, None) for t in range(3)]
    return Sample("scene", styles.read(look), frames)


def painted(networks: Networks, code: np.ndarray, sample: Sample) -> list[Picture]:
    engine = Eager(networks.generator, torch.from_numpy(code))
    return [frame.image for frame in paint(track(sample.frames), engine)]


def test_importance_is_what_a_channel_alone_adds() -> None:
    """Against the definition: each channel convolved for itself, its variance, then the sums."""
    torch.manual_seed(0)
    block = Block(CONFIG, 8, 16)
    torch.nn.init.normal_(block.second.style.bias, std=0.3)
    torch.nn.init.normal_(block.second.columns.weight, std=0.1)
    x, code = torch.randn(1, 8, 12, 10), torch.randn(1, CONFIG.code)
    with torch.no_grad():
        output = block(x, code)
        inner = F.relu(block.first(x, code))
        second = block.second
        scale, _, shares = second.settings(code)
        whole = second.convolve(inner, shares).var((0, 2, 3), unbiased=False) + 1e-5
        scale = 1 + scale[0, :, 0, 0]
        expected = []
        for channel in range(16):
            alone = torch.zeros_like(inner)
            alone[:, channel] = inner[:, channel]
            added = second.convolve(alone, shares).var((0, 2, 3), unbiased=False)
            expected.append((added * scale**2 / whole).sum())
        share = torch.stack(expected) / output.var((0, 2, 3), unbiased=False).sum()
        torch.testing.assert_close(_shares(block, x, code, output), share, rtol=1e-3, atol=1e-6)


def test_channels_that_nothing_depends_on_can_go(sample: Sample) -> None:
    """Half of them not heard, or silent: these are chosen, and every picture stays as it was.

    By torch, and by the OpenVINO graph of what is left.
    """
    networks, code = random_networks(), np.random.default_rng(1).normal(size=16) * 0.3
    code = code.astype(np.float32)
    useless = {"blocks.0.0": [1, 2, 3, 5, 8, 9, 12, 15], "blocks.2.1": list(range(0, 24, 3))}
    useless |= {"blocks.1.0": list(range(8)), "blocks.2.0": list(range(8, 16))}
    modules = dict(networks.generator.named_modules())
    with torch.no_grad():
        for name, channels in useless.items():
            block = modules[name]
            if name.startswith("blocks.2"):  # after this shift the ReLU lets nothing through
                inner = block.first.conv.out_channels
                block.first.style.bias[[inner + channel for channel in channels]] = -100
            else:
                block.second.conv.weight[:, channels] = 0
    found = importance(networks.generator, [code], [sample])
    assert set(found) == set(useless)
    for name, channels in useless.items():
        others = np.setdiff1d(np.arange(len(found[name])), channels)
        assert found[name][channels].max() < 1e-9
        assert found[name][others].min() > 1e-6
    # A third of the coarsest's work, half of the others': as much as is useless.
    work = np.array([8 * 16, 12 * 16 / 4, 2 * 16 * 24 / 16])
    share = float(work @ [1 / 2, 1 / 2, 1 / 3] / work.sum())
    kept = choose(found, CONFIG, share)
    for name, channels in useless.items():
        assert not set(kept[name]) & set(channels)
    arrays = to_arrays(networks, half=False)
    config = configs(networks)
    config["generator"] = json.loads(json.dumps(config["generator"])) | {"inner": [8, 8, 16]}
    config["style"] |= {"widths": [8]}
    before = painted(networks, code, sample)
    smaller = from_arrays(config, without(arrays, kept))
    for one, other in zip(before, painted(smaller, code, sample), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    layers = generator_layers(without(arrays, kept), code)
    engine = OpenVinoEngine(smaller.generator.config, layers)
    for one, other in zip(before, paint(track(sample.frames), engine), strict=True):
        assert np.abs(one.astype(int) - other.image).max() <= 2


def test_what_matters_least_goes_first() -> None:
    """Channels by their importance; levels by importance per work; never all of a level."""
    rng = np.random.default_rng(0)
    names = ["blocks.0.0", "blocks.1.0", "blocks.2.0", "blocks.2.1"]
    sizes = {"0": 16, "1": 16, "2": 24}
    found = {name: rng.random(sizes[name.split(".")[1]]) + 0.5 for name in names}
    found["blocks.1.0"] *= 1e-6
    work = np.array([8, 12 / 4, 2 * 16 / 16])
    for share in (0.05, 0.2, 0.5, 0.99):
        kept = choose(found, CONFIG, share)
        inner = [len(kept[f"blocks.{level}.0"]) for level in range(3)]
        assert len(kept["blocks.2.0"]) == len(kept["blocks.2.1"])
        assert all(count % STEP == 0 and count >= STEP for count in inner)
        saved = 1 - work @ inner / (work @ CONFIG.inner)
        assert saved >= share or inner == [STEP] * 3
        for name, keep in kept.items():
            assert list(keep) == sorted(keep)
            gone = np.setdiff1d(np.arange(len(found[name])), keep)
            assert not len(gone) or found[name][gone].max() <= found[name][keep].min()
    assert [len(choose(found, CONFIG, 0.05)[name]) for name in names] == [16, 8, 24, 24]


def test_a_pruned_model_is_a_model(tmp_path: Path, sample: Sample) -> None:
    """Its config says what it is; both engines paint the same with it; the encoder is untouched."""
    networks = random_networks()
    whole, smaller = tmp_path / "whole.safetensors", tmp_path / "pruned.safetensors"
    header = checkpoint.Header("model", configs(networks), {"licence": "mine"})
    checkpoint.save(whole, header, to_arrays(networks, half=True))
    before, after = prune(whole, [sample], 0.4, smaller)
    assert before == CONFIG
    assert dataclasses.replace(after, inner=before.inner) == before
    found = checkpoint.load(smaller, "model")
    assert parse(found.header.config)[0] == after
    assert found.header.provenance["licence"] == "mine"
    assert found.header.provenance["pruned_from"] == "whole.safetensors"
    again = from_arrays(found.header.config, found.tensors)
    for name, array in to_arrays(again, half=True).items():
        if name.startswith("style."):
            np.testing.assert_array_equal(array, to_arrays(networks, half=True)[name])
    code = np.random.default_rng(1).normal(size=16).astype(np.float32) * 0.3
    engine = OpenVinoEngine(after, generator_layers(found.tensors, code))
    films = painted(again, code, sample), paint(track(sample.frames), engine)
    for one, other in zip(*films, strict=True):
        assert np.abs(one.astype(int) - other.image).max() <= 2


def test_an_int8_model_is_not_pruned(tmp_path: Path, sample: Sample) -> None:
    """Its bounds would no longer fit it."""
    from vstyle.models.config import rounded_tensors

    networks = random_networks()
    bounds = dict.fromkeys(rounded_tensors(CONFIG), (-1.0, 1.0))
    header = checkpoint.Header("model", configs(networks) | {"bounds": bounds}, {})
    path = tmp_path / "int8.safetensors"
    checkpoint.save(path, header, to_arrays(networks, half=True))
    with pytest.raises(UsageError, match="is in int8 already"):
        prune(path, [sample], 0.3, tmp_path / "out.safetensors")
