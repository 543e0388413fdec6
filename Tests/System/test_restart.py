"""A clean restart keeps everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

import twind
from daemon import Daemon, until

NAME = "acme/customer/1"

VALUES: dict[str, twind.ChangeLike] = {
    "text": "Ada \u00e9\u0301 \U0001f600",
    "text_empty": "",
    "int_min": -(1 << 63),
    "int_max": (1 << 63) - 1,
    "int_zero": 0,
    "double": -0.1,
    "double_zero": 0.0,
    "bool_false": False,
    "bool_true": True,
    "bytes": bytes(range(256)),
    "bytes_empty": b"",
    "timestamp": datetime(1815, 12, 10, 1, 2, 3, 456789, timezone.utc),
    "list": ["a", 1, 2.5, True, b"\0", datetime(2020, 1, 1, tzinfo=timezone.utc)],
    "list_empty": [],
    "json": {"a": [1, {"b": None}], "ü": 1.5},
    "json_list": twind.Json([1, [2]]),
    "deep.er.name": "x",
}


def restarted(daemon: Daemon, start: Callable[..., Daemon]) -> Daemon:
    daemon.stop()
    return start()


def test_values_of_every_kind(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client:
        commit = client.update(NAME, VALUES)
        before = client.get(NAME)
    with restarted(daemon, start).client() as client:
        after = client.get(NAME)
        assert dict(after) == VALUES == dict(before)
        assert after.revision == commit.revision
        assert {name: type(value) for name, value in after.items()} == {n: type(v) for n, v in VALUES.items()}


def test_provenance(start: Callable[..., Daemon]) -> None:
    daemon = start()
    begin = datetime(2024, 1, 1, tzinfo=timezone.utc)
    stated = twind.attribute(1, confidence=0.25, evidence="ticket:4711", valid_from=begin)
    with daemon.client(agent="support", purpose="care") as client:
        client.update(NAME, {"stated": stated, "bare": 2})
        before = client.get(NAME)
    with restarted(daemon, start).client() as client:
        after = client.get(NAME)
        for name in ("stated", "bare"):
            assert after.attribute(name) == before.attribute(name)
    attribute = after.attribute("stated")
    assert (attribute.agent, attribute.purpose, attribute.evidence) == ("support", "care", "ticket:4711")
    assert (attribute.confidence, attribute.valid_from, attribute.sequence) == (0.25, begin, 1)
    assert abs(datetime.now(timezone.utc) - attribute.recorded_at) < timedelta(minutes=1)


def test_the_sequence_goes_on(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client:
        last = [client.update(NAME, {"a": i}).sequence for i in range(5)][-1]
    with restarted(daemon, start).client() as client:
        assert client.server_info().sequence == last
        assert client.update(NAME, {"a": "new"}).sequence == last + 1


def test_a_deleted_twin_keeps_its_revision(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client(agent="remover") as client:
        client.update(NAME, {"a": 1})
        deleted = client.delete(NAME)
    with restarted(daemon, start).client() as client:
        with pytest.raises(twind.NotFound):
            client.get(NAME)
        assert list(client.list()) == []
        with pytest.raises(twind.Aborted) as raised:
            client.update(NAME, {"a": 1}, expected_revision=0)
        assert raised.value.conflict
        assert raised.value.conflict.current_revision == deleted.revision
        assert raised.value.conflict.last_agent == "remover"
        assert client.update(NAME, {"a": 1}, expected_revision=deleted.revision).revision == deleted.revision + 1


def test_removed_attributes_stay_removed(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client:
        client.update(NAME, {"a": 1, "b": 2})
        client.checkpoint()
        client.update(NAME, {"a": twind.remove})
    with restarted(daemon, start).client() as client:
        assert dict(client.get(NAME)) == {"b": 2}


def test_idempotency_keys(start: Callable[..., Daemon]) -> None:
    daemon = start()
    batch = [twind.Update(f"acme/customer/{i}", {"a": twind.increment(1)}) for i in range(2, 5)]
    with daemon.client() as client:
        update = client.update(NAME, {"a": twind.increment(1)}, idempotency_key="u")
        many = client.update_many(batch, idempotency_key="m")
        deleted = client.delete("acme/customer/4", idempotency_key="d")
    with restarted(daemon, start).client() as client:
        assert client.update(NAME, {"a": twind.increment(1)}, idempotency_key="u") == update
        assert client.update_many(batch, idempotency_key="m") == many
        assert client.delete("acme/customer/4", idempotency_key="d") == deleted
        assert [client.get(f"acme/customer/{i}")["a"] for i in (1, 2, 3)] == [1, 1, 1]
        with pytest.raises(twind.InvalidArgument):
            client.update(NAME, {"a": twind.increment(2)}, idempotency_key="u")


def test_lists_are_in_byte_order(start: Callable[..., Daemon]) -> None:
    names = [
        f"acme/customer/{id}" for id in ("1", "10", "2", "a", "B", "é", "e\u0301", "\U0001f600", "~", " ", "z" * 200)
    ]
    names += ["acme-2/customer/1", "a/b/c", "acme/account/9"]
    daemon = start()
    with daemon.client() as client:
        for name in names:
            client.update(name, {"n": name})
        ordered = sorted(names, key=str.encode)
        assert [twin.name for twin in client.list(page_size=3)] == ordered
    with restarted(daemon, start).client() as client:
        assert [twin.name for twin in client.list(page_size=3)] == ordered
        assert all(client.get(name)["n"] == name for name in names)


def test_many_twins(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client, client.pipeline() as pipeline:
        for i in range(10_000):
            pipeline.update(f"acme/customer/{i}", {"number": i, "text": f"customer {i}"})
    with restarted(daemon, start).client() as client:
        assert client.stats().twin_count == 10_000
        assert sum(twin["number"] for twin in client.list(page_size=1000)) == sum(range(10_000))  # type: ignore[misc]


def test_the_checkpoint_interval(start: Callable[..., Daemon]) -> None:
    daemon = start("--checkpoint-interval", "250ms")
    with daemon.client() as client:
        commit = client.update(NAME, {"a": 1})
        until(lambda: client.stats().checkpoint_sequence >= commit.sequence, "a checkpoint", 5)
        assert client.stats().dirty_twin_count == 0
    daemon.kill()
    with start().client() as client:
        assert client.get(NAME)["a"] == 1


def test_a_checkpoint_that_is_asked_for(start: Callable[..., Daemon]) -> None:
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        assert client.stats().dirty_twin_count == 1
        done = client.checkpoint()
        assert (done.sequence, done.twin_count) == (1, 1)
        assert client.checkpoint().twin_count == 0
    daemon.kill()
    with start().client() as client:
        assert client.get(NAME)["a"] == 1
