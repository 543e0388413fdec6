"""Clients that nobody closed: their sockets are given back when they are collected."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import warnings

import pytest

import twind
import twind.aio
from fake_daemon import hang

NAME = "acme/customer/42"


def descriptors():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def collected():
    """The warnings, all of them."""
    gc.collect()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield seen


def unclosed(seen, path):
    return [str(one.message) for one in seen if one.category is ResourceWarning and path in str(one.message)]


async def gone(daemon, count):
    """The daemon has seen so many connections end."""
    for _ in range(200):
        if sum(peer.gone for peer in daemon.peers) == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError([peer.gone for peer in daemon.peers])


async def test_a_dropped_asyncio_client_gives_its_socket_back_and_warns(daemon, collected):
    await twind.aio.Client(daemon.path).health()
    await gone(daemon, 1)
    before = descriptors()
    for _ in range(50):
        client = twind.aio.Client(daemon.path)
        await client.update(NAME, {"a": 1})
    del client
    await gone(daemon, 51)
    assert descriptors() <= before + 2
    texts = unclosed(collected, daemon.path)
    assert len(texts) == 51
    assert texts[0] == f"unclosed twind.aio.Client({daemon.path!r}): use it in `async with`, or close it"


async def test_a_closed_one_does_not_warn(daemon, collected):
    async with twind.aio.Client(daemon.path) as client:
        await client.health()
        daemon.drop_all()
        await asyncio.sleep(0.05)
        await client.health()
    never = twind.aio.Client(daemon.path)
    del client, never
    gc.collect()
    assert unclosed(collected, daemon.path) == []


async def test_one_that_is_part_of_a_cycle(daemon, collected):
    client = twind.aio.Client(daemon.path)
    await client.health()
    client.me = client
    del client
    gc.collect()
    await gone(daemon, 1)
    assert len(unclosed(collected, daemon.path)) == 1


async def test_one_that_another_thread_collects(daemon, collected):
    """The loop that waits for it is told in its own thread."""
    holder = [twind.aio.Client(daemon.path)]
    await holder[0].health()
    before = descriptors()
    thread = threading.Thread(target=holder.clear)
    thread.start()
    thread.join()
    await gone(daemon, 1)
    for _ in range(100):
        if descriptors() == before - 2:  # this side's, and the fake daemon's
            return
        await asyncio.sleep(0.01)
    raise AssertionError(descriptors())


def test_one_whose_loop_has_ended(daemon, collected):
    client = twind.aio.Client(daemon.path)
    asyncio.run(client.health())
    before = descriptors()
    del client
    time.sleep(0.1)
    assert descriptors() < before


async def test_calls_under_way_hold_it(daemon):
    daemon.twins.call("UpdateTwin", b"\x0a\x05a/b/c", "x")
    assert (await twind.aio.Client(daemon.path).get("a/b/c")).name == "a/b/c"
    async with twind.aio.Client(daemon.path).watch("a/") as watch:
        assert len(await watch.snapshot()) == 1
    twins = [twin.name async for twin in twind.aio.Client(daemon.path).list("a/")]
    assert twins == ["a/b/c"]


async def test_a_dropped_watch_and_history_end(daemon):
    async with twind.aio.Client(daemon.path) as client:
        watch = client.watch("acme/")
        await watch.snapshot()
        daemon.faults["ListFacts"] = [hang]
        facts = client.facts(NAME)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(facts.__anext__(), 0.05)
        del watch, facts
        gc.collect()
        await gone(daemon, 2)


def test_a_blocking_client_that_is_dropped_ends_its_connections_at_once(daemon):
    """Also when the child of a fork, which has the descriptors too, lives on."""
    client = twind.Client(daemon.path)
    client.health()
    watch = client.watch("acme/")
    watch.snapshot()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        time.sleep(1)
        os._exit(0)
    del client, watch
    asyncio.run(gone(daemon, 2))
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.waitpid(child, 0)


@pytest.mark.parametrize("kind", ["twind.Client", "twind.aio.Client"])
def test_the_end_of_the_interpreter_is_quiet(daemon, kind):
    """A client that lives as long as the program, as most do."""
    code = f"""
import asyncio, sys, twind, twind.aio
client = {kind}(sys.argv[1])
if {kind.count("aio")}:
    async def main():
        await client.health()
        global watch
        watch = client.watch("a/")
        await watch.snapshot()
    asyncio.run(main())
else:
    client.health()
    watch = client.watch("a/")
    watch.snapshot()
"""
    done = subprocess.run([sys.executable, "-c", code, daemon.path], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
