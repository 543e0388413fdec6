"""What a client can ask, as plain values: the method, the request, how to read the response.

The blocking client, the asyncio client and their pipelines send these; how arguments become requests and responses
become results is written here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Union, cast

from twind import _arguments, _changes, _results, _time
from twind._changes import ChangeLike
from twind._generated.grpc.health.v1 import health_pb2, health_stub
from twind._generated.twind.v1 import admin_service_pb2, admin_service_stub, twin_pb2, twin_service_stub
from twind._generated.twind.v1 import twin_service_pb2 as twins
from twind._method import Method
from twind._options import checked_choice
from twind._results import Durability
from twind._time import Moment
from twind._twin import Twin
from twind.errors import Internal

T = TypeVar("T")

# The daemon's limits, which split longer calls.
BATCH_TWINS_MAX = 256
PAGE_TWINS_MAX = 1000


class Operation(Generic[T]):
    """One call to be made."""

    __slots__ = ("method", "request", "result")

    def __init__(self, method: Method[Any, Any], request: Any, result: Callable[[Any], T]) -> None:
        self.method = method
        self.request = request
        self.result = result

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when its outcome is unknown."""
        return self.method.repeatable(self.request)


@dataclass(frozen=True)
class Update:
    """The write to one twin in `update_many`."""

    name: str
    changes: Mapping[str, ChangeLike]
    # Like in `update`.
    expected_revision: int | None = None
    must_not_exist: bool = False


def get(
    name: str,
    attributes: Iterable[str],
    purpose: str,
    min_sequence: int,
    valid_at: Moment | None = None,
    known_at: Moment | None = None,
) -> Operation[Twin]:
    request = twins.GetTwinRequest(name=_arguments.text(name, "name"))
    if attributes:
        request.attributes.extend(request_names(attributes))
    if purpose:
        request.purpose = _arguments.text(purpose, "purpose")
    if min_sequence:
        request.min_sequence = min_sequence
    if valid_at is not None:
        request.valid_at = _time.moment(valid_at, "valid_at")
    if known_at is not None:
        request.known_at = _time.moment(known_at, "known_at")
    return Operation(twin_service_stub.GET_TWIN, request, _twin)


def get_if_newer(
    name: str, revision: int, attributes: Iterable[str], purpose: str, min_sequence: int
) -> Operation[Twin | None]:
    request = twins.GetTwinRequest(
        name=_arguments.text(name, "name"),
        attributes=request_names(attributes),
        purpose=_arguments.text(purpose, "purpose"),
        if_newer_than_revision=revision,
        min_sequence=min_sequence,
    )
    return Operation(twin_service_stub.GET_TWIN, request, lambda reply: None if reply.not_modified else _twin(reply))


def batch_get(
    names: Sequence[str], attributes: Iterable[str], purpose: str, min_sequence: int
) -> Operation[twins.BatchGetTwinsResponse]:
    request = twins.BatchGetTwinsRequest(
        names=names,
        attributes=request_names(attributes),
        purpose=_arguments.text(purpose, "purpose"),
        min_sequence=min_sequence,
    )
    return Operation(twin_service_stub.BATCH_GET_TWINS, request, _same)


def update(
    name: str,
    changes: Mapping[str, ChangeLike],
    expected_revision: int | None,
    must_not_exist: bool,
    idempotency_key: str | None,
    durability: Durability | None,
    purpose: str,
) -> Operation[_results.Commit]:
    request = twins.UpdateTwinRequest()
    _write_update(request, name, changes, expected_revision, must_not_exist)
    _write_options(request, idempotency_key, durability, purpose)
    return Operation(twin_service_stub.UPDATE_TWIN, request, _results.commit)


def update_many(
    updates: Iterable[Update], idempotency_key: str | None, durability: Durability | None, purpose: str
) -> Operation[_results.BatchCommit]:
    request = twins.BatchUpdateTwinsRequest()
    names = []
    for u in updates:
        _write_update(request.requests.add(), u.name, u.changes, u.expected_revision, u.must_not_exist)
        names.append(u.name)
    _write_options(request, idempotency_key, durability, purpose)
    return Operation(twin_service_stub.BATCH_UPDATE_TWINS, request, lambda reply: _results.batch_commit(names, reply))


def delete(
    name: str, expected_revision: int | None, idempotency_key: str | None, durability: Durability | None, purpose: str
) -> Operation[_results.Commit]:
    request = twins.DeleteTwinRequest(name=_arguments.text(name, "name"))
    if expected_revision is not None:
        request.expected_revision = expected_revision
    _write_options(request, idempotency_key, durability, purpose)
    return Operation(twin_service_stub.DELETE_TWIN, request, _results.deletion)


def list_page(
    prefix: str, page_token: str, attributes: Iterable[str], names_only: bool, page_size: int, purpose: str
) -> Operation[twins.ListTwinsResponse]:
    request = twins.ListTwinsRequest(
        prefix=_arguments.text(prefix, "prefix"),
        page_token=page_token,
        attributes=request_names(attributes),
        names_only=names_only,
        page_size=page_size,
        purpose=_arguments.text(purpose, "purpose"),
    )
    return Operation(twin_service_stub.LIST_TWINS, request, _same)


def listed_twins(page: twins.ListTwinsResponse) -> list[Twin]:
    return [Twin(twin, page.sequence, [r for r in page.redactions if r.twin == twin.name]) for twin in page.twins]


def next_token(page: twins.ListTwinsResponse, token: str) -> str:
    """The page token that follows `token`; empty = there are no more pages."""
    if token and page.next_page_token == token:
        raise Internal(f"ListTwins: the server returned the page token {token!r} twice, so the list would never end")
    return page.next_page_token


def list_facts(
    name: str,
    attributes: Iterable[str],
    purpose: str,
    recorded_from: Moment | None,
    recorded_to: Moment | None,
    valid_from: Moment | None,
    valid_to: Moment | None,
) -> twins.ListFactsRequest:
    def micros(time: Moment | None, what: str) -> int:
        return 0 if time is None else _time.moment(time, what)

    return twins.ListFactsRequest(
        name=_arguments.text(name, "name"),
        attributes=request_names(attributes),
        purpose=_arguments.text(purpose, "purpose"),
        recorded_from_time=micros(recorded_from, "recorded_from"),
        recorded_to_time=micros(recorded_to, "recorded_to"),
        valid_from_time=micros(valid_from, "valid_from"),
        valid_to_time=micros(valid_to, "valid_to"),
    )


def server_info() -> Operation[_results.ServerInfo]:
    request = admin_service_pb2.GetServerInfoRequest()
    return Operation(admin_service_stub.GET_SERVER_INFO, request, _results.server_info)


def stats() -> Operation[_results.Stats]:
    return Operation(admin_service_stub.GET_STATS, admin_service_pb2.GetStatsRequest(), _results.stats)


def checkpoint() -> Operation[_results.Checkpoint]:
    request = admin_service_pb2.CheckpointRequest()
    return Operation(admin_service_stub.CHECKPOINT, request, _results.checkpoint)


def health(service: str) -> Operation[_results.Health]:
    request = health_pb2.HealthCheckRequest(service=_arguments.text(service, "service"))
    return Operation(health_stub.CHECK, request, lambda reply: _results.Health(reply.status))


_WriteRequest = Union[twins.UpdateTwinRequest, twins.BatchUpdateTwinsRequest, twins.DeleteTwinRequest]


def _write_update(
    request: twins.UpdateTwinRequest,
    name: str,
    changes: Mapping[str, ChangeLike],
    expected_revision: int | None,
    must_not_exist: bool,
) -> None:
    """Into an empty request, in place: messages that are made elsewhere would be copied into it."""
    request.name = _arguments.text(name, "name")
    _changes.write_changes(changes, request)
    if must_not_exist:
        if expected_revision is not None:
            raise ValueError(f"{name}: use expected_revision or must_not_exist, not both")
        request.must_not_exist = True
    elif expected_revision is not None:
        request.expected_revision = expected_revision


def _write_options(
    request: _WriteRequest, idempotency_key: str | None, durability: Durability | None, purpose: str
) -> None:
    if idempotency_key is not None:
        if not _arguments.text(idempotency_key, "idempotency_key"):
            raise ValueError("idempotency_key is empty: leave it out, or give each write a key of its own")
        request.idempotency_key = idempotency_key
    if durability is not None:
        request.durability = cast(twin_pb2.Durability, checked_choice("durability", durability, Durability).value)
    if purpose:
        request.purpose = _arguments.text(purpose, "purpose")


def request_names(names: Iterable[str]) -> Iterable[str]:
    """Of attributes. A str is an iterable of str too, and never meant as one."""
    if isinstance(names, str):
        raise TypeError(f"attributes takes several names: write [{names!r}]")
    return [_arguments.text(name, "a name in attributes") for name in names]


def _twin(reply: twins.GetTwinResponse) -> Twin:
    return Twin(reply.twin, reply.sequence, reply.redactions)


def _same(reply: T) -> T:
    return reply
