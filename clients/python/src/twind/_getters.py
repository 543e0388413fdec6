"""Typed getters of Twin and Change: `twin.int("tickets") + 1` type-checks, since `twin["tickets"]` may be of any kind.

Each raises KeyError if there is no such attribute and no default was given, and TypeError if the value is of another
kind.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from twind._values import Json, Opaque, Scalar, Value

T = TypeVar("T")

_MISSING: Any = object()


class Getters(Mapping[builtins.str, Value]):
    """The methods are named after the kinds and hide builtins, which are therefore spelt out."""

    __slots__ = ()

    def str(self, name: builtins.str, default: builtins.str = _MISSING) -> builtins.str:
        return self._of_kind(builtins.str, name, default)

    def int(self, name: builtins.str, default: builtins.int = _MISSING) -> builtins.int:
        return self._of_kind(builtins.int, name, default)

    def float(self, name: builtins.str, default: builtins.float = _MISSING) -> builtins.float:
        """Also accepts an int."""
        if default is not _MISSING and name not in self:
            return default
        value = self[name]
        return builtins.float(value) if type(value) is builtins.int else self._of_kind(builtins.float, name, default)

    def bool(self, name: builtins.str, default: builtins.bool = _MISSING) -> builtins.bool:
        return self._of_kind(builtins.bool, name, default)

    def bytes(self, name: builtins.str, default: builtins.bytes = _MISSING) -> builtins.bytes:
        return self._of_kind(builtins.bytes, name, default)

    def time(self, name: builtins.str, default: datetime = _MISSING) -> datetime:
        """Only for times in the years 1 to 9999."""
        return self._of_kind(datetime, name, default)

    def list(
        self, name: builtins.str, default: builtins.list[Scalar | Opaque] = _MISSING
    ) -> builtins.list[Scalar | Opaque]:
        return self._of_kind(builtins.list, name, default)

    def json(self, name: builtins.str, default: Any = _MISSING) -> Any:
        """The value in the JSON, also if `twin[name]` is a Json."""
        if default is not _MISSING and name not in self:
            return default
        value = self[name]
        if isinstance(value, Json):
            return value.value
        return self._of_kind(dict, name, default)

    def _of_kind(self, kind: type[T], name: builtins.str, default: T) -> T:
        if default is not _MISSING and name not in self:
            return default
        value: object = self[name]
        # Python's bool is an int, and a time outside datetime's years is an int of microseconds: reject both.
        if isinstance(value, kind) and (kind is not builtins.int or type(value) is builtins.int):
            return value
        raise TypeError(f"attribute {name!r} is not {kind.__name__} but {type(value).__name__}: {value!r}")
