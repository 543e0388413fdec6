"""Conversion between Python's values and `twind.v1.Value`.

str, int (64 bits, signed), float, bool, bytes      unchanged
datetime with a time zone                           a timestamp; read as UTC, or outside the years 1 to 9999 as an int
                                                    of microseconds since the epoch (Microseconds)
list or tuple of these                              a list; read as list
dict                                                a JSON object; read as dict
Json(any other JSON value)                          JSON; read as Json

Any value from another client can be read, compared, printed and written back: see `_json` and Opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Union

from twind import _json, _time
from twind._generated.twind.v1.twin_pb2 import Scalar as ScalarMessage
from twind._generated.twind.v1.twin_pb2 import ScalarList
from twind._generated.twind.v1.twin_pb2 import Value as ValueMessage
from twind._time import Microseconds

INT_MIN = -(1 << 63)
INT_MAX = (1 << 63) - 1


@dataclass(frozen=True)
class Json:
    """A JSON value that is not an object, for example Json([1, [2]]) or Json(None)."""

    value: Any


@dataclass(frozen=True)
class Opaque:
    """A value that this client cannot represent. It can be written back unchanged."""

    # Why, as a message.
    reason: str
    # The encoded twind.v1.Value; in a list, twind.v1.Scalar.
    encoded: bytes


Scalar = Union[str, int, float, bool, bytes, datetime]
# What reading gives.
Value = Union[Scalar, "list[Scalar | Opaque]", "dict[str, Any]", Json, Opaque]
# What writing takes.
Input = Union[Scalar, Sequence[Union[Scalar, Opaque]], Mapping[str, Any], Json, Opaque]


def write(value: object, message: ValueMessage, what: str) -> None:
    """Fills an empty message. Raises TypeError or ValueError, naming `what`, if the value cannot be represented."""
    if _write_scalar(value, message, what):
        return
    if isinstance(value, Json):
        message.json_value = _json.text(value.value, what)
    elif isinstance(value, Mapping):
        message.json_value = _json.text(dict(value), what)
    elif isinstance(value, (list, tuple)):
        message.list_value.SetInParent()  # an empty list is a list too
        for item in value:
            _write_item(item, message.list_value.values.add(), what)
    else:
        raise TypeError(f"{what}: {_remedy(value)}")


def from_message(message: ValueMessage) -> Value:
    """Never raises."""
    kind = message.WhichOneof("kind")
    if kind is None:
        return Opaque(_UNKNOWN_KIND, message.SerializeToString())
    if kind == "json_value":
        try:
            value = _json.value(message.json_value)
        except _json.Unreadable as error:
            return Opaque(str(error), message.SerializeToString())
        return value if isinstance(value, dict) else Json(value)
    read: Value = _READERS[kind](getattr(message, kind))
    return read


def write_number(amount: object, message: ValueMessage, what: str) -> None:
    """An increment's amount."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"{what}: increment takes an int or a float, not {type(amount).__name__}")
    write(amount, message, what)


def _write_scalar(value: object, message: ValueMessage | ScalarMessage, what: str) -> bool:
    """False = it is none."""
    if isinstance(value, str):
        _write_str(value, message, what)
    elif isinstance(value, bool):  # before int, which it is too
        message.bool_value = value
    elif isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError(f"{what}: the number does not fit in 64 bits: store it as a str")
        if isinstance(value, Microseconds):
            message.timestamp_value = value
        else:
            message.int_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, (bytes, bytearray, memoryview)):
        message.bytes_value = bytes(value)
    elif isinstance(value, datetime):
        message.timestamp_value = _time.to_micros(value, what)
    elif isinstance(value, Opaque):
        message.MergeFromString(value.encoded)
    else:
        return False
    return True


def _write_str(value: str, message: ValueMessage | ScalarMessage, what: str) -> None:
    if "\0" in value:
        raise ValueError(f"{what}: a str cannot contain a NUL character: use bytes")
    try:
        message.string_value = value
    except UnicodeEncodeError as error:
        raise ValueError(f"{what}: not valid text: {error}") from None


def _write_item(item: object, message: ScalarMessage, what: str) -> None:
    if not _write_scalar(item, message, what):
        raise TypeError(
            f"{what}: a list holds scalars, not {type(item).__name__}: wrap the whole list in twind.Json"
        )


def _remedy(value: object) -> str:
    if value is None:
        return "None is not a value: use twind.remove to remove the attribute, or twind.Json(None)"
    if isinstance(value, date):
        return "a date is not a point in time: use a datetime with a time zone, or its isoformat()"
    kind = type(value).__name__
    usable = "str, int, float, bool, bytes, datetime, a list of these, a dict or twind.Json"
    return f"{kind} is not an attribute value: use {usable}"


def _read_list(message: ScalarList) -> list[Scalar | Opaque]:
    return [_read_item(item) for item in message.values]


def _read_item(item: ScalarMessage) -> Scalar | Opaque:
    kind = item.WhichOneof("kind")
    if kind is None:
        return Opaque(_UNKNOWN_KIND, item.SerializeToString())
    read: Scalar = _READERS[kind](getattr(item, kind))
    return read


def _same(value: Any) -> Any:
    return value


_UNKNOWN_KIND = "its kind is unknown to this client: install a newer one"

_READERS: dict[str, Callable[[Any], Any]] = {
    "string_value": _same,
    "int_value": _same,
    "double_value": _same,
    "bool_value": _same,
    "bytes_value": _same,
    "timestamp_value": _time.from_micros,
    "list_value": _read_list,
}
