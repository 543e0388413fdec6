"""Both axes of history against a fake daemon: what is sent, and what is made of what comes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

import twind
import twind.aio
from fake_daemon import drop_before
from twind._generated.twind.v1 import twin_pb2
from twind._generated.twind.v1.twin_pb2 import Value
from twind._generated.twind.v1.twin_service_pb2 import GetTwinRequest, ListFactsRequest, TwinChange, UpdateTwinRequest
from twind._twin import Change

NAME = "acme/customer/42"
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NOON_MICROS = 1_767_268_800_000_000


def attribute(name: str, number: int, **fields: object) -> twin_pb2.Attribute:
    return twin_pb2.Attribute(
        name=name, value=Value(int_value=number), valid_from_time=NOON_MICROS, recorded_at=NOON_MICROS + 1,
        agent="sales", sequence=number + 1, **fields,
    )  # fmt: skip


@pytest.fixture
def facts(daemon):
    """Five facts of one twin."""
    bare = twin_pb2.Attribute(name="n", valid_from_time=NOON_MICROS, recorded_at=NOON_MICROS + 1, sequence=4)
    kept = daemon.twins.facts[NAME] = [
        twin_pb2.Fact(attribute=attribute("n", 0, confidence=0.5, evidence="t:1", purpose="support")),
        twin_pb2.Fact(attribute=attribute("n", 1, valid_to_time=NOON_MICROS + 5), ordinal=7),
        twin_pb2.Fact(attribute=attribute("n", 2, increment=Value(int_value=1))),
        twin_pb2.Fact(attribute=bare, removed=True),
        twin_pb2.Fact(
            attribute=twin_pb2.Attribute(valid_from_time=NOON_MICROS, recorded_at=NOON_MICROS, sequence=5), deleted=True
        ),
    ]
    daemon.twins.sequence = 9
    return kept


def test_every_field(client, facts):
    history = client.facts(NAME)
    assert history.sequence is None
    first, second, third, removal, deletion = history
    assert first == twind.Fact(
        attribute="n", value=0, valid_from=NOON, valid_to=None, recorded_at=NOON + timedelta(microseconds=1),
        sequence=1, ordinal=0, agent="sales", confidence=0.5, evidence="t:1", purpose="support", increment=None,
    )  # fmt: skip
    assert (second.ordinal, second.valid_to) == (7, NOON + timedelta(microseconds=5))
    assert (third.value, third.increment, third.removed) == (2, 1, False)
    assert (removal.value, removal.removed, removal.deleted) == (None, True, False)
    assert (deletion.attribute, deletion.removed, deletion.deleted) == ("", False, True)
    assert history.sequence == 9 and history.redactions == () and list(history) == []


def test_what_is_asked(client, daemon, facts):
    list(client.facts(
        NAME, attributes=["n"], recorded_from=NOON, recorded_to=5, valid_from=-5, valid_to=NOON, purpose="support"
    ))  # fmt: skip
    assert ListFactsRequest.FromString(daemon.requests[-1][1].payload) == ListFactsRequest(
        name=NAME, attributes=["n"], recorded_from_time=NOON_MICROS, recorded_to_time=5, valid_from_time=-5,
        valid_to_time=NOON_MICROS, purpose="support",
    )  # fmt: skip
    assert daemon.requests[-1][1].timeout_nano == 5_000_000_000
    list(client.facts(NAME, timeout=float("inf")))
    assert daemon.requests[-1][1].timeout_nano == 0


def test_as_of(client, daemon):
    client.update(NAME, {"n": 1})
    client.get(NAME, valid_at=NOON, known_at=5)
    request = GetTwinRequest.FromString(daemon.requests[-1][1].payload)
    assert (request.valid_at, request.known_at) == (NOON_MICROS, 5)
    client.update(NAME, {"n": twind.attribute(2, valid_from=7, valid_to=NOON)})
    change = UpdateTwinRequest.FromString(daemon.requests[-1][1].payload).changes[0]
    assert (change.valid_from_time, change.valid_to_time) == (7, NOON_MICROS)


def test_what_is_withheld_is_said_once(client, facts):
    history = client.facts(NAME, purpose="support")
    assert len(list(history)) == 5
    assert history.redactions == (twind.Redaction("", "salary", "not for support"),)


def test_refused_lost_and_cut_short(client, daemon, facts):
    with pytest.raises(twind.NotFound):
        next(client.facts("acme/customer/none"))
    daemon.faults["ListFacts"] = [drop_before]
    with pytest.raises(twind.Unavailable):
        next(client.facts(NAME))
    daemon.twins.sends_last_part = False
    with pytest.raises(twind.Internal, match="before the last facts"):
        list(client.facts(NAME))


def test_closed_half_way(client, facts):
    with client.facts(NAME) as history:
        assert next(history).value == 0
    assert list(history) == [] and history.sequence is None


async def test_asyncio(daemon, facts):
    async with twind.aio.Client(daemon.path) as client:
        history = client.facts(NAME, purpose="support")
        assert [fact.sequence async for fact in history] == [1, 2, 3, 4, 5]
        assert history.sequence == 9 and len(history.redactions) == 1
        async with client.facts(NAME) as half:
            async for fact in half:
                break
        assert [fact async for fact in half] == [] and half.sequence is None
        with pytest.raises(twind.NotFound):
            await client.facts("acme/customer/none").__anext__()
        await client.update(NAME, {"n": 1})
        await client.get(NAME, valid_at=NOON, known_at=5)
        request = GetTwinRequest.FromString(daemon.requests[-1][1].payload)
        assert (request.valid_at, request.known_at) == (NOON_MICROS, 5)
        daemon.twins.sends_last_part = False
        with pytest.raises(twind.Internal, match="before the last facts"):
            _ = [fact async for fact in client.facts(NAME)]


def test_what_a_watch_says_of_other_times():
    late = attribute("plan", 1, increment=Value(double_value=0.5))
    others = [late, twin_pb2.Attribute(name="x")]
    change = Change(TwinChange(name=NAME, attributes=[attribute("n", 3)], other_facts=others))
    assert dict(change) == {"n": 3}
    plan, x = change.other_facts
    assert (plan.attribute, plan.value, plan.increment, plan.ordinal, plan.valid_from) == ("plan", 1, 0.5, None, NOON)
    assert (x.attribute, x.value, x.removed) == ("x", None, True)


def test_increments_of_current_values():
    change = Change(TwinChange(attributes=[attribute("n", 3, increment=Value(int_value=-2)), attribute("m", 1)]))
    assert (change.attribute("n").increment, change.attribute("m").increment) == (-2, None)


@pytest.mark.parametrize(
    ("time", "error", "says"),
    [
        (datetime(2026, 1, 1), ValueError, "no time zone"),
        (datetime(1970, 1, 1, tzinfo=timezone.utc), ValueError, "the Unix epoch itself"),
        (0, ValueError, "the Unix epoch itself"),
        (2**63, ValueError, "64 bits"),
        (1767225600, ValueError, "looks like seconds"),
        (1767225600_000, ValueError, "looks like milliseconds"),
        (1767225600_000_000_000, ValueError, "looks like nanoseconds"),
        ("2026-01-01", TypeError, "datetime or int"),
        (True, TypeError, "datetime or int"),
        (1.5, TypeError, "datetime or int"),
    ],
)
def test_times_that_name_no_moment(client, daemon, time, error, says):
    with pytest.raises(error, match=says):
        client.get(NAME, valid_at=time)
    with pytest.raises(error, match="recorded_to.*" + says):
        client.facts(NAME, recorded_to=time)
    with pytest.raises(error, match=says):
        client.update(NAME, {"n": twind.attribute(1, valid_from=time)})
    assert daemon.requests == []


def test_stats(client):
    stats = client.stats()
    assert (stats.failure, stats.synced_sequence, stats.journal_bytes) == ("disk full", 1, 64)
    assert (stats.memory_bytes_max, stats.checkpoint_rows_total) == (1024, 9)
    assert stats.recovery_duration == timedelta(seconds=3)
