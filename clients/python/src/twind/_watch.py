"""Watching twins: a snapshot, then every commit, across reconnects.

`Cursor` knows where the watch stands and does no I/O; `Watch` moves its messages over a stream. The asyncio client has
a `Watch` of its own around the same cursor.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Literal

from twind._backoff import Reconnects
from twind._channel import Channel
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import WatchTwinsRequest, WatchTwinsResponse
from twind._operations import request_names
from twind._stream import ServerStream
from twind._twin import Change
from twind.errors import OutOfRange, TwindError, Unavailable

OnGap = Literal["raise", "snapshot"]


class Cursor:
    """Where a watch stands: what to ask for next, what to hand out next, and up to where all has been handed out."""

    def __init__(
        self,
        source: str | Iterable[str],
        from_sequence: int | None,
        coalesce: bool,
        attributes: Iterable[str],
        purpose: str,
    ) -> None:
        self._request = WatchTwinsRequest(coalesce=coalesce, attributes=request_names(attributes), purpose=purpose)
        if isinstance(source, str):
            self._request.prefix = source
        else:
            self._request.names.extend(source)
            if not self._request.names:
                raise ValueError("watch: the list of names is empty: give names, or a prefix as a str")
        self._pending: deque[Change] = deque()
        # How many of them are twins of the snapshot.
        self._pending_twins = 0
        # How often a snapshot was asked for.
        self.snapshots = 0
        self._received = from_sequence
        # Everything up to here has been handed out; None = the snapshot is not complete.
        self.sequence = from_sequence
        self.snapshot_complete = from_sequence is not None

    def request(self) -> WatchTwinsRequest:
        """Asks for what comes after all that was received."""
        self._request.ClearField("from_sequence")
        if self._received is not None:
            self._request.from_sequence = self._received
        else:
            # It has all that has not been handed out of the one before.
            self._pending.clear()
            self._pending_twins = 0
            self.snapshots += 1
        return self._request

    def receive(self, response: WatchTwinsResponse) -> None:
        self._pending.extend(Change(twin) for twin in response.snapshot)
        self._pending_twins += len(response.snapshot)
        self._pending.extend(Change(change) for change in response.changes)
        if response.snapshot_complete:
            self.snapshot_complete = True
        if response.sequence or response.snapshot_complete:
            self._received = response.sequence
        if not self._pending:
            self.sequence = self._received

    def next(self) -> Change | None:
        """None = receive more first."""
        if not self._pending:
            return None
        change = self._pending.popleft()
        self._pending_twins -= change.snapshot
        if not self._pending:
            self.sequence = self._received
        return change

    def next_twin(self) -> Change | None:
        """The next twin of the snapshot; None = receive more first, or there are no more. Commits come after all twins."""
        return self.next() if self._pending_twins else None

    def restart(self) -> None:
        """The next request asks for a snapshot."""
        self._received = self.sequence = None
        self.snapshot_complete = False


class Watch:
    """An iterator of changes that goes on across lost connections; made by `Client.watch`.

    Use it in `with`, or close it. One thread iterates; any may close, which ends the iteration.
    """

    def __init__(self, channel: Channel, cursor: Cursor, on_gap: OnGap, reconnect_timeout: float) -> None:
        self._channel = channel
        self._cursor = cursor
        self._on_gap = on_gap
        self._reconnects = Reconnects(reconnect_timeout)
        self._closed = threading.Event()
        # Guards that of a new stream and a close one sees the other.
        self._lock = threading.Lock()
        self._stream: ServerStream[WatchTwinsResponse] | None = None
        self._open(None)

    @property
    def sequence(self) -> int | None:
        """A later watch may go on from here with `from_sequence`: all up to it has been returned by the iterator.

        None until that is true of the snapshot, and of the commits that were made while it was read.
        """
        return self._cursor.sequence

    @property
    def snapshot_complete(self) -> bool:
        """All twins of the snapshot have been received."""
        return self._cursor.snapshot_complete

    def snapshot(self) -> list[Change]:
        """The rest of the snapshot: waits until it is complete. What follows in the iteration are commits.

        Those that were made while the snapshot was read are the first.
        """
        twins: list[Change] = []
        snapshots = self._cursor.snapshots
        while not self._closed.is_set():
            twin = self._cursor.next_twin()
            if twin is not None:
                twins.append(twin)
            elif self._cursor.snapshot_complete:
                break
            else:
                self._advance()
            if self._cursor.snapshots != snapshots:
                # The connection was lost, and the daemon began anew.
                snapshots = self._cursor.snapshots
                twins.clear()
        return twins

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        while not self._closed.is_set():
            change = self._cursor.next()
            if change is not None:
                return change
            self._advance()
        raise StopIteration

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            if self._stream is not None:
                self._stream.close()

    def _advance(self) -> None:
        """Receives one message, over as many connections as it takes."""
        while not self._closed.is_set():
            try:
                stream = self._stream or self._open(0)
                response = next(stream, None)
                if response is not None:
                    self._reconnects.received()
                    self._cursor.receive(response)
                    return
                if self._closed.is_set():
                    return
                raise Unavailable("WatchTwins: the daemon ended the watch")
            except OutOfRange as error:
                if self._on_gap == "raise":
                    raise
                self._cursor.restart()
                self._pause(error)
            except Unavailable as error:
                self._pause(error)
            self._stream = None

    def _pause(self, error: TwindError) -> None:
        """Waits before the next connection. Raises the error when it is too late for one."""
        delay = self._reconnects.delay()
        if delay is None:
            raise error
        self._closed.wait(delay)

    def _open(self, connect_timeout: float | None) -> ServerStream[WatchTwinsResponse]:
        self._reconnects.opened()
        stream = self._channel.server_stream(
            twin_service_stub.WATCH_TWINS, self._cursor.request(), connect_timeout=connect_timeout
        )
        with self._lock:
            self._stream = stream
            if self._closed.is_set():
                stream.close()
        return stream
