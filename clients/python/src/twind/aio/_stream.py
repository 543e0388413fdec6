"""A streaming call on a connection of its own, as `twind._stream` but for asyncio.

Nothing is read before it is asked for: a consumer that does not keep up leaves its bytes in the socket. A stream
begins at its first use. One task receives; any may send or close.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from twind import _envelope, _process, _socket, _wire
from twind._failures import lost_error, timeout_error
from twind._method import Method
from twind._stream import OutOfPatience
from twind.aio import _waiting
from twind.errors import Cancelled, DeadlineExceeded, Internal, TwindError

Req = TypeVar("Req")
Res = TypeVar("Res")

_STREAM_ID = 1
_SEND_FLAGS = (getattr(socket, "MSG_NOSIGNAL", 0),)


class Stream:
    def __init__(
        self,
        connect: Callable[[float], Awaitable[socket.socket]],
        name: str,
        request: bytearray,
        sends: bool,
        timeout: float,
    ) -> None:
        self._process = _process.current
        self._connect = connect
        self._name = name
        self._sends = sends
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        # `first` waits no longer than this, on the clock of the deadline.
        self.patience = math.inf
        self._socket: socket.socket | None = None
        self.frames = _wire.FrameBuffer()
        self._sending = asyncio.Lock()
        # What is to leave before anything else. A task that is cancelled while it sends leaves it to the next.
        self._unsent: bytes | bytearray | memoryview = request
        self._closed = False
        # Nothing more will come.
        self.ended = False
        # Nothing more will come behind the message that `first` gave.
        self.ends = False
        # The message of the response that ended the stream; None = no response did.
        self.response: bytes | None = None
        _wire.fill_header(request, _STREAM_ID, _wire.REQUEST, _wire.REMOTE_OPEN if sends else _wire.REMOTE_CLOSED)

    def __del__(self) -> None:
        connected = getattr(self, "_socket", None)
        if connected is not None:
            self._hang_up()
            connected.close()

    async def open(self) -> None:
        """Connects and sends the request, if that has not been done."""
        if self._socket is None or self._unsent:
            async with self._sending:
                await self._open()

    async def send(self, payload: bytes) -> None:
        await self._send(_wire.frame(_STREAM_ID, _wire.DATA, 0, payload))

    async def close_send(self) -> None:
        await self._send(_wire.frame(_STREAM_ID, _wire.DATA, _wire.REMOTE_CLOSED | _wire.NO_DATA))

    async def first(self) -> bytes | memoryview | None:
        """The next message, which stays until the caller takes it; None = the stream ended well, or was closed here.

        To take it is `stream.ended = stream.ends; stream.frames.start = stream.frames.next`, with no wait between that
        and handing it out. Raises the peer's status.
        """
        self._check_process()
        await self.open()
        frames = self.frames
        while not self.ended:
            try:
                frame = frames.first()
            except _wire.WireError as error:
                self._break(str(error))
                continue
            if frame is None:
                await self._fill()
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

    async def receive(self) -> bytes | None:
        """Takes the next message."""
        found = await self.first()
        if found is None:
            return None
        message = bytes(found)
        self.ended = self.ends
        self.frames.start = self.frames.next
        return message

    def close(self) -> None:
        """Ends the stream and its connection.

        In the child of a fork it only closes the child's descriptor; the parent's stream continues.
        """
        self._closed = True
        if self._process is _process.current:
            self._hang_up()
        elif self._socket is not None:
            self.ended = True
            self._socket.close()

    async def _fill(self) -> None:
        """Receives what has come, or waits for it. Raises at the deadline, and when the connection is lost."""
        if self._closed or self._socket is None:
            self.ended = True
            return
        if self._deadline != math.inf and self._deadline <= time.monotonic():
            raise self._timed_out()
        attempt = map(self._socket.recv_into, (self.frames.space(),))
        try:
            (count,) = attempt
        except BlockingIOError:
            if not await _waiting.readable(self._socket, min(self._deadline, self.patience)):
                self._check_time()
            return
        except OSError as error:
            self._break(f"the daemon closed the connection ({error.strerror})")
            return
        self.frames.end += count
        if not count:
            self._break("the daemon closed the connection")

    async def _open(self) -> None:
        """The caller holds `_sending`."""
        if self._socket is None and not self._closed:
            self._socket = await self._connect(min(self._deadline, self.patience))
            if self._closed:
                self._hang_up()
        if not self._closed:
            await self._flush()

    async def _send(self, data: bytes) -> None:
        self._check_process()
        async with self._sending:
            # What is left of earlier frames leaves first: a part of a frame would have no end.
            await self._open()
            if self._closed or self.ended:
                raise Cancelled(f"{self._name}: the stream has ended")
            self._unsent = data
            await self._flush()

    async def _flush(self) -> None:
        while self._unsent and self._socket is not None:
            rest = memoryview(self._unsent)
            attempt = map(self._socket.send, (rest,), _SEND_FLAGS)
            try:
                (sent,) = attempt
            except BlockingIOError:
                if not await _waiting.writable(self._socket, self._deadline):
                    raise self._timed_out() from None
            except OSError as error:
                raise self._lost(f"the daemon closed the connection ({error.strerror})") from None
            else:
                self._unsent = rest[sent:]

    def _check_time(self) -> None:
        """Raises at the stream's deadline, and before it when the patience is at its end."""
        if self._deadline <= time.monotonic():
            raise self._timed_out()
        if self.patience <= time.monotonic():
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
        if self._socket is not None and self._process is _process.current:
            _socket.hang_up(self._socket)


class ServerStream(Generic[Res]):
    """An asynchronous iterator over the daemon's messages. Use it in `async with`, or close it."""

    def __init__(self, stream: Stream, method: Method[Any, Res]) -> None:
        self._stream = stream
        self._method = method

    def __aiter__(self) -> AsyncIterator[Res]:
        return self

    async def __anext__(self) -> Res:
        stream = self._stream
        payload = await stream.first()
        if payload is None:
            raise StopAsyncIteration
        message = self._method.message(payload)
        stream.ended = stream.ends
        stream.frames.start = stream.frames.next
        return message

    async def __aenter__(self) -> ServerStream[Res]:
        await self._stream.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_until(self, deadline: float) -> None:
        """On time.monotonic()'s clock: the next message is awaited no longer, and OutOfPatience raised."""
        self._stream.patience = deadline

    def close(self) -> None:
        """Ends the stream and an iteration over it."""
        self._stream.close()


class ClientStream(Generic[Req, Res]):
    """A stream of requests with a single reply."""

    def __init__(self, stream: Stream, method: Method[Req, Res]) -> None:
        self._stream = stream
        self._method = method

    async def __aenter__(self) -> ClientStream[Req, Res]:
        await self._stream.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def send(self, request: Req) -> None:
        """Sends a message. If the daemon has already ended the stream, `finish` raises the reason."""
        await self._stream.send(self._method.serialize(request))

    async def finish(self) -> Res:
        """Ends sending and returns the reply."""
        await self._stream.close_send()
        await self._stream.receive()
        response = self._stream.response
        if response is None:
            raise Internal(f"{self._method.name}: the daemon ended the stream without a reply")
        return self._method.message(response)

    def close(self) -> None:
        """Cancels the call."""
        self._stream.close()


class BidiStream(ServerStream[Res], Generic[Req, Res]):
    """A stream in both directions. If both sides send a lot, receive in a separate task: neither side buffers."""

    def __init__(self, stream: Stream, method: Method[Req, Res]) -> None:
        super().__init__(stream, method)
        self._serialize = method.serialize

    async def send(self, request: Req) -> None:
        await self._stream.send(self._serialize(request))

    async def close_send(self) -> None:
        """Ends sending; messages may still arrive."""
        await self._stream.close_send()
