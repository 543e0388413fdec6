"""Frames and envelopes, byte by byte."""

from __future__ import annotations

import math
import random

import pytest

from twind import _envelope, _wire
from twind._envelope import metadata_suffix, method_prefix, request_frame, timeout_field
from twind._generated.ttrpc.ttrpc_pb2 import Any, KeyValue, Request, Response, Status
from twind.errors import Aborted, Internal, ResourceExhausted


def feed(buffer: _wire.FrameBuffer, data: bytes) -> list[tuple[int, int, int, bytes]]:
    frames = []
    while data:
        space = buffer.space()
        count = min(len(space), len(data))
        space[:count] = data[:count]
        buffer.end += count
        while (frame := buffer.first()) is not None:
            *head, body = frame
            frames.append((*head, bytes(body)))
            buffer.start = buffer.next
        data = data[count:]
    return frames


def payload_of(body: bytes) -> bytes:
    return _envelope.payload_of(memoryview(body))


def test_header_bytes():
    assert _wire.frame(3, _wire.DATA, _wire.NO_DATA, b"ab") == b"\0\0\0\x02\0\0\0\x03\x03\x04ab"


def test_frames_come_out_whole_at_every_split():
    wanted = [(1, 2, 0, b""), (3, 3, 5, b"x"), (5, 2, 0, bytes(range(40))), (7, 2, 0, b"yz")]
    data = b"".join(_wire.frame(*frame) for frame in wanted)
    for first in range(len(data)):
        for second in range(first, len(data), 7):
            buffer = _wire.FrameBuffer()
            got = feed(buffer, data[:first]) + feed(buffer, data[first:second]) + feed(buffer, data[second:])
            assert got == wanted


def test_frames_of_all_sizes_in_pieces_of_all_sizes():
    source = random.Random(1)
    sizes = [0, 65526, 65527, 65528, _wire.BODY_BYTES_MAX, 10, *(source.randrange(200_000) for _ in range(40))]
    wanted = [(2 * i + 1, 2, 0, source.randbytes(size)) for i, size in enumerate(sizes)]
    data = b"".join(_wire.frame(*frame) for frame in wanted)
    buffer = _wire.FrameBuffer()
    got = []
    position = 0
    while position < len(data):
        count = source.choice([1, 9, 10, 11, 1000, 70_000, 1_000_000])
        got += feed(buffer, data[position : position + count])
        position += count
    assert got == wanted
    assert len(buffer.space()) == 64 << 10, "memory for a large frame is given back"


def test_frames_are_not_copied():
    buffer = _wire.FrameBuffer()
    space = buffer.space()
    data = _wire.frame(1, 2, 0, b"ab") + _wire.frame(3, 2, 0, b"cd") + b"\0\0"
    space[: len(data)] = data
    buffer.end += len(data)
    bodies = []
    while (frame := buffer.first()) is not None:
        assert buffer.first() == frame, "it stays until it is accounted for"
        bodies.append(frame[3])
        buffer.start = buffer.next
    assert [bytes(body) for body in bodies] == [b"ab", b"cd"]
    assert all(body.obj is space.obj for body in bodies)


@pytest.mark.parametrize("length", [_wire.BODY_BYTES_MAX + 1, 0xFFFF_FFFF])
def test_a_frame_that_is_too_long_ends_it(length):
    with pytest.raises(_wire.WireError, match=str(length)):
        feed(_wire.FrameBuffer(), _wire.HEADER.pack(length, 1, 2, 0))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 1023, 1024, 16_383, 16_384, 100_000])
def test_a_request_is_the_message(size):
    payload = b"p" * size
    frame = request_frame(method_prefix("a.S", "M"), payload, 1.5, metadata_suffix({"twind-agent": "é"}))
    assert Request.FromString(bytes(frame[_wire.HEADER.size :])) == Request(
        service="a.S",
        method="M",
        payload=payload,
        timeout_nano=1_500_000_000,
        metadata=[KeyValue(key="twind-agent", value="é")],
    )


def test_a_request_that_no_frame_holds_is_refused():
    with pytest.raises(ResourceExhausted, match="split it"):
        request_frame(b"", bytes(_wire.BODY_BYTES_MAX), 1, b"")


def test_timeouts():
    assert timeout_field(math.inf) == b""
    assert Request.FromString(timeout_field(1e-12)).timeout_nano == 1
    for seconds in (1e10, 1e30, 1e300):
        assert Request.FromString(timeout_field(seconds)).timeout_nano == (1 << 63) - 1


@pytest.mark.parametrize("size", [0, 1, 2, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_payload_of_a_response(size):
    payload = bytes(i & 0xFF for i in range(size))
    assert payload_of(Response(payload=payload).SerializeToString()) == payload


def test_payload_of_unusual_responses():
    assert payload_of(b"") == b""
    assert payload_of(Response(status=Status(code=0), payload=b"x").SerializeToString()) == b"x"
    # A field of a later version behind the payload, and a payload given twice: the last counts.
    assert payload_of(b"\x12\x01x" + b"\x1a\x01y") == b"x"
    assert payload_of(b"\x12\x01x" + b"\x12\x02yz") == b"yz"


def test_status_becomes_an_error():
    status = Status(code=10, message="stale", details=[Any(type_url="x/unknown.Detail", value=b"v")])
    with pytest.raises(Aborted, match="stale") as caught:
        payload_of(Response(status=status, payload=b"ignored").SerializeToString())
    assert caught.value.details == (status.details[0],)


def test_garbage_is_no_response():
    source = random.Random(2)
    for _ in range(5000):
        body = bytes([0x12]) + source.randbytes(source.randrange(8))
        try:
            expected = Response.FromString(body)
        except Exception:
            with pytest.raises(Internal):
                payload_of(body)
        else:
            if not expected.status.code:
                assert payload_of(body) == expected.payload
