"""Values to messages and back, and what no value can hold."""

from __future__ import annotations

import enum
import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

import twind
from twind._changes import write_changes
from twind._generated.twind.v1.twin_pb2 import Attribute, Twin, Value
from twind._generated.twind.v1.twin_service_pb2 import UpdateTwinRequest
from twind._twin import Attributes
from twind._values import from_message, write

MOMENT = datetime(1997, 1, 1, 12, 30, 15, 123_456, tzinfo=timezone.utc)


def to_message(value, what):
    message = Value()
    write(value, message, what)
    return message


def change_messages(changes):
    request = UpdateTwinRequest()
    write_changes(changes, request)
    return request.changes


class Tier(str, enum.Enum):
    GOLD = "gold"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Zoë", "string_value"),
        ("", "string_value"),
        (0, "int_value"),
        (2**63 - 1, "int_value"),
        (-(2**63), "int_value"),
        (True, "bool_value"),
        (False, "bool_value"),
        (0.0, "double_value"),
        (-1.5, "double_value"),
        (math.inf, "double_value"),
        (b"\0\xff", "bytes_value"),
        (MOMENT, "timestamp_value"),
        (datetime(1, 1, 1, tzinfo=timezone.utc), "timestamp_value"),
        (datetime.max.replace(tzinfo=timezone.utc), "timestamp_value"),
        ([], "list_value"),
        (["a", 1, 2.5, True, b"b", MOMENT], "list_value"),
        ({}, "json_value"),
        ({"a": [1, {"b": None}], "é": "ü"}, "json_value"),
        (twind.Json([1, [2]]), "json_value"),
        (twind.Json(None), "json_value"),
    ],
)
def test_round_trip(value, kind):
    message = Value.FromString(to_message(value, "x").SerializeToString())
    assert message.WhichOneof("kind") == kind
    back = from_message(message)
    assert back == value and type(back) is type(value)


def test_what_comes_back_otherwise():
    assert from_message(to_message((1, 2), "x")) == [1, 2]
    assert from_message(to_message(bytearray(b"x"), "x")) == b"x"
    assert from_message(to_message(Tier.GOLD, "x")) == "gold"
    in_bern = MOMENT.astimezone(timezone(timedelta(hours=1)))
    assert from_message(to_message(in_bern, "x")).utcoffset() == timedelta(0)
    assert to_message({"é": 1}, "x").json_value == '{"é":1}'
    assert to_message(MOMENT, "x").timestamp_value == 852_121_815_123_456


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (None, TypeError, "use twind.remove"),
        (2**63, ValueError, "does not fit in 64 bits"),
        (datetime(2024, 1, 1), ValueError, "has no time zone.*timezone.utc"),
        (date(2024, 1, 1), TypeError, "a date names no moment"),
        (Decimal("1.5"), TypeError, "Decimal is no attribute value"),
        ({1, 2}, TypeError, "set is no attribute value"),
        ([[1]], TypeError, "wrap the whole list in twind.Json"),
        ([None], TypeError, "a list holds scalars"),
        ({"a": object()}, TypeError, "not a JSON value"),
        ({"a": math.nan}, ValueError, "not a JSON value"),
        (twind.increment("1"), TypeError, "increment takes an int or a float, not str"),
        (twind.increment(True), TypeError, "increment takes an int or a float, not bool"),
        (twind.increment(2**64), ValueError, "does not fit"),
        (twind.attribute(1, valid_from=datetime(2024, 1, 1)), ValueError, "valid_from of attribute 'a'"),
    ],
)
def test_what_cannot_be_written_is_told_with_the_attribute(value, error, says):
    with pytest.raises(error, match=f"attribute 'a'.*{says}|{says}") as caught:
        change_messages({"a": value})
    assert "attribute 'a'" in str(caught.value)


def test_annotated_remove_and_increment():
    removed, increased = change_messages(
        {"a": twind.attribute(twind.remove, evidence="e"), "b": twind.attribute(twind.increment(2.5), confidence=0.5)}
    )
    assert removed.remove and removed.evidence == "e"
    assert increased.increment.double_value == 2.5 and increased.confidence == 0.5


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Value(), "a kind that this client does not know"),
        (Value(json_value="{"), "Expecting"),
        (Value(timestamp_value=2**62), "outside the years"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_attribute(message, says):
    attributes = Attributes(Twin(attributes=[Attribute(name="odd", value=message)]))
    with pytest.raises(ValueError, match=f"attribute 'odd': .*{says}"):
        attributes["odd"]
