"""The blocking client: what a program holds to read, write and watch twins. Thread-safe."""

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
    """A client of the daemon at `path`; it connects at the first call, and again when the connection is lost.

    path             the daemon's socket; None = $TWIND_SOCKET, else $XDG_RUNTIME_DIR/twind.sock, else ./twind.sock
    agent            who calls, recorded with every write; None = the daemon's name for this process's user
    timeout          seconds that a call may take, where it states none; math.inf = no end
    purpose          what the data is for, where a call states none
    connect_timeout  seconds that a call waits for a daemon that is away, within its timeout

    Calls raise a TwindError. One that was not sent, and a read, is sent again when the connection is lost; so is a
    write with an idempotency key. Another write is then Unavailable: its outcome is unknown.

    A connection belongs to the process that opened it. In the child of a fork, and in a process that the client was
    sent to, the client makes one of its own, and leaves its parent's alone. Watches, histories and pipelines stay with
    the process that opened them: in another they raise RuntimeError, and closing them there closes nothing for it.

    `twins`, `admin` and `healths` are the typed stubs below, one method an RPC.
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
        # What makes another client that is the same.
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
        """Sent to another process, it is a client of the same options, with a connection of its own."""
        return partial(type(self), self.path, **self._options), ()

    def close(self) -> None:
        """Ends all calls and watches under way, from any thread."""
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
        """The twin `space/kind/id`. Raises NotFound.

        `attributes` are the names wanted, each with all below it ("address" covers "address.city"); none = all.
        `min_sequence` waits up to a second until that sequence is visible, else OutOfRange.
        `valid_at` asks what was true at that time, `known_at` what was understood at that time: datetimes with a time
        zone, or microseconds since the epoch; None = now. InvalidArgument when known_at is in the future, OutOfRange
        when it is before what is kept.
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
        """As `get`, but None when the twin has not changed since `revision`."""
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
        """The twins that exist, by name, in the order of `names`.

        Up to 256 twins that fit in one reply (3.5 MiB) are read at one sequence; more take several calls, and each
        Twin's `sequence` tells.
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
        """Changes attributes in one commit, and creates the twin when it is absent.

        Attributes are in the mapping, options are keywords:

            client.update("acme/customer/42", {"email": "ann@example.org", "visits": twind.increment(1)})
            client.update("acme/customer/42", {"phone": twind.remove}, expected_revision=twin.revision)

        expected_revision  Aborted unless this is the twin's revision; 0 = it must never have existed
        must_not_exist     AlreadyExists if the twin exists
        idempotency_key    at most 64 bytes; the same key again gives the first result and changes nothing
        durability         what the write must have survived before it is acknowledged; None = the daemon's default
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
        """Changes up to 256 twins in one commit, all or none: `client.update_many([twind.Update(name, {...}), ...])`.

        With an idempotency key all twins must be of one space.
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
        """Deletes the twin. Raises NotFound; Aborted unless `expected_revision`, if given, is its revision."""
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
        """All twins whose names begin with `prefix`, in byte order of their names, read page by page.

        `page_size` is at most 1,000, 0 = 100; `timeout` is that of one page. Twins written meanwhile may or may not be
        in it; all others are, once.
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
        """What was recorded about the twin, oldest first; an iterator:

            for fact in client.facts("acme/customer/42", attributes=["plan"], recorded_from=yesterday):
                print(fact.recorded_at, fact.agent, fact.attribute, fact.value)

        recorded_from, recorded_to  only what was recorded from then on, and before then
        valid_from, valid_to        only what is about some part of this time

        Times are datetimes with a time zone, or microseconds since the epoch; None = no bound. `timeout` is for all of
        it. Iterating raises NotFound when there never was such a twin.
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
        """The twins' changes, for ever: `with client.watch("acme/customer/") as watch: for change in watch: ...`.

        source             a prefix of names, or a list of up to 256 names
        from_sequence      only what comes after it: a `sequence` that an earlier watch had; None = first a snapshot,
                           whose changes have `snapshot` set
        coalesce           several commits may come as one, each attribute's last change only
        on_gap             when what came after the last sequence is not kept any more: "raise" OutOfRange, or go on
                           with a new "snapshot" (twins that were deleted in between are then not told of)
        timeout            seconds that one step of the iteration, or `snapshot()`, may take before it raises
                           DeadlineExceeded; the next step goes on where it was. None = for ever
        reconnect_timeout  seconds that the daemon may be away before the watch raises Unavailable
        """
        cursor = Cursor(source, from_sequence, coalesce, attributes, self._purpose_of(purpose))
        return Watch(self._channel, cursor, on_gap, timeout, reconnect_timeout)

    def pipeline(self, *, window: int = 64) -> Pipeline:
        """Calls that do not wait for each other, of which up to `window` (at most 128) are under way:

            with client.pipeline() as p:
                for row in rows:
                    p.update(f"acme/customer/{row.id}", {"visits": twind.increment(1)})

        Each gives a Pending, whose `result()` waits. The end of `with` waits for all and raises the first error.
        """
        return Pipeline(self._channel, window, self._purpose)

    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        return self._run(_operations.server_info(), timeout)

    def stats(self, *, timeout: float | None = None) -> Stats:
        return self._run(_operations.stats(), timeout)

    def checkpoint(self, *, timeout: float | None = None) -> Checkpoint:
        """Writes all that is not yet in the daemon's database, and returns when that is done."""
        return self._run(_operations.checkpoint(), timeout)

    def backup(self, path: Path, /, *, progress: Progress | None = None, timeout: float | None = None) -> Backup:
        """Has the daemon write a backup into a new file while it serves, and returns when that is done and verified.

        path      of a file that does not exist, for the daemon's user to write; a relative one is below this
                  process's working directory
        progress  called with the pages copied and the pages in all, now and then; what it raises ends the backup
        timeout   seconds that all of it may take; None = no end

        Raises AlreadyExists when there is such a file. `twind restore` makes a data directory of a backup.
        """
        parts = BackupParts(path, progress)
        with self.admin.backup(parts.request(), timeout=timeout) as stream:
            for part in stream:
                parts.receive(part)
        return parts.ended()

    def health(self, service: str = "", *, timeout: float | None = None) -> Health:
        """Of the daemon, or of one of its services by full name."""
        return self._run(_operations.health(service), timeout)

    def _run(self, operation: Operation[T], timeout: float | None) -> T:
        reply = self._channel.call(operation.method, operation.request, timeout, operation.repeatable)
        return operation.result(reply)

    def _purpose_of(self, purpose: str | None) -> str:
        return self._purpose if purpose is None else purpose
