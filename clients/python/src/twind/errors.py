"""Exceptions. Each status code has a class of its own, a subclass of TwindError.

They stand for the daemon's errors and for the client's own: no connection, a deadline that has passed. Invalid
arguments raise TypeError or ValueError.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from google.protobuf.message import DecodeError

from twind._generated.ttrpc.ttrpc_pb2 import Any, Status
from twind._generated.twind.v1 import errors_pb2
from twind._time import clock


class Code(enum.IntEnum):
    """The canonical status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True)
class Conflict:
    """The state of the twin that a write's precondition did not match."""

    name: str
    # 0: the twin never existed.
    current_revision: int
    # Who wrote the twin last, and when.
    last_agent: str
    recorded_at: datetime | None


@dataclass(frozen=True)
class Resume:
    """The range of sequences that can be resumed from."""

    oldest_sequence: int
    head_sequence: int


@dataclass(frozen=True)
class Limit:
    """The limit that was exceeded: its name, its value, and the value needed, in the unit at the end of the name."""

    limit: str
    maximum: int
    actual: int


Detail = Conflict | Resume | Limit | Any


class TwindError(Exception):
    """A call that failed: the status code, a message, and any details."""

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(self, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        # In a pipeline: the errors of the calls that failed after this one.
        self.others: tuple[TwindError, ...] = ()

    def __str__(self) -> str:
        if not self.others:
            return self.message
        calls = "call" if len(self.others) == 1 else "calls"
        return f"{self.message} ({len(self.others)} more {calls} of this pipeline failed: see .others)"

    @property
    def conflict(self) -> Conflict | None:
        """Set on Aborted and AlreadyExists."""
        return next((d for d in self.details if isinstance(d, Conflict)), None)

    @property
    def resume(self) -> Resume | None:
        """Set on OutOfRange."""
        return next((d for d in self.details if isinstance(d, Resume)), None)

    @property
    def limit(self) -> Limit | None:
        """Set on ResourceExhausted and InvalidArgument."""
        return next((d for d in self.details if isinstance(d, Limit)), None)


class Cancelled(TwindError):
    """The call was cancelled, or its client was closed."""

    code = Code.CANCELLED


class Unknown(TwindError):
    """A status code that this client does not know."""


class InvalidArgument(TwindError, ValueError):
    """The request is invalid."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceeded(TwindError, TimeoutError):
    """No reply arrived in time. A write may have taken effect."""

    code = Code.DEADLINE_EXCEEDED


class NotFound(TwindError, LookupError):
    """The twin does not exist."""

    code = Code.NOT_FOUND


class AlreadyExists(TwindError):
    """The twin exists, and `must_not_exist` was set: see `.conflict`."""

    code = Code.ALREADY_EXISTS


class PermissionDenied(TwindError):
    """The agent is not allowed to do this."""

    code = Code.PERMISSION_DENIED


class ResourceExhausted(TwindError):
    """A limit was exceeded: see `.limit`."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPrecondition(TwindError):
    """The state of the twin or of the daemon does not allow it."""

    code = Code.FAILED_PRECONDITION


class Aborted(TwindError):
    """The twin does not have the `expected_revision`: see `.conflict`, and read the twin again."""

    code = Code.ABORTED


class OutOfRange(TwindError):
    """The sequence is not available: see `.resume`. Or a number is out of its range."""

    code = Code.OUT_OF_RANGE


class Unimplemented(TwindError):
    """The daemon does not know the method."""

    code = Code.UNIMPLEMENTED


class Internal(TwindError):
    """A bug in the daemon or in the client."""

    code = Code.INTERNAL


class Unavailable(TwindError, ConnectionError):
    """The daemon cannot be reached or cannot write. The message says whether a write may have taken effect."""

    code = Code.UNAVAILABLE


class DataLoss(TwindError):
    """Stored data is damaged."""

    code = Code.DATA_LOSS


class Unauthenticated(TwindError):
    """The daemon does not know the caller."""

    code = Code.UNAUTHENTICATED


_CLASSES: dict[int, type[TwindError]] = {
    error.code: error
    for error in (
        Cancelled, Unknown, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists, PermissionDenied,
        ResourceExhausted, FailedPrecondition, Aborted, OutOfRange, Unimplemented, Internal, Unavailable, DataLoss,
        Unauthenticated,
    )
}  # fmt: skip


def error_of(status: Status) -> TwindError:
    """The exception for a status whose code is not 0."""
    return error_of_code(status.code, status.message, status.details)


def error_of_code(code: int, message: str, details: Iterable[Any] = ()) -> TwindError:
    return _CLASSES.get(code, Unknown)(message or f"status {code} without a message", [_detail(d) for d in details])


def _detail(any: Any) -> Detail:
    """Details of known types become plain values; others, and damaged ones, are returned as they are."""
    try:
        match any.type_url.rpartition("/")[2]:
            case "twind.v1.ConflictDetail":
                c = errors_pb2.ConflictDetail.FromString(any.value)
                recorded_at = clock(c.recorded_at) if c.recorded_at else None
                return Conflict(c.name, c.current_revision, c.last_agent, recorded_at)
            case "twind.v1.ResumeDetail":
                r = errors_pb2.ResumeDetail.FromString(any.value)
                return Resume(r.oldest_sequence, r.head_sequence)
            case "twind.v1.LimitDetail":
                m = errors_pb2.LimitDetail.FromString(any.value)
                return Limit(m.limit, m.maximum, m.actual)
    except DecodeError:
        pass
    return any
