"""The style encoder of `models.style` for use: NumPy alone, since it runs but once per style.

A test holds it to the torch module that is trained.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vstyle.models.config import FAR, SCALE, StyleConfig
from vstyle.models.tensors import Tensors

Floats = NDArray[np.float32]


def encode(
    config: StyleConfig, tensors: Tensors, squares: list[NDArray[np.uint8]]
) -> NDArray[np.float32]:
    """Return the style code of a picture, (code,): the mean of the codes of its squares.

    `tensors` are a model's, the encoder's under `style.`; squares are (SIDE, SIDE, 3).
    """
    weights = {
        name.removeprefix("style."): np.asarray(array, np.float32)
        for name, array in tensors.items()
        if name.startswith("style.")
    }
    codes = [_encode_square(config, weights, square) for square in squares]
    return np.asarray(np.mean(codes, 0), np.float32)


def _encode_square(
    config: StyleConfig, weights: dict[str, Floats], square: NDArray[np.uint8]
) -> Floats:
    picture = square.astype(np.float32) / np.float32(255)
    x = np.asarray((picture - 0.5) * 4, np.float32)
    palette = _moments(x)
    statistics = [palette]
    for index in range(len(config.widths)):
        name = f"levels.{index}"
        halved = _halve(x, weights[f"{name}.weight"]) + weights[f"{name}.bias"]
        x = np.asarray(np.maximum(halved, 0), np.float32)
        statistics.append(_moments(x))
    found = np.concatenate(statistics)
    standard = (found - weights["standardise.mean"]) / (weights["standardise.deviation"] + 1e-4)
    features = FAR * np.tanh(standard / FAR)
    hidden = weights["perceptron.0.weight"] @ features + weights["perceptron.0.bias"]
    learned = weights["direct.weight"] @ features + weights["direct.bias"]
    learned = learned + weights["perceptron.2.weight"] @ np.maximum(hidden, 0)
    learned = learned + weights["perceptron.2.bias"]
    learned = learned / max(1.0, float(np.linalg.norm(learned)) / len(learned) ** 0.5)
    code = np.concatenate([palette, _correlations(picture), learned]) * SCALE
    return np.asarray(code, np.float32)


def _halve(x: Floats, weight: Floats) -> Floats:
    """Convolve (H, W, C) with (outputs, C, 3, 3), stride 2, zeros around: (H / 2, W / 2, out)."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), (0, 1))[::2, ::2]  # (h, w, C, 3, 3)
    return np.asarray(np.tensordot(windows, weight, axes=([2, 3, 4], [1, 2, 3])), np.float32)


def _moments(x: Floats) -> Floats:
    """(H, W, C) -> the means of the channels, then their deviations: (2 C,)."""
    flat = x.reshape(-1, x.shape[2])
    return np.concatenate([flat.mean(0), np.sqrt(flat.var(0) + 1e-4)])


def _correlations(picture: Floats) -> Floats:
    """(H, W, 3) -> how red goes with green, red with blue and green with blue, -1..1: (3,)."""
    flat = picture.reshape(-1, 3)
    flat = flat - flat.mean(0)
    red, green, blue = (flat / np.sqrt((flat**2).mean(0) + 1e-4)).T
    return np.array([(red * green).mean(), (red * blue).mean(), (green * blue).mean()], np.float32)
