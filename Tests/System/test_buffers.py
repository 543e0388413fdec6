"""Memory other than twins: clients that send half a frame, do not read replies, leave iterators open, or watch too
much.

The daemon stays within 1.5 times its memory limit, 64 MiB, and the buffer limit. Other clients are served within a
second. Refused calls get RESOURCE_EXHAUSTED with the limit's name. The memory is freed when the clients have gone.
Ordinary runs test a part of each case; TWIND_FULL=1 tests all of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import twind
from daemon import Daemon
from frames import (
    FRAME_BYTES_MAX, REMOTE_CLOSED, REQUEST, RESOURCE_EXHAUSTED, RESPONSE, Frame, RawConnection, field, frame, request,
)  # fmt: skip
from pressure import MIB, Pressure, fill_history, memory_group

IS_FULL = os.environ.get("TWIND_FULL") == "1"
MEMORY_LIMIT = 64 * MIB
BUFFER_LIMIT = max(64 * MIB, MEMORY_LIMIT // 2)
RSS_BYTES_MAX = MEMORY_LIMIT * 3 // 2 + 64 * MIB + BUFFER_LIMIT
GROUP_MEBIBYTES = 256

SMALL = "acme/customer/1"
LONG = "acme/customer/long"
LARGE = [f"acme/large/{i:02}" for i in range(48)]
# Calls of one connection that are under way at a time, at most.
STREAMS = 128


@pytest.fixture
def start_limited(start: Callable[..., Daemon]) -> Callable[..., Daemon]:
    """Starts a daemon of 64 MiB with what `prepare` writes, which is on disk and in memory as after a few reads."""

    def start_one(prepare: Callable[[twind.Client], None], **options: Any) -> Daemon:
        daemon = start("--memory-limit", "64MiB", **options)
        with daemon.client(timeout=60) as client:
            client.update(SMALL, {"a": 1})
            prepare(client)
            client.checkpoint()
            for _ in client.list(page_size=1000):
                pass
        return daemon

    return start_one


# What each of them needs, and does for as long as its `with` lasts; it yields the connections that may have been
# answered.


def nothing(client: twind.Client) -> None:
    pass


def large_twins(client: twind.Client) -> None:
    """Of 200 KB, so that a page of them is as large as a reply may be."""
    for name in LARGE:
        client.update(name, {f"part_{i}": f"{name} " * 2600 for i in range(4)})


def long_history(client: twind.Client) -> None:
    fill_history(client, LONG, 300_000 if IS_FULL else 60_000)


Abuse = Callable[[Daemon], Any]


@contextmanager
def unfinished_frames(daemon: Daemon) -> Iterator[list[RawConnection]]:
    """1,000 connections that send 1.1 MB of a frame, all at the same time."""
    begun = frame(1, REQUEST, 0, b"\0" * FRAME_BYTES_MAX)[:1_100_000]
    step = 100_000
    with ExitStack() as stack:
        connections = [connection(stack, daemon) for _ in range(1000)]
        for at in range(0, len(begun), step):
            for raw in connections:
                send(raw, begun[at : at + step])
        yield connections


@contextmanager
def unread_lists(daemon: Daemon) -> Iterator[list[RawConnection]]:
    """300 connections that ask for 10 pages of large twins and read none."""
    with ExitStack() as stack:
        connections = []
        for number in range(300 if IS_FULL else 30):
            if number % 100 == 99:  # else most of them would be refused, because too much is asked for at once
                wait_until_quiet(daemon)
            connections.append(connection(stack, daemon))
            page = field(1, "acme/large/") + field(2, 1000)
            send(connections[-1], b"".join(request(1 + 2 * i, "ListTwins", page) for i in range(10)))
        wait_until_quiet(daemon)
        yield connections


@contextmanager
def unread_histories(daemon: Daemon) -> Iterator[list[RawConnection]]:
    """One connection that asks for a long history as often as it may, and reads none."""
    with ExitStack() as stack:
        only = connection(stack, daemon)
        asked = [request(1 + 2 * i, "ListFacts", field(1, LONG), REMOTE_CLOSED) for i in range(STREAMS)]
        send(only, b"".join(asked))
        wait_until_quiet(daemon)
        yield [only]


@contextmanager
def open_iterators(daemon: Daemon) -> Iterator[list[RawConnection]]:
    """60 loops over a history, and as many watches, that have taken one item and hold on."""
    with ExitStack() as stack:
        client = stack.enter_context(daemon.client(timeout=60))
        held: list[Any] = []
        for _ in range(60):
            for iterator in (client.facts(LONG), client.watch("acme/")):
                stack.enter_context(iterator)
                try:
                    next(iterator)
                except twind.ResourceExhausted as error:
                    check_named(str(error), limits(daemon))
                held.append(iterator)
        wait_until_quiet(daemon)
        yield []


@contextmanager
def many_watches(daemon: Daemon) -> Iterator[list[RawConnection]]:
    """10,000 watches of 256 twins each, with long names."""
    names = [f"acme/customer/{i:03}-@@@@@-{'x' * 60}" for i in range(256)]
    asked = b"".join(field(1, name) for name in names)
    each = 125
    with ExitStack() as stack:
        connections = []
        for number in range(10_000 // each):
            connections.append(connection(stack, daemon))
            for stream in range(each):
                own = asked.replace(b"@@@@@", b"%05d" % (number * each + stream))
                send(connections[-1], request(1 + 2 * stream, "WatchTwins", own, REMOTE_CLOSED))
        wait_until_quiet(daemon)
        yield connections


ABUSES: dict[str, tuple[Abuse, Callable[[twind.Client], None]]] = {
    "unfinished_frames": (unfinished_frames, nothing),
    "unread_lists": (unread_lists, large_twins),
    "unread_histories": (unread_histories, long_history),
    "open_iterators": (open_iterators, long_history),
    "many_watches": (many_watches, nothing),
}
# Callers whose socket has room for an answer: they are told why they are refused. One who reads nothing may not be.
HAVE_ROOM = {"unfinished_frames", "many_watches"}


def connection(stack: ExitStack, daemon: Daemon) -> RawConnection:
    return stack.enter_context(RawConnection(daemon.socket))


def send(raw: RawConnection, data: bytes) -> None:
    """As much as the daemon takes: it may stop reading, or hang up."""
    raw.socket.settimeout(0.5)
    try:
        raw.send(data)
    except (TimeoutError, ConnectionError):
        pass


def wait_until_quiet(daemon: Daemon, seconds: float = 90 if IS_FULL else 15) -> None:
    """The daemon has done what it was asked to: it takes no more than a fifth of a core."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and daemon.is_running:
        before = daemon.cpu_seconds
        time.sleep(0.3)
        if daemon.is_running and daemon.cpu_seconds - before < 0.06:
            return


def limits(daemon: Daemon) -> set[str]:
    with daemon.client() as client:
        return set(client.server_info().limits)


def check_named(message: str, names: set[str]) -> None:
    assert any(name in message for name in names), f"names no limit: {message}"


class Refusals:
    """What a sample of connections was told, of which a part is read."""

    def __init__(self, connections: list[RawConnection]) -> None:
        # The responses with an error.
        self.responses: list[Frame] = []
        # Connections that the daemon has closed without one.
        self.silent = 0
        for raw in connections[:: max(1, len(connections) // 20)]:
            before = len(self.responses)
            if self._read(raw) and len(self.responses) == before:
                self.silent += 1

    def _read(self, raw: RawConnection, bytes_max: int = 16 * MIB) -> bool:
        """Whether the daemon has closed it."""
        raw.socket.settimeout(0.1)
        taken = 0
        try:
            while taken < bytes_max:
                received = raw.receive()
                if received is None:
                    return True
                taken += len(received.data)
                if received.kind == RESPONSE and received.code:
                    self.responses.append(received)
        except ConnectionError:
            return True
        except TimeoutError:
            pass
        return False

    def check(self, names: set[str]) -> None:
        """Each for a limit, which it names. A frame that took too long is refused for that."""
        for each in self.responses:
            assert each.code == RESOURCE_EXHAUSTED or "frameNanosMax" in each.message, each.message
            check_named(each.message, names)


@pytest.mark.seconds(300 if IS_FULL else 60)
@pytest.mark.parametrize("name", ABUSES)
def test_memory_is_bounded(name: str, start_limited: Callable[..., Daemon]) -> None:
    abuse, prepare = ABUSES[name]
    daemon = start_limited(prepare)
    names = limits(daemon)
    with Pressure(daemon, SMALL, name) as pressure:
        with abuse(daemon) as connections:
            pressure.read_on()
            refusals = Refusals(connections)
    print(f"{name}: of a sample {len(refusals.responses)} calls refused, {refusals.silent} connections closed silently")
    pressure.check(RSS_BYTES_MAX)
    refusals.check(names)
    if name in HAVE_ROOM:
        assert not refusals.silent, f"{refusals.silent} connections were closed without a reason"


@pytest.fixture
def group() -> Iterator[tuple[str, ...]]:
    with memory_group(GROUP_MEBIBYTES) as command:
        yield command


@pytest.mark.seconds(600 if IS_FULL else 120)
def test_one_after_the_other_in_a_control_group(
    # In this order: the daemon ends before its group.
    group: tuple[str, ...], start: Callable[..., Daemon], start_limited: Callable[..., Daemon]
) -> None:  # fmt: skip
    """The system kills what takes more than 256 MiB. Where it makes no groups, memory is looked at alone."""

    def all_of_it(client: twind.Client) -> None:
        for prepare in dict.fromkeys(prepare for _, prepare in ABUSES.values()):
            prepare(client)

    daemon = start_limited(all_of_it, wrapper=group)
    for name, (abuse, _) in ABUSES.items():
        with Pressure(daemon, SMALL, f"{name}, in a group" if group else name) as pressure:
            with abuse(daemon):
                pressure.read_on()
        assert daemon.is_running, f"{name}: twind ended with {daemon.process.returncode}"
        pressure.check(RSS_BYTES_MAX)
    daemon.stop()
