"""Watching twins from asyncio, with the same cursor as `twind._watch`."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import NoReturn, get_args

from twind import _arguments, _process
from twind._backoff import Reconnects
from twind._failures import timeout_error
from twind._generated.twind.v1 import twin_service_stub
from twind._generated.twind.v1.twin_service_pb2 import WatchTwinsResponse
from twind._options import checked_word
from twind._stream import OutOfPatience
from twind._twin import Change
from twind._watch import Cursor, OnGap
from twind.aio import _waiting
from twind.aio._channel import Channel
from twind.aio._stream import ServerStream
from twind.errors import DeadlineExceeded, OutOfRange, TwindError, Unavailable


class Watch:
    """An asynchronous iterator over changes that survives lost connections. Made by `Client.watch`.

    It connects at its first use. Use it in `async with`, or close it, which ends the iteration. Cancelling a task in
    it, for example with `asyncio.timeout`, loses nothing: the next one continues where it was. It belongs to the
    process that opened it.
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
        # Of the task that waits to connect again.
        self._waking: asyncio.Future[bool] | None = None
        self._stream: ServerStream[WatchTwinsResponse] | None = None

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

    async def snapshot(self) -> list[Change]:
        """Waits until the snapshot is complete and returns the rest of it. After that the iterator returns commits,
        beginning with those made while the snapshot was read.
        """
        self._check_process()
        deadline = time.monotonic() + self._timeout
        cursor = self._cursor
        while not self._closed and not cursor.snapshot_complete:
            await self._advance(deadline)
        twins, commits, sequence = cursor.split()
        # No wait, and no call, from here on: the twins are taken if and only if they are returned.
        cursor.pending = commits
        cursor.pending_twins = 0
        cursor.sequence = sequence
        return twins

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        self._check_process()
        cursor = self._cursor
        deadline: float | None = None
        while not self._closed:
            pending = cursor.pending
            if pending:
                change = pending[0]
                sequence = cursor.received if len(pending) == 1 else cursor.sequence
                # No wait, and no call, from here on: the change is taken if and only if it is returned.
                del pending[0]
                cursor.pending_twins -= change.snapshot
                cursor.sequence = sequence
                return change
            if deadline is None:
                deadline = time.monotonic() + self._timeout
            await self._advance(deadline)
        raise StopAsyncIteration

    async def __aenter__(self) -> Watch:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise _process.foreign("watch")

    def close(self) -> None:
        self._closed = True
        if self._waking is not None and self._process is _process.current:
            _waiting.resolve(self._waking, True)
        if self._stream is not None:
            self._stream.close()

    async def _advance(self, deadline: float) -> None:
        """Receives one message, reconnecting as needed. Raises DeadlineExceeded without losing anything."""
        cursor = self._cursor
        while not self._closed:
            if cursor.incoming is not None:  # then this was interrupted
                cursor.account()
                return
            self._check_process()
            try:
                if self._stream is None:
                    self._reconnects.opened()
                    self._stream = self._channel.server_stream(twin_service_stub.WATCH_TWINS, cursor.request())
                self._stream.wait_until(deadline)
                # From the stream into the cursor in one step, as the loop's first.
                async for cursor.incoming in self._stream:
                    break
                if cursor.incoming is not None:
                    self._reconnects.received()
                    cursor.account()
                    return
                if self._closed:
                    return
                raise Unavailable("WatchTwins: the daemon ended the watch")
            except OutOfPatience:
                raise self._timed_out() from None
            except OutOfRange as error:
                if self._on_gap == "raise":
                    raise
                self._stream = None
                cursor.restart()
                await self._pause(error, deadline)
            except Unavailable as error:
                self._stream = None
                await self._pause(error, deadline)

    async def _pause(self, error: TwindError, deadline: float) -> None:
        """Waits before reconnecting. Raises the error if it is too late."""
        delay = self._reconnects.delay()
        if delay is None:
            raise error
        until = time.monotonic() + delay
        self._waking = asyncio.get_running_loop().create_future()
        try:
            closed = await _waiting.done(self._waking, min(until, deadline))
        finally:
            self._waking = None
        if not closed and deadline < until:
            raise self._timed_out()

    def _timed_out(self) -> DeadlineExceeded:
        return timeout_error("WatchTwins", self._timeout, outcome_unknown=False)

    def _check_process(self) -> None:
        if self._process is not _process.current:
            raise _process.foreign("watch")
