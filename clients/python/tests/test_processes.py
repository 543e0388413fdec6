"""A connection belongs to the process that opened it: os.fork, and multiprocessing in its three ways."""

from __future__ import annotations

import asyncio
import copy
import gc
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
import warnings

import pytest

import twind
import twind.aio
from fake_daemon import hang
from twind._generated.twind.v1 import twin_pb2

NAME = "acme/customer/42"

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def in_child(work, seconds=10):
    """Runs the work in a forked child; it must not raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(seconds)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child ended with {status}"


def assert_refused(call, what):
    with pytest.raises(RuntimeError, match=f"^this {what} belongs to the process that opened it: open another one"):
        call()


def test_a_child_has_a_connection_of_its_own(client, daemon):
    client.update(NAME, {"a": 1})
    connection = client._channel._connection

    def work():
        for _ in range(20):
            assert client.get(NAME) == {"a": 1}
        assert client._channel._connection is not connection
        client.close()
        with pytest.raises(twind.Cancelled):
            client.get(NAME)

    in_child(work)
    assert client.get(NAME) == {"a": 1} and client._channel._connection is connection
    assert daemon.accepted == 2 and not daemon.peers[0].gone


def test_a_child_of_a_child(client, daemon):
    client.update(NAME, {"n": 1})
    in_child(lambda: (client.get(NAME), in_child(lambda: client.update(NAME, {"n": 2})), client.get(NAME)))
    assert client.get(NAME) == {"n": 2}
    assert daemon.accepted == 3


def test_parent_and_children_at_once_get_their_own_twins(client):
    """Each asks for its own twin, many times: nobody reads what is another's."""
    for i in range(5):
        client.update(f"acme/customer/{i}", {"i": i})
    children = []
    for i in range(4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            good = all(client.get(f"acme/customer/{i}")["i"] == i for _ in range(300))
            os._exit(0 if good else 1)
        children.append(child)
    assert all(client.get("acme/customer/4")["i"] == 4 for _ in range(300))
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4


def test_the_end_of_the_parent_is_seen_though_its_child_lives_on(daemon):
    """The child has no descriptor of the parent's connections."""

    def parent():
        client = twind.Client(daemon.path)
        client.health()
        watch = client.watch("acme/")
        watch.snapshot()
        if os.fork() == 0:
            os.setpgid(0, 0)
            time.sleep(3)
            os._exit(0)
        os._exit(0)

    in_child(parent)
    start = time.monotonic()
    while not all(peer.gone for peer in daemon.peers):
        assert time.monotonic() - start < 2
        time.sleep(0.01)
    assert daemon.accepted == 2


def test_a_fork_while_other_threads_call(client):
    """A lock that is held at the fork, by a thread that the child does not have, holds up nobody."""
    client.update(NAME, {"a": 1})
    stop = threading.Event()

    def call():
        while not stop.is_set():
            client.get(NAME)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_child(lambda: client.get(NAME, timeout=5))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_fork_while_another_thread_connects(tmp_path, daemon):
    client = twind.Client(tmp_path / "absent", connect_timeout=3)
    thread = threading.Thread(target=lambda: pytest.raises(twind.Unavailable, client.health))
    thread.start()
    time.sleep(0.1)

    def work():
        os.symlink(daemon.path, tmp_path / "absent")
        assert client.health(timeout=1) is twind.Health.SERVING
        os.unlink(tmp_path / "absent")

    in_child(work)
    client.close()
    thread.join()


def test_a_watch_is_refused_in_a_child_and_goes_on_in_the_parent(client, daemon):
    for i in range(3):
        client.update(f"acme/customer/{i}", {"i": i})
    with client.watch("acme/") as watch:
        next(watch)  # the others have come too

        def work():
            assert_refused(lambda: next(watch), "watch")
            assert_refused(watch.snapshot, "watch")
            assert_refused(lambda: pickle.dumps(watch), "watch")
            watch.close()
            assert_refused(lambda: next(watch), "watch")
            with client.watch("acme/") as own:
                assert len(own.snapshot()) == 3

        in_child(work)
        assert [next(watch)["i"] for _ in range(2)] == [1, 2]
        client.update(NAME, {"i": 9})
        assert next(watch)["i"] == 9
    assert daemon.methods().count("WatchTwins") == 2


def test_leaving_the_blocks_of_the_parent_ends_nothing_for_it(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.twins.facts[NAME] = [
        twin_pb2.Fact(attribute=twin_pb2.Attribute(name="n", value=twin_pb2.Value(int_value=n))) for n in range(3)
    ]
    with client.watch("acme/") as watch, client.facts(NAME) as facts, client.pipeline() as pipeline:
        assert next(facts).value == 0
        pending = pipeline.update(NAME, {"n": twind.increment()})

        def work():
            with client, watch, facts, pipeline:
                assert_refused(lambda: next(facts), "history")
                assert_refused(lambda: pipeline.update(NAME, {"n": twind.increment()}), "pipeline")
                assert_refused(pending.result, "pipeline")
                assert_refused(lambda: pickle.dumps(facts), "history")
                assert_refused(lambda: pickle.dumps(pipeline), "pipeline")
            gc.collect()

        in_child(work)
        assert [fact.value for fact in facts] == [1, 2]
        assert pending.result().fact_count == 1
        assert len(watch.snapshot()) == 1
    assert client.get(NAME) == {"a": 1, "n": 1}


def test_a_pipeline_is_made_once(client):
    """Half of it is queued, and some under way, when the child leaves it."""
    with client.pipeline(window=8) as p:
        for i in range(50):
            p.update(NAME, {"n": twind.increment()})
            if i == 29:

                def work():
                    with p:
                        pass

                in_child(work)
    assert client.get(NAME)["n"] == 50


def test_a_raw_stream_is_refused(client, daemon):
    from twind._generated.grpc.health.v1.health_pb2 import HealthCheckRequest

    daemon.faults["Watch"] = [hang]
    stream = client.healths.watch(HealthCheckRequest())
    in_child(lambda: (assert_refused(lambda: next(stream), "stream of Watch"), stream.close()))
    assert not daemon.peers[-1].gone


def test_a_handler_that_forks_in_the_middle_of_a_call(client, daemon):
    """The child returns into the call that its parent makes: it makes the call itself."""
    client.update(NAME, {"a": 1})
    from fake_daemon import delayed

    daemon.faults["GetTwin"] = [delayed(0.3)]
    children = []

    def handler(number, frame):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            children.append(os.fork())

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        good = client.get(NAME, timeout=3) == {"a": 1}
    except BaseException:
        good = False
    if children == [0]:
        os._exit(0 if good else 1)
    signal.signal(signal.SIGALRM, before)
    assert good and os.waitpid(children[0], 0)[1] == 0
    assert client.get(NAME) == {"a": 1}


# Multiprocessing: the child gets the client as an argument.


def get_in_child(client, answers):
    answers.put((client.get(NAME)["a"], client.get(NAME).attribute("a").agent))


def aio_get_in_child(client, answers):
    async def get():
        async with client:
            twin = await client.get(NAME)
            return twin["a"], twin.attribute("a").agent

    answers.put(asyncio.run(get()))


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("is_aio", [False, True])
def test_multiprocessing(client, daemon, method, is_aio):
    client.update(NAME, {"a": 1})
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    given = twind.aio.Client(daemon.path, agent="tester") if is_aio else client
    process = context.Process(target=aio_get_in_child if is_aio else get_in_child, args=(given, answers))
    process.start()
    assert answers.get(timeout=30) == (1, "tester")
    process.join(30)
    assert process.exitcode == 0
    assert client.get(NAME) == {"a": 1} and daemon.accepted == 2


@pytest.mark.parametrize("kind", [twind.Client, twind.aio.Client])
def test_a_copy_is_a_client_of_the_same_options(daemon, kind):
    client = kind(daemon.path, agent="tester", timeout=3, purpose="support", connect_timeout=2)
    for other in (pickle.loads(pickle.dumps(client)), copy.copy(client), copy.deepcopy(client)):
        assert type(other) is kind and other is not client
        assert (other.path, other._options, other._purpose) == (client.path, client._options, "support")
        assert (other._channel.timeout, other._channel.connect_timeout) == (3, 2)


# asyncio.


def test_an_asyncio_client_in_a_child_leaves_the_parent_alone(daemon):
    """The child inherits the event loop's epoll instance: what it removes there, the parent would never hear of."""

    async def main():
        async with twind.aio.Client(daemon.path, timeout=3) as client:
            await client.update(NAME, {"a": 1})
            async with client.watch("acme/") as watch:
                await watch.snapshot()
                waiting = asyncio.ensure_future(watch.__anext__())
                await asyncio.sleep(0.05)

                def work():
                    async def own():
                        assert await client.get(NAME) == {"a": 1}
                        with pytest.raises(RuntimeError, match="this watch belongs to the process"):
                            await watch.__anext__()
                        async with client.pipeline() as p:
                            await p.get(NAME)
                        watch.close()
                        client.close()
                        gc.collect()

                    asyncio.run(own())

                in_child(work)
                for i in range(5):
                    await client.update(NAME, {"a": i + 2})
                assert (await asyncio.wait_for(waiting, 3))["a"] == 2
                assert [(await asyncio.wait_for(watch.__anext__(), 3))["a"] for _ in range(4)] == [3, 4, 5, 6]

    asyncio.run(asyncio.wait_for(main(), 20))
    assert daemon.accepted == 3


def test_an_asyncio_client_that_a_child_drops_leaves_the_parent_alone(daemon):
    async def main():
        holder = [twind.aio.Client(daemon.path, timeout=3)]
        await holder[0].update(NAME, {"a": 1})

        def work():
            holder.clear()
            gc.collect()

        in_child(work)
        assert await asyncio.wait_for(holder[0].get(NAME), 3) == {"a": 1}
        holder[0].close()

    asyncio.run(main())
    assert daemon.accepted == 1


def test_an_asyncio_pipeline_is_made_once(daemon):
    async def main():
        async with twind.aio.Client(daemon.path) as client:
            async with client.pipeline(window=8) as p:
                for i in range(50):
                    pending = await p.update(NAME, {"n": twind.increment()})
                    if i == 29:

                        def work():
                            async def leave():
                                async with p:
                                    for call in (pending.result(), p.get(NAME)):
                                        with pytest.raises(RuntimeError, match="this pipeline belongs"):
                                            await call

                            asyncio.run(leave())

                        in_child(work)
            assert (await client.get(NAME))["n"] == 50

    asyncio.run(asyncio.wait_for(main(), 20))
