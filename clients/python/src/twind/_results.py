"""The results of writes and of admin calls."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from twind._generated.twind.v1 import admin_service_pb2 as admin
from twind._generated.twind.v1 import twin_service_pb2 as twins
from twind._time import clock


class Durability(enum.IntEnum):
    """What an acknowledged write survives."""

    # Nothing: it is applied in memory.
    MEMORY = 1
    # A crash of the daemon: it is in the journal file.
    JOURNALED = 2
    # A loss of power: it is synced to disk.
    SYNCED = 3


class Health(enum.IntEnum):
    """The health of the daemon, or of one of its services."""

    UNKNOWN = 0
    SERVING = 1
    NOT_SERVING = 2
    SERVICE_UNKNOWN = 3


@dataclass(frozen=True)
class Commit:
    """The result of a write to one twin."""

    # The commit's sequence; if nothing changed, that of the last commit.
    sequence: int
    # The twin's revision after the write.
    revision: int
    # What the write survives.
    durability: Durability
    # How many facts were recorded; 0: nothing changed.
    fact_count: int


@dataclass(frozen=True)
class BatchCommit:
    """The result of a write to several twins: one commit."""

    sequence: int
    # By name, in the order of the request.
    revisions: Mapping[str, int]
    durability: Durability
    fact_count: int


@dataclass(frozen=True)
class ServerInfo:
    """The daemon's version, settings and limits."""

    version: str
    sequence: int
    # For writes that do not choose one.
    durability: Durability
    # Started with --dev: everyone may do everything.
    dev: bool
    started_at: datetime
    socket: str
    data_dir: str
    limits: Mapping[str, int]
    pid: int


@dataclass(frozen=True)
class Stats:
    """The daemon's statistics. Counts begin at its start."""

    sequence: int
    # Everything up to this sequence survives a loss of power.
    synced_sequence: int
    # Why writes are refused; empty: they are not.
    failure: str
    # Problems to look at although everything is served; empty: none.
    warning: str
    twin_count: int
    # Facts in the database.
    fact_count: int
    # Twins in memory, those changed since the last checkpoint, the bytes of all, and the limit.
    resident_twin_count: int
    dirty_twin_count: int
    twin_bytes: int
    memory_bytes_max: int
    # Bytes used by calls in progress, and the limit.
    buffer_bytes: int
    buffer_bytes_max: int
    # Twins evicted from memory, and read back from disk.
    eviction_count: int
    cold_read_count: int
    connection_count: int
    stream_count: int
    watch_count: int
    call_count: int
    feed_bytes: int
    feed_oldest_sequence: int
    journal_bytes: int
    journal_segment_count: int
    journal_sync_count: int
    checkpoint_count: int
    checkpoint_sequence: int
    checkpoint_twin_count: int
    # Why the last checkpoint failed; empty: it did not.
    checkpoint_error: str
    # The running checkpoint: rows written, and rows to write; both 0: none is running.
    checkpoint_rows_done: int
    checkpoint_rows_total: int
    # At the start: commits replayed from the journal, and bytes cut from its end.
    recovery_commit_count: int
    recovery_bytes_cut: int
    resident_bytes: int
    log_dropped_count: int
    # When the last checkpoint ended (None: there was none), and how long it took.
    checkpoint_at: datetime | None
    checkpoint_duration: timedelta
    # How long the start took.
    recovery_duration: timedelta
    uptime: timedelta


@dataclass(frozen=True)
class Checkpoint:
    """The result of a checkpoint."""

    # Everything up to this sequence is in the database.
    sequence: int
    # How many rows were written.
    twin_count: int
    duration: timedelta


def commit(message: twins.UpdateTwinResponse) -> Commit:
    return Commit(message.sequence, message.revision, _durability(message.durability), message.fact_count)


def deletion(message: twins.DeleteTwinResponse) -> Commit:
    return Commit(message.sequence, message.revision, _durability(message.durability), 1)


def server_info(message: admin.GetServerInfoResponse) -> ServerInfo:
    return ServerInfo(
        version=message.version,
        sequence=message.sequence,
        durability=_durability(message.durability),
        dev=message.dev,
        started_at=clock(message.start_time),
        socket=message.socket,
        data_dir=message.data_dir,
        limits={limit.name: limit.value for limit in message.limits},
        pid=message.pid,
    )


def stats(message: admin.GetStatsResponse) -> Stats:
    converted: dict[str, Any] = {
        "checkpoint_at": clock(message.checkpoint_time) if message.checkpoint_time else None,
        "checkpoint_duration": timedelta(microseconds=message.checkpoint_duration_micros),
        "recovery_duration": timedelta(microseconds=message.recovery_duration_micros),
        "uptime": timedelta(microseconds=message.uptime_micros),
    }
    same: dict[str, Any] = {
        field.name: getattr(message, field.name) for field in fields(Stats) if field.name not in converted
    }
    return Stats(**same, **converted)


def checkpoint(message: admin.CheckpointResponse) -> Checkpoint:
    return Checkpoint(message.sequence, message.twin_count, timedelta(microseconds=message.duration_micros))


def batch_commit(names: list[str], message: twins.BatchUpdateTwinsResponse) -> BatchCommit:
    revisions = dict(zip(names, message.revisions))
    return BatchCommit(message.sequence, revisions, _durability(message.durability), message.fact_count)


# By the number on the wire. There is no 0.
_DURABILITIES: tuple[Durability, ...] = (Durability.MEMORY, *Durability)


def _durability(value: int) -> Durability:
    # A higher level of a newer daemon promises at least as much as the highest one here.
    return _DURABILITIES[min(max(value, 0), Durability.SYNCED)]
