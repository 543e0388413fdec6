"""Many calls on one connection without waiting for each: they leave in batches and stay within a window.

Calls take effect in the order in which they were made, as those of one connection on one twin do. Made by
`Client.pipeline`; each is for one thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from twind import _envelope, _operations
from twind._backoff import Backoff
from twind._changes import ChangeLike
from twind._channel import Channel
from twind._connection import Call, Connection, ConnectionLost, TimedOut
from twind._failures import lost_error, timeout_error
from twind._operations import Operation, Update
from twind._outcome import Failures, Outcome, checked_window
from twind._results import BatchCommit, Commit, Durability
from twind._twin import Twin
from twind.errors import TwindError

T = TypeVar("T")

# A batch leaves at half a window of calls, or at so many bytes.
BATCH_BYTES = 64 << 10


class Pending(Outcome[T]):
    """A pipelined call's result, there or yet to come."""

    __slots__ = ("_pipeline", "call", "connection", "deadline", "operation", "timeout")

    def __init__(self, pipeline: Pipeline, operation: Operation[T], call: Call, timeout: float) -> None:
        super().__init__()
        self._pipeline = pipeline
        self.operation = operation
        # None once the result or the error is there.
        self.call: Call | None = call
        self.timeout = timeout
        # Of the batch that it left with; None = it has not.
        self.connection: Connection | None = None
        self.deadline = 0.0

    def done(self) -> bool:
        """The result can be had without waiting."""
        return self.call is None or self.call.ready

    def result(self) -> T:
        """Waits for the reply. Raises the call's TwindError, and the pipeline's end does not raise it again."""
        self._pipeline.settle(self)
        return self.shown_result()

    def exception(self) -> TwindError | None:
        """Waits for the reply; None = the call succeeded."""
        self._pipeline.settle(self)
        return self.shown_error()


class Pipeline:
    def __init__(self, channel: Channel, window: int, purpose: str) -> None:
        self._channel = channel
        self._purpose = purpose
        self._window = checked_window(window)
        self._batch = max(1, window // 2)
        self._queued: list[Pending[Any]] = []
        self._queued_bytes = 0
        # Under way, oldest first; at most `window`.
        self._sent: deque[Pending[Any]] = deque()
        self._failures = Failures()
        self._ended = False

    def get(
        self,
        name: str,
        /,
        *,
        attributes: Iterable[str] = (),
        purpose: str | None = None,
        min_sequence: int = 0,
        timeout: float | None = None,
    ) -> Pending[Twin]:
        """As `Client.get`."""
        return self._add(_operations.get(name, attributes, self._purpose_of(purpose), min_sequence), timeout)

    def update(
        self,
        name: str,
        changes: Mapping[str, ChangeLike] | None = None,
        /,
        *,
        expected_revision: int | None = None,
        must_not_exist: bool = False,
        idempotency_key: str = "",
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
        **attributes: ChangeLike,
    ) -> Pending[Commit]:
        """As `Client.update`."""
        operation = _operations.update(
            name, changes, attributes, expected_revision, must_not_exist,
            idempotency_key, durability, self._purpose_of(purpose),
        )  # fmt: skip
        return self._add(operation, timeout)

    def update_many(
        self,
        updates: Iterable[Update],
        *,
        idempotency_key: str = "",
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
    ) -> Pending[BatchCommit]:
        """As `Client.update_many`."""
        operation = _operations.update_many(updates, idempotency_key, durability, self._purpose_of(purpose))
        return self._add(operation, timeout)

    def delete(
        self,
        name: str,
        /,
        *,
        expected_revision: int | None = None,
        idempotency_key: str = "",
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
    ) -> Pending[Commit]:
        """As `Client.delete`."""
        operation = _operations.delete(name, expected_revision, idempotency_key, durability, self._purpose_of(purpose))
        return self._add(operation, timeout)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for all calls. Raises the first error that nobody has asked for; further ones are its `others`."""
        self._ended = True
        if kind is not None and not issubclass(kind, Exception):
            return  # interrupted: no time to wait
        self._flush()
        while self._sent:
            self.settle(self._sent.popleft())
        if kind is None:
            self._failures.raise_unseen()

    def settle(self, pending: Pending[Any]) -> None:
        """Waits until the pending call has its result or its error."""
        if pending.connection is None and pending.call is not None:
            self._flush()
        call, connection = pending.call, pending.connection
        if call is None or connection is None:
            return
        operation = pending.operation
        try:
            pending.succeed(operation.result(operation.method.message(self._reply(pending, call, connection))))
        except TwindError as error:
            self._fail(pending, error)
        pending.call = pending.connection = None

    def _reply(self, pending: Pending[Any], call: Call, connection: Connection) -> bytes:
        method, repeatable = pending.operation.method, pending.operation.repeatable
        left = pending.deadline - time.monotonic()
        try:
            return connection.wait(call, left, pending.deadline)
        except TimedOut:
            raise timeout_error(method.name, pending.timeout, not repeatable) from None
        except ConnectionLost as lost:
            if not repeatable:
                raise lost_error(method.name, lost.reason, True) from None
            return self._channel.exchange(method, method.serialize(pending.operation.request), left, True)

    def _add(self, operation: Operation[T], timeout: float | None) -> Pending[T]:
        if self._ended:
            raise RuntimeError("the pipeline has ended: calls belong inside its `with`")
        method = operation.method
        seconds = self._channel.timeout if timeout is None else timeout
        payload = method.serialize(operation.request)
        frame = _envelope.request_frame(method.prefix, payload, seconds, self._channel.metadata)
        pending = Pending(self, operation, Call(frame), seconds)
        self._queued.append(pending)
        self._queued_bytes += len(frame)
        if len(self._queued) >= self._batch or self._queued_bytes >= BATCH_BYTES:
            self._flush()
        return pending

    def _flush(self) -> None:
        """Sends what is queued, once there is room for it in the window."""
        if not self._queued:
            return
        queued, self._queued, self._queued_bytes = self._queued, [], 0
        while len(self._sent) + len(queued) > self._window:
            self.settle(self._sent.popleft())
        try:
            self._start(queued)
        except TwindError as error:
            for pending in queued:
                self._fail(pending, error)
        else:
            self._sent.extend(queued)

    def _start(self, queued: list[Pending[Any]]) -> None:
        calls = [pending.call for pending in queued if pending.call is not None]
        timeout = max(pending.timeout for pending in queued)
        start = time.monotonic()
        backoff = Backoff(start + min(timeout, self._channel.connect_timeout))
        while True:
            connection = self._channel.connection(start + timeout)
            try:
                connection.start(calls, start + timeout)
                break
            except TimedOut:
                raise timeout_error("the pipeline", timeout, False) from None
            except ConnectionLost as lost:
                delay = backoff.delay()
                if delay is None:
                    raise lost_error("the pipeline", lost.reason, False) from None
                time.sleep(delay)
        now = time.monotonic()
        for pending in queued:
            pending.connection = connection
            pending.deadline = now + pending.timeout

    def _fail(self, pending: Pending[Any], error: TwindError) -> None:
        pending.fail(error)
        pending.call = None
        self._failures.add(pending)

    def _purpose_of(self, purpose: str | None) -> str:
        return self._purpose if purpose is None else purpose
