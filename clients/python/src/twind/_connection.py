"""One connection that many threads make unary calls on.

There is no reader thread. Of the threads that wait for a reply one is the leader: it reads the socket and hands to the
others what is theirs; when its own reply is there it makes another waiting thread the leader. So a thread that is alone
makes a call with one `send` and one `recv_into` and no switch of threads, which a reader thread would cost twice a
call. A connection that has failed stays so; the channel makes a new one.

Called by `Channel` and `Pipeline`.
"""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence

from twind import _envelope, _socket, _wire
from twind.errors import TwindError

_SEND_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)
# While another thread reads, a sender looks this often whether that has come to an end.
_LOOK_SECONDS = 0.05
_INTERRUPTED = "a thread was interrupted in a call"


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
    """A thread's reason to wait. It ends when `ready` is set, and the gate opens if the thread is asleep."""

    __slots__ = ("gate", "ready")

    def __init__(self) -> None:
        self.ready = False
        self.gate: threading.Lock | None = None


class Call(Turn):
    """A unary call: the request's frame, then the response's payload or error."""

    __slots__ = ("frame", "reply", "stream_id")

    def __init__(self, frame: bytearray) -> None:
        super().__init__()
        # Its header is filled in when it leaves.
        self.frame = frame
        self.stream_id = 0
        # None once `ready` = the connection failed.
        self.reply: bytes | TwindError | None = None


class Connection:
    def __init__(self, connected: socket.socket, stream_id_max: int = _wire.STREAM_ID_MAX) -> None:
        self._socket = connected
        self._frames = _wire.FrameBuffer()
        # The socket's own, in seconds: a read may end as early, never later than its caller's.
        self._receive_timeout = math.inf
        # Behind it the channel makes a new connection; calls that are being started still find ids.
        self._next_id_max = stream_id_max - 2 * _wire.STREAMS_MAX
        self._next_id = 1
        # Calls whose reply is yet to come, by stream id. At most STREAMS_MAX.
        self._calls: dict[int, Call] = {}
        # Why the connection failed; None = it has not.
        self.lost: str | None = None
        # Held to send, so that stream ids go out in order.
        self._sending = threading.Lock()
        # Guards the three below.
        self._lock = threading.Lock()
        self._leader: Turn | None = None
        self._followers: dict[Turn, None] = {}
        self._rooms: deque[Turn] = deque()

    def __del__(self) -> None:
        # Only now does no thread use the descriptor any more; its number may be given out again.
        self._socket.close()

    @property
    def usable(self) -> bool:
        """False once it has failed, or is about to run out of stream ids."""
        return self.lost is None and self._next_id <= self._next_id_max

    def call(self, frame: bytearray, timeout: float, deadline: float) -> bytes:
        """The reply's payload. `timeout` is what is left until `deadline`, in seconds.

        Raises the TwindError that the reply states.
        """
        call = Call(frame)
        self.start((call,), deadline)
        return self.wait(call, timeout, deadline)

    def start(self, calls: Sequence[Call], deadline: float) -> None:
        """Sends at most STREAMS_MAX calls at once. When it raises, none of them is under way."""
        self._begin_sending(len(calls), deadline)
        try:
            if self.lost is not None:
                raise ConnectionLost(self.lost, sent=False)
            for call in calls:
                call.stream_id = self._next_id
                self._next_id += 2
                self._calls[call.stream_id] = call
                _wire.fill_header(call.frame, call.stream_id, _wire.REQUEST)
            self._send(calls[0].frame if len(calls) == 1 else b"".join([call.frame for call in calls]), calls, deadline)
        finally:
            self._sending.release()

    def wait(self, call: Call, timeout: float, deadline: float) -> bytes:
        """As `call`, for one that was started."""
        if not call.ready:
            self._wait(call, timeout, deadline)
            if not call.ready:
                self._abandon(call)
                raise TimedOut(sent=True)
        reply = call.reply
        if isinstance(reply, bytes):
            return reply
        raise ConnectionLost(self.lost or "the connection failed", sent=True) if reply is None else reply

    def fail(self, reason: str) -> None:
        """Ends the connection and every call on it. From any thread; more than once does no harm."""
        with self._lock:
            if self.lost is None:
                self.lost = reason
            ended: list[Turn] = [*self._calls.values(), *self._rooms]
            self._calls.clear()
            self._rooms.clear()
            for turn in ended:
                turn.ready = True
            for turn in self._followers:
                if turn.gate is not None:
                    turn.gate.release()
            self._followers.clear()
        _socket.hang_up(self._socket)

    # Sending.

    def _begin_sending(self, count: int, deadline: float) -> None:
        """Takes the right to send as soon as `count` more calls may be open."""
        while True:
            if not self._sending.acquire(False) and not self._sending.acquire(timeout=_wait_of(deadline)):
                raise TimedOut(sent=False)
            if len(self._calls) + count <= _wire.STREAMS_MAX or self.lost is not None:
                return
            room = Turn()
            with self._lock:
                self._rooms.append(room)
            self._sending.release()
            if len(self._calls) + count > _wire.STREAMS_MAX:  # else a call ended just now
                self._wait(room, deadline - time.monotonic(), deadline)
            with self._lock:
                if room in self._rooms:
                    self._rooms.remove(room)
            if time.monotonic() >= deadline:
                if room.ready:
                    self._make_room()  # for the next one who waits
                raise TimedOut(sent=False)

    def _send(self, data: bytes | bytearray, calls: Sequence[Call], deadline: float) -> None:
        try:
            sent = self._try_send(data)
            while sent == 0:
                if not self._await_space(deadline):
                    self._forget(calls)
                    raise TimedOut(sent=False)
                sent = self._try_send(data)
        except OSError as error:
            # A Unix socket takes nothing for a peer that is gone: these calls went nowhere.
            self._forget(calls)
            self.fail(_closed(error))
            raise ConnectionLost(_closed(error), sent=False) from error
        except TimedOut:
            raise
        except BaseException:
            self.fail(_INTERRUPTED)
            raise
        if sent < len(data):
            self._send_rest(memoryview(data)[sent:], deadline)

    def _send_rest(self, rest: memoryview, deadline: float) -> None:
        """A frame that has begun must end, or the connection is of no further use: `wait` tells of it."""
        try:
            while rest:
                if not self._await_space(deadline):
                    self.fail("the daemon stopped reading")
                    return
                rest = rest[self._try_send(rest) :]
        except OSError as error:
            self.fail(_closed(error))
        except BaseException:
            self.fail(_INTERRUPTED)
            raise

    def _try_send(self, data: bytes | bytearray | memoryview) -> int:
        try:
            return self._socket.send(data, _SEND_FLAGS)
        except BlockingIOError:
            return 0

    def _await_space(self, deadline: float) -> bool:
        """Waits until the socket takes more. False = the deadline passed.

        Replies are read meanwhile, by this thread if no other does: a daemon that cannot get rid of its replies would
        stop reading requests.
        """
        turn = Turn()
        with self._lock:
            leads = self._leader is None
            if leads:
                self._leader = turn
        try:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            poll = select.poll()
            poll.register(self._socket, select.POLLOUT | (select.POLLIN if leads else 0))
            for _, events in poll.poll(math.ceil(1000 * min(left, _LOOK_SECONDS))):
                if leads and events & select.POLLIN:
                    self._receive(left)
            return True
        finally:
            if leads:
                self._hand_over()

    def _abandon(self, call: Call) -> None:
        """Gives up a call and tells the daemon, if that takes no waiting."""
        self._forget((call,))
        if not self._sending.acquire(blocking=False):
            return  # the daemon knows the deadline too
        try:
            self._socket.send(_wire.frame(call.stream_id, _wire.CANCEL), _SEND_FLAGS)
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(_closed(error))
        finally:
            self._sending.release()

    def _forget(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self._calls.pop(call.stream_id, None)
        self._make_room()

    # Waiting.

    def _wait(self, turn: Turn, timeout: float, deadline: float) -> None:
        """Returns when the turn is ready, or the deadline has passed."""
        with self._lock:
            if turn.ready:
                return
            leads = self._leader is None
            if leads:
                self._leader = turn
            else:
                turn.gate = threading.Lock()
                turn.gate.acquire()
                self._followers[turn] = None
        if leads:
            self._lead(turn, timeout, deadline)
        elif self._follow(turn, turn.gate, deadline):
            self._lead(turn, deadline - time.monotonic(), deadline)

    def _lead(self, turn: Turn, timeout: float, deadline: float) -> None:
        try:
            # At least once: what has come already counts, however late it is asked for.
            while not turn.ready:
                self._receive(timeout)
                if not turn.ready:
                    timeout = deadline - time.monotonic()
                    if timeout <= 0:
                        break
        except BaseException:
            self.fail(_INTERRUPTED)
            raise
        finally:
            self._hand_over()

    def _follow(self, turn: Turn, gate: threading.Lock | None, deadline: float) -> bool:
        """Sleeps until the turn is ready, the deadline has passed, or it is the leader now: True."""
        try:
            if gate is not None:
                gate.acquire(timeout=_wait_of(deadline))
        except BaseException:
            if self._leave(turn):
                self._hand_over()
            raise
        return self._leave(turn)

    def _leave(self, turn: Turn) -> bool:
        with self._lock:
            self._followers.pop(turn, None)
            return self._leader is turn

    def _hand_over(self) -> None:
        with self._lock:
            self._leader = None
            for turn in self._followers:
                del self._followers[turn]
                self._leader = turn
                if turn.gate is not None:
                    turn.gate.release()
                return

    # Receiving, by the leader only.

    def _receive(self, timeout: float) -> None:
        """Reads once, waiting at most so long, and hands out what came."""
        if timeout < self._receive_timeout:
            self._limit(timeout)
        try:
            count = self._socket.recv_into(self._frames.space())
            if count == 0:
                self.fail("the daemon closed the connection")
                return
            frames = self._frames.received(count)
        except BlockingIOError:
            self._limit(timeout)  # what it was may have been for a shorter call
            return
        except OSError as error:
            self.fail(_closed(error))
            return
        except _wire.WireError as error:
            self.fail(str(error))
            return
        for stream_id, kind, _, body in frames:
            self._deliver(stream_id, kind, body)

    def _limit(self, timeout: float) -> None:
        """Sets the socket's timeout: a round one, which then stays for all calls with about as much time."""
        self._receive_timeout = _socket.rounded_down(timeout)
        _socket.set_timeout(self._socket, socket.SO_RCVTIMEO, self._receive_timeout)

    def _deliver(self, stream_id: int, kind: int, body: memoryview) -> None:
        if kind == _wire.DATA:
            self.fail("the daemon sent a stream's data for a unary call")
            return
        if kind != _wire.RESPONSE:
            return  # of a later version of the protocol
        call = self._calls.pop(stream_id, None)
        if call is None:
            return  # given up meanwhile
        call.reply = _envelope.opened(body)
        call.ready = True
        if self._followers:
            self._wake(call)
        if self._rooms:
            self._make_room()

    def _wake(self, turn: Turn) -> None:
        with self._lock:
            if turn in self._followers:
                del self._followers[turn]
                if turn.gate is not None:
                    turn.gate.release()

    def _make_room(self) -> None:
        with self._lock:
            room = self._rooms.popleft() if self._rooms else None
        if room is not None:
            room.ready = True
            self._wake(room)


def _closed(error: OSError) -> str:
    return f"the daemon closed the connection ({error.strerror})"


def _wait_of(deadline: float) -> float:
    """What Lock.acquire takes as timeout."""
    if deadline == math.inf:
        return -1
    return min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
