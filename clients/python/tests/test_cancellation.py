"""asyncio: a task that is cancelled, or runs out of time, anywhere in the client loses nothing."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

import twind
import twind.aio
from fake_daemon import delayed, hang
from twind._generated.twind.v1 import twin_pb2
from twind.aio import Client

NAME = "acme/customer/42"
COMMITS = 2000


def connected(daemon, **options):
    return Client(daemon.path, **{"agent": "tester", "timeout": 10, "connect_timeout": 2, **options})


async def wait_for(work, seconds):
    return await asyncio.wait_for(work, seconds)


async def timeout(work, seconds):
    if not hasattr(asyncio, "timeout"):
        pytest.skip("asyncio.timeout came with Python 3.11")
    async with asyncio.timeout(seconds):
        return await work


async def write(daemon, pause):
    """In a task of its own, with pauses of all lengths around the timeouts of the reader."""
    source = random.Random(5)
    async with connected(daemon) as client:
        for n in range(COMMITS):
            await client.update(NAME, {"n": n})
            if pause and source.random() < 0.3:
                await asyncio.sleep(source.uniform(0, 2e-3))


@pytest.mark.parametrize("limited", [wait_for, timeout])
async def test_a_watch_under_timeouts_loses_no_commit(daemon, limited):
    async with connected(daemon) as client, client.watch(NAME) as watch:
        await watch.snapshot()
        writing = asyncio.ensure_future(write(daemon, pause=True))
        seen = []
        late = 0
        while len(seen) < COMMITS:
            try:
                change = await limited(watch.__anext__(), 1e-3)
            except (asyncio.TimeoutError, TimeoutError):
                late += 1
                continue
            seen.append(change["n"])
            assert watch.sequence == change.revision
        await writing
    assert seen == list(range(COMMITS)) and late > 20
    assert daemon.methods().count("WatchTwins") == 1


async def at_each_step(begin, steps=40):
    """Begins the work, cancels it after 0, 1, 2 … turns of the event loop, and then lets it end: its results."""
    results = []
    for turns in range(steps):
        work = begin()
        task = asyncio.ensure_future(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            results.append(await task)
        except asyncio.CancelledError:
            results.append(await work())
    return results


async def test_a_watch_cancelled_at_each_step(daemon):
    async with connected(daemon) as client, client.watch("acme/") as watch:
        await watch.snapshot()
        n = 0

        def begin():
            nonlocal n
            n += 1
            daemon.twins.call("UpdateTwin", update(n), "x")
            return watch.__anext__

        changes = await at_each_step(begin, 200)
        assert [change["n"] for change in changes] == list(range(1, 201))


def update(n):
    from twind._generated.twind.v1.twin_service_pb2 import UpdateTwinRequest

    request = UpdateTwinRequest(name=NAME)
    request.changes.add(attribute="n").set.int_value = n
    return request.SerializeToString()


async def test_the_beginning_of_a_watch_cancelled_at_each_step(daemon):
    async with connected(daemon) as client:
        for i in range(5):
            await client.update(f"acme/customer/{i}", {"i": i})
        watches = []

        def begin():
            watches.append(client.watch("acme/"))
            return watches[-1].snapshot

        for twins in await at_each_step(begin):
            assert [twin["i"] for twin in twins] == list(range(5))
        for watch in watches:
            assert watch.sequence == 5
            watch.close()


async def test_a_long_snapshot_under_timeouts(daemon):
    async with connected(daemon) as client:
        for i in range(300):
            await client.update(f"acme/customer/{i:03}", {"i": i})
        async with client.watch("acme/") as watch:
            while True:
                try:
                    twins = await asyncio.wait_for(watch.snapshot(), 1e-3)
                    break
                except asyncio.TimeoutError:
                    pass
            assert [twin["i"] for twin in twins] == list(range(300))


async def test_a_watch_cancelled_while_it_connects_again(daemon):
    async with connected(daemon) as client, client.watch("acme/") as watch:
        await watch.snapshot()
        daemon.stop()
        for _ in range(20):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(watch.__anext__(), 0.005)
        daemon.start()
        await client.update(NAME, {"n": 1})
        assert (await asyncio.wait_for(watch.__anext__(), 5))["n"] == 1


@pytest.mark.parametrize("limited", [wait_for, timeout])
async def test_histories_and_lists_under_timeouts(daemon, limited):
    source = random.Random(6)
    daemon.twins.sequence = 9
    attributes = [
        twin_pb2.Attribute(name="n", value=twin_pb2.Value(string_value="x" * 20_000), sequence=n)
        for n in range(1, 301)
    ]
    daemon.twins.facts[NAME] = [twin_pb2.Fact(attribute=attribute) for attribute in attributes]
    async with connected(daemon, timeout=60) as client:
        for i in range(100):
            await client.update(f"acme/customer/{i:03}", {"i": i})
        for found, number, wanted in (
            (client.facts(NAME), lambda fact: fact.sequence, list(range(1, 301))),
            (client.list("acme/", page_size=3), lambda twin: twin["i"], list(range(100))),
        ):
            seen = []
            while True:
                try:
                    seen.append(number(await limited(found.__anext__(), source.uniform(1e-4, 4e-3))))
                except StopAsyncIteration:
                    break
                except (asyncio.TimeoutError, TimeoutError):
                    pass
            assert seen == wanted


@pytest.mark.parametrize("window", [1, 2, 16])
async def test_a_pipeline_under_timeouts_loses_no_call_and_makes_none_twice(daemon, window):
    """A call whose `await` was cancelled has not been made; one that gave a Pending has."""
    source = random.Random(7)
    daemon.faults["UpdateTwin"] = [delayed(3e-3)] * 200
    given = []
    refused = 0
    async with connected(daemon) as client:
        async with client.pipeline(window=window) as p:
            for _ in range(300):
                try:
                    call = p.update(NAME, {"n": twind.increment()})
                    given.append(await asyncio.wait_for(call, source.uniform(1e-4, 5e-3)))
                except asyncio.TimeoutError:
                    refused += 1
        assert [(await pending).fact_count for pending in given] == [1] * len(given)
        assert (await client.get(NAME))["n"] == len(given)
    assert refused > 0 and len(given) > 20


async def test_a_result_that_was_cancelled_can_be_awaited_again(daemon):
    async with connected(daemon) as client, client.pipeline() as p:
        daemon.faults["UpdateTwin"] = [delayed(0.2)]
        commit = await p.update(NAME, {"n": 1})
        for _ in range(5):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(commit.result(), 0.01)
        others = [asyncio.ensure_future(commit.result()) for _ in range(3)]
        await asyncio.sleep(0)
        others[0].cancel()
        assert (await commit).revision == 1
        assert [(await other).revision for other in others[1:]] == [1, 1]
        assert (await (await p.get(NAME)).result())["n"] == 1 and commit.done()
    assert daemon.cancelled == []


async def test_results_cancelled_at_each_step(daemon):
    async with connected(daemon) as client, client.pipeline() as p:
        pendings = []

        async def make():
            pendings.append(await p.update(NAME, {"n": twind.increment()}))

        for _ in range(40):
            await make()
        left = iter(pendings)
        commits = await at_each_step(lambda: next(left).result)
        assert [commit.revision for commit in commits] == list(range(1, 41))


async def test_the_end_of_a_pipeline_may_run_out_of_time(daemon):
    """What had left takes effect, and the client goes on."""
    daemon.faults["UpdateTwin"] = [delayed(0.3)]
    async with connected(daemon) as client:
        with pytest.raises(asyncio.TimeoutError):
            p = client.pipeline()
            commit = await p.update(NAME, {"n": 1})
            await asyncio.wait_for(p.__aexit__(None, None, None), 0.05)
        assert (await commit).revision == 1
        assert await client.get(NAME) == {"n": 1}


async def test_cancelled_calls_leave_room_for_others(daemon):
    async with connected(daemon) as client:
        await client.update(NAME, {"n": 1})
        daemon.faults["GetTwin"] = [hang] * 300
        tasks = [asyncio.ensure_future(client.get(NAME)) for _ in range(300)]
        for task in tasks:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        daemon.faults["GetTwin"] = []
        assert client._channel._connection._calls == {} and not client._channel._connection._rooms
        assert await client.get(NAME) == {"n": 1}
    assert daemon.accepted == 1


async def test_a_message_that_was_being_sent_leaves_whole(daemon):
    """A stream whose sender ran out of time in the middle of a message ends that message before the next."""
    from test_stream import COLLECT
    from twind._generated.ttrpc.ttrpc_pb2 import KeyValue

    async with connected(daemon) as client:
        async with client._channel.client_stream(COLLECT) as stream:
            await stream.send(KeyValue(value="a"))
            daemon.reading.clear()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(stream.send(KeyValue(value="b" * 3_000_000)), 0.1)
            asyncio.get_running_loop().call_later(0.1, daemon.reading.set)
            await stream.send(KeyValue(value="c"))
            reply = await stream.finish()
            assert (reply.key, reply.value) == ("3", "a" + "b" * 3_000_000 + "c")


async def test_a_watchs_own_timeout(daemon):
    async with connected(daemon) as client, client.watch("acme/", timeout=0.2) as watch:
        await watch.snapshot()
        for n in range(3):
            start = time.monotonic()
            with pytest.raises(twind.DeadlineExceeded, match="WatchTwins had no reply within 0.2 s$"):
                await watch.__anext__()
            assert 0.15 < time.monotonic() - start < 1
            await client.update(NAME, {"n": n})
            assert (await watch.__anext__())["n"] == n
        daemon.stop()
        with pytest.raises(twind.DeadlineExceeded):
            await watch.__anext__()
        daemon.start()
        await client.update(NAME, {"n": 7})
        assert (await watch.__anext__())["n"] == 7
    assert daemon.methods().count("WatchTwins") == 2
