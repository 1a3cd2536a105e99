"""From JSON values back to records, trusting nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def parse(kind: type[T], value: Any) -> T:
    """Build a record of type `kind` from what `dataclasses.asdict` and JSON made of one.

    Fields may be records, str, int, float, bool, tuples and dicts of these, and None where the
    type allows it. Raises ValueError, naming the field, if the value is not of that type.
    """
    found: T = _parse(kind, value, kind.__name__)
    return found


def _parse(kind: Any, value: Any, where: str) -> Any:
    if isinstance(kind, UnionType):  # X | None is the only one that records have
        if value is None:
            return None
        kind = next(each for each in get_args(kind) if each is not type(None))
    origin = get_origin(kind)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_parse(get_args(kind)[0], each, where) for each in value)
    if origin is dict and isinstance(value, Mapping):
        inside = get_args(kind)[1]
        return {str(k): _parse(inside, each, f"{where}.{k}") for k, each in value.items()}
    if is_dataclass(kind) and isinstance(value, Mapping):
        return _record(kind, value, where)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is Any or (kind in (str, int, bool) and type(value) is kind):
        return value
    raise ValueError(f"{where} is not what it should be")


def _record(kind: Any, value: Mapping[str, Any], where: str) -> Any:
    types = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    for name, field in known.items():
        if name not in value and field.default is MISSING:
            raise ValueError(f"{where} has no {name}")
    if unknown := sorted(set(value) - set(known)):
        raise ValueError(f"{where} has an unknown {unknown[0]}")
    return kind(**{k: _parse(types[k], each, f"{where}.{k}") for k, each in value.items()})
