"""Values to messages and back, and what no value can hold."""

from __future__ import annotations

import enum
import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

import twind
from twind._changes import write_changes
from twind._generated.twind.v1 import twin_pb2
from twind._generated.twind.v1.twin_pb2 import Attribute, Twin, Value
from twind._generated.twind.v1.twin_service_pb2 import UpdateTwinRequest
from twind._twin import Attributes
from twind._twin import fact as read_fact
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
        (date(2024, 1, 1), TypeError, "a date is not a point in time"),
        (Decimal("1.5"), TypeError, "Decimal is not an attribute value"),
        ({1, 2}, TypeError, "set is not an attribute value"),
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


YEAR_0 = -62_167_219_200_000_000
LONG = "9" * 5000
# Later than a client of today: a value of a kind 99, and a list with such an item.
UNKNOWN = Value.FromString(b"\x9a\x06\x01x")
WITH_UNKNOWN_ITEM = Value.FromString(b"\x3a\x0a\x0a\x02\x10\x05\x0a\x04\x9a\x06\x01x")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (Value(timestamp_value=YEAR_0), twind.Microseconds(YEAR_0)),
        (Value(timestamp_value=-(2**63)), -(2**63)),
        (Value(timestamp_value=2**63 - 1), 2**63 - 1),
        (Value(timestamp_value=253_402_300_799_999_999), datetime.max.replace(tzinfo=timezone.utc)),
        (Value(timestamp_value=253_402_300_800_000_000), 253_402_300_800_000_000),
        (Value(timestamp_value=-62_135_596_800_000_000), datetime.min.replace(tzinfo=timezone.utc)),
        (Value(list_value={"values": [{"timestamp_value": YEAR_0}, {"int_value": 1}]}), [YEAR_0, 1]),
        (Value(json_value=LONG), twind.Json(Decimal(LONG))),
        (Value(json_value=f'{{"a":[-{LONG},1.5,7]}}'), {"a": [Decimal("-" + LONG), 1.5, 7]}),
        (Value(json_value='["\\ud800"]'), twind.Json(["\ud800"])),
        (Value(json_value="{"), twind.Opaque),
        (Value(json_value=""), twind.Opaque),
        (Value(json_value="[" * 100_000), twind.Opaque),
        (Value(json_value="[" * 300 + "]" * 300), twind.Opaque),
        (Value(), twind.Opaque),
        (UNKNOWN, twind.Opaque),
        (WITH_UNKNOWN_ITEM, [5, twind.Opaque]),
    ],
)
def test_whatever_was_written_can_be_shown_and_written_again(message, shown):
    def matches(value, shown):
        if isinstance(shown, list):
            return isinstance(value, list) and all(map(matches, value, shown))
        return isinstance(value, shown) if isinstance(shown, type) else value == shown

    twin = read_twin(message)
    value = twin["odd"]
    assert matches(value, shown), value
    assert to_message(value, "x") == message
    # Nothing that looks at a twin raises.
    again = read_twin(message)
    assert twin == again and dict(twin) == dict(again) and list(twin.items()) == [("before", 1), ("odd", value)]
    assert repr(value) in repr(twin) and twin.attribute("odd").value == value and repr(twin.attribute("odd"))
    fact = read_fact(twin_pb2.Fact(attribute=Attribute(name="odd", value=message)))
    assert fact.value == value and repr(fact) and fact == fact


def read_twin(message):
    before = Attribute(name="before", value=Value(int_value=1))
    return twind.Twin(Twin(attributes=[before, Attribute(name="odd", value=message)]), 1)


@pytest.mark.parametrize("micros", [-(2**63), YEAR_0, 2**63 - 1])
def test_times_that_datetime_does_not_reach_are_microseconds(micros):
    message = Attribute(name="n", valid_from_time=micros, valid_to_time=micros, recorded_at=micros)
    message.value.int_value = 1
    for shown in (Attributes(Twin(attributes=[message])).attribute("n"), read_fact(twin_pb2.Fact(attribute=message))):
        assert (shown.valid_from, shown.valid_to, type(shown.valid_to)) == (micros, micros, twind.Microseconds)
        assert repr(shown.valid_from) == f"twind.Microseconds({micros})"
        # The daemon's own clock: the first or the last that there is.
        assert shown.recorded_at.replace(tzinfo=None) in (datetime.min, datetime.max)
    (again,) = change_messages({"n": twind.attribute(1, valid_from=shown.valid_from)})
    assert again.valid_from_time == micros


@pytest.mark.parametrize(
    "time",
    [
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
    ],
)
def test_the_first_and_the_last_moment_in_any_zone(time):
    back = from_message(to_message(time, "x"))
    assert isinstance(back, twind.Microseconds) and to_message(back, "x") == to_message(time, "x")


def test_one_odd_fact_does_not_end_a_history(client, daemon):
    odd = [Value(timestamp_value=2**63 - 1), UNKNOWN, Value(json_value=LONG), Value(json_value="{")]
    daemon.twins.sequence = 9
    daemon.twins.facts["a/b/c"] = [
        twin_pb2.Fact(attribute=Attribute(name="n", value=value, valid_from_time=2**63 - 1))
        for value in [Value(int_value=1), *odd, Value(int_value=2)]
    ]
    facts = list(client.facts("a/b/c"))
    assert len(facts) == 6 and (facts[0].value, facts[-1].value) == (1, 2) and repr(facts)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a\0b", "NUL character"),
        (["\0"], "NUL character"),
        ("\ud800", "not valid text"),
        pytest.param(10**5000, "64 bits", id="long"),
    ],
)
def test_what_no_value_holds_is_told_with_the_attribute(value, says):
    with pytest.raises(ValueError, match=f"attribute 'a': .*{says}"):
        change_messages({"a": value})
