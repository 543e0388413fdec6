"""The envelopes around a call's messages: `ttrpc.Request` out, `ttrpc.Response` in. No I/O.

A request is joined once, from bytes that are known before the call (method, timeout, metadata) and the payload, with
room for its frame's header; of a response without a status the payload is copied once. Only what is rarer goes through
the generated messages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from google.protobuf.message import DecodeError

from twind import _arguments, _wire
from twind._generated.ttrpc.ttrpc_pb2 import KeyValue, Request, Response
from twind.errors import Internal, ResourceExhausted, TwindError, error_of

_TIMEOUT_NANO_MAX = (1 << 63) - 1
_PAYLOAD_TAG_OF_REQUEST = b"\x1a"
_PAYLOAD_TAG_OF_RESPONSE = 0x12
_NOTHING = bytearray()
_HEADER_ROOM = bytes(_wire.HEADER.size)
_FRAME_BYTES_MAX = _wire.HEADER.size + _wire.BODY_BYTES_MAX


def method_prefix(service: str, method: str) -> bytes:
    return Request(service=service, method=method).SerializeToString()


def agent_metadata(agent: str | None) -> dict[str, str]:
    """Of all calls of a client that states its agent."""
    return {"twind-agent": _arguments.text(agent, "agent")} if agent else {}


def metadata_suffix(metadata: Mapping[str, str]) -> bytes:
    pairs = [KeyValue(key=key, value=value) for key, value in metadata.items()]
    return Request(metadata=pairs).SerializeToString()


def timeout_field(seconds: float) -> bytes:
    """`timeout_nano` of a call that may take this long from now. Infinity = no deadline."""
    if seconds == math.inf:
        return b""
    nanos = _TIMEOUT_NANO_MAX if seconds >= _TIMEOUT_NANO_MAX / 1e9 else max(1, round(seconds * 1e9))
    return Request(timeout_nano=nanos).SerializeToString()


@lru_cache(maxsize=64)
def _suffix(timeout: float, metadata: bytes) -> bytes:
    """What stands behind the payload: the same in calls of one client with one timeout."""
    return timeout_field(timeout) + metadata


def request_frame(prefix: bytes, payload: bytes, timeout: float, metadata: bytes) -> bytearray:
    """A request's frame, its header still to be filled in. Raises ResourceExhausted for what no frame can hold."""
    length = len(payload)
    tag = _PAYLOAD_TAGS[length] if length < len(_PAYLOAD_TAGS) else _payload_tag(length)
    frame = _NOTHING.join((_HEADER_ROOM, prefix, tag, payload, _suffix(timeout, metadata)))
    if len(frame) > _FRAME_BYTES_MAX:
        raise ResourceExhausted(
            f"the request has {len(frame) - _wire.HEADER.size:,} bytes, and a frame holds {_wire.BODY_BYTES_MAX:,}: "
            "split it"
        )
    return frame


def opened(body: memoryview) -> bytes | TwindError:
    """The encoded message in a response's frame body, copied out of it; or the error that the response states."""
    # Shorter ones, and ones with other fields, go the long way.
    if len(body) > 5 and body[0] == _PAYLOAD_TAG_OF_RESPONSE:
        length = body[1]
        start = 2
        if length > 0x7F:  # one more byte follows
            length += body[2] - 1 << 7
            start = 3
            if length > 0x3FFF:
                length += body[3] - 1 << 14
                start = 4
                if length > 0x1F_FFFF:
                    length += body[4] - 1 << 21
                    start = 5
        if start + length == len(body):
            return body[start:].tobytes()
    try:
        response = Response.FromString(bytes(body))
    except DecodeError:
        return Internal("the daemon's reply is not a ttrpc response")
    return error_of(response.status) if response.status.code else response.payload


def payload_of(body: memoryview) -> bytes:
    """As `opened`, but raises the error."""
    payload = opened(body)
    if isinstance(payload, TwindError):
        raise payload
    return payload


def _payload_tag(length: int) -> bytes:
    tag = bytearray(_PAYLOAD_TAG_OF_REQUEST)
    rest = length
    while rest > 0x7F:
        tag.append(rest & 0x7F | 0x80)
        rest >>= 7
    tag.append(rest)
    return bytes(tag)


_PAYLOAD_TAGS = [_payload_tag(length) for length in range(1024)]
