"""One connection that many tasks make unary calls on.

It works on the socket itself, not on an asyncio transport: a call sends at once and knows whether its bytes left, which
decides whether it may be sent again. Called by `Channel` and `Pipeline`, in one event loop.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections import deque
from collections.abc import Sequence

from twind import _envelope, _socket, _wire
from twind._connection import ConnectionLost, TimedOut
from twind.errors import TwindError

_SEND_FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)


class Call:
    """A unary call: the request's frame, then the response's payload or error."""

    __slots__ = ("deadline", "frame", "reply", "stream_id")

    def __init__(self, frame: bytearray, loop: asyncio.AbstractEventLoop) -> None:
        # Its header is filled in when it leaves.
        self.frame = frame
        self.stream_id = 0
        # Set when it is waited for.
        self.deadline = math.inf
        # None as the result = the connection failed, or the time is over.
        self.reply: asyncio.Future[bytes | TwindError | None] = loop.create_future()


class Connection:
    def __init__(
        self, connected: socket.socket, loop: asyncio.AbstractEventLoop, stream_id_max: int = _wire.STREAM_ID_MAX
    ) -> None:
        self.loop = loop
        # Why the connection failed; None = it has not.
        self.lost: str | None = None
        self._socket = connected
        self._frames = _wire.FrameBuffer()
        # Of frames that the socket did not take whole. While there is any, no call is started.
        self._unsent = bytearray()
        # Behind it the channel makes a new connection; calls that are being started still find ids.
        self._next_id_max = stream_id_max - 2 * _wire.STREAMS_MAX
        self._next_id = 1
        self._retired = False
        # Calls whose reply is yet to come, by stream id. At most STREAMS_MAX.
        self._calls: dict[int, Call] = {}
        # Tasks that wait to start calls.
        self._rooms: deque[asyncio.Future[None]] = deque()
        # When deadlines are looked at next: one timer for all calls, since one for each would cost more than its reply.
        self._alarm_at = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        loop.add_reader(connected, self._receive)

    @property
    def usable(self) -> bool:
        """False once it has failed, or is about to run out of stream ids."""
        return self.lost is None and self._next_id <= self._next_id_max

    async def call(self, frame: bytearray, timeout: float) -> bytes:
        """The reply's payload. Raises the TwindError that the reply states."""
        deadline = time.monotonic() + timeout
        call = Call(frame, self.loop)
        await self.start((call,), deadline)
        return await self.wait(call, deadline)

    async def start(self, calls: Sequence[Call], deadline: float) -> None:
        """Sends at most STREAMS_MAX calls at once. When it raises, none of them is under way."""
        if self._rooms or not self._fits(len(calls)):
            await self._room(len(calls), deadline)
        if self.lost is not None:
            raise ConnectionLost(self.lost, sent=False)
        for call in calls:
            call.stream_id = self._next_id
            self._next_id += 2
            _wire.fill_header(call.frame, call.stream_id, _wire.REQUEST)
        try:
            self._send(calls[0].frame if len(calls) == 1 else b"".join([call.frame for call in calls]))
        except OSError as error:
            # A Unix socket takes nothing for a peer that is gone: these calls went nowhere.
            self.fail(_closed(error))
            raise ConnectionLost(_closed(error), sent=False) from error
        for call in calls:
            self._calls[call.stream_id] = call
        if self._rooms:
            self._wake_room()

    async def wait(self, call: Call, deadline: float) -> bytes:
        """As `call`, for one that was started."""
        call.deadline = deadline
        if deadline < self._alarm_at and not call.reply.done():
            self._set_alarm(deadline)
        try:
            reply = await call.reply
        except asyncio.CancelledError:
            self._abandon(call)
            raise
        if isinstance(reply, bytes):
            return reply
        if reply is not None:
            raise reply
        if self.lost is None:
            raise TimedOut(sent=True)
        raise ConnectionLost(self.lost, sent=True)

    def retire(self) -> None:
        """Ends the connection as soon as no call is under way on it."""
        self._retired = True
        if not self._calls:
            self.fail("the connection was replaced")

    def fail(self, reason: str) -> None:
        """Ends the connection and every call on it; more than once does no harm."""
        if self.lost is not None:
            return
        self.lost = reason
        if not self.loop.is_closed():
            self.loop.remove_reader(self._socket)
            self.loop.remove_writer(self._socket)
        _socket.hang_up(self._socket)
        self._socket.close()
        self._unsent.clear()
        if self._alarm is not None:
            self._alarm.cancel()
        calls = list(self._calls.values())
        self._calls.clear()
        for call in calls:
            if not call.reply.done():
                call.reply.set_result(None)
        while self._rooms:
            self._wake_room()

    # Sending.

    def _send(self, data: bytes | bytearray) -> None:
        try:
            sent = self._socket.send(data, _SEND_FLAGS)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._unsent += data[sent:]
            self.loop.add_writer(self._socket, self._send_rest)

    def _send_rest(self) -> None:
        try:
            sent = self._socket.send(self._unsent, _SEND_FLAGS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.fail(_closed(error))
            return
        del self._unsent[:sent]
        if not self._unsent:
            self.loop.remove_writer(self._socket)
            self._wake_room()

    # Deadlines.

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = self.loop.call_later(at - time.monotonic(), self._give_up_late_calls)

    def _give_up_late_calls(self) -> None:
        self._alarm = None
        self._alarm_at = math.inf
        now = time.monotonic()
        for call in [call for call in self._calls.values() if call.deadline <= now]:
            self._abandon(call)
        earliest = min((call.deadline for call in self._calls.values()), default=math.inf)
        if earliest < self._alarm_at:
            self._set_alarm(earliest)

    def _abandon(self, call: Call) -> None:
        """Gives up a call and tells the daemon."""
        if self._calls.pop(call.stream_id, None) is None:
            return
        if not call.reply.done():
            call.reply.set_result(None)
        cancel = _wire.frame(call.stream_id, _wire.CANCEL)
        try:
            if self._unsent:
                self._unsent += cancel
            else:
                self._send(cancel)
        except OSError as error:
            self.fail(_closed(error))
        self._ended()

    # Waiting to start: in turn, woken one by one.

    def _fits(self, count: int) -> bool:
        return len(self._calls) + count <= _wire.STREAMS_MAX and not self._unsent

    async def _room(self, count: int, deadline: float) -> None:
        """Returns when `count` more calls may be started, or the connection failed."""
        put = self._rooms.append
        while self.lost is None:
            room: asyncio.Future[None] = self.loop.create_future()
            put(room)
            try:
                await asyncio.wait_for(room, _left(deadline))
            except BaseException as error:
                if room in self._rooms:
                    self._rooms.remove(room)
                self._wake_room()  # for the next one, should the turn have been this one's
                if isinstance(error, asyncio.TimeoutError):
                    raise TimedOut(sent=False) from None
                raise
            if self._fits(count):
                return
            put = self._rooms.appendleft

    def _wake_room(self) -> None:
        while self._rooms:
            room = self._rooms.popleft()
            if not room.done():
                room.set_result(None)
                return

    def _ended(self) -> None:
        """A call is not under way any more."""
        if self._rooms:
            self._wake_room()
        if self._retired and not self._calls:
            self.fail("the connection was replaced")

    # Receiving.

    def _receive(self) -> None:
        try:
            count = self._socket.recv_into(self._frames.space())
            if count == 0:
                self.fail("the daemon closed the connection")
                return
            frames = self._frames.received(count)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.fail(_closed(error))
            return
        except _wire.WireError as error:
            self.fail(str(error))
            return
        for stream_id, kind, _, body in frames:
            self._deliver(stream_id, kind, body)

    def _deliver(self, stream_id: int, kind: int, body: memoryview) -> None:
        if kind == _wire.DATA:
            self.fail("the daemon sent a stream's data for a unary call")
            return
        if kind != _wire.RESPONSE:
            return  # of a later version of the protocol
        call = self._calls.pop(stream_id, None)
        if call is None:
            return  # given up meanwhile
        if not call.reply.done():
            call.reply.set_result(_envelope.opened(body))
        if self._rooms or self._retired:
            self._ended()


def _closed(error: OSError) -> str:
    return f"the daemon closed the connection ({error.strerror})"


def _left(deadline: float) -> float | None:
    return None if deadline == math.inf else max(0.0, deadline - time.monotonic())
