"""The way to one daemon, as `twind._channel` but for asyncio: the same rules on what is sent again."""

from __future__ import annotations

import asyncio
import math
import socket
import time
import warnings
import weakref
from collections.abc import Mapping
from typing import Any, TypeVar

from twind import _arguments, _envelope, _process, _socket
from twind._backoff import Backoff
from twind._connection import ConnectionLost, TimedOut
from twind._failures import closed_error, lost_error, timeout_error
from twind._method import Method
from twind.aio._connection import Connection
from twind.aio._stream import BidiStream, ClientStream, ServerStream, Stream

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
        self.closed = False
        self._connection: Connection | None = None
        self._streams: set[weakref.ref[Stream]] = set()

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None and connection.usable:
            warnings.warn(
                f"unclosed twind.aio.Client({self.path!r}): use it in `async with`, or close it",
                ResourceWarning,
                source=self,
            )
        self._connection = None  # who keeps the warning keeps its source

    async def call(self, method: Method[Req, Res], request: Req, timeout: float | None = None) -> Res:
        """A unary call. Raises the TwindError that the daemon states, DeadlineExceeded or Unavailable."""
        payload = method.serialize(request)
        seconds = self.timeout if timeout is None else _arguments.seconds(timeout, "timeout")
        return method.message(await self.exchange(method, payload, seconds, method.repeatable(request)))

    async def exchange(self, method: Method[Any, Any], payload: bytes, timeout: float, repeatable: bool) -> bytes:
        """The reply's payload for a request's, over as many connections as it takes."""
        start = time.monotonic()
        deadline = start + timeout
        left = timeout
        backoff: Backoff | None = None
        while left > 0:
            connection = await self.connection(deadline)
            frame = _envelope.request_frame(method.prefix, payload, left, self.metadata)
            try:
                return await connection.call(frame, left)
            except TimedOut as out:
                raise timeout_error(method.name, timeout, out.sent and not repeatable) from None
            except ConnectionLost as lost:
                if self.closed:
                    raise closed_error() from None
                if time.monotonic() >= deadline:
                    raise timeout_error(method.name, timeout, lost.sent and not repeatable) from None
                backoff = backoff or Backoff(min(deadline, start + self.connect_timeout))
                delay = backoff.delay() if repeatable or not lost.sent else None
                if delay is None:
                    raise lost_error(method.name, lost.reason, lost.sent and not repeatable) from None
                await asyncio.sleep(delay)
                left = deadline - time.monotonic()
        raise timeout_error(method.name, timeout, False)

    def server_stream(self, method: Method[Req, Res], request: Req, timeout: float | None = None) -> ServerStream[Res]:
        """`timeout` bounds the whole stream, None = no end; a lost stream is Unavailable and not tried again."""
        return ServerStream(self._stream(method, method.serialize(request), timeout), method)

    def client_stream(self, method: Method[Req, Res], timeout: float | None = None) -> ClientStream[Req, Res]:
        return ClientStream(self._stream(method, None, timeout), method)

    def bidi_stream(self, method: Method[Req, Res], timeout: float | None = None) -> BidiStream[Req, Res]:
        return BidiStream(self._stream(method, None, timeout), method)

    async def connection(self, deadline: float) -> Connection:
        """The connection for unary calls; a new one if need be."""
        loop = asyncio.get_running_loop()
        backoff: Backoff | None = None
        while True:
            # Looked at after each wait: another task may have connected meanwhile.
            old = self._connection
            if old is not None and old.usable and old.loop is loop:
                return old
            if self.closed:
                raise closed_error()
            try:
                connection = self._connection = Connection(_socket.connect(self.path), loop)
            except _socket.ConnectFailed as failed:
                backoff = backoff or Backoff(min(deadline, time.monotonic() + self.connect_timeout))
                await self._pause(backoff, failed.error)
                continue
            if old is not None and old.process is _process.current:
                old.retire()  # else it is the parent's, and is left alone
            return connection

    def close(self) -> None:
        """Ends all calls and streams with Cancelled, and refuses new ones.

        In the child of a fork it only closes the child's descriptors; the parent's calls continue.
        """
        self.closed = True
        connection = self._connection
        self._connection = None
        if connection is not None:
            connection.fail("the client has been closed")
        for reference in list(self._streams):
            stream = reference()
            if stream is not None:
                stream.close()

    async def connect(self, deadline: float) -> socket.socket:
        """A connection of a stream's own."""
        backoff: Backoff | None = None
        while not self.closed:
            try:
                return _socket.connect(self.path)
            except _socket.ConnectFailed as failed:
                backoff = backoff or Backoff(min(deadline, time.monotonic() + self.connect_timeout))
                await self._pause(backoff, failed.error)
        raise closed_error()

    async def _pause(self, backoff: Backoff, error: OSError) -> None:
        """Waits before the next try to connect; raises when there is to be none."""
        delay = backoff.delay() if _socket.is_passing(error) else None
        if delay is None:
            raise _socket.connect_error(self.path, error) from None
        await asyncio.sleep(delay)

    def _stream(self, method: Method[Any, Any], payload: bytes | None, timeout: float | None) -> Stream:
        """Begins a stream at its first use; without a payload, one whose messages are sent on it."""
        seconds = math.inf if timeout is None else _arguments.seconds(timeout, "timeout")
        frame = _envelope.request_frame(method.prefix, payload or b"", seconds, self.metadata)
        stream = Stream(self.connect, method.name, frame, payload is None, seconds)
        self._streams.add(weakref.ref(stream, self._streams.discard))
        return stream
