"""Real signals: handlers that raise at random, and timers that must not stretch a deadline."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

import twind
from fake_daemon import delayed, hang
from test_stream import COLLECT
from twind._generated.grpc.health.v1.health_pb2 import HealthCheckRequest
from twind._generated.ttrpc.ttrpc_pb2 import KeyValue

NAME = "acme/customer/42"
IS_FULL = os.environ.get("TWIND_FULL") == "1"
# Interruptions, and the seconds in which they must have been.
INTERRUPTIONS, SECONDS = (20_000, 600) if IS_FULL else (1_500, 120)


class Interrupted(Exception):
    pass


@contextmanager
def handler(function):
    before = signal.signal(signal.SIGALRM, function)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("error", [Interrupted, TimeoutError])
def test_thousands_of_interruptions_at_random(client, error):
    """The main thread is interrupted after a random time, over and over; three threads call on the same connection."""
    client.update(NAME, {"a": 1})
    stop = threading.Event()
    errors = []
    calls = [0] * 3

    def call(i):
        try:
            while not stop.is_set():
                start = time.monotonic()
                client.update(f"acme/customer/{i}", {"n": twind.increment()}, timeout=10)
                assert client.get(NAME, timeout=10)["a"] == 1
                assert time.monotonic() - start < 3, "it waited for a thread that was interrupted"
                calls[i] += 1
        except BaseException as error:
            errors.append(error)

    def strike(number, frame):
        raise error("from the handler")

    source = random.Random(3)
    struck = 0
    threads = [threading.Thread(target=call, args=(i,)) for i in range(3)]
    deadline = time.monotonic() + SECONDS
    with handler(strike):
        for thread in threads:
            thread.start()
        while struck < INTERRUPTIONS // 2 and time.monotonic() < deadline:
            try:
                signal.setitimer(signal.ITIMER_REAL, source.uniform(20e-6, 2e-3))
                while True:
                    assert client.get(NAME, timeout=10)["a"] == 1
                    with client.pipeline(window=4) as p:
                        for _ in range(6):
                            p.get(NAME)
            except error as caught:
                assert str(caught) == "from the handler"
                struck += 1
    stop.set()
    for thread in threads:
        thread.join(20)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    assert struck == INTERRUPTIONS // 2
    for i in range(3):
        assert client.get(f"acme/customer/{i}")["n"] == calls[i] > 0
    start = time.monotonic()
    assert client.get(NAME) == {"a": 1}
    assert time.monotonic() - start < 1
    assert client._channel._connection._calls == {}


def test_a_watch_under_random_interruptions_loses_nothing(client):
    """An interrupted `for` is begun again, from a thread that changes things all the time."""
    wanted = INTERRUPTIONS * 2
    client.update(NAME, {"n": -1})

    def change():
        with client.pipeline() as p:
            for n in range(wanted):
                p.update(NAME, {"n": n})

    def strike(number, frame):
        raise Interrupted

    def read(watch):
        """Apart from the `try`, which would not catch what is raised where the loop goes back (CPython 3.12)."""
        nonlocal one
        for one in watch:
            changes.append(one)
            if len(changes) == wanted:
                signal.setitimer(signal.ITIMER_REAL, 0)
                return

    source = random.Random(4)
    struck = 0
    changes = []
    one = None
    changing = threading.Thread(target=change)
    with client.watch(NAME) as watch, handler(strike):
        watch.snapshot()
        changing.start()
        while len(changes) < wanted:
            try:
                signal.setitimer(signal.ITIMER_REAL, source.uniform(50e-6, 1e-3))
                read(watch)
            except Interrupted:
                struck += 1
                if one is not None and one not in changes[-1:]:  # it struck before the loop had kept it
                    changes.append(one)
    changing.join()
    assert [change["n"] for change in changes] == list(range(wanted))
    assert struck > 20


@pytest.fixture
def ticking():
    """A timer that interrupts every wait, and whose handler does nothing."""
    ticks = []
    with handler(lambda number, frame: ticks.append(1)):
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        yield ticks
    assert len(ticks) > 3


def takes(seconds, call):
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded):
        call()
    assert seconds - 0.05 <= time.monotonic() - start < seconds + 1


def test_deadlines_hold_under_a_timer(client, daemon, ticking):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [hang] * 2
    takes(0.4, lambda: client.get(NAME, timeout=0.4))
    with client.pipeline() as p:
        pending = p.get(NAME, timeout=0.4)
        takes(0.4, pending.result)
    daemon.faults["Watch"] = [hang]
    takes(0.4, lambda: next(client.healths.watch(HealthCheckRequest(), timeout=0.4)))
    daemon.faults["ListFacts"] = [hang]
    takes(0.4, lambda: next(client.facts(NAME, timeout=0.4)))
    with client.watch(NAME, timeout=0.4) as watch:
        watch.snapshot()
        takes(0.4, lambda: next(watch))
    assert client.get(NAME) == {"a": 1} and daemon.faults["GetTwin"] == []


def test_deadlines_of_sending_hold_under_a_timer(client, daemon, ticking):
    client.health()
    daemon.reading.clear()
    takes(0.4, lambda: client.update(NAME, {"big": "x" * 3_000_000}, timeout=0.4))

    def send():
        with client._channel.client_stream(COLLECT, timeout=0.4) as stream:
            for _ in range(100):
                stream.send(KeyValue(value="x" * 100_000))

    takes(0.4, send)
    daemon.reading.set()
    assert client.health() is twind.Health.SERVING


def test_deadlines_of_connecting_hold_under_a_timer(tmp_path, ticking):
    start = time.monotonic()
    with pytest.raises(twind.Unavailable):
        twind.Client(tmp_path / "absent", connect_timeout=0.4).health()
    assert 0.3 < time.monotonic() - start < 1.5


@pytest.mark.parametrize("lock", ["_reading", "_sending"])
def test_a_lock_that_nobody_gives_back_is_replaced_with_its_connection(client, daemon, lock):
    client.update(NAME, {"a": 1})
    lost = client._channel._connection
    getattr(lost, lock).acquire()
    lost._reader_deadline = 0
    try:
        client.get(NAME, timeout=0.5)
    except twind.DeadlineExceeded:
        pass
    start = time.monotonic()
    assert client.get(NAME, timeout=0.5) == {"a": 1}
    assert time.monotonic() - start < 0.4 and daemon.accepted == 2


def test_a_lock_of_connecting_that_nobody_gives_back_is_replaced(daemon):
    with twind.Client(daemon.path, connect_timeout=0.3) as client:
        client._channel._connecting.acquire()
        with pytest.raises(twind.Unavailable, match="another thread is still connecting"):
            client.health()
        assert client.health() is twind.Health.SERVING


def test_a_handler_may_call_the_client_that_it_interrupts(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [delayed(0.6)]
    took = []

    def strike(number, frame):
        start = time.monotonic()
        client.update(NAME, {"b": 2})
        with client.pipeline() as p:
            p.get(NAME)
        took.append(time.monotonic() - start)

    with handler(strike):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert client.get(NAME) == {"a": 1, "b": 2}
    assert took[0] < 0.3
    assert client.get(NAME) == {"a": 1, "b": 2}


GREEN = """
import sys
import {module}
{patch}
import threading, time
import twind

path = sys.argv[1]
with twind.Client(path, timeout=5) as client:
    client.update("a/b/c", {{"n": 0}})
    ticks = []

    def tick():
        while True:
            ticks.append(1)
            time.sleep(0.01)

    threading.Thread(target=tick, daemon=True).start()

    # A wait lets others run, and ends at its deadline.
    start = time.monotonic()
    with client.watch("a/", timeout=0.3) as watch:
        watch.snapshot()
        try:
            next(watch)
        except twind.DeadlineExceeded:
            pass
    assert 0.25 < time.monotonic() - start < 2, time.monotonic() - start
    assert len(ticks) > 10, len(ticks)

    def work():
        for _ in range(50):
            client.update("a/b/c", {{"n": twind.increment()}})

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with client.pipeline() as p:
        for _ in range(200):
            p.update("a/b/c", {{"n": twind.increment()}})
    assert client.get("a/b/c")["n"] == 700
print("done")
"""


@pytest.mark.parametrize(
    ("module", "patch"),
    [("gevent.monkey", "gevent.monkey.patch_all()"), ("eventlet", "eventlet.monkey_patch()")],
)
def test_patched_sockets_threads_and_time(daemon, module, patch):
    pytest.importorskip(module.partition(".")[0])
    code = GREEN.format(module=module, patch=patch)
    done = subprocess.run([sys.executable, "-c", code, daemon.path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
