"""What a call costs: one `send`, one `poll`, one `recv_into`, one encoding and one decoding.

The `poll` keeps the deadline: a receive with a timeout of its own (SO_RCVTIMEO) would begin it anew at every signal. In
asyncio the event loop does that.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import twind
import twind.aio
from fake_daemon import delayed, hang
from twind import _channel, _envelope, _readiness, _socket
from twind._generated.twind.v1.twin_service_pb2 import GetTwinRequest

NAME = "acme/customer/42"
CALL = ["send", "poll", "recv_into"]


class Wire:
    """What clients do with their sockets, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.sent: list[object] = []
        self.received_into: list[object] = []

    def take(self) -> list[str]:
        taken, self.log = self.log, []
        return taken


class WatchedSocket:
    """Passes everything on, and writes every method into the log."""

    def __init__(self, inner, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    def fileno(self) -> int:
        return self._inner.fileno()

    def __getattr__(self, name):
        method = getattr(self._inner, name)

        def watched(*arguments):
            self._wire.log.append(name)
            if name == "send":
                self._wire.sent.append(arguments[0])
            if name == "recv_into":
                self._wire.received_into.append(arguments[0].obj)
            return method(*arguments)

        return watched


@pytest.fixture
def wire(monkeypatch):
    watched = Wire()
    connect = _socket.connect
    monkeypatch.setattr(_socket, "connect", lambda path: WatchedSocket(connect(path), watched))
    readable = _readiness.readable

    def watched_readable(connected):
        wait = readable(connected)
        return lambda millis: (watched.log.append("poll"), wait(millis))[1]

    monkeypatch.setattr(_readiness, "readable", watched_readable)
    return watched


def test_a_call_is_one_send_and_one_receive(wire, client):
    client.update(NAME, {"a": 1})
    wire.take()
    for i in range(10):
        client.get(NAME)
        client.update(NAME, {"a": i})
        client.health()
    assert wire.take() == CALL * 30


def test_timeouts_that_differ_cost_nothing(wire, client):
    client.update(NAME, {"a": 1}, timeout=3)
    wire.take()
    for i in range(20):
        client.get(NAME, timeout=3 + i / 7)
    assert wire.take() == CALL * 20


def test_a_pipeline_costs_one_send_a_batch(wire, client):
    client.update(NAME, {"a": 1})
    wire.take()
    with client.pipeline(window=64) as p:
        for _ in range(256):
            p.get(NAME)
    log = wire.take()
    assert log.count("send") == 8
    assert set(log) == {"send", "poll", "recv_into"} and log.count("poll") == log.count("recv_into") <= 256


def test_a_short_timeout_does_not_end_a_longer_call(wire, client, daemon):
    client.update(NAME, {"a": 1}, timeout=0.1)
    wire.take()
    daemon.faults["GetTwin"] = [delayed(0.5)]
    assert client.get(NAME, timeout=4) == {"a": 1}
    assert wire.take() == CALL


def test_a_call_does_not_end_early(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [delayed(2)]
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded):
        client.get(NAME, timeout=0.47)
    assert 0.47 <= time.monotonic() - start < 1


def test_a_request_is_joined_once_and_replies_share_a_buffer(wire, client, monkeypatch):
    client.update(NAME, {"a": 1})
    wire.sent.clear()
    frames = []
    request_frame = _envelope.request_frame
    monkeypatch.setattr(
        _channel._envelope, "request_frame", lambda *a: (frames.append(request_frame(*a)), frames[-1])[1]
    )
    for _ in range(3):
        client.get(NAME)
        client.update(NAME, {"big": "x" * 200_000})
        client.update(NAME, {"big": twind.remove})
    assert len(frames) == 9 and all(sent is frame for sent, frame in zip(wire.sent, frames))
    assert len({id(buffer) for buffer in wire.received_into}) == 1


async def test_asyncio_costs_the_same(wire, daemon):
    async with twind.aio.Client(daemon.path, timeout=5) as client:
        await client.update(NAME, {"a": 1})
        wire.take()
        for i in range(10):
            await client.get(NAME, timeout=3 + i / 7)
            await client.update(NAME, {"a": i})
        assert wire.take() == ["send", "recv_into"] * 20
        async with client.pipeline(window=64) as p:
            for _ in range(256):
                await p.get(NAME)
        log = wire.take()
        assert log.count("send") == 8 and set(log) == {"send", "recv_into"}
        await asyncio.gather(*[client.get(NAME) for _ in range(8)])
        assert wire.take().count("send") == 8


async def test_asyncio_has_one_timer_for_all_deadlines(daemon, monkeypatch):
    loop = asyncio.get_running_loop()
    timers = []
    call_later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda *a, **k: (timers.append(a[0]), call_later(*a, **k))[1])
    async with twind.aio.Client(daemon.path) as client:
        await client.update(NAME, {"a": 1})
        for _ in range(20):
            await client.get(NAME)
        await asyncio.gather(*[client.get(NAME) for _ in range(20)])
        assert len(timers) == 1
        # And each call still has its own deadline, in whichever order they come.
        daemon.faults["GetTwin"] = [hang] * 3
        took = {}

        async def late(timeout):
            start = time.monotonic()
            with pytest.raises(twind.DeadlineExceeded):
                await client.get(NAME, timeout=timeout)
            took[timeout] = time.monotonic() - start

        await asyncio.gather(late(0.3), late(0.1), late(0.2), client.get(NAME))
        assert list(took) == [0.1, 0.2, 0.3]
        assert all(timeout <= seconds < timeout + 0.3 for timeout, seconds in took.items())
        assert await client.get(NAME) == {"a": 1}


def calls_in(work) -> Counter[str]:
    """The functions, of Python and of C, that twind's own code calls meanwhile, by name."""
    counts: Counter[str] = Counter()
    home = str(Path(twind.__file__).parent)

    def profile(frame, event, argument):
        caller = frame.f_back if event == "call" else frame
        if event in ("call", "c_call") and caller is not None and caller.f_code.co_filename.startswith(home):
            counts[frame.f_code.co_name if event == "call" else argument.__name__] += 1

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counts


def test_a_stub_call_makes_nothing_that_can_be_made_once(client):
    client.update(NAME, {"a": 1})
    request = GetTwinRequest(name=NAME)
    client.twins.get_twin(request)
    calls = calls_in(lambda: client.twins.get_twin(request))
    # One encoding and one decoding: the messages', not the envelopes'.
    assert (calls["SerializeToString"], calls["FromString"]) == (1, 1)
    assert (calls["join"], calls["tobytes"], calls["monotonic"]) == (1, 1, 1)
    made_once = {"method_prefix", "metadata_suffix", "timeout_field", "_payload_tag", "readable", "register"}
    assert not calls.keys() & (made_once | {"getattr", "hasattr", "import_module"})
    # The only object with a constructor is the call.
    assert calls["__init__"] == 1
    # Nothing waits, so nothing is woken, and no lock is made.
    assert not calls.keys() & {"_sleep", "_wake", "_wake_one", "allocate_lock", "_make_room"}


def test_a_twin_is_indexed_when_it_is_read(client):
    client.update(NAME, {f"a{i}": i for i in range(8)})
    calls = calls_in(lambda: client.get(NAME))
    assert calls["FromString"] == 1 and not calls.keys() & {"_by_name", "from_message", "<listcomp>", "<genexpr>"}
    twin = client.get(NAME)
    assert twin._by_name() is twin._by_name() and len(twin) == 8
