"""The asyncio client: `twind.Client` with `await`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from twind import _envelope, _operations, _options, _socket
from twind._backup import Backup, BackupParts, Path, Progress
from twind._batches import NamesLeft
from twind._changes import ChangeLike
from twind._generated.grpc.health.v1.health_stub import HealthAsyncStub
from twind._generated.twind.v1.admin_service_stub import AdminServiceAsyncStub
from twind._generated.twind.v1.twin_service_stub import TwinServiceAsyncStub
from twind._listing import Pages
from twind._operations import Operation, Update
from twind._results import BatchCommit, Checkpoint, Commit, Durability, Health, ServerInfo, Stats
from twind._time import Moment
from twind._twin import Twin
from twind._watch import Cursor, OnGap
from twind.aio._channel import Channel
from twind.aio._facts import Facts
from twind.aio._listing import Twins
from twind.aio._pipeline import Pipeline
from twind.aio._watch import Watch

T = TypeVar("T")

_NONE: Mapping[str, ChangeLike] = {}


class Client:
    """Like `twind.Client`, for asyncio: use it in one event loop at a time. Cancelling a task cancels its call.

    Use it in `async with`, or close it; a client that is dropped without that emits a ResourceWarning. After a fork it
    opens a connection of its own in the child's event loop.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        agent: str | None = None,
        timeout: float = 10.0,
        purpose: str = "",
        connect_timeout: float = 5.0,
    ) -> None:
        self.path = _socket.checked_path(path)
        self._purpose = purpose
        # Used to make an identical client.
        self._options: dict[str, Any] = {
            "agent": agent, "timeout": timeout, "purpose": purpose, "connect_timeout": connect_timeout,
        }  # fmt: skip
        self._channel = Channel(self.path, _envelope.agent_metadata(agent), timeout, connect_timeout)
        self.twins = TwinServiceAsyncStub(self._channel)
        self.admin = AdminServiceAsyncStub(self._channel)
        self.healths = HealthAsyncStub(self._channel)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Unpickled in another process, it is a client with the same options and a connection of its own."""
        return partial(type(self), self.path, **self._options), ()

    def close(self) -> None:
        """Ends all calls and watches in progress."""
        self._channel.close()

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
    ) -> Twin:
        """Like `twind.Client.get`."""
        operation = _operations.get(
            name, attributes, self._purpose_of(purpose), min_sequence, valid_at, known_at
        )
        return await self._run(operation, timeout)

    async def get_if_newer(
        self,
        name: str,
        revision: int,
        /,
        *,
        attributes: Iterable[str] = (),
        purpose: str | None = None,
        min_sequence: int = 0,
        timeout: float | None = None,
    ) -> Twin | None:
        """Like `get`, but returns None if the twin has not changed since `revision`."""
        return await self._run(
            _operations.get_if_newer(name, revision, attributes, self._purpose_of(purpose), min_sequence), timeout
        )

    async def get_many(
        self,
        names: Iterable[str],
        /,
        *,
        attributes: Iterable[str] = (),
        purpose: str | None = None,
        min_sequence: int = 0,
        timeout: float | None = None,
    ) -> dict[str, Twin]:
        """Like `twind.Client.get_many`."""
        left = NamesLeft(names)
        while batch := left.batch():
            left.received(await self._run(
                _operations.batch_get(batch, attributes, self._purpose_of(purpose), min_sequence), timeout
            ))  # fmt: skip
        return left.twins()

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
    ) -> Commit:
        """Like `twind.Client.update`."""
        if unknown:
            raise _options.unknown("update", unknown, _options.UPDATE)
        operation = _operations.update(
            name, changes, expected_revision, must_not_exist, idempotency_key, durability, self._purpose_of(purpose)
        )
        return await self._run(operation, timeout)

    async def update_many(
        self,
        updates: Iterable[Update],
        *,
        idempotency_key: str | None = None,
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
        **unknown: NoReturn,
    ) -> BatchCommit:
        """Like `twind.Client.update_many`."""
        if unknown:
            raise _options.unknown("update_many", unknown, _options.UPDATE_MANY)
        operation = _operations.update_many(updates, idempotency_key, durability, self._purpose_of(purpose))
        return await self._run(operation, timeout)

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
    ) -> Commit:
        """Like `twind.Client.delete`."""
        if unknown:
            raise _options.unknown("delete", unknown, _options.DELETE)
        operation = _operations.delete(name, expected_revision, idempotency_key, durability, self._purpose_of(purpose))
        return await self._run(operation, timeout)

    def list(
        self,
        prefix: str = "",
        /,
        *,
        attributes: Iterable[str] = (),
        names_only: bool = False,
        page_size: int = 0,
        purpose: str | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[Twin]:
        """Like `twind.Client.list`: `async for twin in client.list("acme/customer/"): ...`."""
        pages = Pages(prefix, attributes, names_only, page_size, self._purpose_of(purpose))
        return Twins(pages, lambda operation: self._run(operation, timeout))

    def facts(
        self,
        name: str,
        /,
        *,
        attributes: Iterable[str] = (),
        recorded_from: Moment | None = None,
        recorded_to: Moment | None = None,
        valid_from: Moment | None = None,
        valid_to: Moment | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
    ) -> Facts:
        """Like `twind.Client.facts`, with `async for`."""
        request = _operations.list_facts(
            name, attributes, self._purpose_of(purpose), recorded_from, recorded_to, valid_from, valid_to
        )
        return Facts(self._channel, request, timeout)

    def watch(
        self,
        source: str | Iterable[str] = "",
        /,
        *,
        from_sequence: int | None = None,
        coalesce: bool = False,
        attributes: Iterable[str] = (),
        purpose: str | None = None,
        on_gap: OnGap = "raise",
        timeout: float | None = None,
        reconnect_timeout: float = 60.0,
    ) -> Watch:
        """Like `twind.Client.watch`, with `async with` and `async for`. It connects at its first use."""
        cursor = Cursor(source, from_sequence, coalesce, attributes, self._purpose_of(purpose))
        return Watch(self._channel, cursor, on_gap, timeout, reconnect_timeout)

    def pipeline(self, *, window: int = 64) -> Pipeline:
        """Makes calls without waiting for each reply, with up to `window` (at most 128) in flight:

            async with client.pipeline() as p:
                for row in rows:
                    await p.update(f"acme/customer/{row.id}", {"visits": twind.increment(1)})

        Each call returns a Pending; await it for its result. The end of the `async with` block waits for all calls and
        raises the first error.
        """
        return Pipeline(self._channel, window, self._purpose)

    async def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        return await self._run(_operations.server_info(), timeout)

    async def stats(self, *, timeout: float | None = None) -> Stats:
        return await self._run(_operations.stats(), timeout)

    async def checkpoint(self, *, timeout: float | None = None) -> Checkpoint:
        """Writes everything that is not yet in the daemon's database, and waits until that is done."""
        return await self._run(_operations.checkpoint(), timeout)

    async def backup(self, path: Path, /, *, progress: Progress | None = None, timeout: float | None = None) -> Backup:
        """Like `twind.Client.backup`."""
        parts = BackupParts(path, progress)
        async with self.admin.backup(parts.request(), timeout=timeout) as stream:
            async for part in stream:
                parts.receive(part)
        return parts.ended()

    async def health(self, service: str = "", *, timeout: float | None = None) -> Health:
        """The health of the daemon, or of one of its services, given by its full name."""
        return await self._run(_operations.health(service), timeout)

    async def _run(self, operation: Operation[T], timeout: float | None) -> T:
        reply = await self._channel.call(operation.method, operation.request, timeout)
        return operation.result(reply)

    def _purpose_of(self, purpose: str | None) -> str:
        return self._purpose if purpose is None else purpose
