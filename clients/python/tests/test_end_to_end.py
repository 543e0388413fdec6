"""The client against the real daemon: see real_daemon.py for which."""

from __future__ import annotations

import asyncio
import threading
import time
import unicodedata
from datetime import datetime, timedelta, timezone

import pytest

import twind
import twind.aio
from real_daemon import RealDaemon
from twind._generated.grpc.health.v1.health_pb2 import HealthCheckRequest


@pytest.fixture(scope="module")
def real():
    daemon = RealDaemon()
    yield daemon
    daemon.remove()


@pytest.fixture
def own():
    """A daemon of the test's own, to be stopped and started."""
    daemon = RealDaemon()
    yield daemon
    daemon.remove()


@pytest.fixture
def client(real):
    with twind.Client(real.path, agent="tester") as connected:
        yield connected


@pytest.fixture
def space(request):
    """A space that no other test writes to."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:60].strip("-")


def test_all_values_come_back(client, space):
    name = f"{space}/customer/1"
    values = {
        "text": "Zoë ☃", "number": -(2**63), "ratio": 0.1, "yes": True, "raw": b"\0\xff",
        "moment": datetime(1997, 1, 1, 12, 0, 0, 1, tzinfo=timezone.utc),
        "list": ["a", 1, 2.5, False, b"x", datetime(2024, 1, 1, tzinfo=timezone.utc)], "empty": [],
        "object": {"a": [1, {"b": None}]}, "json": twind.Json([1, [2]]), "address.city": "Bern",
    }  # fmt: skip
    commit = client.update(name, values)
    assert commit.fact_count == len(values) and commit.sequence == commit.revision
    twin = client.get(name)
    assert twin == values
    assert list(twin) == sorted(values)
    assert (twin.name, twin.revision) == (name, commit.revision) and twin.sequence >= commit.sequence
    assert dict(client.get(name, attributes=["address", "yes"])) == {"address.city": "Bern", "yes": True}


def test_provenance(client, space):
    name = f"{space}/customer/1"
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    mood = twind.attribute("upset", confidence=0.75, evidence="ticket:4711")
    commit = client.update(name, {"mood": mood}, purpose="support")
    mood = client.get(name).attribute("mood")
    assert (mood.value, mood.agent, mood.confidence, mood.evidence) == ("upset", "tester", 0.75, "ticket:4711")
    assert (mood.sequence, mood.purpose, mood.valid_to) == (commit.sequence, "support", None)
    assert before < mood.recorded_at < before + timedelta(minutes=1)


def test_increment_remove_and_no_change(client, space):
    name = f"{space}/customer/1"
    client.update(name, {"visits": twind.increment(2), "ratio": twind.increment(0.5), "gone": 1})
    client.update(name, {"visits": twind.increment(-5), "gone": twind.remove})
    revision = client.get(name).revision
    again = client.update(name, {"visits": -3})
    assert (again.fact_count, again.revision) == (0, revision)
    assert client.get(name) == {"visits": -3, "ratio": 0.5}
    with pytest.raises(twind.FailedPrecondition, match="visits|text"):
        client.update(name, {"text": "x"})
        client.update(name, {"text": twind.increment(1)})
    client.update(name, {"large": 2**63 - 1})
    with pytest.raises(twind.OutOfRange, match="large"):
        client.update(name, {"large": twind.increment(1)})


def test_preconditions(client, real, space):
    name = f"{space}/customer/1"
    first = client.update(name, {"a": 1}, must_not_exist=True)
    with pytest.raises(twind.AlreadyExists):
        client.update(name, {"a": 2}, must_not_exist=True)
    with twind.Client(real.path, agent="other") as other:
        second = other.update(name, {"a": 2}, expected_revision=first.revision)
    with pytest.raises(twind.Aborted, match=name) as caught:
        client.update(name, {"a": 3}, expected_revision=first.revision)
    conflict = caught.value.conflict
    assert (conflict.name, conflict.current_revision, conflict.last_agent) == (name, second.revision, "other")
    assert datetime.now(timezone.utc) - conflict.recorded_at < timedelta(minutes=1)
    with pytest.raises(twind.Aborted):
        client.delete(name, expected_revision=first.revision)
    client.update(f"{space}/customer/new", {"a": 1}, expected_revision=0)


def test_delete_and_create_again(client, space):
    name = f"{space}/customer/1"
    first = client.update(name, {"a": 1, "b": 2})
    deleted = client.delete(name)
    assert deleted.revision > first.revision
    with pytest.raises(twind.NotFound, match=name):
        client.get(name)
    with pytest.raises(twind.NotFound):
        client.delete(name)
    assert client.update(name, {"c": 3}).revision > deleted.revision
    assert client.get(name) == {"c": 3}


def test_idempotency(client, space):
    name = f"{space}/customer/1"
    first = client.update(name, {"n": twind.increment()}, idempotency_key="k")
    assert client.update(name, {"n": twind.increment()}, idempotency_key="k") == first
    assert client.get(name) == {"n": 1}
    with pytest.raises(twind.InvalidArgument):
        client.update(name, {"n": twind.increment(2)}, idempotency_key="k")


def test_many(client, space):
    names = [f"{space}/customer/{i:03}" for i in range(600)]
    for start in range(0, 600, 200):
        commit = client.update_many(twind.Update(name, {"i": i}) for i, name in enumerate(names[start : start + 200]))
        assert set(commit.revisions.values()) == {commit.sequence}
    assert list(client.get_many([*names, f"{space}/customer/absent"])) == names
    assert [twin.name for twin in client.list(f"{space}/customer/", page_size=170)] == names
    assert len(list(client.list(f"{space}/customer/00", names_only=True))) == 10
    with pytest.raises(twind.AlreadyExists):
        client.update_many(
            [twind.Update(f"{space}/x/1", {"a": 1}), twind.Update(names[0], {"i": 9}, must_not_exist=True)]
        )
    with pytest.raises(twind.NotFound):
        client.get(f"{space}/x/1")


def test_get_many_that_takes_several_replies(client, space):
    names = [f"{space}/customer/{i}" for i in range(100)]
    with client.pipeline() as p:
        for name in names:
            p.update(name, {"big": "x" * 60_000})
    twins = client.get_many(names)
    assert list(twins) == names and all(len(twin["big"]) == 60_000 for twin in twins.values())


def test_sequences(client, space):
    name = f"{space}/customer/1"
    commit = client.update(name, {"a": 1})
    assert client.get(name, min_sequence=commit.sequence) == {"a": 1}
    assert client.get_if_newer(name, commit.revision) is None
    assert client.get_if_newer(name, commit.revision - 1) == {"a": 1}
    with pytest.raises(twind.OutOfRange) as caught:
        client.get(name, min_sequence=commit.sequence + 10_000)
    assert caught.value.resume.head_sequence >= commit.sequence


def test_deadline(client, space):
    client.update(f"{space}/customer/1", {"a": 1})
    head = client.server_info().sequence
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded):
        client.get(f"{space}/customer/1", min_sequence=head + 1, timeout=0.2)
    assert time.monotonic() - start < 0.8


@pytest.mark.parametrize("name", ["", "a/b", "A/b/c", "a/b/", "a/b/c/d", "a/b/" + "x" * 201, "a/b/\1", "a//c"])
def test_names_out_of_grammar(client, name):
    with pytest.raises(twind.InvalidArgument):
        client.update(name, {"a": 1})


def test_a_name_that_no_request_can_carry(client):
    with pytest.raises(ValueError, match="NUL"):
        client.update("a/b/\0", {"a": 1})


@pytest.mark.parametrize("attribute", ["", "A", "a..b", "a.", "é", "a" * 128])
def test_attribute_names_out_of_grammar(client, space, attribute):
    with pytest.raises(twind.InvalidArgument):
        client.update(f"{space}/customer/1", {attribute: 1})


def test_both_spellings_of_e_acute_are_two_twins(client, space):
    composed, decomposed = (unicodedata.normalize(form, f"{space}/customer/é") for form in ("NFC", "NFD"))
    client.update(composed, {"a": 1})
    client.update(decomposed, {"a": 2})
    assert (client.get(composed)["a"], client.get(decomposed)["a"]) == (1, 2)


def test_limits_are_named(client, space):
    name = f"{space}/customer/1"
    limits = client.server_info().limits
    with pytest.raises((twind.InvalidArgument, twind.ResourceExhausted)) as caught:
        client.update(name, {"big": "x" * 70_000})
    limit = caught.value.limit
    assert limits[limit.limit] == limit.maximum and limit.actual > limit.maximum
    with pytest.raises(twind.ResourceExhausted):
        client.update(name, {"big": "x" * 300_000})
    with pytest.raises((twind.InvalidArgument, twind.ResourceExhausted)):
        client.update(name, {f"a{i}": i for i in range(1001)})
    assert client.health() is twind.Health.SERVING


def test_admin_and_health(client, real):
    info = client.server_info()
    assert info.socket == real.path and info.dev and info.limits and info.pid > 0
    client.update("admin/customer/1", {"n": twind.increment()})
    checkpoint = client.checkpoint()
    assert checkpoint.sequence >= info.sequence
    stats = client.stats()
    assert stats.twin_count >= 1 and stats.checkpoint_sequence >= checkpoint.sequence and stats.checkpoint_error == ""
    assert client.health("twind.v1.TwinService") is twind.Health.SERVING
    with pytest.raises(twind.NotFound):
        client.health("no.Service")
    with client.healths.watch(HealthCheckRequest()) as statuses:
        assert next(statuses).status == 1


def test_threads_and_pipelines(client, space):
    def work(i):
        with client.pipeline() as p:
            for _ in range(1000):
                p.update(f"{space}/customer/{i}", {"n": twind.increment()})
                p.update(f"{space}/customer/all", {"n": twind.increment()})

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get(f"{space}/customer/all")["n"] == 4000
    assert [client.get(f"{space}/customer/{i}")["n"] for i in range(4)] == [1000] * 4


def test_more_threads_than_streams(client, space):
    client.update(f"{space}/customer/1", {"a": 1})
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(client.get(f"{space}/customer/1")["a"])) for _ in range(200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 200


def test_large_pipelined_replies(client, space):
    name = f"{space}/customer/1"
    for i in range(10):
        client.update(name, {f"big{i}": "x" * 60_000})
    with client.pipeline(window=128) as p:
        twins = [p.get(name) for _ in range(300)]
    assert {len(twin.result()["big9"]) for twin in twins} == {60_000}


def test_watch(client, space):
    for i in range(250):
        client.update(f"{space}/customer/{i:03}", {"i": i})
    with client.watch(f"{space}/") as watch, client.watch([f"{space}/customer/007"]) as one:
        assert [change["i"] for change in watch.snapshot()] == list(range(250))
        assert [change["i"] for change in one.snapshot()] == [7]
        client.update(f"{space}/customer/007", {"i": twind.remove, "j": 8})
        client.update_many([twind.Update(f"{space}/customer/{i}", {"k": i}) for i in ("a", "b")])
        client.delete(f"{space}/customer/000")
        change = next(watch)
        assert (dict(change), change.removed, change.snapshot) == ({"j": 8}, ("i",), False)
        assert change.attribute("j").agent == "tester"
        assert dict(next(one)) == {"j": 8}
        first, second = next(watch), next(watch)
        assert {first.name[-1], second.name[-1]} == {"a", "b"} and first.revision == second.revision
        deleted = next(watch)
        assert deleted.deleted and deleted.name.endswith("/000")
        position = watch.sequence
        assert position >= deleted.revision
    commits = [client.update(f"{space}/customer/{i}", {"z": i}).sequence for i in range(3)]
    with client.watch(f"{space}/", from_sequence=position) as watch:
        assert [next(watch).revision for _ in range(3)] == commits


def test_watch_ends_when_closed_elsewhere(client, space):
    with client.watch(f"{space}/") as watch:
        watch.snapshot()
        threading.Timer(0.2, watch.close).start()
        assert list(watch) == []


def test_history_has_two_axes(client, space):
    name = f"{space}/customer/1"
    before = datetime.now(timezone.utc) - timedelta(hours=1)
    client.update(name, {"plan": "basic", "visits": twind.increment(2)}, durability=twind.Durability.SYNCED)
    first = client.get(name).attribute("plan").recorded_at
    client.update(name, {"plan": twind.attribute("trial", valid_from=before, valid_to=first, evidence="ticket:1")})
    client.update(name, {"plan": twind.attribute("gold", valid_from=datetime.now(timezone.utc) + timedelta(days=1))})
    assert client.get(name)["plan"] == "basic" and client.get(name).attribute("visits").increment == 2
    assert client.get(name, valid_at=before) == {"plan": "trial"}
    with pytest.raises(twind.NotFound):
        client.get(name, known_at=first - timedelta(microseconds=1))
    assert client.get(name, valid_at=first, known_at=first) == {"plan": "basic", "visits": 2}
    assert client.get(name, valid_at=datetime.now(timezone.utc) + timedelta(days=2))["plan"] == "gold"
    with pytest.raises(twind.InvalidArgument, match="future"):
        client.get(name, known_at=datetime.now(timezone.utc) + timedelta(hours=1))
    history = client.facts(name, attributes=["plan"])
    assert [fact.value for fact in history] == ["basic", "trial", "gold"]
    assert history.sequence >= client.get(name).revision
    late = next(client.facts(name, valid_to=first))
    assert (late.value, late.evidence, late.valid_from, late.valid_to) == ("trial", "ticket:1", before, first)
    client.delete(name)
    assert list(client.facts(name))[-1].deleted
    with pytest.raises(twind.NotFound):
        list(client.facts(f"{space}/customer/none"))


def test_a_watch_tells_of_other_times(client, space):
    client.update(f"{space}/customer/1", {"a": 1})
    with client.watch(f"{space}/") as watch:
        watch.snapshot()
        client.update(f"{space}/customer/1", {"a": twind.attribute(0, valid_from=5), "b": 2})
        change = next(watch)
        assert dict(change) == {"b": 2}
        assert [(fact.attribute, fact.value) for fact in change.other_facts] == [("a", 0)]


def test_a_long_history_in_parts(real, client, space):
    name = f"{space}/customer/1"
    with client.pipeline() as p:
        for i in range(40):
            p.update(name, {"text": str(i % 10) * 50_000})
    history = client.facts(name)
    assert next(history).value == "0" * 50_000 and history.sequence is None
    assert len(list(history)) == 39 and history.sequence > 0

    async def work():
        async with twind.aio.Client(real.path) as client:
            assert len([fact async for fact in client.facts(name)]) == 40

    asyncio.run(work())


def test_asyncio(real, space):
    async def work():
        async with twind.aio.Client(real.path, agent="async") as client:
            await asyncio.gather(*(client.update(f"{space}/customer/{i}", {"i": i}) for i in range(500)))
            twins = await client.get_many(f"{space}/customer/{i}" for i in range(500))
            assert [twin["i"] for twin in twins.values()] == list(range(500))
            assert twins[f"{space}/customer/0"].attribute("i").agent == "async"
            async with client.watch(f"{space}/") as watch:
                assert len(await watch.snapshot()) == 500
                async with client.pipeline() as p:
                    for _ in range(1000):
                        await p.update(f"{space}/customer/0", {"n": twind.increment()})
                    twin = await p.get(f"{space}/customer/0")
                assert (await twin)["n"] == 1000
                seen = [(await watch.__anext__())["n"] for _ in range(1000)]
                assert seen == list(range(1, 1001))
            with pytest.raises(twind.NotFound):
                await client.get(f"{space}/customer/absent")
            assert len([twin async for twin in client.list(f"{space}/")]) == 500
            head = (await client.server_info()).sequence
            with pytest.raises(twind.DeadlineExceeded):
                await client.get(f"{space}/customer/1", min_sequence=head + 1, timeout=0.2)

    asyncio.run(work())


def test_an_orderly_restart_keeps_everything_and_clients_go_on(own):
    with twind.Client(own.path, agent="tester", timeout=20, connect_timeout=20) as client:
        for i in range(100):
            client.update(f"acme/customer/{i}", {"i": i})
        watch = client.watch("acme/", on_gap="snapshot")
        assert len(watch.snapshot()) == 100
        assert own.stop() == 0
        restart = threading.Timer(0.3, own.start)
        restart.start()
        assert client.get("acme/customer/7") == {"i": 7}
        assert client.get("acme/customer/7").attribute("i").agent == "tester"
        after = client.update("acme/customer/7", {"i": 8})
        assert after.sequence > 100
        seen = []
        while not seen or seen[-1].revision != after.revision:
            seen.append(next(watch))
        assert seen[-1] == {"i": 8}
        watch.close()
        restart.join()


def test_without_a_daemon(own):
    own.stop()
    with pytest.raises(twind.Unavailable, match="twind at .*Start the daemon"):
        twind.Client(own.path, connect_timeout=0).health()
