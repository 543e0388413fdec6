"""Many connections: ten thousand idle ones use little memory and slow nobody down; one too many is refused with a
reason. And an idle daemon uses almost no CPU."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator

import pytest

import twind
from daemon import Daemon, until
from frames import OK, RESOURCE_EXHAUSTED, RawConnection, get, watch
from load import Reader, describe

NAME = "acme/customer/1"


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_ten_thousand_idle_connections(start: Callable[..., Daemon], many_descriptors: None) -> None:
    daemon = start("--connections-max", "16384")
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        base = daemon.resident_bytes
        connections = [RawConnection(daemon.socket) for _ in range(10_000)]
        until(lambda: client.stats().connection_count == 10_001, "10,000 connections", 30)
        # Quiet ones that have been served before cost no more than those that never were.
        for connection in connections[::10]:
            connection.send(get(1, NAME))
        assert all(connection.answer(1).code == OK for connection in connections[::10])
        each = (daemon.resident_bytes - base) / 10_000
        assert each < 4096, f"{each:.0f} bytes a connection"
        idle = daemon.cpu_seconds
        with Reader(daemon, NAME) as reader:
            reader.read_on()
        reader.check()
        assert daemon.cpu_seconds - idle < 1, describe(sorted(reader.seconds))
        for connection in connections:
            connection.close()
        until(lambda: client.stats().connection_count == 1, "the connections are closed", 30)
        assert daemon.open_files < 100
        assert daemon.resident_bytes - base < 10_000 * 4096


def test_one_connection_too_many(start: Callable[..., Daemon]) -> None:
    """Ten, and the eight that are reserved for the daemon's own user, with a call under way on each of those."""
    daemon = start("--connections-max", "10")
    connections = [RawConnection(daemon.socket) for _ in range(10)]
    for connection in connections:
        connection.send(get(1, NAME))
        connection.answer(1)
    visitors = [RawConnection(daemon.socket) for _ in range(8)]
    for visitor in visitors:
        visitor.send(watch(1, "acme/"))
        visitor.receive()
    with daemon.client(timeout=5, connect_timeout=0) as client:
        with pytest.raises(twind.ResourceExhausted) as raised:
            client.get(NAME)
        assert "10" in str(raised.value) and "connectionsMax" in str(raised.value)
    with RawConnection(daemon.socket) as refused:
        assert refused.answer(1).code == RESOURCE_EXHAUSTED
        assert refused.is_closed()
    for visitor in visitors:
        visitor.close()
    connections.pop().close()
    until(lambda: can_connect(daemon), "room for another")
    for connection in connections:
        connection.send(get(3, NAME))
        connection.answer(3)
        connection.close()
    until(lambda: can_connect(daemon), "room for others")


def can_connect(daemon: Daemon) -> bool:
    with daemon.client(connect_timeout=0) as client:
        try:
            return client.health() == twind.Health.SERVING
        except twind.ResourceExhausted:
            return False


@pytest.mark.parametrize("busy_poll", ["0", "50us", "1ms"])
def test_an_idle_daemon_is_idle(start: Callable[..., Daemon], busy_poll: str) -> None:
    """At most 1 % of a core, with twins, connections, a watch and a short checkpoint interval."""
    daemon = start("--checkpoint-interval", "250ms", "--busy-poll", busy_poll)
    with daemon.client() as client, client.watch("acme/") as watch:
        client.update(NAME, {"a": 1})
        next(watch)
        quiet = [RawConnection(daemon.socket) for _ in range(20)]
        until(lambda: client.stats().dirty_twin_count == 0, "a checkpoint")
        before = daemon.cpu_seconds
        time.sleep(5)  # the measure
        assert daemon.cpu_seconds - before <= 0.05
        for connection in quiet:
            connection.close()


def test_a_paused_reader_costs_no_cpu(daemon: Daemon) -> None:
    """A connection whose answers nobody takes does not make the daemon spin."""
    with daemon.client() as client, RawConnection(daemon.socket) as raw:
        client.update(NAME, {f"a{i}": "x" * 60_000 for i in range(4)})
        for stream in range(1, 101, 2):
            raw.send(get(stream, NAME))
        client.get(NAME)
        before = daemon.cpu_seconds
        time.sleep(1)  # the measure
        assert daemon.cpu_seconds - before <= 0.02
