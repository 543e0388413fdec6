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

# Stream id, type, flags, body: the body is a part of the FrameBuffer, to be used before more is received.
Frame = tuple[int, int, int, memoryview]


class WireError(Exception):
    """The peer does not speak ttrpc, or not any more: the connection is of no further use."""


def frame(stream_id: int, kind: int, flags: int = 0, body: bytes = b"") -> bytes:
    return HEADER.pack(len(body), stream_id, kind, flags) + body


def fill_header(frame: bytearray, stream_id: int, kind: int, flags: int = 0) -> None:
    """For a frame that was made with room for its header."""
    HEADER.pack_into(frame, 0, len(frame) - HEADER.size, stream_id, kind, flags)


class FrameBuffer:
    """Takes bytes as a socket gives them and shows whole frames, without copying them.

    A reader adds what came in `space()` to `end` itself, right behind the system call, and moves `start` to `next` when
    it has accounted for the frame that `first` showed. Until then the frame stays: whoever is interrupted in between
    loses nothing, and the next reader sees it again.
    """

    __slots__ = ("_view", "end", "next", "start")

    def __init__(self) -> None:
        self._view = memoryview(bytearray(_BUFFER_BYTES))
        # Of the bytes that have come and are not accounted for.
        self.start = 0
        self.end = 0
        # Where the frame ends that was shown last.
        self.next = 0

    def space(self) -> memoryview:
        """Where the next bytes go; never empty. Bodies of frames that were shown before are then void."""
        if self.start == self.end:
            if len(self._view) > _BUFFER_BYTES:
                self._view = memoryview(bytearray(_BUFFER_BYTES))
            self.start = self.end = 0
            return self._view
        self._make_space()
        return self._view[self.end :]

    def first(self) -> Frame | None:
        """The first frame, if it is there as a whole. Raises WireError."""
        start = self.start
        body = start + 10
        if self.end < body:
            return None
        length, stream_id, kind, flags = HEADER.unpack_from(self._view, start)
        if length > BODY_BYTES_MAX:
            raise WireError(f"a frame of {length} bytes came, and {BODY_BYTES_MAX} is the most that is allowed")
        if self.end - body < length:
            return None
        self.next = body + length
        return stream_id, kind, flags, self._view[body : body + length]

    def _make_space(self) -> None:
        """Leaves room for the whole of the frame that has begun."""
        held = self.end - self.start
        whole = 10 + HEADER.unpack_from(self._view, self.start)[0] if held >= 10 else 10
        if whole <= len(self._view) - self.start:
            return
        source = self._view[self.start : self.end]
        target = memoryview(bytearray(whole)) if whole > len(self._view) else self._view
        # No call from here on: the bytes move and are found again at once, or not at all.
        target[:held] = source
        self._view = target
        self.start = 0
        self.end = held
