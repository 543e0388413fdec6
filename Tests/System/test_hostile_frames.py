"""Malformed frames: truncated anywhere, of wrong types, with wrong numbers. Each is answered or dropped as ttrpc 1.2
says. After each test the fixture checks that the daemon still serves."""

from __future__ import annotations

import random
import struct
import time

import pytest

import twind
from daemon import Daemon, until
from frames import (
    CANCEL,
    CANCELLED,
    DATA,
    DEADLINE_EXCEEDED,
    FRAME_BYTES_MAX,
    HEALTH,
    INVALID_ARGUMENT,
    NO_DATA,
    NOT_FOUND,
    OK,
    OUT_OF_RANGE,
    REMOTE_CLOSED,
    REQUEST,
    RESOURCE_EXHAUSTED,
    RESPONSE,
    TWINS,
    UNAVAILABLE,
    UNIMPLEMENTED,
    RawConnection,
    envelope,
    field,
    frame,
    get,
    request,
    watch,
)
from load import LATENCY_MAX_SECONDS

NAME = "acme/customer/1"


@pytest.fixture
def client(daemon: Daemon) -> twind.Client:
    client = daemon.client()
    client.update(NAME, {"a": 1})
    return client


def serves(raw: RawConnection, stream: int) -> None:
    """This very connection is still good."""
    raw.send(get(stream, NAME))
    assert raw.answer(stream).code == OK


def test_a_frame_split_at_every_byte(daemon: Daemon, client: twind.Client) -> None:
    one, two = get(1, NAME), get(3, NAME)
    for split in range(1, len(one)):
        with RawConnection(daemon.socket) as own:
            own.send(one[:split])
            own.send(one[split:] + two)
            assert [own.answer(1).code, own.answer(3).code] == [OK, OK]


def test_a_frame_byte_by_byte(client: twind.Client, raw: RawConnection) -> None:
    for stream in range(1, 11, 2):
        for byte in get(stream, NAME):
            raw.send(bytes([byte]))
        assert raw.answer(stream).code == OK


def test_frames_cut_off_by_a_close(daemon: Daemon, client: twind.Client) -> None:
    whole = request(1, "UpdateTwin", field(1, NAME) + field(2, field(1, "a") + field(2, field(2, 7))))
    for length in range(len(whole)):
        with RawConnection(daemon.socket) as own:
            own.send(whole[:length])
    assert client.get(NAME)["a"] == 1
    until(lambda: client.stats().connection_count == 1, "the connections are closed")


def test_a_thousand_frames_in_one_write(client: twind.Client, raw: RawConnection) -> None:
    for start in range(1, 2001, 200):
        raw.send(b"".join(get(stream, NAME) for stream in range(start, start + 200, 2)))
        assert sorted(raw.receive().stream for _ in range(100)) == list(range(start, start + 200, 2))  # type: ignore[union-attr]


def test_the_largest_frame_is_read(client: twind.Client, raw: RawConnection) -> None:
    raw.send(frame(1, REQUEST, 0, b"\0" * FRAME_BYTES_MAX))
    assert raw.answer(1).code in (INVALID_ARGUMENT, RESOURCE_EXHAUSTED)
    serves(raw, 3)


@pytest.mark.parametrize("length", [FRAME_BYTES_MAX + 1, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_above_the_maximum_is_answered_and_closes(
    client: twind.Client, raw: RawConnection, length: int
) -> None:
    raw.send(struct.pack(">IIBB", length, 1, REQUEST, 0))
    assert raw.answer(1).code in (RESOURCE_EXHAUSTED, INVALID_ARGUMENT)
    assert raw.is_closed()


def test_bytes_behind_a_giant_length_are_not_read(client: twind.Client, raw: RawConnection) -> None:
    before = time.monotonic()
    with pytest.raises(ConnectionError):
        raw.send(struct.pack(">IIBB", 0xFFFFFFFF, 1, REQUEST, 0))
        while time.monotonic() - before < 5:
            raw.send(b"x" * 65536)


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\n"]
)
def test_another_protocol_is_closed(client: twind.Client, raw: RawConnection, first: bytes) -> None:
    raw.send(first)
    assert raw.is_closed()


@pytest.mark.parametrize("kind", [0, 4, 5, 0x0F, 0x11, 0x7F, 0xFF])
def test_unknown_types_are_ignored(client: twind.Client, raw: RawConnection, kind: int) -> None:
    for flags in (0, 1, 0xFF):
        raw.send(frame(1, kind, flags, b"whatever"))
    serves(raw, 3)


@pytest.mark.parametrize(
    "method, flags", [("GetTwin", 1), ("GetTwin", 2), ("GetTwin", 3), ("WatchTwins", 0), ("WatchTwins", 2)]
)
def test_flags_that_the_method_does_not_have(client: twind.Client, raw: RawConnection, method: str, flags: int) -> None:
    raw.send(request(1, method, field(1, NAME), flags))
    assert raw.answer(1).code == INVALID_ARGUMENT
    serves(raw, 3)


@pytest.mark.parametrize("flags", [4, 8, 0x80, 0xFC, 0xFF])
def test_flags_that_mean_nothing(client: twind.Client, raw: RawConnection, flags: int) -> None:
    """An answer either way; never silence."""
    raw.send(request(1, "GetTwin", field(1, NAME), flags))
    assert raw.answer(1).code in (OK, INVALID_ARGUMENT)
    serves(raw, 3)


@pytest.mark.parametrize("stream", [0, 2, 4, 0x80000000, 0xFFFFFFFE])
def test_streams_with_even_numbers(client: twind.Client, raw: RawConnection, stream: int) -> None:
    raw.send(get(stream, NAME))
    answer = raw.answer(stream)
    assert answer.code == INVALID_ARGUMENT and "odd" in answer.message


def test_the_highest_stream(client: twind.Client, raw: RawConnection) -> None:
    raw.send(get(0xFFFFFFFF, NAME))
    assert raw.answer(0xFFFFFFFF).code == OK
    # Go's ids begin again at 1: it is told to connect again.
    raw.send(get(1, NAME))
    assert raw.answer(1).code == UNAVAILABLE


def test_streams_that_do_not_increase(client: twind.Client, raw: RawConnection) -> None:
    raw.send(get(5, NAME))
    assert raw.answer(5).code == OK
    for stream in (5, 3, 1):
        raw.send(get(stream, NAME))
        assert raw.answer(stream).code == INVALID_ARGUMENT
    serves(raw, 7)


def test_a_stream_number_used_while_it_is_open(client: twind.Client, raw: RawConnection) -> None:
    raw.send(watch(1, "acme/"))
    assert raw.answer(1).kind == DATA
    raw.send(watch(1, "acme/"))
    assert raw.answer(1).code == INVALID_ARGUMENT
    serves(raw, 3)


def test_a_response_from_a_client(client: twind.Client, raw: RawConnection) -> None:
    raw.send(frame(1, RESPONSE, 0, field(2, "x")))
    raw.send(watch(3, "acme/"))
    while (received := raw.receive()) and received.stream == 1:
        assert received.code == INVALID_ARGUMENT
    assert received and received.stream == 3
    raw.send(frame(3, RESPONSE, 0, field(2, "x")))
    raw.send(get(5, NAME))
    streams = {received.stream for received in (raw.receive(),) if received}
    assert streams <= {3, 5}


def test_data_for_a_stream_never_opened(client: twind.Client, raw: RawConnection) -> None:
    raw.send(frame(7, DATA, 0, b"x"))
    assert raw.answer(7).code == INVALID_ARGUMENT
    raw.send(frame(9, CANCEL))
    raw.send(get(11, NAME))
    answers = [raw.receive()]
    if answers[0] and answers[0].stream == 9:
        assert answers[0].code == INVALID_ARGUMENT
        answers.append(raw.receive())
    assert answers[-1] and (answers[-1].stream, answers[-1].code) == (11, OK)


def test_data_and_cancels_for_a_stream_that_has_ended_are_dropped(client: twind.Client, raw: RawConnection) -> None:
    serves(raw, 1)
    for flags in (0, REMOTE_CLOSED, REMOTE_CLOSED | NO_DATA):
        raw.send(frame(1, DATA, flags, b"" if flags & NO_DATA else b"x"))
    raw.send(frame(1, CANCEL) * 3)
    serves(raw, 3)


def test_data_for_a_stream_whose_sender_has_finished(client: twind.Client, raw: RawConnection) -> None:
    """A watch's request is all that its caller may send: more is refused on that stream alone."""
    raw.send(watch(1, "acme/"))
    assert raw.answer(1).kind == DATA
    raw.send(frame(1, DATA, 0, b"more"))
    assert raw.answer(1).code == INVALID_ARGUMENT
    until(lambda: client.stats().watch_count == 0, "the watch ends")
    serves(raw, 3)


def test_cancelling_a_watch(daemon: Daemon, client: twind.Client, raw: RawConnection) -> None:
    raw.send(watch(1, "acme/"))
    assert raw.answer(1).kind == DATA
    assert client.stats().watch_count == 1
    raw.send(frame(1, CANCEL))
    until(lambda: client.stats().watch_count == 0, "the watch ends")
    client.update(NAME, {"a": 2})
    raw.send(get(3, NAME))
    received = raw.receive()
    if received and received.stream == 1:
        assert received.code == CANCELLED
        received = raw.receive()
    assert received and (received.stream, received.code) == (3, OK)


def test_cancelling_a_read_that_waits(client: twind.Client, raw: RawConnection) -> None:
    raw.send(request(1, "GetTwin", field(1, NAME) + field(5, 1000)) + frame(1, CANCEL))
    serves_in_time = time.monotonic()
    raw.send(get(3, NAME))
    received = raw.receive()
    if received and received.stream == 1:
        assert received.code == CANCELLED
        received = raw.receive()
    assert received and received.stream == 3 and time.monotonic() - serves_in_time < 0.5
    until(lambda: client.stats().stream_count <= 1, "the read ends")


@pytest.mark.parametrize(
    "timeout, codes",
    [
        (-1, {DEADLINE_EXCEEDED}),
        (-(1 << 63), {DEADLINE_EXCEEDED}),
        (1, {DEADLINE_EXCEEDED, OUT_OF_RANGE}),
        ((1 << 63) - 1, {OUT_OF_RANGE}),
        (0, {OUT_OF_RANGE}),
        (50_000_000, {DEADLINE_EXCEEDED}),
    ],
)
def test_deadlines(client: twind.Client, raw: RawConnection, timeout: int, codes: set[int]) -> None:
    payload = field(1, NAME) + field(5, 1000)
    raw.send(frame(1, REQUEST, 0, envelope(TWINS, "GetTwin", payload, timeout)))
    assert raw.answer(1).code in codes
    serves(raw, 3)


def test_too_many_streams(client: twind.Client, raw: RawConnection) -> None:
    """128 on one connection; the next is refused, and one that ends makes room."""
    for stream in range(1, 257, 2):
        raw.send(watch(stream, "acme/"))
    assert {raw.receive().kind for _ in range(128)} == {DATA}  # type: ignore[union-attr]
    raw.send(watch(257, "acme/"))
    answer = raw.answer(257)
    assert answer.code == RESOURCE_EXHAUSTED and "128" in answer.message
    raw.send(frame(1, CANCEL))
    until(lambda: client.stats().watch_count == 127, "a watch ends")
    raw.send(watch(259, "acme/"))
    while (received := raw.receive()) and received.stream != 259:
        assert received.stream == 1
    assert received and received.kind == DATA


@pytest.mark.parametrize(
    "service, method, named",
    [
        (TWINS, "GetTwinn", "GetTwin"),
        (TWINS, "", "GetTwin"),
        (TWINS, "gettwin", "GetTwin"),
        ("twind.v1.Twins", "GetTwin", TWINS),
        ("", "GetTwin", TWINS),
        ("", "", TWINS),
        ("twind.v2.TwinService", "GetTwin", TWINS),
        (HEALTH, "GetTwin", "Check"),
        ("x" * 5000, "y" * 5000, "xxx"),
    ],
)
def test_a_service_or_method_that_is_none(
    client: twind.Client, raw: RawConnection, service: str, method: str, named: str
) -> None:
    raw.send(request(1, method, field(1, NAME), service=service))
    answer = raw.answer(1)
    assert answer.code == UNIMPLEMENTED and named in answer.message and len(answer.data) < 8000
    serves(raw, 3)


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes(daemon: Daemon, client: twind.Client, seed: int) -> None:
    chance = random.Random(seed)
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        with RawConnection(daemon.socket) as own:
            try:
                own.send(chance.randbytes(chance.choice([1, 9, 10, 11, 100, 5000, 100_000])))
            except ConnectionError:
                pass
            own.finish()
    assert client.get(NAME)["a"] == 1


@pytest.mark.parametrize("seed", range(4))
def test_random_frames(daemon: Daemon, client: twind.Client, seed: int) -> None:
    """Well-formed headers, everything else by chance, and valid frames with bytes changed."""
    chance = random.Random(seed)
    valid = [
        get(1, NAME),
        watch(3, "acme/"),
        request(5, "ListTwins", field(2, 3)),
        request(7, "BatchGetTwins", field(1, NAME)),
        request(9, "DeleteTwin", field(1, "acme/customer/none")),
        request(11, "Watch", b"", 1, HEALTH),
        frame(3, CANCEL),
    ]
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        with RawConnection(daemon.socket) as own:
            try:
                for _ in range(chance.randrange(1, 60)):
                    own.send(mutated(chance, valid) if chance.random() < 0.6 else at_random(chance))
            except ConnectionError:
                pass
            own.finish()
    assert client.get(NAME)["a"] == 1
    until(lambda: client.stats().watch_count == 0, "the watches end with their connections")


def at_random(chance: random.Random) -> bytes:
    kind = chance.choice([REQUEST, REQUEST, DATA, RESPONSE, CANCEL, chance.randrange(256)])
    return frame(chance.randrange(12), kind, chance.randrange(8), chance.randbytes(chance.randrange(60)))


def mutated(chance: random.Random, valid: list[bytes]) -> bytes:
    """One of the valid frames, its stream fresh, with up to three bytes behind the length changed."""
    data = bytearray(chance.choice(valid))
    data[4:8] = struct.pack(">I", chance.randrange(1, 400) | 1)
    for _ in range(chance.randrange(4)):
        data[chance.randrange(8, len(data))] = chance.randrange(256)
    return bytes(data)


def test_a_read_of_nothing_after_all_this(client: twind.Client, raw: RawConnection) -> None:
    raw.send(get(1, "acme/customer/nobody"))
    assert raw.answer(1).code == NOT_FOUND


def test_half_a_frame_and_silence(daemon: Daemon, client: twind.Client) -> None:
    """It is closed after 5 s, at whatever byte it stopped; a connection between frames stays."""
    whole = get(1, NAME)
    with RawConnection(daemon.socket) as quiet:
        stopped = [RawConnection(daemon.socket) for _ in range(4)]
        until(lambda: client.stats().connection_count >= 6, "all connections")
        before = time.monotonic()
        for connection, length in zip(stopped, (1, 9, 10, len(whole) - 1)):
            connection.send(whole[:length])
        slowest = 0.0
        while client.stats().connection_count > 2:
            asked = time.monotonic()
            client.get(NAME)
            slowest = max(slowest, time.monotonic() - asked)
            assert time.monotonic() - before < 8
            time.sleep(0.01)
        assert 4.5 < time.monotonic() - before and slowest < LATENCY_MAX_SECONDS
        assert all(connection.is_closed() for connection in stopped)
        for connection in stopped:
            connection.close()
        serves(quiet, 1)


def test_a_frame_that_trickles_is_closed_too(daemon: Daemon, client: twind.Client) -> None:
    """A byte now and then does not keep a started frame alive."""
    with RawConnection(daemon.socket) as raw:
        before = time.monotonic()
        whole = get(1, NAME)
        try:
            for byte in whole:
                raw.send(bytes([byte]))
                time.sleep(0.2)  # the trickle
        except ConnectionError:
            pass
        assert 4 < time.monotonic() - before < 8 and raw.is_closed()
