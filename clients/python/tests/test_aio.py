"""The asyncio client, against the fake daemon: what it does for itself. Requests and results are the blocking one's."""

from __future__ import annotations

import asyncio
import struct
import time
from contextlib import asynccontextmanager

import pytest

import twind
from fake_daemon import DATA, NO_DATA, REMOTE_CLOSED, REMOTE_OPEN, delayed, drop_after, drop_before, hang, raw
from twind import _wire
from twind._generated.grpc.health.v1.health_pb2 import HealthCheckRequest
from twind._generated.ttrpc.ttrpc_pb2 import KeyValue
from twind._generated.twind.v1.twin_service_pb2 import WatchTwinsResponse
from twind.aio import Client, _connection
from twind.errors import Cancelled
from test_stream import CHAT, COLLECT

NAME = "acme/customer/42"


def connected(daemon, **options):
    return Client(daemon.path, **{"agent": "tester", "timeout": 5, "connect_timeout": 2, **options})


async def test_calls(daemon):
    async with connected(daemon) as client:
        commit = await client.update(NAME, {"address.city": "Bern", "visits": twind.increment(2)})
        assert (commit.revision, commit.fact_count) == (1, 2)
        twin = await client.get(NAME)
        assert twin == {"address.city": "Bern", "visits": 2} and twin.attribute("visits").agent == "tester"
        assert await client.get(NAME, attributes=["address"]) == {"address.city": "Bern"}
        assert await client.get_if_newer(NAME, 1) is None
        many = await client.update_many([twind.Update(f"acme/customer/{i}", {"i": i}) for i in range(30)])
        assert len(many.revisions) == 30
        daemon.twins.batch_room = 7
        assert len(await client.get_many(f"acme/customer/{i}" for i in range(300))) == 31
        listed = [twin async for twin in client.list("acme/", page_size=10)]
        assert len(listed) == 31 and daemon.methods().count("ListTwins") == 4
        await client.delete(NAME)
        with pytest.raises(twind.NotFound, match="there is no twin"):
            await client.get(NAME)
        with pytest.raises(twind.Aborted) as aborted:
            await client.update("acme/customer/1", {"a": 1}, expected_revision=77)
        assert aborted.value.conflict.current_revision == 2
        assert (await client.server_info()).pid == 7
        assert (await client.stats()).twin_count == 30
        assert (await client.checkpoint()).twin_count == 30
        assert await client.health() is twind.Health.SERVING
        assert (await client.healths.check(HealthCheckRequest())).status == 1
    assert daemon.accepted == 1


async def test_thousands_of_calls_at_once(daemon):
    async with connected(daemon) as client:
        await asyncio.gather(*(client.update(f"acme/customer/{i}", {"i": i}) for i in range(2000)))
        twins = await asyncio.gather(*(client.get(f"acme/customer/{i}") for i in range(2000)))
        assert [twin["i"] for twin in twins] == list(range(2000))


async def test_never_more_streams_than_the_daemon_takes(daemon):
    async with connected(daemon) as client:
        await client.update(NAME, {"a": 1})
        most = []
        original = daemon._request

        def request(peer, stream, flags, body):
            most.append(len(client._channel._connection._calls))
            original(peer, stream, flags, body)

        daemon._request = request
        daemon.faults["GetTwin"] = [delayed(0.02)] * 300
        await asyncio.gather(*(client.get(NAME) for _ in range(300)))
        assert max(most) == _wire.STREAMS_MAX


async def test_waiting_for_a_stream_ends_at_the_deadline_and_passes_the_turn(daemon):
    async with connected(daemon) as client:
        daemon.faults["GetTwin"] = [hang] * 128
        hung = [asyncio.ensure_future(client.get(NAME, timeout=1)) for _ in range(128)]
        await asyncio.sleep(0.2)
        start = time.monotonic()
        with pytest.raises(twind.DeadlineExceeded):
            await client.health(timeout=0.2)
        assert time.monotonic() - start < 0.6
        cancelled = asyncio.ensure_future(client.health())
        waiting = [asyncio.ensure_future(client.health()) for _ in range(10)]
        await asyncio.sleep(0.05)
        cancelled.cancel()
        assert await asyncio.gather(*waiting) == [twind.Health.SERVING] * 10
        errors = await asyncio.gather(*hung, return_exceptions=True)
        assert all(isinstance(error, twind.DeadlineExceeded) for error in errors)


async def test_lost_replies(daemon):
    async with connected(daemon) as client:
        daemon.faults["UpdateTwin"] = [drop_after, drop_before]
        await client.update(NAME, {"n": twind.increment()}, idempotency_key="k")
        daemon.faults["GetTwin"] = [drop_before, drop_after]
        assert await client.get(NAME) == {"n": 1}
        daemon.faults["UpdateTwin"] = [drop_after]
        with pytest.raises(twind.Unavailable, match="UpdateTwin: .*whether the write took effect is unknown"):
            await client.update(NAME, {"n": twind.increment()})
        assert await client.get(NAME) == {"n": 2}


async def test_a_write_that_was_not_sent_is_sent_on_a_new_connection(daemon):
    async with connected(daemon) as client:
        await client.update(NAME, {"n": twind.increment()})
        for _ in range(20):
            daemon.drop_all()
            await client.update(NAME, {"n": twind.increment()})
        assert (await client.get(NAME))["n"] == 21
    assert daemon.accepted == 21


async def test_a_restarted_daemon_is_found_again(daemon):
    async with connected(daemon) as client:
        await client.update(NAME, {"a": 1})
        daemon.stop()
        asyncio.get_running_loop().call_later(0.3, daemon.start)
        twins = await asyncio.gather(*(client.get(NAME) for _ in range(20)))
        assert twins == [{"a": 1}] * 20
    assert daemon.accepted == 2


async def test_no_daemon(tmp_path):
    with pytest.raises(twind.Unavailable, match="there is no such socket"):
        await Client(tmp_path / "absent", connect_timeout=0.1).health()


async def test_deadline(daemon):
    async with connected(daemon) as client:
        daemon.faults["GetTwin"] = [hang]
        start = time.monotonic()
        with pytest.raises(twind.DeadlineExceeded, match="GetTwin had no reply within 0.2 s$"):
            await client.get(NAME, timeout=0.2)
        assert 0.15 < time.monotonic() - start < 1
        await client.health()
    assert daemon.cancelled == [1] and daemon.accepted == 1


async def test_cancelling_a_task_cancels_its_call(daemon):
    async with connected(daemon) as client:
        daemon.faults["GetTwin"] = [hang]
        task = asyncio.ensure_future(client.get(NAME))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.health()
    assert daemon.cancelled == [1] and daemon.accepted == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff" * 10, "a frame of 4294967295 bytes"),
        (struct.pack(">IIBB", 0, 1, 3, 0), "stream's data for a unary call"),
    ],
)
async def test_a_peer_that_does_not_keep_the_protocol(daemon, data, says):
    async with connected(daemon) as client:
        daemon.faults["UpdateTwin"] = [raw(data)]
        with pytest.raises(twind.Unavailable, match=says):
            await client.update(NAME, {"a": 1})
        assert await client.health() is twind.Health.SERVING


async def test_large_values_and_a_daemon_that_reads_slowly(daemon):
    async with connected(daemon) as client:
        daemon.reading.clear()
        asyncio.get_running_loop().call_later(0.3, daemon.reading.set)
        await asyncio.gather(*(client.update(f"acme/customer/{i}", {"big": "x" * 1_000_000}) for i in range(10)))
        twins = await asyncio.gather(*(client.get(f"acme/customer/{i}") for i in range(10)))
        assert [len(twin["big"]) for twin in twins] == [1_000_000] * 10


async def test_a_daemon_that_stops_reading_cannot_hold_a_call(daemon):
    async with connected(daemon) as client:
        await client.health()
        daemon.reading.clear()
        start = time.monotonic()
        with pytest.raises(twind.DeadlineExceeded, match="whether the write took effect is unknown"):
            await client.update(NAME, {"big": "x" * 3_000_000}, timeout=0.4)
        with pytest.raises(twind.DeadlineExceeded):
            await client.health(timeout=0.2)
        assert time.monotonic() - start < 2
        daemon.reading.set()
        assert await client.health() is twind.Health.SERVING


async def test_stream_ids_run_out(daemon, monkeypatch):
    monkeypatch.setattr(_connection.Connection.__init__, "__defaults__", (2 * _wire.STREAMS_MAX + 9,))
    async with connected(daemon) as client:
        for i in range(20):
            await client.update(NAME, {"i": i})
        assert (await client.get(NAME))["i"] == 19
        await asyncio.sleep(0.1)
        assert [peer.gone for peer in daemon.peers] == [True] * 4 + [False], "connections used up are closed"


async def test_close_ends_calls_under_way(daemon):
    client = connected(daemon)
    daemon.faults["GetTwin"] = [hang] * 3
    asyncio.get_running_loop().call_later(0.2, client.close)
    errors = await asyncio.gather(*(client.get(NAME) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in errors] == [Cancelled] * 3
    with pytest.raises(Cancelled, match="the client has been closed"):
        await client.health()


def test_a_client_moves_to_another_event_loop(daemon):
    client = connected(daemon)
    assert asyncio.run(client.health()) is twind.Health.SERVING
    assert asyncio.run(client.health()) is twind.Health.SERVING
    client.close()


async def test_streams(daemon):
    async with connected(daemon) as client:
        assert [reply.status async for reply in client.healths.watch(HealthCheckRequest())] == [1, 2]
        async with client._channel.client_stream(COLLECT) as stream:
            for text in ("a", "b"):
                await stream.send(KeyValue(value=text))
            assert await stream.finish() == KeyValue(key="2", value="ab")
        async with client._channel.client_stream(COLLECT) as stream:
            await stream.send(KeyValue(value="bad"))
            with pytest.raises(twind.InvalidArgument, match="bad is not collected"):
                await stream.finish()
        async with client._channel.bidi_stream(CHAT) as chat:
            await chat.send(KeyValue(value="one"))
            assert (await chat.__anext__()).value == "ONE"
            await chat.send(KeyValue(value="two"))
            await chat.close_send()
            assert [reply.value async for reply in chat] == ["TWO"]
    assert [flags for _, _, flags in daemon.requests] == [REMOTE_CLOSED, REMOTE_OPEN, REMOTE_OPEN, REMOTE_OPEN]


async def test_how_streams_end(daemon):
    async with connected(daemon) as client:
        daemon.faults["Watch"] = [hang, hang, drop_before, hang]
        with pytest.raises(twind.DeadlineExceeded, match="Watch had no reply within 0.2 s$"):
            await client.healths.watch(HealthCheckRequest(), timeout=0.2).__anext__()
        stream = client.healths.watch(HealthCheckRequest())
        asyncio.get_running_loop().call_later(0.1, stream.close)
        assert [reply async for reply in stream] == []
        with pytest.raises(twind.Unavailable, match="Watch: the daemon closed the connection"):
            await client.healths.watch(HealthCheckRequest()).__anext__()
        stream = client.healths.watch(HealthCheckRequest())
        asyncio.get_running_loop().call_later(0.1, client.close)
        assert [reply async for reply in stream] == []
        daemon.faults["Collect"] = [lambda d, peer, s, serve: peer.send(s, DATA, b"", REMOTE_CLOSED | NO_DATA)]
        with pytest.raises(Cancelled):
            await client._channel.client_stream(COLLECT).finish()


async def test_watch(daemon):
    async with connected(daemon) as client:
        for i in range(3):
            await client.update(f"acme/customer/{i}", {"i": i})
        async with client.watch("acme/") as watch:
            assert [change["i"] for change in await watch.snapshot()] == [0, 1, 2]
            assert watch.sequence == 3 and watch.snapshot_complete
            seen = []
            for i in range(20):
                await client.update("acme/customer/0", {"i": i})
                if i % 5 == 3:
                    daemon.drop_all()
                seen.append((await watch.__anext__())["i"])
            assert seen == list(range(20))
            asyncio.get_running_loop().call_later(0.1, watch.close)
            assert [change async for change in watch] == []
    assert daemon.methods().count("WatchTwins") == 5


async def test_a_watchs_gap(daemon):
    async with connected(daemon) as client:
        await client.update(NAME, {"a": 1})
        watches = [client.watch("acme/"), client.watch("acme/", on_gap="snapshot")]
        for watch in watches:
            await watch.snapshot()
        daemon.stop()
        daemon.twins.sequence = daemon.twins.oldest_sequence = 100
        daemon.start()
        with pytest.raises(twind.OutOfRange) as caught:
            await watches[0].__anext__()
        assert caught.value.resume == twind.Resume(100, 100)
        change = await watches[1].__anext__()
        assert (change.name, change.snapshot) == (NAME, True)


async def test_a_watch_gives_a_daemon_up_that_stays_away(daemon):
    async with connected(daemon, connect_timeout=0.1) as client, client.watch("acme/", reconnect_timeout=0.3) as watch:
        await watch.snapshot()
        daemon.stop()
        start = time.monotonic()
        with pytest.raises(twind.Unavailable, match="there is no such socket"):
            await watch.__anext__()
        assert 0.2 < time.monotonic() - start < 2


async def test_a_consumer_that_does_not_keep_up_costs_no_memory(daemon):
    """What it has not asked for stays in the socket, and the daemon's sending stops."""
    async with connected(daemon) as client, client.watch("acme/", from_sequence=0) as watch:
        for _ in range(30):
            await client.update(NAME, {"big": "x" * 100_000})
        await watch.__anext__()
        frames = watch._stream._stream.frames
        assert frames.end - frames.start < 500_000
        for _ in range(29):
            await watch.__anext__()
        assert watch.sequence == 30


@asynccontextmanager
async def pipeline(daemon, **options):
    async with connected(daemon) as client, client.pipeline(**options) as p:
        yield p


@pytest.mark.parametrize("window", [1, 2, 64, 128])
async def test_pipeline(daemon, window):
    under_way = []
    original = daemon._request

    def request(peer, stream, flags, body):
        under_way.append(len(p._channel._connection._calls))
        original(peer, stream, flags, body)

    daemon._request = request
    async with pipeline(daemon, window=window) as p:
        commits = [await p.update(NAME, {"n": twind.increment()}) for _ in range(300)]
        assert (await commits[0]).revision == 1
        twin = await p.get(NAME)
        gone = await p.delete(NAME)
        many = await p.update_many([twind.Update("acme/customer/1", {"a": 1})])
    assert [(await commit).revision for commit in commits] == list(range(1, 301))
    assert await twin == {"n": 300}
    assert (await gone).revision == 301
    assert (await many).revisions == {"acme/customer/1": 302}
    assert max(under_way) <= window


async def test_pipeline_errors(daemon):
    with pytest.raises(twind.NotFound, match=r"1 more call of this pipeline failed") as caught:
        async with pipeline(daemon) as p:
            await p.get("acme/customer/1")
            await p.update(NAME, {"a": 1})
            await p.update(NAME, {"a": 1}, must_not_exist=True)
            seen = await p.get("acme/customer/2")
            assert isinstance(await seen.exception(), twind.NotFound)
    assert [type(error) for error in caught.value.others] == [twind.AlreadyExists]
    with pytest.raises(RuntimeError, match="the pipeline has ended"):
        await p.get(NAME)


async def test_pipeline_over_lost_connections(daemon):
    daemon.faults["GetTwin"] = [drop_before]
    async with pipeline(daemon) as p:
        await (await p.update(NAME, {"n": twind.increment()}, idempotency_key="k"))
        twin = await p.get(NAME)
    assert await twin == {"n": 1}
    daemon.faults["UpdateTwin"] = [drop_after]
    with pytest.raises(twind.Unavailable, match="whether the write took effect is unknown"):
        async with pipeline(daemon) as p:
            await p.update(NAME, {"n": twind.increment()})


async def test_pipeline_deadline(daemon):
    daemon.faults["GetTwin"] = [hang]
    with pytest.raises(twind.DeadlineExceeded, match="GetTwin had no reply within 0.2 s$"):
        async with pipeline(daemon) as p:
            await p.get(NAME, timeout=0.2)
            commit = await p.update(NAME, {"a": 1})
    assert (await commit).revision == 1


async def test_a_daemon_that_ends_every_watch_at_once_is_asked_less_and_less(daemon):
    def one_change_and_the_end(daemon, peer, stream, serve):
        peer.send(stream, DATA, WatchTwinsResponse(sequence=1, snapshot_complete=True).SerializeToString())
        peer.drop()

    daemon.faults["WatchTwins"] = [one_change_and_the_end] * 500
    async with connected(daemon) as client, client.watch("acme/", reconnect_timeout=0.2) as watch:
        asyncio.get_running_loop().call_later(2, watch.close)
        assert [change async for change in watch] == []
    assert 4 <= daemon.methods().count("WatchTwins") <= 20
