"""Calls every method with every kind of request, from well-behaved and misbehaving clients, in every state of the
daemon. The daemon must answer, survive, and keep nothing of the call.

The methods come from the service descriptors, so new ones are included automatically.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

import twind
from daemon import Daemon, until
from frames import CANCEL, REMOTE_CLOSED, REMOTE_OPEN, REQUEST, RESPONSE, RawConnection, envelope, field, frame
from methods import METHODS, is_repeated

LONG = "acme/customer/long"
HISTORY = 20_000


# What is sent.


def usual(message: Message, directory: Path) -> Message:
    """A request that the daemon would serve: names that exist, a path that can be written."""
    for one in message.DESCRIPTOR.fields:
        if one.name == "name":
            setattr(message, one.name, LONG)
        elif one.name == "names":
            getattr(message, one.name).append(LONG)
        elif one.name == "path":
            setattr(message, one.name, str(directory / f"backup-{random.getrandbits(64):x}"))
    return message


INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: [-(2**31), -1, 2**31 - 1],
    FieldDescriptor.CPPTYPE_INT64: [-(2**63), -1, 2**63 - 1],
    FieldDescriptor.CPPTYPE_UINT32: [1, 2**32 - 1],
    FieldDescriptor.CPPTYPE_UINT64: [1, 2**64 - 1],
    FieldDescriptor.CPPTYPE_BOOL: [True],
    FieldDescriptor.CPPTYPE_ENUM: [1, 2**31 - 1],
    FieldDescriptor.CPPTYPE_DOUBLE: [float("nan"), float("-inf"), 5e-324],
    FieldDescriptor.CPPTYPE_FLOAT: [float("nan"), float("inf")],
}


def edges(one: FieldDescriptor) -> list[Any]:
    """Values at a field's ends."""
    if one.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        texts = ["", "/", "a/b/c", "\x7f", "é" * 300, "x" * 70_000]
        return [text.encode() for text in texts] if one.type == FieldDescriptor.TYPE_BYTES else texts
    return INTEGERS[one.cpp_type]


def at_edges(make: Callable[[], Message]) -> Iterator[bytes]:
    """The usual request with one field after the other at its ends, those of messages in it too."""
    for one in make().DESCRIPTOR.fields:
        many = is_repeated(one)
        if one.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            inner_type = message_factory.GetMessageClass(one.message_type)
            for inner in [b"", *at_edges(inner_type)]:
                message = make()
                place = getattr(message, one.name)
                (place.add() if many else place).MergeFromString(inner)
                if not many:
                    place.SetInParent()
                yield message.SerializeToString()
            if many:
                message = make()
                for _ in range(2_000):
                    getattr(message, one.name).add()
                yield message.SerializeToString()
            continue
        for value in edges(one):
            message = make()
            if many:
                getattr(message, one.name).append(value)
            else:
                setattr(message, one.name, value)
            yield message.SerializeToString()
        if many:
            message = make()
            getattr(message, one.name).extend(edges(one)[:1] * 2_000)
            yield message.SerializeToString()


def payloads(method: MethodDescriptor, directory: Path) -> list[bytes]:
    kind = message_factory.GetMessageClass(method.input_type)
    chance = random.Random(method.full_name)
    whole = usual(kind(), directory).SerializeToString()
    unknown = max((one.number for one in method.input_type.fields), default=0) + 1
    return [
        b"",
        whole,
        whole,
        field(unknown, 1),
        whole + field(unknown, "new") + field(2**29 - 1, 7),
        *at_edges(lambda: usual(kind(), directory)),
        *(chance.randbytes(length) for length in (1, 2, 7, 64, 4096)),
        *(whole[:length] for length in range(1, len(whole), max(1, len(whole) // 8))),
    ]


# How the caller goes on.


def begun(method: MethodDescriptor, stream: int, payload: bytes, timeout_nano: int = 0) -> bytes:
    flags = REMOTE_OPEN if method.client_streaming else REMOTE_CLOSED if method.server_streaming else 0
    data = envelope(method.containing_service.full_name, method.name, payload, timeout_nano)
    return frame(stream, REQUEST, flags, data)


def groups(sent: list[bytes]) -> Iterator[list[bytes]]:
    """What fits a connection of a daemon that does not read: its socket, and its table of calls."""
    group: list[bytes] = []
    for payload in sent:
        if group and (len(group) == 60 or sum(map(len, group)) + len(payload) > 40_000):
            yield group
            group = []
        group.append(payload)
    yield group


def check(connection: RawConnection, stream: int) -> None:
    """The connection still serves. Whatever else comes is passed over."""
    connection.send(frame(stream, REQUEST, 0, envelope("grpc.health.v1.Health", "Check")))
    while (received := connection.receive()) is not None:
        if received.stream == stream:
            assert received.code == 0, received.message
            return
    raise AssertionError("the daemon closed the connection")


Caller = Callable[[Daemon, MethodDescriptor, list[bytes], Callable[[], None]], None]


def answered(daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None]) -> None:
    """Waits for each answer. A stream that goes on is given up once it has brought something."""
    go()
    for payload in sent:
        with RawConnection(daemon.socket, seconds=30) as connection:
            connection.send(begun(method, 1, payload))
            first = connection.answer(1)
            if method.server_streaming and first.kind != RESPONSE:
                connection.send(frame(1, CANCEL))
            check(connection, 3)


def _on_one_connection(
    daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None],
    begin: Callable[[RawConnection, int, bytes], None],
) -> None:  # fmt: skip
    connections = []
    for group in groups(sent):
        connection = RawConnection(daemon.socket, seconds=30)
        connections.append((connection, 2 * len(group) + 1))
        for index, payload in enumerate(group):
            begin(connection, 2 * index + 1, payload)
    go()
    for connection, next_stream in connections:
        check(connection, next_stream)
        connection.close()


def cancelled(daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None]) -> None:
    def begin(connection: RawConnection, stream: int, payload: bytes) -> None:
        connection.send(begun(method, stream, payload) + frame(stream, CANCEL))

    _on_one_connection(daemon, method, sent, go, begin)


def expired(daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None]) -> None:
    def begin(connection: RawConnection, stream: int, payload: bytes) -> None:
        connection.send(begun(method, stream, payload, [1, 500_000, 20_000_000][stream // 2 % 3]))

    _on_one_connection(daemon, method, sent, go, begin)


def half_closed(daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None]) -> None:
    _leave(daemon, method, sent, go, lambda connection: connection.socket.shutdown(socket.SHUT_WR))


def hung_up(daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None]) -> None:
    _leave(daemon, method, sent, go, lambda connection: connection.close())


def _leave(
    daemon: Daemon, method: MethodDescriptor, sent: list[bytes], go: Callable[[], None],
    leave: Callable[[RawConnection], None],
) -> None:  # fmt: skip
    connections = []
    for group in groups(sent):
        connection = RawConnection(daemon.socket, seconds=30)
        connections.append(connection)
        for index, payload in enumerate(group):
            connection.send(begun(method, 2 * index + 1, payload))
        leave(connection)
    go()
    for connection in connections:
        connection.close()


CALLERS: list[Caller] = [answered, cancelled, expired, half_closed, hung_up]


# What the daemon is doing.


@contextmanager
def running(daemon: Daemon) -> Iterator[Callable[[], None]]:
    yield lambda: None


@contextmanager
def queued(daemon: Daemon) -> Iterator[Callable[[], None]]:
    """It finds all that was sent, and how the caller left, in one go."""
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        yield lambda: daemon.process.send_signal(signal.SIGCONT)
    finally:
        daemon.process.send_signal(signal.SIGCONT)


@contextmanager
def workers_busy(daemon: Daemon) -> Iterator[Callable[[], None]]:
    """Reads of a long history keep its workers busy."""
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            with RawConnection(daemon.socket, seconds=30) as connection:
                for stream in range(1, 17, 2):
                    data = envelope("twind.v1.TwinService", "GetTwin", field(1, LONG) + field(7, 1))
                    connection.send(frame(stream, REQUEST, 0, data))
                for stream in range(1, 17, 2):
                    connection.answer(stream)

    thread = threading.Thread(target=keep_busy)
    thread.start()
    try:
        yield lambda: None
    finally:
        stop.set()
        thread.join()


STATES: dict[str, tuple[list[str], Callable[[Daemon], Any]]] = {
    "running": ([], running),
    "queued": ([], queued),
    "workers_busy": ([], workers_busy),
    "memory_short": (["--memory-limit", "8MiB"], running),
}


def fill(daemon: Daemon, count: int) -> None:
    with daemon.client() as client, client.pipeline() as pipeline:
        for _ in range(count):
            pipeline.update(LONG, {"visits": twind.increment(1)})


def calls_in_flight(daemon: Daemon) -> int:
    with daemon.client(timeout=20) as client:
        stats = client.stats()
        return int(stats.stream_count) + int(stats.watch_count) - 1


@pytest.mark.seconds(240)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", METHODS)
def test_method_with_every_request(
    name: str, state: str, start: Callable[..., Daemon], directory: Path, tmp_path: Path
) -> None:
    options, prepare = STATES[state]
    daemon = start(*options)
    fill(daemon, HISTORY if state in ("queued", "workers_busy") else 500)
    method = METHODS[name]
    sent = payloads(method, tmp_path)
    before = daemon.open_files
    for caller in CALLERS:
        if state == "queued" and caller is answered:
            continue
        with prepare(daemon) as go:
            caller(daemon, method, sent, go)
        daemon.check()
    until(lambda: calls_in_flight(daemon) <= 0, "all calls have ended", 30)
    # The database opens some files at its first read, the journal makes a segment ahead: no more than that.
    until(lambda: daemon.open_files <= before + 8, "all descriptors are back", 30)
    assert daemon.resident_bytes < 256 << 20


ADMIN = [name for name, method in METHODS.items() if method.containing_service.name == "AdminService"]
NOBODY = 65_534


@pytest.mark.parametrize("name", ADMIN)
def test_stranger_is_refused_before_the_request_is_looked_at(
    name: str, start: Callable[..., Daemon], directory: Path, tmp_path: Path
) -> None:
    # The connecting process is another user: root may not be the daemon's user here.
    daemon = start("--socket-mode", "0666")
    sent = payloads(METHODS[name], tmp_path)
    codes: list[int] = []
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            for payload in sent:
                with RawConnection(daemon.socket) as connection:
                    connection.send(begun(METHODS[name], 1, payload))
                    os.write(write, bytes([connection.answer(1).code]))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        codes = list(pipe.read())
    os.waitpid(child, 0)
    assert codes == [7] * len(sent)
