"""One connection that many tasks make unary calls on.

It works on the socket itself, not on an asyncio transport: a call sends at once and knows whether its bytes left, which
decides whether it may be sent again. The loop holds only weak references to it, so a connection that nobody uses any
more is collected and gives its socket back. Called by `Channel` and `Pipeline`, in one event loop.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence

from twind import _envelope, _process, _socket, _wire
from twind._connection import ConnectionLost, TimedOut
from twind.aio import _waiting
from twind.errors import TwindError

_SEND_FLAGS = (getattr(socket, "MSG_NOSIGNAL", 0),)


class Call:
    """A unary call: the request's frame, then the response's payload or error, which is there once `ready`."""

    __slots__ = ("connection", "deadline", "frame", "ready", "reply", "stream_id", "waiters")

    def __init__(self, frame: bytearray) -> None:
        # Its header is filled in when it leaves.
        self.frame = frame
        self.stream_id = 0
        self.deadline = math.inf
        # Of calls that are started together the first one's says for all where they went; None = nothing has left.
        self.connection: Connection | None = None
        self.ready = False
        self.reply: bytes | TwindError = b""
        # Of the tasks that wait for it. Each has its own: cancelling a task cancels the future that it awaits.
        self.waiters: list[asyncio.Future[bool]] = []

    def wake(self) -> None:
        for waiter in self.waiters:
            _waiting.resolve(waiter, True)


class Connection:
    def __init__(
        self, connected: socket.socket, loop: asyncio.AbstractEventLoop, stream_id_max: int = _wire.STREAM_ID_MAX
    ) -> None:
        self.process = _process.current
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
        self._rooms: deque[asyncio.Future[bool]] = deque()
        # When deadlines are looked at next: one timer for all calls, since one for each would cost more than its reply.
        self._alarm_at = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._weak = weakref.ref(self)
        loop.add_reader(connected, _run, Connection._receive, self._weak)

    def __del__(self) -> None:
        if hasattr(self, "_weak") and self.lost is None:
            self._free()

    @property
    def usable(self) -> bool:
        """False once it has failed, or is about to run out of stream ids, and in every process but its own."""
        return self.lost is None and self._next_id <= self._next_id_max and self.process is _process.current

    async def call(self, frame: bytearray, timeout: float) -> bytes:
        """The reply's payload. Raises the TwindError that the reply states. Cancelling it cancels the call."""
        deadline = time.monotonic() + timeout
        call = Call(frame)
        call.deadline = deadline
        await self.start((call,), deadline)
        try:
            return await self.wait(call)
        finally:
            if call.stream_id in self._calls:  # cancelled
                self._abandon(call)

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
        except SendFailed as failed:
            # A Unix socket takes nothing for a peer that is gone: these calls went nowhere.
            self.fail(failed.reason)
            raise ConnectionLost(failed.reason, sent=False) from failed.error
        calls[0].connection = self
        for call in calls:
            self._calls[call.stream_id] = call
        if self._rooms:
            self._wake_room()

    async def wait(self, call: Call) -> bytes:
        """As `call`, for one that was started, until its deadline. Cancelling it ends the wait alone."""
        if not call.ready and call.stream_id in self._calls:
            if call.deadline < self._alarm_at:
                self._set_alarm(call.deadline)
            waiter: asyncio.Future[bool] = self.loop.create_future()
            call.waiters.append(waiter)
            try:
                await waiter
            finally:
                call.waiters.remove(waiter)
        if call.ready:
            reply = call.reply
            if isinstance(reply, bytes):
                return reply
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
        """Ends the connection and every call on it; more than once does no harm.

        In a process that it does not belong to, only this end's descriptor is closed.
        """
        if self.lost is not None:
            return
        self.lost = reason
        self._free()
        self._unsent.clear()
        calls = list(self._calls.values())
        self._calls.clear()
        for call in calls:
            call.wake()
        while self._rooms:
            self._wake_room()

    def _free(self) -> None:
        """Gives the socket back, from whichever thread collects the connection."""
        if self.process is not _process.current:
            # The loop, and what it waits with, are the parent's too.
            self._socket.close()
            return
        _socket.hang_up(self._socket)
        if self.loop.is_running() and asyncio._get_running_loop() is not self.loop:
            try:
                self.loop.call_soon_threadsafe(_give_back, self.loop, self._socket, self._alarm)
                return
            except RuntimeError:
                pass  # it has been closed meanwhile
        _give_back(self.loop, self._socket, self._alarm)

    # Sending.

    def _send(self, data: bytes | bytearray) -> None:
        """Raises SendFailed."""
        attempt = map(self._socket.send, (data,), _SEND_FLAGS)
        try:
            (sent,) = attempt
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise SendFailed(error) from None
        if sent < len(data):
            self._unsent += data[sent:]
            self.loop.add_writer(self._socket, _run, Connection._send_rest, self._weak)

    def _send_rest(self) -> None:
        attempt = map(self._socket.send, (self._unsent,), _SEND_FLAGS)
        try:
            (sent,) = attempt
        except BlockingIOError:
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
        self._alarm = self.loop.call_later(at - time.monotonic(), _run, Connection._give_up_late_calls, self._weak)

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
        call.wake()
        if self.process is not _process.current:
            return
        cancel = _wire.frame(call.stream_id, _wire.CANCEL)
        if self._unsent:
            self._unsent += cancel
        else:
            try:
                self._send(cancel)
            except SendFailed as failed:
                self.fail(failed.reason)
        self._ended()

    # Waiting to start: in turn, woken one by one.

    def _fits(self, count: int) -> bool:
        return len(self._calls) + count <= _wire.STREAMS_MAX and not self._unsent

    async def _room(self, count: int, deadline: float) -> None:
        """Returns when `count` more calls may be started, or the connection failed."""
        put = self._rooms.append
        while self.lost is None:
            room: asyncio.Future[bool] = self.loop.create_future()
            put(room)
            try:
                if not await _waiting.done(room, deadline):
                    raise TimedOut(sent=False)
            except BaseException:
                if room in self._rooms:
                    self._rooms.remove(room)
                self._wake_room()  # for the next one, should the turn have been this one's
                raise
            if self._fits(count):
                return
            put = self._rooms.appendleft

    def _wake_room(self) -> None:
        while self._rooms:
            room = self._rooms.popleft()
            if not room.done():
                room.set_result(True)
                return

    def _ended(self) -> None:
        """A call is not under way any more."""
        if self._rooms:
            self._wake_room()
        if self._retired and not self._calls:
            self.fail("the connection was replaced")

    # Receiving.

    def _receive(self) -> None:
        frames = self._frames
        self._deliver()
        attempt = map(self._socket.recv_into, (frames.space(),))
        try:
            (count,) = attempt
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(_closed(error))
            return
        frames.end += count
        if count:
            self._deliver()
        else:
            self.fail("the daemon closed the connection")

    def _deliver(self) -> None:
        """Hands out the whole frames in the buffer. Each stays there until that is done."""
        frames = self._frames
        while frames.start != frames.end:
            try:
                frame = frames.first()
            except _wire.WireError as error:
                self.fail(str(error))
                return
            if frame is None:
                return
            stream_id, kind, _, body = frame
            if kind == _wire.RESPONSE:
                call = self._calls.get(stream_id)
                if call is not None:  # else it was given up meanwhile
                    call.reply = _envelope.opened(body)
                    call.ready = True
                    self._calls.pop(stream_id, None)
                    call.wake()
                    if self._rooms or self._retired:
                        self._ended()
            elif kind == _wire.DATA:
                self.fail("the daemon sent a stream's data for a unary call")
                return
            # Others are of a later version of the protocol.
            frames.start = frames.next


class SendFailed(Exception):
    """The system call said so."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error
        self.reason = _closed(error)


def _run(method: Callable[[Connection], None], weak: weakref.ref[Connection]) -> None:
    """What the loop calls. Should a child run its parent's loop on, it leaves the parent's bytes alone."""
    connection = weak()
    if connection is not None and connection.lost is None and connection.process is _process.current:
        method(connection)


def _give_back(loop: asyncio.AbstractEventLoop, connected: socket.socket, alarm: asyncio.TimerHandle | None) -> None:
    if alarm is not None:
        alarm.cancel()
    if not loop.is_closed():
        loop.remove_reader(connected)
        loop.remove_writer(connected)
    connected.close()


def _closed(error: OSError) -> str:
    return f"the daemon closed the connection ({error.strerror})"
