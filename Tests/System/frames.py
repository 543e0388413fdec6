"""Reads and writes ttrpc frames and protobuf fields by hand, independently of the clients, so that it can send what
they never would. Used by the tests of hostile input.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Union

REQUEST, RESPONSE, DATA, CANCEL = 1, 2, 3, 0x10
REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4
FRAME_BYTES_MAX = 4 << 20

TWINS = "twind.v1.TwinService"
HEALTH = "grpc.health.v1.Health"

OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = 0, 1, 3, 4, 5
RESOURCE_EXHAUSTED, OUT_OF_RANGE, UNIMPLEMENTED, UNAVAILABLE = 8, 11, 12, 14

FieldValue = Union[int, str, bytes]


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: FieldValue) -> bytes:
    """A varint field for an int, else one with a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(message: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a message made of varints and lengths, by number."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value: int | bytes
        value, at = _varint(message, at)
        if key & 7 == 2:
            length, value = value, message[at : at + value]
            at += length
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def frame(stream: int, kind: int, flags: int = 0, data: bytes = b"") -> bytes:
    return struct.pack(">IIBB", len(data), stream, kind, flags) + data


def envelope(
    service: str, method: str, payload: bytes = b"", timeout_nano: int = 0, metadata: Mapping[str, str] = {}
) -> bytes:
    pairs = b"".join(field(5, field(1, key) + field(2, value)) for key, value in metadata.items())
    return field(1, service) + field(2, method) + field(3, payload) + field(4, timeout_nano) + pairs


def request(stream: int, method: str, payload: bytes = b"", flags: int = 0, service: str = TWINS) -> bytes:
    return frame(stream, REQUEST, flags, envelope(service, method, payload))


def get(stream: int, name: str) -> bytes:
    return request(stream, "GetTwin", field(1, name))


def watch(stream: int, prefix: str) -> bytes:
    return request(stream, "WatchTwins", field(2, prefix), REMOTE_CLOSED)


class Frame(NamedTuple):
    stream: int
    kind: int
    flags: int
    data: bytes

    @property
    def code(self) -> int:
        """The status code of a response."""
        assert self.kind == RESPONSE, self
        status = fields(self.data).get(1, [b""])[0]
        assert isinstance(status, bytes)
        code = fields(status).get(1, [0])[0]
        assert isinstance(code, int)
        return code

    @property
    def message(self) -> str:
        """The status message of a response."""
        status = fields(self.data)[1][0]
        assert isinstance(status, bytes)
        text = fields(status)[2][0]
        assert isinstance(text, bytes)
        return text.decode()

    @property
    def payload(self) -> bytes:
        value = fields(self.data).get(2, [b""])[0]
        assert isinstance(value, bytes)
        return value


class RawConnection:
    """A connection that sends any bytes, and reads frames."""

    def __init__(self, path: Path, seconds: float = 10) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Without a timeout it waits for room in the backlog.
        self.socket.connect(str(path))
        self.socket.settimeout(seconds)
        self._received = bytearray()

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> Frame | None:
        """The next frame; None = the other end has closed the connection."""
        header = self._take(10)
        if header is None:
            return None
        length, stream, kind, flags = struct.unpack(">IIBB", header)
        data = self._take(length)
        return None if data is None else Frame(stream, kind, flags, data)

    def answer(self, stream: int) -> Frame:
        """The next frame, which must be of `stream`."""
        received = self.receive()
        assert received is not None, "the daemon closed the connection"
        assert received.stream == stream, received
        return received

    def finish(self) -> None:
        """Says that no more will be sent, and reads until the other end has closed too."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # it has closed already
            pass
        assert self.is_closed()

    def is_closed(self) -> bool:
        """The other end closes it, after whatever it still sends, within the socket's timeout."""
        try:
            while self.receive() is not None:
                pass
        except ConnectionError:
            pass
        return True

    def _take(self, count: int) -> bytes | None:
        while len(self._received) < count:
            chunk = self.socket.recv(max(65536, count - len(self._received)))
            if not chunk:
                return None
            self._received += chunk
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken
