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
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from twind import _envelope, _process, _readiness, _socket, _wire
from twind._connection import wait_of
from twind._failures import lost_error, timeout_error
from twind._method import Method
from twind.errors import Cancelled, DeadlineExceeded, Internal, TwindError

Req = TypeVar("Req")
Res = TypeVar("Res")

_STREAM_ID = 1
_SEND_FLAGS = (getattr(socket, "MSG_NOSIGNAL", 0),)


class OutOfPatience(Exception):
    """Nothing came within a stream's `patience`; it goes on."""


class Stream:
    def __init__(
        self, connected: socket.socket, name: str, request: bytearray, sends: bool, timeout: float, deadline: float
    ) -> None:
        self._process = _process.current
        self._socket = connected
        self._name = name
        self._sends = sends
        self._timeout = timeout
        self._deadline = deadline
        # `first` waits no longer than this, on the clock of the deadline.
        self.patience = math.inf
        self.frames = _wire.FrameBuffer()
        # Held by the thread that sends.
        self._sending = threading.Lock()
        # Of a frame that the socket did not take whole.
        self._unsent: bytes | bytearray | memoryview = b""
        self._closed = False
        # Nothing more will come.
        self.ended = False
        # Nothing more will come behind the message that `first` gave.
        self.ends = False
        # The message of the response that ended the stream; None = no response did.
        self.response: bytes | None = None
        _wire.fill_header(request, _STREAM_ID, _wire.REQUEST, _wire.REMOTE_OPEN if sends else _wire.REMOTE_CLOSED)
        self._send(request)

    def __del__(self) -> None:
        if hasattr(self, "_socket"):
            self._hang_up()
            self._socket.close()

    def send(self, payload: bytes) -> None:
        self._send(_wire.frame(_STREAM_ID, _wire.DATA, 0, payload))

    def close_send(self) -> None:
        self._send(_wire.frame(_STREAM_ID, _wire.DATA, _wire.REMOTE_CLOSED | _wire.NO_DATA))

    def first(self) -> bytes | memoryview | None:
        """The next message, which stays until the caller takes it; None = the stream ended well, or was closed here.

        To take it is `stream.ended = stream.ends; stream.frames.start = stream.frames.next`, in the caller's own last
        lines, so that a message that was taken has been handed out. Raises the peer's status.
        """
        frames = self.frames
        while not self.ended:
            try:
                frame = frames.first()
            except _wire.WireError as error:
                self._break(str(error))
                continue
            if frame is None:
                self._fill()
                continue
            _, kind, flags, body = frame
            if kind == _wire.DATA:
                self.ends = bool(flags & _wire.REMOTE_CLOSED)
                if not flags & _wire.NO_DATA:
                    return body
                self.ended = self.ends
            elif kind == _wire.RESPONSE:
                self.ends = True
                reply = _envelope.opened(body)
                if isinstance(reply, TwindError):
                    self._hang_up()
                    self.ended = True
                    raise reply
                self.response = reply
                if reply:
                    return reply
                self.ended = True
            # Others are of a later version of the protocol.
            frames.start = frames.next
        self._hang_up()
        return None

    def receive(self) -> bytes | None:
        """Takes the next message."""
        found = self.first()
        if found is None:
            return None
        message = bytes(found)
        self.ended = self.ends
        self.frames.start = self.frames.next
        return message

    def close(self) -> None:
        """Ends the stream and its connection. May be called from any thread.

        In the child of a fork it only closes the child's descriptor; the parent's stream continues.
        """
        self._closed = True
        if self._process is _process.current:
            self._hang_up()
        else:
            self.ended = True
            self._socket.close()

    def _fill(self) -> None:
        """Receives what has come, or waits for it. Raises at the deadline, and when the connection is lost."""
        if self._closed:
            self.ended = True
            return
        self._check_process()
        if self._deadline != math.inf and self._deadline <= time.monotonic():
            raise self._timed_out()
        attempt = map(self._socket.recv_into, (self.frames.space(),))
        try:
            (count,) = attempt
        except BlockingIOError:
            self._await(_readiness.READ, min(self._deadline, self.patience))
            return
        except OSError as error:
            self._break(f"the daemon closed the connection ({error.strerror})")
            return
        self.frames.end += count
        if not count:
            self._break("the daemon closed the connection")

    def _send(self, data: bytes | bytearray) -> None:
        if self._closed or self.ended:
            raise Cancelled(f"{self._name}: the stream has ended")
        self._check_process()
        held = False
        try:
            (held,) = map(self._sending.acquire, (True,), (wait_of(self._deadline),))
            if not held:
                raise self._timed_out()
            # Else a part of a frame, whose sender was interrupted, would have no end.
            self._flush()
            self._unsent = data
            self._flush()
        finally:
            if held:
                self._sending.release()

    def _flush(self) -> None:
        while self._unsent:
            rest = memoryview(self._unsent)
            attempt = map(self._socket.send, (rest,), _SEND_FLAGS)
            try:
                (sent,) = attempt
            except BlockingIOError:
                self._await(_readiness.WRITE, self._deadline)
            except OSError as error:
                raise self._lost(f"the daemon closed the connection ({error.strerror})") from None
            else:
                self._unsent = rest[sent:]

    def _await(self, wanted: int, until: float) -> None:
        """Waits until the socket is ready. Raises at the stream's deadline, and before it when `until` has passed."""
        left = until - time.monotonic()
        if left > 0 and _readiness.wait(self._socket, wanted, left):
            return
        if self._deadline <= time.monotonic():
            raise self._timed_out()
        if until <= time.monotonic():
            raise OutOfPatience

    def _check_process(self) -> None:
        if self._process is not _process.current:
            raise _process.foreign(f"stream of {self._name}")

    def _timed_out(self) -> DeadlineExceeded:
        self.close()
        return timeout_error(self._name, self._timeout, outcome_unknown=self._sends)

    def _break(self, reason: str) -> None:
        """The connection is lost: an error, unless it was closed here."""
        self.ended = True
        if not self._closed:
            raise self._lost(reason)

    def _lost(self, reason: str) -> TwindError:
        if self._closed:
            return Cancelled(f"{self._name}: the stream was closed")
        return lost_error(self._name, reason, outcome_unknown=self._sends)

    def _hang_up(self) -> None:
        if self._process is _process.current:
            _socket.hang_up(self._socket)


class ServerStream(Generic[Res]):
    """An iterator over the daemon's messages. Use it in `with`, or close it: an open stream has a connection."""

    def __init__(self, stream: Stream, method: Method[Any, Res]) -> None:
        self._stream = stream
        self._method = method

    def __iter__(self) -> Iterator[Res]:
        return self

    def __next__(self) -> Res:
        stream = self._stream
        payload = stream.first()
        if payload is None:
            raise StopIteration
        message = self._method.message(payload)
        # No call from here on: the message is taken if and only if it is returned.
        stream.ended = stream.ends
        stream.frames.start = stream.frames.next
        return message

    def __enter__(self) -> ServerStream[Res]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_until(self, deadline: float) -> None:
        """On time.monotonic()'s clock: the next message is awaited no longer, and OutOfPatience raised."""
        self._stream.patience = deadline

    def close(self) -> None:
        """Ends the stream and any iteration over it. May be called from any thread."""
        self._stream.close()


class ClientStream(Generic[Req, Res]):
    """A stream of requests with a single reply."""

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
        """Sends a message. If the daemon has already ended the stream, `finish` raises the reason."""
        self._stream.send(self._method.serialize(request))

    def finish(self) -> Res:
        """Ends sending and returns the reply."""
        self._stream.close_send()
        self._stream.receive()
        response = self._stream.response
        if response is None:
            raise Internal(f"{self._method.name}: the daemon ended the stream without a reply")
        return self._method.message(response)

    def close(self) -> None:
        """Cancels the call. May be called from any thread."""
        self._stream.close()


class BidiStream(ServerStream[Res], Generic[Req, Res]):
    """A stream in both directions. If both sides send a lot, receive in a separate thread: neither side buffers."""

    def __init__(self, stream: Stream, method: Method[Req, Res]) -> None:
        super().__init__(stream, method)
        self._serialize = method.serialize

    def send(self, request: Req) -> None:
        self._stream.send(self._serialize(request))

    def close_send(self) -> None:
        """Ends sending; messages may still arrive."""
        self._stream.close_send()
