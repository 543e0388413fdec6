"""The envelopes around a call's messages: `ttrpc.Request` out, `ttrpc.Response` in. No I/O.

A request is joined from bytes that are known before the call (method, timeout, metadata) and the payload; a response
without a status is sliced. Only what is rarer goes through the generated messages.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

from google.protobuf.message import DecodeError

from twind import _wire
from twind._generated.ttrpc.ttrpc_pb2 import KeyValue, Request, Response
from twind.errors import Internal, ResourceExhausted, error_of

_TIMEOUT_NANO_MAX = (1 << 63) - 1
_PAYLOAD_TAG_OF_REQUEST = b"\x1a"
_PAYLOAD_TAG_OF_RESPONSE = 0x12


def method_prefix(service: str, method: str) -> bytes:
    return Request(service=service, method=method).SerializeToString()


def metadata_suffix(metadata: Mapping[str, str]) -> bytes:
    pairs = [KeyValue(key=key, value=value) for key, value in metadata.items()]
    return Request(metadata=pairs).SerializeToString()


@lru_cache(maxsize=64)
def timeout_field(seconds: float) -> bytes:
    """`timeout_nano` of a call that may take this long from now. Infinity = no deadline."""
    if seconds == math.inf:
        return b""
    nanos = min(max(1, round(seconds * 1e9)), _TIMEOUT_NANO_MAX)
    return Request(timeout_nano=nanos).SerializeToString()


def request_body(prefix: bytes, payload: bytes, timeout: float, metadata: bytes) -> bytes:
    """A request's frame body. Raises ResourceExhausted where no frame could hold it."""
    length = len(payload)
    tag = _PAYLOAD_TAGS[length] if length < len(_PAYLOAD_TAGS) else _payload_tag(length)
    body = b"".join((prefix, tag, payload, timeout_field(timeout), metadata))
    if len(body) > _wire.BODY_BYTES_MAX:
        raise ResourceExhausted(
            f"the request takes {len(body):,} bytes, and a frame holds {_wire.BODY_BYTES_MAX:,}: split it"
        )
    return body


def payload_of(body: bytes) -> bytes:
    """The encoded message in a response's frame body. Raises the TwindError that the response states."""
    if len(body) > 3 and body[0] == _PAYLOAD_TAG_OF_RESPONSE:
        length = body[1]
        start = 2
        if length > 0x7F:
            length = length & 0x7F | body[2] << 7
            start = 3
        # A length of three bytes or more has its mark in `length` still, and does not fit.
        if start + length == len(body):
            return body[start:]
    try:
        response = Response.FromString(body)
    except DecodeError as error:
        raise Internal("the daemon's reply is no ttrpc response") from error
    if response.status.code:
        raise error_of(response.status)
    return response.payload


def _payload_tag(length: int) -> bytes:
    tag = bytearray(_PAYLOAD_TAG_OF_REQUEST)
    rest = length
    while rest > 0x7F:
        tag.append(rest & 0x7F | 0x80)
        rest >>= 7
    tag.append(rest)
    return bytes(tag)


_PAYLOAD_TAGS = [_payload_tag(length) for length in range(1024)]
