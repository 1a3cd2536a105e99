"""Weights without torch."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]
"""The tensors of a model, by their names in its file."""
