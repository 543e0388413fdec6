"""A streaming call on a connection of its own, and its three shapes.

`Stream` moves encoded messages: a server-streaming request has the flag "remote closed"; the others have "remote open",
their messages follow in data frames, and the end of sending is a frame of its own. The peer ends a stream with a data
frame marked "remote closed", or with a response.

Made by `Channel`. One thread receives; any may send or close.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from twind import _envelope, _socket, _wire
from twind._failures import lost_error, timeout_error
from twind._method import Method
from twind.errors import Cancelled, DeadlineExceeded, Internal, TwindError

Req = TypeVar("Req")
Res = TypeVar("Res")

_STREAM_ID = 1


class Stream:
    def __init__(
        self, connected: socket.socket, name: str, request: bytearray, sends: bool, timeout: float, deadline: float
    ) -> None:
        self._socket = connected
        self._name = name
        self._sends = sends
        self._timeout = timeout
        self._deadline = deadline
        self._buffer = _wire.FrameBuffer()
        self._frames: deque[_wire.Frame] = deque()
        self._sending = threading.Lock()
        self._closed = False
        # Nothing more will come.
        self.ended = False
        # The message of the response that ended the stream; None = no response did.
        self.response: bytes | None = None
        _wire.fill_header(request, _STREAM_ID, _wire.REQUEST, _wire.REMOTE_OPEN if sends else _wire.REMOTE_CLOSED)
        self._send(request)

    def __del__(self) -> None:
        self._socket.close()

    def send(self, payload: bytes) -> None:
        self._send(_wire.frame(_STREAM_ID, _wire.DATA, 0, payload))

    def close_send(self) -> None:
        self._send(_wire.frame(_STREAM_ID, _wire.DATA, _wire.REMOTE_CLOSED | _wire.NO_DATA))

    def receive(self) -> bytes | memoryview | None:
        """The next message, to be read before the next is asked for; None = the stream ended well, or was closed here.

        Raises the peer's status.
        """
        while not self.ended:
            if self._frames:
                try:
                    message = self._take(self._frames.popleft())
                finally:
                    if self.ended:
                        _socket.hang_up(self._socket)
                if message is not None:
                    return message
            else:
                self._fill()
        return None

    def close(self) -> None:
        """Ends the stream, from any thread; the daemon sees its connection end."""
        self._closed = True
        _socket.hang_up(self._socket)

    def _take(self, frame: _wire.Frame) -> bytes | memoryview | None:
        _, kind, flags, body = frame
        if kind == _wire.RESPONSE:
            self.ended = True
            self.response = _envelope.payload_of(body)
            return self.response or None
        if kind != _wire.DATA:
            return None  # of a later version of the protocol
        self.ended = bool(flags & _wire.REMOTE_CLOSED)
        return None if flags & _wire.NO_DATA else body

    def _fill(self) -> None:
        try:
            self._limit(socket.SO_RCVTIMEO)
            count = self._socket.recv_into(self._buffer.space())
            if count:
                self._frames.extend(self._buffer.received(count))
                return
            reason = "the daemon closed the connection"
        except BlockingIOError:
            raise self._timed_out() from None
        except OSError as error:
            reason = f"the daemon closed the connection ({error.strerror})"
        except _wire.WireError as error:
            reason = str(error)
        self.ended = True
        if not self._closed:
            raise self._lost(reason)

    def _send(self, data: bytes | bytearray) -> None:
        if self._closed or self.ended:
            raise Cancelled(f"{self._name}: the stream has ended")
        try:
            with self._sending:
                self._limit(socket.SO_SNDTIMEO)
                self._socket.sendall(data)
        except BlockingIOError:
            raise self._timed_out() from None
        except OSError as error:
            raise self._lost(f"the daemon closed the connection ({error.strerror})") from None

    def _limit(self, option: int) -> None:
        if self._deadline != math.inf:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise BlockingIOError
            _socket.set_timeout(self._socket, option, left)

    def _timed_out(self) -> DeadlineExceeded:
        self.close()
        return timeout_error(self._name, self._timeout, outcome_unknown=self._sends)

    def _lost(self, reason: str) -> TwindError:
        if self._closed:
            return Cancelled(f"{self._name}: the stream was closed")
        return lost_error(self._name, reason, outcome_unknown=self._sends)


class ServerStream(Generic[Res]):
    """An iterator of the daemon's messages. Use it in `with`, or close it: an open stream costs a connection."""

    def __init__(self, stream: Stream, method: Method[Any, Res]) -> None:
        self._stream = stream
        self._method = method

    def __iter__(self) -> Iterator[Res]:
        return self

    def __next__(self) -> Res:
        payload = self._stream.receive()
        if payload is None:
            raise StopIteration
        return self._method.message(payload)

    def __enter__(self) -> ServerStream[Res]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the stream and an iteration over it, from any thread."""
        self._stream.close()


class ClientStream(Generic[Req, Res]):
    """Sends any number of messages, then takes one reply."""

    def __init__(self, stream: Stream, method: Method[Req, Res]) -> None:
        self._stream = stream
        self._method = method

    def __enter__(self) -> ClientStream[Req, Res]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, request: Req) -> None:
        """When the daemon has ended the stream early, `finish` raises its reason."""
        self._stream.send(self._method.serialize(request))

    def finish(self) -> Res:
        """No more is sent; the reply."""
        self._stream.close_send()
        self._stream.receive()
        response = self._stream.response
        if response is None:
            raise Internal(f"{self._method.name}: the daemon ended the stream without a reply")
        return self._method.message(response)

    def close(self) -> None:
        """Gives the call up, from any thread."""
        self._stream.close()


class BidiStream(ServerStream[Res], Generic[Req, Res]):
    """Both sides send. Where both send much at once, receive in a thread of its own: neither side buffers."""

    def __init__(self, stream: Stream, method: Method[Req, Res]) -> None:
        super().__init__(stream, method)
        self._serialize = method.serialize

    def send(self, request: Req) -> None:
        self._stream.send(self._serialize(request))

    def close_send(self) -> None:
        """No more is sent; messages may still come."""
        self._stream.close_send()
