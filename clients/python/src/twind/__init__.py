"""Client for twind, which keeps one shared twin of each customer for all agents on a machine.

    import twind

    client = twind.Client()
    client.update("acme/customer/42", {"email": "ann@example.org"})
    client.get("acme/customer/42")["email"]

For asyncio, use `twind.aio.Client` (`import twind.aio`). Errors are in `twind.errors`, and are also exported here.
"""

from twind._backup import Backup
from twind._changes import ChangeLike, attribute, increment, remove
from twind._client import Client
from twind._facts import Facts
from twind._operations import Update
from twind._pipeline import Pending, Pipeline
from twind._results import BatchCommit, Checkpoint, Commit, Durability, Health, ServerInfo, Stats
from twind._time import Microseconds
from twind._twin import Attribute, Change, Fact, Redaction, Twin
from twind._values import Json, Opaque, Value
from twind._watch import Watch
from twind.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    Code,
    Conflict,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    Limit,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Resume,
    TwindError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
)

__all__ = [
    "Aborted",
    "AlreadyExists",
    "Attribute",
    "Backup",
    "BatchCommit",
    "Cancelled",
    "Change",
    "ChangeLike",
    "Checkpoint",
    "Client",
    "Code",
    "Commit",
    "Conflict",
    "DataLoss",
    "DeadlineExceeded",
    "Durability",
    "Fact",
    "Facts",
    "FailedPrecondition",
    "Health",
    "Internal",
    "InvalidArgument",
    "Json",
    "Limit",
    "Microseconds",
    "NotFound",
    "Opaque",
    "OutOfRange",
    "Pending",
    "PermissionDenied",
    "Pipeline",
    "Redaction",
    "ResourceExhausted",
    "Resume",
    "ServerInfo",
    "Stats",
    "TwindError",
    "Twin",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
    "Update",
    "Value",
    "Watch",
    "attribute",
    "increment",
    "remove",
]
