"""Pipelines like `twind._pipeline`, for asyncio. Made by `Client.pipeline`; a pipeline is for one task."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from twind import _arguments, _envelope, _operations, _options, _process
from twind._backoff import Backoff
from twind._changes import ChangeLike
from twind._connection import ConnectionLost, TimedOut
from twind._failures import lost_error, timeout_error
from twind._operations import Operation, Update
from twind._outcome import Failures, Outcome, checked_window
from twind._pipeline import BATCH_BYTES
from twind._results import BatchCommit, Commit, Durability
from twind._time import Moment
from twind._twin import Twin
from twind.aio._channel import Channel
from twind.aio._connection import Call, Connection
from twind.errors import TwindError

T = TypeVar("T")

_NONE: Mapping[str, ChangeLike] = {}


class Pending(Outcome[T]):
    """The result of a pipelined call: `await` it. Cancelling that does not cancel the call."""

    __slots__ = ("_pipeline", "call", "first", "operation", "timeout")

    def __init__(self, pipeline: Pipeline, operation: Operation[T], call: Call, timeout: float) -> None:
        super().__init__()
        self._pipeline = pipeline
        self.operation = operation
        # None once the result or the error is there.
        self.call: Call | None = call
        # Of the batch that it leaves with: it knows the connection. None = it is not under way.
        self.first: Call | None = None
        self.timeout = timeout

    def __await__(self) -> Generator[Any, None, T]:
        """Like `result`."""
        return self.result().__await__()

    def done(self) -> bool:
        """Whether `result()` would return without waiting."""
        call = self.call
        return call is None or call.ready or (self.connection is not None and self.connection.lost is not None)

    @property
    def connection(self) -> Connection | None:
        """Where it went; None = it has not left."""
        return None if self.first is None else self.first.connection

    async def result(self) -> T:
        """Waits for the reply. Raises the call's TwindError; the end of the pipeline then does not raise it again."""
        await self._pipeline.settle(self)
        return self.shown_result()

    async def exception(self) -> TwindError | None:
        """Waits for the reply and returns the call's error; None if it succeeded."""
        await self._pipeline.settle(self)
        return self.shown_error()

    def __reduce__(self) -> NoReturn:
        raise _process.foreign("pipeline")


class Pipeline:
    """Calls return a Pending, and wait only if the window is full.

    If the task is cancelled meanwhile, no call is lost or sent twice: the call that was waiting is not made unless it
    has already been sent, and all others continue.
    """

    def __init__(self, channel: Channel, window: int, purpose: str) -> None:
        self._process = _process.current
        self._channel = channel
        self._purpose = purpose
        self._window = checked_window(window)
        self._batch = max(1, window // 2)
        self._queued: list[Pending[Any]] = []
        self._queued_bytes = 0
        # The batch that is being sent, by one task at a time.
        self._leaving: list[Pending[Any]] = []
        # Its first call, which knows whether it has left.
        self._first: Call | None = None
        self._flushing = asyncio.Lock()
        # Under way, oldest first; at most `window`.
        self._sent: deque[Pending[Any]] = deque()
        self._failures = Failures()
        self._ended = False

    async def get(
        self,
        name: str,
        /,
        *,
        attributes: Iterable[str] = (),
        purpose: str | None = None,
        min_sequence: int = 0,
        valid_at: Moment | None = None,
        known_at: Moment | None = None,
        timeout: float | None = None,
    ) -> Pending[Twin]:
        """Like `Client.get`."""
        operation = _operations.get(name, attributes, self._purpose_of(purpose), min_sequence, valid_at, known_at)
        return await self._add(operation, timeout)

    async def update(
        self,
        name: str,
        changes: Mapping[str, ChangeLike] = _NONE,
        /,
        *,
        expected_revision: int | None = None,
        must_not_exist: bool = False,
        idempotency_key: str | None = None,
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
        **unknown: NoReturn,
    ) -> Pending[Commit]:
        """Like `Client.update`."""
        if unknown:
            raise _options.unknown("update", unknown, _options.UPDATE)
        operation = _operations.update(
            name, changes, expected_revision, must_not_exist, idempotency_key, durability, self._purpose_of(purpose)
        )
        return await self._add(operation, timeout)

    async def update_many(
        self,
        updates: Iterable[Update],
        *,
        idempotency_key: str | None = None,
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
        **unknown: NoReturn,
    ) -> Pending[BatchCommit]:
        """Like `Client.update_many`."""
        if unknown:
            raise _options.unknown("update_many", unknown, _options.UPDATE_MANY)
        operation = _operations.update_many(updates, idempotency_key, durability, self._purpose_of(purpose))
        return await self._add(operation, timeout)

    async def delete(
        self,
        name: str,
        /,
        *,
        expected_revision: int | None = None,
        idempotency_key: str | None = None,
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
        **unknown: NoReturn,
    ) -> Pending[Commit]:
        """Like `Client.delete`."""
        if unknown:
            raise _options.unknown("delete", unknown, _options.DELETE)
        operation = _operations.delete(name, expected_revision, idempotency_key, durability, self._purpose_of(purpose))
        return await self._add(operation, timeout)

    async def __aenter__(self) -> Pipeline:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for all calls. Raises the first error that has not been raised yet; its `others` has the rest."""
        self._ended = True
        if kind is not None and not issubclass(kind, Exception):
            return  # cancelled: no time to wait
        if self._process is not _process.current:
            return  # the calls are the parent's
        await self._flush()
        while self._sent:
            await self._settle_oldest()
        if kind is None:
            self._failures.raise_unseen()

    def __reduce__(self) -> NoReturn:
        raise _process.foreign("pipeline")

    async def settle(self, pending: Pending[Any]) -> None:
        """Waits until the pending call has its result or its error."""
        if pending.call is None:
            return
        self._check_process()
        if pending.connection is None:
            await self._flush()
        call, connection = pending.call, pending.connection
        if call is None or connection is None:
            return
        operation = pending.operation
        try:
            pending.succeed(operation.result(operation.method.message(await self._reply(pending, call, connection))))
        except TwindError as error:
            self._fail(pending, error)
        pending.call = pending.first = None

    async def _settle_oldest(self) -> None:
        oldest = self._sent[0]
        await self.settle(oldest)
        if oldest.call is None and oldest in self._sent:
            self._sent.remove(oldest)

    async def _reply(self, pending: Pending[Any], call: Call, connection: Connection) -> bytes:
        method, repeatable = pending.operation.method, pending.operation.repeatable
        try:
            return await connection.wait(call)
        except TimedOut:
            raise timeout_error(method.name, pending.timeout, not repeatable) from None
        except ConnectionLost as lost:
            if not repeatable:
                raise lost_error(method.name, lost.reason, True) from None
            left = call.deadline - time.monotonic()
            return await self._channel.exchange(method, method.serialize(pending.operation.request), left, True)

    async def _add(self, operation: Operation[T], timeout: float | None) -> Pending[T]:
        if self._ended:
            raise RuntimeError("the pipeline has ended: make calls inside its `async with` block")
        self._check_process()
        method = operation.method
        seconds = self._channel.timeout if timeout is None else _arguments.seconds(timeout, "timeout")
        payload = method.serialize(operation.request)
        frame = _envelope.request_frame(method.prefix, payload, seconds, self._channel.metadata)
        pending = Pending(self, operation, Call(frame), seconds)
        try:
            self._queued.append(pending)
            self._queued_bytes += len(frame)
            if len(self._queued) >= self._batch or self._queued_bytes >= BATCH_BYTES:
                await self._flush()
            return pending
        except BaseException:
            self._withdraw(pending)
            raise

    def _withdraw(self, pending: Pending[Any]) -> None:
        """The caller does not get it: it is not made, unless it has left."""
        if pending.connection is not None:
            return
        for waiting in (self._queued, self._leaving):
            if pending in waiting:
                waiting.remove(pending)

    async def _flush(self) -> None:
        """Sends what is queued, once there is room for it in the window."""
        async with self._flushing:
            while self._leaving or self._queued:
                if not self._leaving:
                    self._leaving = self._queued
                    self._queued = []
                    self._queued_bytes = 0
                if self._first is None or self._first.connection is None:
                    await self._send(self._leaving)
                self._sent += self._leaving
                self._leaving = []
                self._first = None

    async def _send(self, leaving: list[Pending[Any]]) -> None:
        """Starts the batch, or fails each of its calls."""
        while self._sent and len(self._sent) + len(leaving) > self._window:
            await self._settle_oldest()
        try:
            await self._start(leaving)
        except TwindError as error:
            for pending in leaving:
                self._fail(pending, error)

    async def _start(self, leaving: list[Pending[Any]]) -> None:
        calls = [pending.call for pending in leaving if pending.call is not None]
        timeout = max(pending.timeout for pending in leaving)
        start = time.monotonic()
        backoff = Backoff(start + min(timeout, self._channel.connect_timeout))
        while True:
            connection = await self._channel.connection(start + timeout)
            now = time.monotonic()
            self._first = calls[0]
            for pending, call in zip(leaving, calls):
                pending.first = calls[0]
                call.deadline = now + pending.timeout
            try:
                await connection.start(calls, start + timeout)
                return
            except TimedOut:
                raise timeout_error("the pipeline", timeout, False) from None
            except ConnectionLost as lost:
                delay = backoff.delay()
                if delay is None:
                    raise lost_error("the pipeline", lost.reason, False) from None
                await asyncio.sleep(delay)

    def _fail(self, pending: Pending[Any], error: TwindError) -> None:
        if pending.call is not None:
            pending.fail(error)
            self._failures.add(pending)
            pending.call = pending.first = None

    def _check_process(self) -> None:
        if self._process is not _process.current:
            raise _process.foreign("pipeline")

    def _purpose_of(self, purpose: str | None) -> str:
        return self._purpose if purpose is None else purpose
