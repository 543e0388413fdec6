"""The blocking client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from twind import _envelope, _operations, _options, _socket
from twind._backup import Backup, BackupParts, Path, Progress
from twind._batches import NamesLeft
from twind._changes import ChangeLike
from twind._channel import Channel
from twind._facts import Facts
from twind._generated.grpc.health.v1.health_stub import HealthStub
from twind._generated.twind.v1.admin_service_stub import AdminServiceStub
from twind._generated.twind.v1.twin_service_stub import TwinServiceStub
from twind._listing import Pages, Twins
from twind._operations import Operation, Update
from twind._pipeline import Pipeline
from twind._results import BatchCommit, Checkpoint, Commit, Durability, Health, ServerInfo, Stats
from twind._time import Moment
from twind._twin import Twin
from twind._watch import Cursor, OnGap, Watch

T = TypeVar("T")

_NONE: Mapping[str, ChangeLike] = {}


class Client:
    """A client of the daemon at `path`. Thread-safe.

    path             the daemon's socket; default: $TWIND_SOCKET, or else $XDG_RUNTIME_DIR/twind.sock, or ./twind.sock
    agent            the caller's name, recorded with every write; default: the daemon's name for this process's user
    timeout          how long a call may take, in seconds, unless it sets its own; math.inf: no limit
    purpose          what the data is for, unless the call says
    connect_timeout  how long a call waits for an absent daemon, in seconds, within its timeout

    The client connects at the first call and reconnects when the connection is lost. Then it repeats reads, calls that
    were not sent, and writes with an idempotency key. Other writes raise Unavailable: their outcome is unknown. All
    errors of calls are TwindErrors.

    A connection belongs to the process that opened it. After a fork, or when the client is sent to another process, the
    client opens a new connection there and leaves the parent's alone. In another process, watches, histories and
    pipelines raise RuntimeError, and closing them there does not affect the process that opened them.

    `twins`, `admin` and `healths` are the underlying typed stubs, with one method for each RPC.
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
        self.twins = TwinServiceStub(self._channel)
        self.admin = AdminServiceStub(self._channel)
        self.healths = HealthStub(self._channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Unpickled in another process, it is a client with the same options and a connection of its own."""
        return partial(type(self), self.path, **self._options), ()

    def close(self) -> None:
        """Ends all calls and watches in progress. May be called from any thread."""
        self._channel.close()

    def get(
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
        """Returns the twin `space/kind/id`. Raises NotFound.

        attributes    names of attributes, including those below them ("address" includes "address.city"); default: all
        min_sequence  wait up to a second until this sequence is visible; then raises OutOfRange
        valid_at      the twin as it was at this time
        known_at      the twin as it was known at this time

        Times are datetimes with a time zone, or microseconds since the epoch; None: now. Raises InvalidArgument if
        known_at is in the future, and OutOfRange if history that old is not kept.
        """
        operation = _operations.get(
            name, attributes, self._purpose_of(purpose), min_sequence, valid_at, known_at
        )
        return self._run(operation, timeout)

    def get_if_newer(
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
        return self._run(
            _operations.get_if_newer(name, revision, attributes, self._purpose_of(purpose), min_sequence), timeout
        )

    def get_many(
        self,
        names: Iterable[str],
        /,
        *,
        attributes: Iterable[str] = (),
        purpose: str | None = None,
        min_sequence: int = 0,
        timeout: float | None = None,
    ) -> dict[str, Twin]:
        """Returns a dict of those twins that exist, in the order of `names`.

        Up to 256 twins that fit in one reply (3.5 MiB) are read at one sequence. More take several calls; each Twin's
        `sequence` says at which sequence it was read.
        """
        left = NamesLeft(names)
        while batch := left.batch():
            left.received(self._run(
                _operations.batch_get(batch, attributes, self._purpose_of(purpose), min_sequence), timeout
            ))  # fmt: skip
        return left.twins()

    def update(
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
        """Changes attributes in one commit. Creates the twin if it does not exist.

        Attributes go in the mapping, options are keywords:

            client.update("acme/customer/42", {"email": "ann@example.org", "visits": twind.increment(1)})
            client.update("acme/customer/42", {"phone": twind.remove}, expected_revision=twin.revision)

        expected_revision  raise Aborted unless the twin has this revision; 0: it must never have existed
        must_not_exist     raise AlreadyExists if the twin exists
        idempotency_key    at most 64 bytes; a write repeated with the same key returns the first result
        durability         what the write must survive before it is acknowledged; None: the daemon's default
        """
        if unknown:
            raise _options.unknown("update", unknown, _options.UPDATE)
        operation = _operations.update(
            name, changes, expected_revision, must_not_exist, idempotency_key, durability, self._purpose_of(purpose)
        )
        return self._run(operation, timeout)

    def update_many(
        self,
        updates: Iterable[Update],
        *,
        idempotency_key: str | None = None,
        durability: Durability | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
        **unknown: NoReturn,
    ) -> BatchCommit:
        """Changes up to 256 twins atomically: `client.update_many([twind.Update(name, {...}), ...])`.

        With an idempotency key, all twins must be in the same space.
        """
        if unknown:
            raise _options.unknown("update_many", unknown, _options.UPDATE_MANY)
        operation = _operations.update_many(updates, idempotency_key, durability, self._purpose_of(purpose))
        return self._run(operation, timeout)

    def delete(
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
        """Deletes the twin. Raises NotFound, or Aborted if it does not have the `expected_revision`."""
        if unknown:
            raise _options.unknown("delete", unknown, _options.DELETE)
        operation = _operations.delete(name, expected_revision, idempotency_key, durability, self._purpose_of(purpose))
        return self._run(operation, timeout)

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
    ) -> Iterator[Twin]:
        """Iterates over the twins whose names begin with `prefix`, in byte order of their names. Reads page by page.

        `page_size` is at most 1,000; 0 means 100. `timeout` is for one page. Twins that are written meanwhile may be
        missing; all others are returned exactly once.
        """
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
        """Iterates over what was recorded about the twin, oldest first:

            for fact in client.facts("acme/customer/42", attributes=["plan"], recorded_from=yesterday):
                print(fact.recorded_at, fact.agent, fact.attribute, fact.value)

        recorded_from, recorded_to  only facts recorded at or after the first time and before the second
        valid_from, valid_to        only facts that are valid at some time in this range

        Times are datetimes with a time zone, or microseconds since the epoch; None: no bound. `timeout` is for the
        whole iteration. Iterating raises NotFound if the twin never existed.
        """
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
        """Iterates over changes of twins, without end:

            with client.watch("acme/customer/") as watch:
                for change in watch:
                    print(change)

        source             a prefix of names, or a list of up to 256 names from_sequence      continue after this
        `sequence` of an earlier watch; None: begin with a snapshot, whose changes
                           have `snapshot` set
        coalesce           allow several commits to be merged into one change with each attribute's last value
        on_gap             what to do if the commits after the last sequence are no longer kept: "raise" OutOfRange, or
                           continue with a new "snapshot", which does not show twins that were deleted in between
        timeout            how long one step of the iteration, or `snapshot()`, may take in seconds before it raises
                           DeadlineExceeded; the next step loses nothing. None: no limit
        reconnect_timeout  how long the daemon may be away, in seconds, before the watch raises Unavailable
        """
        cursor = Cursor(source, from_sequence, coalesce, attributes, self._purpose_of(purpose))
        return Watch(self._channel, cursor, on_gap, timeout, reconnect_timeout)

    def pipeline(self, *, window: int = 64) -> Pipeline:
        """Makes calls without waiting for each reply, with up to `window` (at most 128) in flight:

            with client.pipeline() as p:
                for row in rows:
                    p.update(f"acme/customer/{row.id}", {"visits": twind.increment(1)})

        Each call returns a Pending, whose `result()` waits. The end of the `with` block waits for all calls and raises
        the first error.
        """
        return Pipeline(self._channel, window, self._purpose)

    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        return self._run(_operations.server_info(), timeout)

    def stats(self, *, timeout: float | None = None) -> Stats:
        return self._run(_operations.stats(), timeout)

    def checkpoint(self, *, timeout: float | None = None) -> Checkpoint:
        """Writes everything that is not yet in the daemon's database, and waits until that is done."""
        return self._run(_operations.checkpoint(), timeout)

    def backup(self, path: Path, /, *, progress: Progress | None = None, timeout: float | None = None) -> Backup:
        """Makes the daemon write a backup to a new file while it serves; waits until the backup is complete and
        verified.

        path      a file that does not exist, writable by the daemon's user; relative to this process's directory
        progress  called now and then with the number of pages copied and the total; an exception ends the backup
        timeout   how long the backup may take, in seconds; None: no limit

        Raises AlreadyExists if the file exists. `twind restore` creates a data directory from a backup.
        """
        parts = BackupParts(path, progress)
        with self.admin.backup(parts.request(), timeout=timeout) as stream:
            for part in stream:
                parts.receive(part)
        return parts.ended()

    def health(self, service: str = "", *, timeout: float | None = None) -> Health:
        """The health of the daemon, or of one of its services, given by its full name."""
        return self._run(_operations.health(service), timeout)

    def _run(self, operation: Operation[T], timeout: float | None) -> T:
        reply = self._channel.call(operation.method, operation.request, timeout)
        return operation.result(reply)

    def _purpose_of(self, purpose: str | None) -> str:
        return self._purpose if purpose is None else purpose
