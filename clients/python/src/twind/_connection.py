"""One connection that many threads make unary calls on.

There is no reader thread. Of the threads that wait for a reply one is the reader: it reads the socket and hands to the
others what is theirs; when its own reply is there another waiting thread becomes the reader. So a thread that is alone
makes a call with one `send`, one `poll` and one `recv_into` and no switch of threads, which a reader thread would cost
twice a call. A connection that has failed stays so; the channel makes a new one.

A signal handler may raise after any call that is made here, and the connection stays usable for all threads:

- A lock is taken as `(held,) = map(lock.acquire, ...)` inside the `try` whose `finally` begins with its release: `held`
  is true if and only if the lock is (see `_socket`). There is no loop in that `try`: where a loop goes back, CPython
  3.12 and later may leave the `try` without its `finally`.
- What was taken from the socket or left through it is accounted for in the lines behind the system call, which make no
  call. Handing out a reply can be done twice.
- Waking a thread only saves it time. It looks again by itself every _LOOK_SECONDS.

Called by `Channel` and `Pipeline`.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence

from twind import _envelope, _process, _readiness, _socket, _wire
from twind.errors import TwindError

_SEND_FLAGS = (getattr(socket, "MSG_NOSIGNAL", 0),)
# For Lock.acquire.
_NOW = (False,)
_NEVER = math.inf
_LOOK_SECONDS = 0.1
# A reader that stays away so long after its deadline does not come back.
_GRACE_SECONDS = 1.0
_STUCK = "another thread does not give it up"


class ConnectionLost(Exception):
    """The connection failed. `sent`: the daemon may have got the call."""

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class TimedOut(Exception):
    """The deadline passed first. `sent`: the daemon may have got the call."""

    def __init__(self, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class Turn:
    """A thread's reason to wait. It ends when `ready` is set."""

    __slots__ = ("ready",)

    def __init__(self) -> None:
        self.ready = False


class Call(Turn):
    """A unary call: the request's frame, then the response's payload or error, which is there once `ready`."""

    __slots__ = ("connection", "deadline", "frame", "reply", "stream_id")

    def __init__(self, frame: bytearray, deadline: float) -> None:
        self.ready = False
        # Its header is filled in when it leaves.
        self.frame = frame
        self.deadline = deadline
        self.stream_id = 0
        # Of calls that are started together the first one's says for all where they went; None = nothing has left.
        self.connection: Connection | None = None
        self.reply: bytes | TwindError = b""


class Connection:
    def __init__(self, connected: socket.socket, stream_id_max: int = _wire.STREAM_ID_MAX) -> None:
        self._process = _process.current
        self._socket = connected
        self._send = connected.send
        self._recv_into = connected.recv_into
        self._await_reply = _readiness.readable(connected)
        self._frames = _wire.FrameBuffer()
        # Behind it the channel makes a new connection; calls that are being started still find ids.
        self._next_id_max = stream_id_max - 2 * _wire.STREAMS_MAX
        self._next_id = 1
        # Calls whose reply is yet to come, by stream id. At most STREAMS_MAX.
        self._calls: dict[int, Call] = {}
        # Why the connection failed; None = it has not.
        self.lost: str | None = None
        # Held to send, and never while waiting: so stream ids go out in order.
        self._sending = threading.Lock()
        # Of frames that the socket did not take whole, and the stream id of the first of them.
        self._unsent: bytes | bytearray | memoryview = b""
        self._unsent_of = 0
        # Held by the reader, whose wait ends at the deadline.
        self._reading = threading.Lock()
        self._reader = 0  # the thread
        self._reader_deadline = _NEVER
        # Threads that wait while another reads, and the lock that each waits for. Whoever takes one out wakes it.
        self._asleep: dict[Turn, threading.Lock] = {}
        # Threads that wait to start calls.
        self._rooms: deque[Turn] = deque()

    def __del__(self) -> None:
        # Only now does no thread use the descriptor any more; its number may be given out again.
        if hasattr(self, "_socket"):
            if self._process is _process.current:
                _socket.hang_up(self._socket)
            self._socket.close()

    @property
    def usable(self) -> bool:
        """False once it has failed, or is about to run out of stream ids, and in every process but its own."""
        return self.lost is None and self._next_id <= self._next_id_max and self._process is _process.current

    @property
    def is_read_here(self) -> bool:
        """This thread reads, and makes a call in a signal handler that interrupted that: its reply would not come."""
        return self._reader == threading.get_ident()

    def call(self, frame: bytearray, left: float, deadline: float) -> bytes:
        """The reply's payload. `left` is what is left until `deadline`, in seconds.

        Raises the TwindError that the reply states.
        """
        call = Call(frame, deadline)
        try:
            self.start((call,), deadline)
            return self.wait(call, left, deadline)
        finally:
            if call.stream_id in self._calls:  # interrupted
                self._abandon(call, call.connection is self)

    def start(self, calls: Sequence[Call], deadline: float) -> None:
        """Sends at most STREAMS_MAX calls at once. When it raises and nothing has left, none of them is under way."""
        try:
            if not self._try_start(calls, deadline):
                self._start_later(calls, deadline)
        except BaseException:
            if calls[0].connection is not self:
                self._forget(calls)
            raise
        if self._unsent:
            self._send_rest(Turn(), deadline)
            if self._unsent and self._unsent_of == calls[0].stream_id:
                # A frame that has begun must end, or the connection is of no further use: `wait` tells of it.
                self.fail("the daemon stopped reading")

    def wait(self, call: Call, left: float, deadline: float) -> bytes:
        """As `call`, for one that was started."""
        if self._unsent and not call.ready:
            # Its sender may have been interrupted.
            self._send_rest(call, deadline)
            left = max(0.0, deadline - time.monotonic())
        if not call.ready:
            self._read_for(call, left, deadline)
            if not call.ready and self.lost is None:
                self._wait(call, deadline - time.monotonic(), deadline)
        if call.ready:
            reply = call.reply
            if isinstance(reply, bytes):
                return reply
            raise reply
        if self.lost is not None:
            raise ConnectionLost(self.lost, sent=True)
        self._abandon(call, True)
        raise TimedOut(sent=True)

    def fail(self, reason: str) -> None:
        """Ends the connection and every call on it. From any thread; more than once does no harm.

        In a process that it does not belong to, only this end's descriptor is closed.
        """
        if self.lost is None:
            self.lost = reason
        if self._process is _process.current:
            _socket.hang_up(self._socket)
        else:
            self._socket.close()
        self._calls.clear()
        while self._asleep:
            self._wake_one()

    # Sending.

    def _start_later(self, calls: Sequence[Call], deadline: float) -> None:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(sent=False)
            if self._fits(len(calls)):
                self._await_space(left, deadline)
            else:
                self._await_room(len(calls), left)
            if self._try_start(calls, deadline):
                return

    def _try_start(self, calls: Sequence[Call], deadline: float) -> bool:
        """False = there is no room for them now, and nothing has left."""
        held = False
        sending = self._sending
        try:
            (held,) = map(sending.acquire, _NOW)
            if not held:
                (held,) = map(sending.acquire, (True,), (wait_of(deadline),))
                if not held:
                    self.fail(_STUCK)
                    raise TimedOut(sent=False)
            if self.lost is not None:
                raise ConnectionLost(self.lost, sent=False)
            if self._unsent and not self._flush():
                return False
            if len(self._calls) + len(calls) > _wire.STREAMS_MAX and not self._fits(len(calls)):
                return False
            first = calls[0]
            data = self._registered(calls)
            attempt = map(self._send, (data,), _SEND_FLAGS)
            try:
                (sent,) = attempt
            except BlockingIOError:
                self._forget(calls)
                return False
            except OSError as error:
                # A Unix socket takes nothing for a peer that is gone: these calls went nowhere.
                reason = _closed(error)
                self.fail(reason)
                raise ConnectionLost(reason, sent=False) from error
            first.connection = self
            self._unsent = data[sent:]
            self._unsent_of = first.stream_id
            return True
        finally:
            if held:
                sending.release()

    def _registered(self, calls: Sequence[Call]) -> bytearray:
        """The frames of the calls, which have an id each, and whose replies find them from now on."""
        for call in calls:
            call.stream_id = self._next_id
            self._next_id += 2
            self._calls[call.stream_id] = call
            _wire.fill_header(call.frame, call.stream_id, _wire.REQUEST)
        return calls[0].frame if len(calls) == 1 else bytearray().join([call.frame for call in calls])

    def _send_rest(self, turn: Turn, deadline: float) -> None:
        """Sends what is left of earlier frames until all has left, the turn is ready or the deadline has passed."""
        while self._unsent and not turn.ready and self.lost is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._await_space(left, deadline)
            held = False
            try:
                (held,) = map(self._sending.acquire, _NOW)
                if held and self._unsent:
                    self._flush()
            finally:
                if held:
                    self._sending.release()

    def _flush(self) -> bool:
        """Sends what is left of earlier frames; the caller holds `_sending`. False = not all of it."""
        rest = memoryview(self._unsent)
        attempt = map(self._send, (rest,), _SEND_FLAGS)
        try:
            (sent,) = attempt
        except BlockingIOError:
            return False
        except OSError as error:
            self.fail(_closed(error))
            return False
        self._unsent = rest[sent:]
        return not self._unsent

    def _await_space(self, left: float, deadline: float) -> None:
        """Waits a moment for the socket to take more.

        Replies are read meanwhile, by this thread if no other does: a daemon that cannot get rid of its replies would
        stop reading requests.
        """
        held = False
        try:
            (held,) = map(self._reading.acquire, _NOW)
            if held:
                self._reader_deadline = deadline
            wanted = _readiness.WRITE | (_readiness.READ if held else 0)
            if _readiness.wait(self._socket, wanted, min(left, _LOOK_SECONDS)) & _readiness.READ and held:
                self._receive()
        finally:
            if held:
                self._reader_deadline = _NEVER
                self._reading.release()
                self._wake_one()

    def _abandon(self, call: Call, begun: bool) -> None:
        """Gives up a call and tells the daemon, if the call has begun to leave and telling takes no waiting."""
        self._forget((call,))
        if not begun or self._process is not _process.current:
            return
        held = False
        try:
            (held,) = map(self._sending.acquire, _NOW)
            if held and not self._unsent:  # else the daemon knows the deadline too
                self._unsent = _wire.frame(call.stream_id, _wire.CANCEL)
                self._flush()
        finally:
            if held:
                self._sending.release()

    def _forget(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self._calls.pop(call.stream_id, None)
        self._make_room()

    # Room for calls: at most STREAMS_MAX may be under way.

    def _fits(self, count: int) -> bool:
        if len(self._calls) + count <= _wire.STREAMS_MAX:
            return True
        # Threads that were interrupted twice may have left some.
        late = time.monotonic() - _GRACE_SECONDS
        for call in list(self._calls.values()):
            if call.deadline < late:
                self._calls.pop(call.stream_id, None)
        return len(self._calls) + count <= _wire.STREAMS_MAX

    def _await_room(self, count: int, left: float) -> None:
        """Waits a moment until `count` more calls may be started."""
        left = min(left, _LOOK_SECONDS)
        room = Turn()
        self._rooms.append(room)
        try:
            if not self._fits(count):  # else a call ended just now
                self._wait(room, left, time.monotonic() + left)
        finally:
            attempt = map(self._rooms.remove, (room,))
            try:
                (_,) = attempt
            except ValueError:
                pass  # it was given room

    def _make_room(self) -> None:
        if self._rooms:
            attempt = map(deque.popleft, (self._rooms,))
            try:
                (room,) = attempt
            except IndexError:
                return  # another thread was faster
            room.ready = True
            self._wake(room)

    # Waiting.

    def _wait(self, turn: Turn, left: float, deadline: float) -> None:
        """Returns when the turn is ready, the connection has failed or the deadline has passed."""
        while left > 0 and not turn.ready and self.lost is None:
            if not self._read_for(turn, left, deadline):
                self._sleep(turn, left)
            left = deadline - time.monotonic()

    def _read_for(self, turn: Turn, left: float, deadline: float) -> bool:
        """Reads until the turn is ready or the deadline has passed. False = another thread is the reader."""
        held = False
        reading = self._reading
        try:
            (held,) = map(reading.acquire, _NOW)
            if not held:
                return False
            self._reader_deadline = deadline
            self._reader = threading.get_ident()
            self._read(turn, left, deadline)
            return True
        finally:
            if held:
                self._reader = 0
                self._reader_deadline = _NEVER
                reading.release()
                if self._asleep:
                    self._wake_one()

    def _read(self, turn: Turn, left: float, deadline: float) -> None:
        frames = self._frames
        if frames.start != frames.end:  # a reader was interrupted before it had handed them out
            self._deliver()
        while not turn.ready and self.lost is None:
            # At least once: what has come already counts, however late it is asked for.
            if self._await_reply(1000 * left if left < _readiness.WAIT_SECONDS_MAX else 1e9):
                self._receive()
                if turn.ready:
                    return
            left = deadline - time.monotonic()
            if left <= 0:
                return

    def _sleep(self, turn: Turn, left: float) -> None:
        """Until the turn is ready, there is no reader, or _LOOK_SECONDS have passed."""
        gate = threading.Lock()
        gate.acquire()
        self._asleep[turn] = gate
        try:
            # Looked at only now: who gives up reading looks into `_asleep` thereafter.
            if not self._reading.locked() or turn.ready or self.lost is not None:
                return
            if gate.acquire(timeout=max(0.0, min(left, _LOOK_SECONDS))):
                return
        finally:
            self._asleep.pop(turn, None)
        if self._reading.locked() and time.monotonic() > self._reader_deadline + _GRACE_SECONDS:
            self.fail(_STUCK)

    def _wake(self, turn: Turn) -> None:
        gate = self._asleep.pop(turn, None)
        if gate is not None:
            gate.release()

    def _wake_one(self) -> None:
        """Wakes a thread that has something to wait for: it will be the reader."""
        while self._asleep:
            attempt = map(dict.popitem, (self._asleep,))
            try:
                ((turn, gate),) = attempt
            except KeyError:
                return  # another thread was faster
            gate.release()
            if not turn.ready:
                return

    # Receiving, by the reader only.

    def _receive(self) -> None:
        """Reads once what has come, and hands it out."""
        if self._process is not _process.current:
            raise ConnectionLost("this process was forked during the call", sent=True)
        frames = self._frames
        if frames.start != frames.end:
            self._deliver()
        attempt = map(self._recv_into, (frames.space(),))
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
                    if self._asleep:
                        self._wake(call)
                    if self._rooms:
                        self._make_room()
            elif kind == _wire.DATA:
                self.fail("the daemon sent a stream's data for a unary call")
                return
            # Others are of a later version of the protocol.
            frames.start = frames.next


def _closed(error: OSError) -> str:
    return f"the daemon closed the connection ({error.strerror})"


def wait_of(deadline: float) -> float:
    """What Lock.acquire takes as timeout."""
    if deadline == math.inf:
        return -1
    return min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
