"""One exception class per status code, all of them a TwindError.

The daemon's statuses become these (`error_of`), and so do the client's own failures: a daemon that is away, a deadline
that has passed. Mistakes in a call's arguments are Python's TypeError and ValueError.
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
    """What a write met instead of the state that it expected."""

    name: str
    # 0 = the twin never existed.
    current_revision: int
    # Who wrote the twin last, and when.
    last_agent: str
    recorded_at: datetime | None


@dataclass(frozen=True)
class Resume:
    """Which sequences can be asked for."""

    oldest_sequence: int
    head_sequence: int


@dataclass(frozen=True)
class Limit:
    """The limit that was met, its value, and what would have been needed, in the unit that the name ends in."""

    limit: str
    maximum: int
    actual: int


Detail = Conflict | Resume | Limit | Any


class TwindError(Exception):
    """A call that failed: the status code, what was wrong in plain words, and details if there are any."""

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(self, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        # Of a pipeline: the errors of the calls that failed after this one.
        self.others: tuple[TwindError, ...] = ()

    def __str__(self) -> str:
        if not self.others:
            return self.message
        calls = "call" if len(self.others) == 1 else "calls"
        return f"{self.message} ({len(self.others)} more {calls} of this pipeline failed: see .others)"

    @property
    def conflict(self) -> Conflict | None:
        """With Aborted and AlreadyExists."""
        return next((d for d in self.details if isinstance(d, Conflict)), None)

    @property
    def resume(self) -> Resume | None:
        """With OutOfRange."""
        return next((d for d in self.details if isinstance(d, Resume)), None)

    @property
    def limit(self) -> Limit | None:
        """With ResourceExhausted and InvalidArgument."""
        return next((d for d in self.details if isinstance(d, Limit)), None)


class Cancelled(TwindError):
    """The call was given up, or its client was closed."""

    code = Code.CANCELLED


class Unknown(TwindError):
    """A status code that this client does not know."""


class InvalidArgument(TwindError, ValueError):
    """The request is wrong whatever the daemon's state."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceeded(TwindError, TimeoutError):
    """No reply came in time. A write may have taken effect all the same."""

    code = Code.DEADLINE_EXCEEDED


class NotFound(TwindError, LookupError):
    """There is no such twin."""

    code = Code.NOT_FOUND


class AlreadyExists(TwindError):
    """`must_not_exist` was asked for, and the twin exists: see `.conflict`."""

    code = Code.ALREADY_EXISTS


class PermissionDenied(TwindError):
    """The agent may not do this."""

    code = Code.PERMISSION_DENIED


class ResourceExhausted(TwindError):
    """A limit was met: see `.limit`."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPrecondition(TwindError):
    """The twin's, or the daemon's, state does not allow it."""

    code = Code.FAILED_PRECONDITION


class Aborted(TwindError):
    """`expected_revision` no longer holds: see `.conflict`, read the twin again, then decide."""

    code = Code.ABORTED


class OutOfRange(TwindError):
    """A sequence that cannot be had: see `.resume`. Or a number that outgrew its range."""

    code = Code.OUT_OF_RANGE


class Unimplemented(TwindError):
    """The daemon does not know the method."""

    code = Code.UNIMPLEMENTED


class Internal(TwindError):
    """Either end has a fault."""

    code = Code.INTERNAL


class Unavailable(TwindError, ConnectionError):
    """The daemon is away or cannot write. The message says whether a write may have taken effect."""

    code = Code.UNAVAILABLE


class DataLoss(TwindError):
    """Stored bytes are damaged."""

    code = Code.DATA_LOSS


class Unauthenticated(TwindError):
    """The daemon does not know who calls."""

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
    """A detail of a kind that is known, as a plain value; others, and damaged ones, as they came."""
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
