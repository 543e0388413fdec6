"""Attribute values: Python's on one side, `twind.v1.Value` on the other.

str, int (64 bits, signed), float, bool, bytes      as they are
datetime with a time zone                           a timestamp; comes back in UTC
list or tuple of these                              a list; comes back as list
dict                                                a JSON object; comes back as dict
Json(anything else that JSON can hold)              a JSON text; comes back as Json
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Union

from twind import _time
from twind._generated.twind.v1.twin_pb2 import Scalar as ScalarMessage
from twind._generated.twind.v1.twin_pb2 import ScalarList
from twind._generated.twind.v1.twin_pb2 import Value as ValueMessage

INT_MIN = -(1 << 63)
INT_MAX = (1 << 63) - 1


@dataclass(frozen=True)
class Json:
    """A JSON value that is not an object, for example Json([1, [2]]) or Json(None)."""

    value: Any


Scalar = Union[str, int, float, bool, bytes, datetime]
# What reading gives.
Value = Union[Scalar, "list[Scalar]", "dict[str, Any]", Json]
# What writing takes.
Input = Union[Scalar, Sequence[Scalar], Mapping[str, Any], Json]


def to_message(value: object, what: str) -> ValueMessage:
    """Raises TypeError or ValueError, naming `what`, for what no value can hold."""
    scalar = _scalar_fields(value, what)
    if scalar is not None:
        return ValueMessage(**scalar)
    if isinstance(value, Json):
        return ValueMessage(json_value=_json_text(value.value, what))
    if isinstance(value, Mapping):
        return ValueMessage(json_value=_json_text(dict(value), what))
    if isinstance(value, (list, tuple)):
        return ValueMessage(list_value=ScalarList(values=[_item(item, what) for item in value]))
    raise TypeError(f"{what}: {_remedy(value)}")


def from_message(message: ValueMessage) -> Value:
    kind = message.WhichOneof("kind")
    if kind is None:
        raise ValueError("the value is of a kind that this client does not know: install a newer one")
    value: Value = _READERS[kind](getattr(message, kind))
    return value


def number_message(amount: object, what: str) -> ValueMessage:
    """An increment's amount."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"{what}: increment takes an int or a float, not {type(amount).__name__}")
    return to_message(amount, what)


def _scalar_fields(value: object, what: str) -> dict[str, Any] | None:
    if isinstance(value, str):
        return {"string_value": value}
    if isinstance(value, bool):  # before int, which it is too
        return {"bool_value": value}
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError(f"{what}: {value} does not fit in 64 bits: store it as a str")
        return {"int_value": value}
    if isinstance(value, float):
        return {"double_value": value}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes_value": bytes(value)}
    if isinstance(value, datetime):
        return {"timestamp_value": _time.to_micros(value, what)}
    return None


def _item(item: object, what: str) -> ScalarMessage:
    fields = _scalar_fields(item, what)
    if fields is None:
        raise TypeError(f"{what}: a list holds scalars, not {type(item).__name__}: wrap the whole list in twind.Json")
    return ScalarMessage(**fields)


def _json_text(value: object, what: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: not a JSON value: {error}") from None


def _remedy(value: object) -> str:
    if value is None:
        return "None is no value: use twind.remove to remove the attribute, or twind.Json(None)"
    if isinstance(value, date):
        return "a date names no moment: use a datetime with a time zone, or its isoformat()"
    kind = type(value).__name__
    usable = "str, int, float, bool, bytes, datetime, a list of these, a dict or twind.Json"
    return f"{kind} is no attribute value: use {usable}"


def _read_json(text: str) -> dict[str, Any] | Json:
    value = json.loads(text)
    return value if isinstance(value, dict) else Json(value)


def _read_list(message: ScalarList) -> list[Scalar]:
    items = []
    for item in message.values:
        kind = item.WhichOneof("kind")
        if kind is None:
            raise ValueError("a list holds an item of a kind that this client does not know: install a newer one")
        items.append(_READERS[kind](getattr(item, kind)))
    return items


def _same(value: Any) -> Any:
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "string_value": _same,
    "int_value": _same,
    "double_value": _same,
    "bool_value": _same,
    "bytes_value": _same,
    "timestamp_value": _time.from_micros,
    "list_value": _read_list,
    "json_value": _read_json,
}
