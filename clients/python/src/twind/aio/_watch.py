"""Watching twins from asyncio, around the same cursor as `twind._watch`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType

from twind._backoff import Reconnects
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import WatchTwinsResponse
from twind._twin import Change
from twind._watch import Cursor, OnGap
from twind.aio._channel import Channel
from twind.aio._stream import ServerStream
from twind.errors import OutOfRange, TwindError, Unavailable


class Watch:
    """An asynchronous iterator of changes that goes on across lost connections; made by `Client.watch`.

    It begins at its first use. Use it in `async with`, or close it, which ends the iteration.
    """

    def __init__(self, channel: Channel, cursor: Cursor, on_gap: OnGap, reconnect_timeout: float) -> None:
        self._channel = channel
        self._cursor = cursor
        self._on_gap = on_gap
        self._reconnects = Reconnects(reconnect_timeout)
        self._closed = asyncio.Event()
        self._stream: ServerStream[WatchTwinsResponse] | None = None

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

    async def snapshot(self) -> list[Change]:
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
                await self._advance()
            if self._cursor.snapshots != snapshots:
                # The connection was lost, and the daemon began anew.
                snapshots = self._cursor.snapshots
                twins.clear()
        return twins

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        while not self._closed.is_set():
            change = self._cursor.next()
            if change is not None:
                return change
            await self._advance()
        raise StopAsyncIteration

    async def __aenter__(self) -> Watch:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    async def _advance(self) -> None:
        """Receives one message, over as many connections as it takes."""
        while not self._closed.is_set():
            if self._stream is None:
                self._reconnects.opened()
                self._stream = self._channel.server_stream(twin_service_stub.WATCH_TWINS, self._cursor.request())
            try:
                async for response in self._stream:
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
                await self._pause(error)
            except Unavailable as error:
                await self._pause(error)
            self._stream = None

    async def _pause(self, error: TwindError) -> None:
        """Waits before the next connection. Raises the error when it is too late for one."""
        delay = self._reconnects.delay()
        if delay is None:
            raise error
        try:
            await asyncio.wait_for(self._closed.wait(), delay)
        except asyncio.TimeoutError:
            pass
