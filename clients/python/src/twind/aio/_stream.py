"""A streaming call on a connection of its own, as `twind._stream` but for asyncio.

Nothing is read before it is asked for: a consumer that does not keep up leaves its bytes in the socket. A stream
begins at its first use. One task receives; any may send or close.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from twind import _envelope, _socket, _wire
from twind._failures import lost_error, timeout_error
from twind._method import Method
from twind.errors import Cancelled, DeadlineExceeded, Internal, TwindError

Req = TypeVar("Req")
Res = TypeVar("Res")
T = TypeVar("T")

_STREAM_ID = 1


class Stream:
    def __init__(
        self,
        connect: Callable[[float], Awaitable[socket.socket]],
        name: str,
        request: bytearray,
        sends: bool,
        timeout: float,
    ) -> None:
        self._connect = connect
        self._name = name
        self._request = request
        self._sends = sends
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._socket: socket.socket | None = None
        self._buffer = _wire.FrameBuffer()
        self._frames: deque[_wire.Frame] = deque()
        self._sending = asyncio.Lock()
        self._closed = False
        # Nothing more will come.
        self.ended = False
        # The message of the response that ended the stream; None = no response did.
        self.response: bytes | None = None

    def __del__(self) -> None:
        if self._socket is not None:
            self._socket.close()

    async def open(self) -> None:
        """Connects and sends the request, if that has not been done."""
        async with self._sending:
            if self._socket is not None or self._closed:
                return
            self._socket = await self._connect(self._deadline)
            if self._closed:
                _socket.hang_up(self._socket)
                return
            flags = _wire.REMOTE_OPEN if self._sends else _wire.REMOTE_CLOSED
            _wire.fill_header(self._request, _STREAM_ID, _wire.REQUEST, flags)
            await self._send(self._request)

    async def send(self, payload: bytes) -> None:
        await self.open()
        async with self._sending:
            await self._send(_wire.frame(_STREAM_ID, _wire.DATA, 0, payload))

    async def close_send(self) -> None:
        await self.open()
        async with self._sending:
            await self._send(_wire.frame(_STREAM_ID, _wire.DATA, _wire.REMOTE_CLOSED | _wire.NO_DATA))

    async def receive(self) -> bytes | memoryview | None:
        """The next message, to be read before the next is asked for; None = the stream ended well, or was closed here.

        Raises the peer's status.
        """
        await self.open()
        while not self.ended:
            if self._frames:
                try:
                    message = self._take(self._frames.popleft())
                finally:
                    if self.ended:
                        self._hang_up()
                if message is not None:
                    return message
            else:
                await self._fill()
        return None

    def close(self) -> None:
        """Ends the stream; the daemon sees its connection end."""
        self._closed = True
        self._hang_up()

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

    async def _fill(self) -> None:
        if self._closed or self._socket is None:
            self.ended = True
            return
        try:
            loop = asyncio.get_running_loop()
            count = await self._limited(loop.sock_recv_into(self._socket, self._buffer.space()))
            if count:
                self._frames.extend(self._buffer.received(count))
                return
            reason = "the daemon closed the connection"
        except TwindError:
            raise  # some are OSErrors too
        except OSError as error:
            reason = f"the daemon closed the connection ({error.strerror})"
        except _wire.WireError as error:
            reason = str(error)
        self.ended = True
        if not self._closed:
            raise self._lost(reason)

    async def _send(self, data: bytes | bytearray) -> None:
        if self._closed or self.ended or self._socket is None:
            raise Cancelled(f"{self._name}: the stream has ended")
        try:
            await self._limited(asyncio.get_running_loop().sock_sendall(self._socket, data))
        except TwindError:
            raise  # some are OSErrors too
        except OSError as error:
            raise self._lost(f"the daemon closed the connection ({error.strerror})") from None
        except asyncio.CancelledError:
            self.close()  # a part of a frame may have left
            raise

    async def _limited(self, work: Awaitable[T]) -> T:
        if self._deadline == math.inf:
            return await work
        try:
            return await asyncio.wait_for(work, max(0.0, self._deadline - time.monotonic()))
        except asyncio.TimeoutError:
            raise self._timed_out() from None

    def _timed_out(self) -> DeadlineExceeded:
        self.close()
        return timeout_error(self._name, self._timeout, outcome_unknown=self._sends)

    def _lost(self, reason: str) -> TwindError:
        if self._closed:
            return Cancelled(f"{self._name}: the stream was closed")
        return lost_error(self._name, reason, outcome_unknown=self._sends)

    def _hang_up(self) -> None:
        if self._socket is not None:
            _socket.hang_up(self._socket)


class ServerStream(Generic[Res]):
    """An asynchronous iterator of the daemon's messages. Use it in `async with`, or close it."""

    def __init__(self, stream: Stream, method: Method[Any, Res]) -> None:
        self._stream = stream
        self._method = method

    def __aiter__(self) -> AsyncIterator[Res]:
        return self

    async def __anext__(self) -> Res:
        payload = await self._stream.receive()
        if payload is None:
            raise StopAsyncIteration
        return self._method.message(payload)

    async def __aenter__(self) -> ServerStream[Res]:
        await self._stream.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the stream and an iteration over it."""
        self._stream.close()


class ClientStream(Generic[Req, Res]):
    """Sends any number of messages, then takes one reply."""

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
        """When the daemon has ended the stream early, `finish` raises its reason."""
        await self._stream.send(self._method.serialize(request))

    async def finish(self) -> Res:
        """No more is sent; the reply."""
        await self._stream.close_send()
        await self._stream.receive()
        response = self._stream.response
        if response is None:
            raise Internal(f"{self._method.name}: the daemon ended the stream without a reply")
        return self._method.message(response)

    def close(self) -> None:
        """Gives the call up."""
        self._stream.close()


class BidiStream(ServerStream[Res], Generic[Req, Res]):
    """Both sides send. Where both send much at once, receive in a task of its own: neither side buffers."""

    def __init__(self, stream: Stream, method: Method[Req, Res]) -> None:
        super().__init__(stream, method)
        self._serialize = method.serialize

    async def send(self, request: Req) -> None:
        await self._stream.send(self._serialize(request))

    async def close_send(self) -> None:
        """No more is sent; messages may still come."""
        await self._stream.close_send()
