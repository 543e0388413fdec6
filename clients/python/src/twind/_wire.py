"""Frames of ttrpc 1.2: a 10-byte header, then the body. No I/O.

    0               4               8       9       10
    +---------------+---------------+-------+-------+------ - -
    | body length   | stream id     | type  | flags | body
    +---------------+---------------+-------+-------+------ - -
      u32 big-endian  u32 big-endian  u8      u8

Called by the blocking and the asyncio connections.
"""

import struct

HEADER = struct.Struct(">IIBB")
assert HEADER.size == 10

# Frame types. CANCEL is twind's own: it has no body, and other implementations ignore it.
REQUEST = 1
RESPONSE = 2
DATA = 3
CANCEL = 0x10

# Flags. A request without flags is unary.
REMOTE_CLOSED = 1
REMOTE_OPEN = 2
NO_DATA = 4

BODY_BYTES_MAX = 4 << 20
STREAM_ID_MAX = 0xFFFF_FFFF
# The daemon takes this many open streams of one connection.
STREAMS_MAX = 128

_BUFFER_BYTES = 64 << 10

# Stream id, type, flags, body: a part of the FrameBuffer, to be used before more is received.
Frame = tuple[int, int, int, memoryview]


class WireError(Exception):
    """The peer does not speak ttrpc, or not any more: the connection is of no further use."""


def frame(stream_id: int, kind: int, flags: int = 0, body: bytes = b"") -> bytes:
    return HEADER.pack(len(body), stream_id, kind, flags) + body


def fill_header(frame: bytearray, stream_id: int, kind: int, flags: int = 0) -> None:
    """For a frame that was made with room for its header."""
    HEADER.pack_into(frame, 0, len(frame) - HEADER.size, stream_id, kind, flags)


class FrameBuffer:
    """Takes bytes as a socket gives them and returns whole frames, without copying them."""

    __slots__ = ("_end", "_start", "_view")

    def __init__(self) -> None:
        self._view = memoryview(bytearray(_BUFFER_BYTES))
        self._start = 0
        self._end = 0

    def space(self) -> memoryview:
        """Where the next bytes go; never empty. Bodies of frames that were returned before are then void."""
        if not self._end:
            return self._view
        self._make_space()
        return self._view[self._end :]

    def received(self, count: int) -> list[Frame]:
        """The frames that `count` more bytes in `space()` made whole."""
        view = self._view
        start = self._start
        end = self._end + count
        frames = []
        while end - start >= 10:
            length, stream_id, kind, flags = HEADER.unpack_from(view, start)
            if length > BODY_BYTES_MAX:
                raise WireError(f"a frame of {length} bytes came, and {BODY_BYTES_MAX} is the most that is allowed")
            body = start + 10
            if end - body < length:
                break
            start = body + length
            frames.append((stream_id, kind, flags, view[body:start]))
        if start == end:
            self._start = self._end = 0
            if len(view) > _BUFFER_BYTES:
                self._view = memoryview(bytearray(_BUFFER_BYTES))
        else:
            self._start = start
            self._end = end
        return frames

    def _make_space(self) -> None:
        """Leaves room for the whole of the frame that has begun."""
        held = self._end - self._start
        whole = 10 + HEADER.unpack_from(self._view, self._start)[0] if held >= 10 else 10
        if whole <= len(self._view) - self._start:
            return
        source = self._view[self._start : self._end]
        if whole > len(self._view):
            self._view = memoryview(bytearray(whole))
        self._view[:held] = source
        self._start = 0
        self._end = held
