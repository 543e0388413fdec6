"""UpdateTwin, BatchUpdateTwins and DeleteTwin: changes, preconditions, and provenance."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

import twind
from daemon import Daemon, until
from frames import INVALID_ARGUMENT, OK, RawConnection, field, request
from twind._generated.twind.v1 import admin_service_pb2 as admin

NAME = "acme/customer/1"
OTHER = "acme/customer/2"


def change(attribute: str, value: bytes = field(2, 1)) -> bytes:
    """A Change that sets the attribute to an encoded Value."""
    return field(1, attribute) + field(2, value)


def test_an_update_creates_and_changes(client: twind.Client) -> None:
    first = client.update(NAME, {"a": 1, "b": 2})
    assert (first.sequence, first.revision, first.fact_count, first.durability) == (1, 1, 2, twind.Durability.JOURNALED)
    second = client.update(NAME, {"b": 3, "c": 4})
    assert (second.sequence, second.revision, second.fact_count) == (2, 2, 2)
    assert dict(client.get(NAME)) == {"a": 1, "b": 3, "c": 4}
    assert client.update(OTHER, {"a": 1}).revision == 3


def test_a_change_that_changes_nothing_makes_no_fact(client: twind.Client) -> None:
    first = client.update(NAME, {"a": 1, "b": "x"})
    client.update(OTHER, {"a": 1})
    again = client.update(NAME, {"a": 1, "b": "x", "gone": twind.remove})
    assert (again.sequence, again.revision, again.fact_count) == (2, first.revision, 0)
    mixed = client.update(NAME, {"a": 1, "b": "y"})
    assert (mixed.revision, mixed.fact_count) == (3, 1)
    assert client.get(NAME).attribute("a").sequence == 1


def test_values_of_different_kinds_are_different(client: twind.Client) -> None:
    for value in (1, 1.0, True, "1", b"1", 0.0, -0.0, [1], twind.Json(1)):
        assert client.update(NAME, {"a": value}).fact_count == 1
        found = client.get(NAME)["a"]
        assert found == value and type(found) is type(value)


def test_expected_revision(client: twind.Client) -> None:
    revision = client.update(NAME, {"a": 1}, expected_revision=0).revision
    with client_of("sales", client) as sales:
        newer = sales.update(NAME, {"a": 2}, expected_revision=revision).revision
    for expected in (revision, newer + 1, 0, 1 << 63):
        with pytest.raises(twind.Aborted) as raised:
            client.update(NAME, {"a": 3}, expected_revision=expected)
        conflict = raised.value.conflict
        assert conflict and (conflict.name, conflict.current_revision, conflict.last_agent) == (NAME, newer, "sales")
        assert conflict.recorded_at == client.get(NAME).attribute("a").recorded_at
    with pytest.raises(twind.Aborted):
        client.update("acme/customer/new", {"a": 1}, expected_revision=5)
    assert client.get(NAME)["a"] == 2


def client_of(agent: str, client: twind.Client) -> twind.Client:
    return twind.Client(client.path, agent=agent)


def test_must_not_exist(client: twind.Client) -> None:
    revision = client.update(NAME, {"a": 1}, must_not_exist=True).revision
    with pytest.raises(twind.AlreadyExists) as raised:
        client.update(NAME, {"a": 2}, must_not_exist=True)
    assert raised.value.conflict and raised.value.conflict.current_revision == revision
    client.delete(NAME)
    assert client.update(NAME, {"a": 3}, must_not_exist=True).revision == 3
    assert dict(client.get(NAME)) == {"a": 3}


def test_of_many_who_expect_one_revision_one_wins(daemon: Daemon, client: twind.Client) -> None:
    client.update(NAME, {"n": 0})

    def count_up() -> None:
        with daemon.client() as own:
            for _ in range(50):
                while True:
                    twin = own.get(NAME)
                    try:
                        own.update(NAME, {"n": twin.int("n") + 1}, expected_revision=twin.revision)
                        break
                    except twind.Aborted:
                        continue

    run_all([count_up] * 4)
    assert client.get(NAME)["n"] == 200


def run_all(bodies: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_increments_by_many_all_count(daemon: Daemon, client: twind.Client) -> None:
    def count_up() -> None:
        with daemon.client() as own, own.pipeline() as pipeline:
            for _ in range(500):
                pipeline.update(NAME, {"n": twind.increment(1), "x": twind.increment(0.5)})

    run_all([count_up] * 4)
    assert dict(client.get(NAME)) == {"n": 2000, "x": 1000.0}
    assert client.get(NAME).revision == 2000


@pytest.mark.parametrize("present", ["text", True, b"1", [1], 1.5, twind.Json(1)])
def test_an_increment_of_what_is_no_such_number(client: twind.Client, present: twind.Value) -> None:
    client.update(NAME, {"a": present})
    with pytest.raises(twind.FailedPrecondition) as raised:
        client.update(NAME, {"a": twind.increment(1), "b": 1})
    assert "a" in str(raised.value)
    assert dict(client.get(NAME)) == {"a": present}


@pytest.mark.parametrize("present, amount", [((1 << 63) - 1, 1), (-(1 << 63), -1), (-1, -(1 << 63))])
def test_an_increment_that_overflows(client: twind.Client, present: int, amount: int) -> None:
    client.update(NAME, {"a": present})
    with pytest.raises(twind.OutOfRange):
        client.update(NAME, {"a": twind.increment(amount)})
    assert client.get(NAME)["a"] == present


def test_an_increment_beyond_all_doubles(client: twind.Client) -> None:
    client.update(NAME, {"a": 1.7e308})
    with pytest.raises(twind.OutOfRange):
        client.update(NAME, {"a": twind.increment(1.7e308)})


def test_an_increment_of_the_past(client: twind.Client) -> None:
    past = twind.attribute(twind.increment(1), valid_from=datetime(2020, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(twind.InvalidArgument):
        client.update(NAME, {"a": past})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_doubles_that_are_no_numbers(client: twind.Client, value: float) -> None:
    """They are kept as they are, or refused; never something else."""
    try:
        client.update(NAME, {"a": value})
    except twind.InvalidArgument:
        return
    found = client.get(NAME)["a"]
    assert isinstance(found, float) and repr(found) == repr(value)


@pytest.mark.parametrize("default", list(twind.Durability))
def test_the_durability_of_a_write(start: Callable[..., Daemon], default: twind.Durability) -> None:
    """What it asks for, else the daemon's default; the reply names it."""
    with start("--durability", default.name.lower()).client() as client:
        assert client.server_info().durability == default
        for asked in (None, *twind.Durability):
            expected = asked or default
            assert client.update(NAME, {"a": f"{asked}"}, durability=asked).durability == expected
            batch = [twind.Update(name, {"b": f"{asked}"}) for name in (NAME, OTHER)]
            assert client.update_many(batch, durability=asked).durability == expected
            assert client.delete(OTHER, durability=asked).durability == expected
            # What changes nothing stands where all before it stands.
            assert client.update(NAME, {"a": f"{asked}"}, durability=asked).durability == expected
            if expected == twind.Durability.SYNCED:
                stats = client.admin.get_stats(admin.GetStatsRequest())
                assert stats.synced_sequence == stats.sequence


def test_what_is_journaled_is_synced_within_a_second(client: twind.Client) -> None:
    for i in range(3):
        sequence = client.update(NAME, {"a": i}).sequence
        until(
            lambda: client.admin.get_stats(admin.GetStatsRequest()).synced_sequence >= sequence, "synced", seconds=1
        )


def test_writes_that_are_synced_share_a_sync(daemon: Daemon, client: twind.Client) -> None:
    """Group commit: all is acknowledged as synced, with far fewer syncs than writes."""
    before = client.admin.get_stats(admin.GetStatsRequest()).journal_sync_count

    def write() -> None:
        with daemon.client() as own, own.pipeline() as pipeline:
            done = [
                pipeline.update(NAME, {"n": twind.increment(1)}, durability=twind.Durability.SYNCED) for _ in range(100)
            ]
        assert {one.result().durability for one in done} == {twind.Durability.SYNCED}

    run_all([write] * 8)
    stats = client.admin.get_stats(admin.GetStatsRequest())
    assert client.get(NAME)["n"] == 800 and stats.synced_sequence >= 800
    assert 0 < stats.journal_sync_count - before < 400


def test_a_key_gives_the_first_result_again(client: twind.Client) -> None:
    first = client.update(NAME, {"a": twind.increment(1)}, idempotency_key="k")
    client.update(NAME, {"b": 1})
    assert client.update(NAME, {"a": twind.increment(1)}, idempotency_key="k") == first
    assert client.get(NAME)["a"] == 1
    with pytest.raises(twind.InvalidArgument):
        client.update(NAME, {"a": twind.increment(2)}, idempotency_key="k")
    with pytest.raises(twind.InvalidArgument):
        client.delete(NAME, idempotency_key="k")


def test_a_key_is_of_an_agent_and_a_space(client: twind.Client) -> None:
    client.update(NAME, {"a": twind.increment(1)}, idempotency_key="k")
    client.update("other/customer/1", {"a": twind.increment(1)}, idempotency_key="k")
    with client_of("sales", client) as sales:
        sales.update(NAME, {"a": twind.increment(1)}, idempotency_key="k")
    assert client.get(NAME)["a"] == 2


def test_a_failed_write_leaves_its_key_free(client: twind.Client) -> None:
    client.update(NAME, {"a": 1})
    with pytest.raises(twind.Aborted):
        client.update(NAME, {"a": 2}, expected_revision=7, idempotency_key="k")
    client.update(NAME, {"a": 3}, idempotency_key="k")
    assert client.get(NAME)["a"] == 3


def test_a_key_with_a_precondition_that_its_first_use_met(client: twind.Client) -> None:
    first = client.update(NAME, {"a": 1}, must_not_exist=True, idempotency_key="k")
    assert client.update(NAME, {"a": 1}, must_not_exist=True, idempotency_key="k") == first
    deleted = client.delete(NAME, idempotency_key="d")
    assert client.delete(NAME, idempotency_key="d") == deleted


def test_a_key_sent_by_many_at_once_counts_once(daemon: Daemon, client: twind.Client) -> None:
    def write() -> None:
        with daemon.client() as own:
            for i in range(50):
                own.update(NAME, {"n": twind.increment(1)}, idempotency_key=f"k{i}")

    run_all([write] * 4)
    assert client.get(NAME)["n"] == 50


def test_a_batch_is_one_commit(client: twind.Client) -> None:
    done = client.update_many([twind.Update(f"acme/customer/{i}", {"a": i}) for i in range(256)])
    assert set(done.revisions.values()) == {done.sequence} and done.fact_count == 256
    assert client.server_info().sequence == 1


def test_a_batch_is_all_or_nothing(client: twind.Client) -> None:
    client.update(NAME, {"a": 1})
    good = twind.Update(OTHER, {"a": 1})
    bad = [
        (twind.Update(NAME, {"a": 2}, expected_revision=9), twind.Aborted),
        (twind.Update(NAME, {"a": 2}, must_not_exist=True), twind.AlreadyExists),
        (twind.Update("acme/customer", {"a": 2}), twind.InvalidArgument),
        (twind.Update(NAME, {"A": 2}), twind.InvalidArgument),
        (twind.Update(NAME, {"a": twind.increment(1.5)}), twind.FailedPrecondition),
        (twind.Update(NAME, {"b": "x" * 65_537}), twind.ResourceExhausted),
    ]
    for update, error in bad:
        for batch in ([good, update], [update, good]):
            with pytest.raises(error) as raised:
                client.update_many(batch)
            if error is twind.Aborted:
                assert raised.value.conflict and raised.value.conflict.name == NAME
    with pytest.raises(twind.NotFound):
        client.get(OTHER)
    assert client.server_info().sequence == 1


def test_a_batch_names_a_twin_once(client: twind.Client) -> None:
    with pytest.raises(twind.InvalidArgument) as raised:
        client.update_many([twind.Update(NAME, {"a": 1}), twind.Update(NAME, {"b": 1})])
    assert NAME in str(raised.value)


def test_a_batch_with_a_key_is_of_one_space(client: twind.Client) -> None:
    batch = [twind.Update(NAME, {"a": 1}), twind.Update("other/customer/1", {"a": 1})]
    with pytest.raises(twind.InvalidArgument):
        client.update_many(batch, idempotency_key="k")
    client.update_many(batch)


def test_batches_are_read_whole(daemon: Daemon, client: twind.Client) -> None:
    names = [f"acme/customer/{i}" for i in range(64)]
    client.update_many([twind.Update(name, {"n": 0}) for name in names])
    done = threading.Event()

    def write() -> None:
        with daemon.client() as own:
            for n in range(1, 300):
                own.update_many([twind.Update(name, {"n": n}) for name in names])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(frozenset(twin["n"] for twin in client.get_many(names).values()))
    writer.join()
    assert len(seen) > 5 and all(len(numbers) == 1 for numbers in seen)


def test_delete(client: twind.Client) -> None:
    client.update(NAME, {"a": 1})
    with pytest.raises(twind.Aborted) as raised:
        client.delete(NAME, expected_revision=7)
    assert raised.value.conflict and raised.value.conflict.current_revision == 1
    done = client.delete(NAME, expected_revision=1)
    assert (done.sequence, done.revision) == (2, 2)
    for call in (client.get, client.delete):
        with pytest.raises(twind.NotFound):
            call(NAME)
    assert client.get_many([NAME]) == {}
    assert client.update(NAME, {"b": 1}).revision == 3
    assert dict(client.get(NAME)) == {"b": 1}


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(change("a") + field(3, 1), id="set and remove"),
        pytest.param(field(1, "a"), id="no operation"),
        pytest.param(field(1, "a") + field(3, 0), id="remove=false"),
        pytest.param(change("a", b""), id="a value without a kind"),
        pytest.param(change("a", field(8, "{")), id="no JSON"),
        pytest.param(change("a", field(8, "[" * 100 + "]" * 100)), id="deep JSON"),
        pytest.param(change("a", field(7, field(1, b""))), id="an item without a kind"),
        pytest.param(change("A"), id="upper case"),
        pytest.param(change("a" * 64), id="a long part"),
        pytest.param(change(".".join(["a" * 63] * 3)), id="a long name"),
        pytest.param(field(1, "a") + field(4, field(1, "x")), id="increment by a text"),
        pytest.param(field(1, "a") + field(4, b""), id="increment by nothing"),
        pytest.param(change("a") + field(5, 20) + field(6, 20), id="an empty interval"),
        pytest.param(change("a") + field(5, 20) + field(6, 10), id="an interval that ends first"),
        pytest.param(change("a") + b"\x39" + b"\xff" * 8, id="confidence is no number"),
    ],
)
def test_a_change_that_makes_no_sense(raw: RawConnection, payload: bytes) -> None:
    """The last of two operations wins, as in every protobuf reader; the others are refused."""
    raw.send(request(1, "UpdateTwin", field(1, NAME) + field(2, payload)))
    assert raw.answer(1).code == (OK if payload.startswith(change("a") + field(3, 1)) else INVALID_ARGUMENT)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.inf])
def test_a_confidence_out_of_range(raw: RawConnection, confidence: float) -> None:
    stated = b"\x39" + struct.pack("<d", confidence)
    raw.send(request(1, "UpdateTwin", field(1, NAME) + field(2, change("a") + stated)))
    assert raw.answer(1).code == INVALID_ARGUMENT


def test_an_update_without_changes_and_one_with_a_name_twice(raw: RawConnection) -> None:
    raw.send(request(1, "UpdateTwin", field(1, NAME)))
    raw.answer(1)
    raw.send(request(3, "UpdateTwin", field(1, NAME) + field(2, change("a")) + field(2, change("a"))))
    answer = raw.answer(3)
    assert answer.code == INVALID_ARGUMENT and '"a"' in answer.message


RESERVED = "acme/twind-schema/customer"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda client: client.update(RESERVED, {"a": 1}), id="update"),
        pytest.param(lambda client: client.delete(RESERVED), id="delete"),
        pytest.param(
            lambda client: client.update_many([twind.Update(OTHER, {"a": 1}), twind.Update(RESERVED, {"a": 1})]), id="batch"
        ),
    ],
)
def test_a_reserved_kind_is_not_written(client: twind.Client, write: Callable[[twind.Client], object]) -> None:
    with pytest.raises(twind.InvalidArgument, match=f'"{RESERVED}".*kinds that begin with twind- are reserved'):
        write(client)
    assert client.server_info().sequence == 0


@pytest.mark.parametrize("value", [1, twind.increment(1), twind.remove])
def test_a_reserved_attribute_is_not_written(client: twind.Client, value: object) -> None:
    with pytest.raises(twind.InvalidArgument, match='"twind.region".*names that begin with twind. are reserved'):
        client.update(NAME, {"a": 1, "twind.region": value})
    assert client.server_info().sequence == 0


def test_names_that_are_nearly_reserved_are_not(client: twind.Client) -> None:
    for name in ("twind/customer/1", "acme/twind/1", "acme/twindle-x/1", "acme/customer/twind-1"):
        client.update(name, {"twind": 1, "twinds.region": 2, "a.twind.b": 3})
        assert dict(client.get(name)) == {"twind": 1, "twinds.region": 2, "a.twind.b": 3}
