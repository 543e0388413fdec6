"""Clients that die during a call or stop reading: they use bounded memory, which is freed when they are gone, and do
not affect others."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

import twind
from daemon import Daemon, until
from frames import DATA, FRAME_BYTES_MAX, REQUEST, RawConnection, field, frame, get, request, watch
from load import Reader, settled

NAME = "acme/customer/1"
LARGE = "acme/customer/large"
MIB = 1 << 20


@pytest.fixture
def daemon(start: Callable[..., Daemon]) -> Daemon:
    return start("--buffer-limit", "64MiB")


@pytest.fixture
def client(daemon: Daemon) -> Iterator[twind.Client]:
    """A client of a daemon with a small twin and one of 900 KiB."""
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        for part in range(3):
            client.update(LARGE, {f"a{part}{i}": "x" * 60_000 for i in range(4)})
        client.update(LARGE, {f"b{i}": "x" * 60_000 for i in range(3)})
        yield client


def fill(raw: RawConnection, data: list[bytes], seconds: float = 0.3) -> int:
    """Sends until the daemon takes no more for a while; how many were sent whole."""
    raw.socket.settimeout(seconds)
    sent = 0
    try:
        for each in data:
            raw.send(each)
            sent += 1
    except TimeoutError:
        pass
    return sent


def test_large_reads_that_nobody_takes(daemon: Daemon, client: twind.Client) -> None:
    """One connection pipelines 2,000 reads of 900 KiB and reads nothing."""
    base = daemon.resident_bytes
    with Reader(daemon, NAME) as reader:
        with RawConnection(daemon.socket) as raw:
            fill(raw, [get(stream, LARGE) for stream in range(1, 4001, 2)])
            reader.read_on()
            assert daemon.resident_bytes - base < 24 * MIB
        until(lambda: client.stats().connection_count == 2, "the connection is closed")
    reader.check()
    until(lambda: daemon.resident_bytes - base < 12 * MIB, "memory is given back")


def test_large_reads_of_many_that_nobody_takes(daemon: Daemon, client: twind.Client) -> None:
    """100 connections do it: past a bound for all, those that hold most are closed."""
    base = daemon.resident_bytes
    with Reader(daemon, NAME) as reader:
        connections = [RawConnection(daemon.socket) for _ in range(100)]
        for raw in connections:
            try:
                fill(raw, [get(stream, LARGE) for stream in range(1, 21, 2)], 0.01)
            except ConnectionError:
                pass
        reader.read_on()
        highest = daemon.resident_bytes - base
        assert highest < 160 * MIB
        for raw in connections:
            raw.close()
        until(lambda: client.stats().connection_count == 2, "the connections are closed")
    reader.check()
    until(lambda: daemon.resident_bytes - base < max(24 * MIB, highest // 3), "memory is given back")


def test_one_who_reads_late_gets_everything(daemon: Daemon, client: twind.Client) -> None:
    base = daemon.resident_bytes
    with RawConnection(daemon.socket) as raw:
        sent = fill(raw, [get(stream, LARGE) for stream in range(1, 401, 2)])
        raw.socket.settimeout(10)
        assert sent == 200, "requests are read while replies wait"
        assert daemon.resident_bytes - base < 16 * MIB, "and are not answered before there is room"
        for stream in range(1, 2 * sent, 2):
            answer = raw.answer(stream)
            assert answer.code == 0 and len(answer.payload) > 800_000


def test_a_watch_that_is_not_read(daemon: Daemon, client: twind.Client) -> None:
    """The feed is one for all: a cursor that stands costs nothing, and ends when it falls out."""
    base = daemon.resident_bytes
    with RawConnection(daemon.socket) as raw, Reader(daemon, NAME) as reader:
        raw.send(b"".join(watch(stream, "acme/") for stream in range(1, 101, 2)))
        until(lambda: client.stats().watch_count == 50, "the watches")
        with client.pipeline() as pipeline:
            for i in range(1200):
                pipeline.update("acme/customer/2", {"filler": f"{i:06}" + "x" * 60_000})
        reader.read_on()
        assert client.stats().feed_bytes <= 64 * MIB
        assert daemon.resident_bytes - base < 64 * MIB + 48 * MIB
    reader.check()
    until(lambda: settled(client), "the watches are gone")


def test_a_watch_that_lags_and_reads_again(daemon: Daemon, client: twind.Client) -> None:
    """It was left behind by the feed, which holds 64 MiB: all that it missed comes from history, in order."""
    with RawConnection(daemon.socket) as raw:
        raw.send(request(1, "WatchTwins", field(2, "acme/") + field(3, client.server_info().sequence), 1))
        until(lambda: client.stats().watch_count == 1, "the watch")
        first = client.server_info().sequence + 1
        with client.pipeline() as pipeline:
            for i in range(1200):
                pipeline.update("acme/customer/2", {"filler": f"{i:06}" + "x" * 60_000})
        assert client.stats().feed_oldest_sequence > first + 10
        for expected in range(first, first + 1200):
            received = raw.receive()
            assert received and received.kind == DATA
            assert fields_sequence(received.data) == expected
            assert f"{expected - first:06}xxx".encode() in received.data
        client.update("acme/customer/2", {"filler": "last"})
        received = raw.receive()
        assert received and b"last" in received.data
    until(lambda: client.stats().watch_count == 0, "the watch has ended")


def fields_sequence(data: bytes) -> int:
    """Field 1 of a WatchTwinsResponse, which stands first."""
    value = shift = 0
    for byte in data[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value


def test_large_requests_that_never_end(daemon: Daemon, client: twind.Client) -> None:
    """50 connections send 4 MiB less a byte each: what is received is bounded for all together."""
    base = daemon.resident_bytes
    whole = frame(1, REQUEST, 0, b"\0" * FRAME_BYTES_MAX)[:-1]
    with Reader(daemon, NAME) as reader:
        connections = [RawConnection(daemon.socket) for _ in range(50)]
        for raw in connections:
            try:
                raw.send(whole)
            except ConnectionError:
                pass
        reader.read_on()
        assert daemon.resident_bytes - base < 160 * MIB
        for raw in connections:
            raw.close()
        until(lambda: client.stats().connection_count == 2, "the connections are closed")
    reader.check()
    until(lambda: daemon.resident_bytes - base < 32 * MIB, "memory is given back")


DYING = """
import socket, sys, os
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall(bytes.fromhex(sys.argv[2]))
print("sent", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("part", ["whole", "half"])
def test_a_client_killed_in_the_middle(daemon: Daemon, client: twind.Client, part: str) -> None:
    """While a read waits, a watch is open and an update is half sent."""
    update = request(5, "UpdateTwin", field(1, NAME) + field(2, field(1, "a") + field(2, field(2, 9))))
    data = request(1, "GetTwin", field(1, NAME) + field(5, 1000)) + watch(3, "acme/")
    data += update if part == "whole" else update[:-1]
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, daemon.socket, data.hex()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout and process.stdout.readline() == b"sent\n"
        process.send_signal(signal.SIGKILL)
    until(lambda: settled(client), "nothing is left of it")
    assert client.get(NAME)["a"] == (9 if part == "whole" else 1)


def test_clients_that_come_and_go(daemon: Daemon, client: twind.Client) -> None:
    """3,000 connections, each left with calls under way, leave neither descriptors nor memory."""

    def come_and_go(count: int) -> None:
        for i in range(count):
            if i % 250 == 0:
                until(lambda: settled(client), "those before are gone")
            with RawConnection(daemon.socket) as raw:
                raw.send(watch(1, "acme/customer/1") + request(3, "GetTwin", field(1, NAME) + field(5, 1000)))
                raw.send(get(5, NAME)[: i % 40])

    come_and_go(500)
    until(lambda: settled(client), "they are gone")
    files, base = daemon.open_files, daemon.resident_bytes
    come_and_go(2500)
    until(lambda: settled(client), "they are gone")
    assert daemon.open_files <= files + 1
    assert daemon.resident_bytes - base < 8 * MIB


def test_a_connection_whose_writer_is_closed_is_still_answered(daemon: Daemon, client: twind.Client) -> None:
    """`printf ... | nc` half-closes: the answer may come or not, but the connection does not linger."""
    with RawConnection(daemon.socket) as raw:
        raw.send(get(1, NAME))
        raw.finish()
    until(lambda: settled(client), "it is closed")
