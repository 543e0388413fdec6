"""The channel to a daemon: connects, reconnects, and decides what a lost connection means for a call.

If the connection is lost, calls that were not sent and calls that can be repeated are sent again. Others become
Unavailable: their outcome is unknown. Unary calls of all threads share a connection. Each stream has its own: ttrpc has
no flow control, so a slow reader must be able to leave its bytes in its own socket.

Called by the generated stubs, `Client` and `Pipeline`.
"""

from __future__ import annotations

import math
import socket
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any, TypeVar

from twind import _arguments, _envelope, _process, _socket
from twind._backoff import Backoff
from twind._connection import Connection, ConnectionLost, TimedOut, wait_of
from twind._failures import closed_error, lost_error, timeout_error
from twind._method import Method
from twind._stream import BidiStream, ClientStream, ServerStream, Stream

Req = TypeVar("Req")
Res = TypeVar("Res")


class Channel:
    def __init__(self, path: str, metadata: Mapping[str, str], timeout: float, connect_timeout: float) -> None:
        self.path = path
        # Of a call that states none; in seconds.
        self.timeout = _arguments.seconds(timeout, "timeout")
        # How long a call waits for a daemon that is away, in seconds.
        self.connect_timeout = _arguments.seconds(connect_timeout, "connect_timeout")
        self.metadata = _envelope.metadata_suffix(metadata)
        self._closed = False
        self._connection: Connection | None = None
        self._connecting = threading.Lock()
        # The process that the two above belong to.
        self._process = _process.current
        # A plain set: its methods are done at once, whatever interrupts and whichever thread comes.
        self._streams: set[weakref.ref[Stream]] = set()

    def call(self, method: Method[Req, Res], request: Req, timeout: float | None = None) -> Res:
        """A unary call. Raises the TwindError that the daemon states, DeadlineExceeded or Unavailable."""
        payload = method.serialize(request)
        seconds = self.timeout if timeout is None else _arguments.seconds(timeout, "timeout")
        return method.message(self.exchange(method, payload, seconds, method.repeatable(request)))

    def exchange(self, method: Method[Any, Any], payload: bytes, timeout: float, repeatable: bool) -> bytes:
        """The reply's payload for a request's, over as many connections as it takes."""
        start = time.monotonic()
        deadline = start + timeout
        left = timeout
        backoff: Backoff | None = None
        while left > 0:
            connection = self.connection(deadline)
            frame = _envelope.request_frame(method.prefix, payload, left, self.metadata)
            try:
                return connection.call(frame, left, deadline)
            except TimedOut as out:
                raise timeout_error(method.name, timeout, out.sent and not repeatable) from None
            except ConnectionLost as lost:
                if self._closed:
                    raise closed_error() from None
                if time.monotonic() >= deadline:
                    raise timeout_error(method.name, timeout, lost.sent and not repeatable) from None
                backoff = backoff or Backoff(min(deadline, start + self.connect_timeout))
                delay = backoff.delay() if repeatable or not lost.sent else None
                if delay is None:
                    raise lost_error(method.name, lost.reason, lost.sent and not repeatable) from None
                time.sleep(delay)
                left = deadline - time.monotonic()
        raise timeout_error(method.name, timeout, False)

    def server_stream(
        self,
        method: Method[Req, Res],
        request: Req,
        timeout: float | None = None,
        connect_timeout: float | None = None,
    ) -> ServerStream[Res]:
        """`timeout` bounds the whole stream, None = no end; a lost stream is Unavailable and not tried again."""
        return ServerStream(self._stream(method, method.serialize(request), timeout, connect_timeout), method)

    def client_stream(self, method: Method[Req, Res], timeout: float | None = None) -> ClientStream[Req, Res]:
        return ClientStream(self._stream(method, None, timeout, None), method)

    def bidi_stream(self, method: Method[Req, Res], timeout: float | None = None) -> BidiStream[Req, Res]:
        return BidiStream(self._stream(method, None, timeout, None), method)

    def connection(self, deadline: float) -> Connection:
        """The connection for unary calls; a new one if need be."""
        connection = self._connection
        if connection is not None and connection.usable:
            return Connection(self._open(deadline)) if connection.is_read_here else connection
        if self._process is not _process.current:
            # The connection, and whoever held the lock, are the parent's.
            self._connection = None
            self._connecting = threading.Lock()
            self._process = _process.current
        until = min(deadline, time.monotonic() + self.connect_timeout)
        held = False
        connecting = self._connecting
        try:
            (held,) = map(connecting.acquire, (True,), (wait_of(until),))
            if not held:
                # Should it never come back, the next call does not wait for it.
                self._connecting = threading.Lock()
                raise lost_error("", f"twind at {self.path}: another thread is still connecting", False)
            if self._closed:
                raise closed_error()
            connection = self._connection
            if connection is None or not connection.usable:
                # Calls under way on the old one, if it only runs out of stream ids, end there.
                connection = self._connection = Connection(self._open(until))
                if self._closed:  # meanwhile
                    connection.fail("the client has been closed")
                    raise closed_error()
            return connection
        finally:
            if held:
                connecting.release()

    def close(self) -> None:
        """Ends all calls and streams with Cancelled, and refuses new ones.

        In the child of a fork it only closes the child's descriptors; the parent's calls continue.
        """
        self._closed = True
        connection = self._connection
        if connection is not None:
            connection.fail("the client has been closed")
        self._connection = None
        for reference in list(self._streams):
            stream = reference()
            if stream is not None:
                stream.close()

    def _stream(
        self, method: Method[Any, Any], payload: bytes | None, timeout: float | None, connect_timeout: float | None
    ) -> Stream:
        """Begins a stream; without a payload, one whose messages are sent on it."""
        if self._closed:
            raise closed_error()
        now = time.monotonic()
        seconds = math.inf if timeout is None else _arguments.seconds(timeout, "timeout")
        patience = self.connect_timeout if connect_timeout is None else connect_timeout
        connected = self._open(now + min(seconds, patience))
        frame = _envelope.request_frame(method.prefix, payload or b"", seconds, self.metadata)
        stream = Stream(connected, method.name, frame, payload is None, seconds, now + seconds)
        self._streams.add(weakref.ref(stream, self._streams.discard))
        return stream

    def _open(self, until: float) -> socket.socket:
        backoff = Backoff(until)
        while True:
            try:
                return _socket.connect(self.path)
            except _socket.ConnectFailed as failed:
                delay = backoff.delay() if _socket.is_passing(failed.error) and not self._closed else None
                if delay is None:
                    raise _socket.connect_error(self.path, failed.error) from None
            time.sleep(delay)
