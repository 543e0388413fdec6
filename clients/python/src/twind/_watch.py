"""Watching twins: a snapshot, then every commit, across reconnects.

`Cursor` keeps the position of the watch and does no I/O; `Watch` reads its messages from a stream. The asyncio client
has its own `Watch` with the same cursor.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Literal, NoReturn, get_args

from twind import _arguments, _process
from twind._backoff import Reconnects
from twind._channel import Channel
from twind._failures import timeout_error
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import WatchTwinsRequest, WatchTwinsResponse
from twind._operations import request_names
from twind._options import checked_word
from twind._stream import OutOfPatience, ServerStream
from twind._twin import Change
from twind.errors import OutOfRange, TwindError, Unavailable

OnGap = Literal["raise", "snapshot"]

# While a watch waits to reconnect, it checks this often whether it has been closed.
_LOOK_SECONDS = 0.05


class Cursor:
    """The position of a watch: what to request next, what to return next, and how far everything has been returned."""

    def __init__(
        self,
        source: str | Iterable[str],
        from_sequence: int | None,
        coalesce: bool,
        attributes: Iterable[str],
        purpose: str,
    ) -> None:
        self._request = WatchTwinsRequest(
            coalesce=coalesce, attributes=request_names(attributes), purpose=_arguments.text(purpose, "purpose")
        )
        if isinstance(source, str):
            self._request.prefix = _arguments.text(source, "the prefix to watch")
        elif not isinstance(source, Iterable) or isinstance(source, bytes):
            raise TypeError(f"watch takes a prefix as a str, or a list of names, not {type(source).__name__}")
        else:
            self._request.names.extend(_arguments.text(name, "a name to watch") for name in source)
            if not self._request.names:
                raise ValueError("watch: the list of names is empty: give names, or a prefix as a str")
        # What has come and has not been handed out. Twins of the snapshot come before commits.
        self.pending: deque[Change] = deque()
        # How many of them are twins of the snapshot.
        self.pending_twins = 0
        # A message that was taken from the stream and is not accounted for in the others yet.
        self.incoming: WatchTwinsResponse | None = None
        # Everything up to here has been received; None = the snapshot is not complete.
        self.received = from_sequence
        # Everything up to here has been handed out.
        self.sequence = from_sequence
        self.snapshot_complete = from_sequence is not None

    def request(self) -> WatchTwinsRequest:
        """Asks for what comes after all that was received."""
        self._request.ClearField("from_sequence")
        if self.received is not None:
            self._request.from_sequence = self.received
        else:
            # The new snapshot has all that has not been handed out of the one before.
            self.pending.clear()
            self.pending_twins = 0
        return self._request

    def account(self) -> None:
        """For what is incoming, if there is anything."""
        response = self.incoming
        if response is None:
            return
        changes = [Change(twin) for twin in response.snapshot]
        twins = len(changes)
        changes += [Change(change) for change in response.changes]
        complete = self.snapshot_complete or response.snapshot_complete
        received = response.sequence if response.sequence or response.snapshot_complete else self.received
        sequence = self.sequence if self.pending or changes else received
        # No call from here on: all of it or nothing.
        self.pending += changes
        self.pending_twins += twins
        self.snapshot_complete = complete
        self.received = received
        self.sequence = sequence
        self.incoming = None

    def split(self) -> tuple[list[Change], deque[Change], int | None]:
        """The pending twins of the snapshot, the pending commits, and the sequence once the twins are handed out."""
        twins = list(islice(self.pending, self.pending_twins))
        commits = deque(islice(self.pending, self.pending_twins, None))
        return twins, commits, self.received if twins and not commits else self.sequence

    def restart(self) -> None:
        """The next request asks for a snapshot."""
        self.incoming = None
        self.received = self.sequence = None
        self.snapshot_complete = False


class Watch:
    """An iterator over changes that survives lost connections. Made by `Client.watch`.

    Use it in a `with` statement, or close it. Iterate in one thread; any thread may close it, which ends the iteration.
    It belongs to the process that opened it.

    If a signal handler raises an exception in `for change in watch`, no change is lost. (With `change = next(watch)`
    one can be lost: it may have been returned but not assigned yet.)
    """

    def __init__(
        self, channel: Channel, cursor: Cursor, on_gap: OnGap, timeout: float | None, reconnect_timeout: float
    ) -> None:
        self._process = _process.current
        self._channel = channel
        self._cursor = cursor
        checked_word("on_gap", on_gap, get_args(OnGap))
        self._on_gap = on_gap
        self._timeout = math.inf if timeout is None else _arguments.seconds(timeout, "timeout")
        self._reconnects = Reconnects(_arguments.seconds(reconnect_timeout, "reconnect_timeout"))
        self._closed = False
        self._stream: ServerStream[WatchTwinsResponse] | None = None
        self._open(None)

    @property
    def sequence(self) -> int | None:
        """The sequence up to which the iterator has returned everything: pass it as `from_sequence` to continue later.

        None until the snapshot, and the commits made while it was read, have been returned.
        """
        return self._cursor.sequence

    @property
    def snapshot_complete(self) -> bool:
        """Whether all twins of the snapshot have been received."""
        return self._cursor.snapshot_complete

    def snapshot(self) -> list[Change]:
        """Waits until the snapshot is complete and returns the rest of it. After that the iterator returns commits,
        beginning with those made while the snapshot was read.
        """
        self._check_process()
        deadline = time.monotonic() + self._timeout
        cursor = self._cursor
        while not self._closed and not cursor.snapshot_complete:
            self._advance(deadline)
        twins, commits, sequence = cursor.split()
        # No call from here on: the twins are taken if and only if they are returned.
        cursor.pending = commits
        cursor.pending_twins = 0
        cursor.sequence = sequence
        return twins

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        self._check_process()
        cursor = self._cursor
        deadline: float | None = None
        while not self._closed:
            pending = cursor.pending
            if pending:
                change = pending[0]
                sequence = cursor.received if len(pending) == 1 else cursor.sequence
                # No call from here on: the change is taken if and only if it is returned.
                del pending[0]
                cursor.pending_twins -= change.snapshot
                cursor.sequence = sequence
                return change
            if deadline is None:
                deadline = time.monotonic() + self._timeout
            self._advance(deadline)
        raise StopIteration

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise _process.foreign("watch")

    def close(self) -> None:
        self._closed = True
        stream = self._stream
        if stream is not None:
            stream.close()

    def _advance(self, deadline: float) -> None:
        """Receives one message, reconnecting as needed. Raises DeadlineExceeded without losing anything."""
        cursor = self._cursor
        while not self._closed:
            if cursor.incoming is not None:  # then this was interrupted
                cursor.account()
                return
            self._check_process()
            try:
                stream = self._stream or self._open(0)
                stream.wait_until(deadline)
                # From the stream into the cursor in one step, as the loop's first.
                for cursor.incoming in stream:
                    break
                if cursor.incoming is not None:
                    self._reconnects.received()
                    cursor.account()
                    return
                if self._closed:
                    return
                raise Unavailable("WatchTwins: the daemon ended the watch")
            except OutOfPatience:
                raise timeout_error("WatchTwins", self._timeout, outcome_unknown=False) from None
            except OutOfRange as error:
                if self._on_gap == "raise":
                    raise
                self._stream = None
                cursor.restart()
                self._pause(error, deadline)
            except Unavailable as error:
                self._stream = None
                self._pause(error, deadline)

    def _pause(self, error: TwindError, deadline: float) -> None:
        """Waits before reconnecting. Raises the error if it is too late."""
        delay = self._reconnects.delay()
        if delay is None:
            raise error
        until = time.monotonic() + delay
        while not self._closed and (left := until - time.monotonic()) > 0:
            if time.monotonic() >= deadline:
                raise timeout_error("WatchTwins", self._timeout, outcome_unknown=False)
            time.sleep(min(left, _LOOK_SECONDS, max(0.0, deadline - time.monotonic())))

    def _check_process(self) -> None:
        if self._process is not _process.current:
            raise _process.foreign("watch")

    def _open(self, connect_timeout: float | None) -> ServerStream[WatchTwinsResponse]:
        self._reconnects.opened()
        stream = self._stream = self._channel.server_stream(
            twin_service_stub.WATCH_TWINS, self._cursor.request(), connect_timeout=connect_timeout
        )
        if self._closed:  # meanwhile, in another thread
            stream.close()
        return stream
