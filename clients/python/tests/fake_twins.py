"""Twins in a dictionary: as much of TwinService as the client's tests need. Called by FakeDaemon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from google.protobuf.message import Message

from twind._generated.grpc.health.v1 import health_pb2
from twind._generated.twind.v1 import admin_service_pb2 as admin
from twind._generated.twind.v1 import errors_pb2
from twind._generated.twind.v1 import twin_pb2
from twind._generated.twind.v1 import twin_service_pb2 as pb
from twind.errors import Code


class Refused(Exception):
    """A status other than OK."""

    def __init__(self, code: Code, message: str, *details: Message) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


@dataclass
class FakeTwins:
    lock: threading.Condition = field(default_factory=threading.Condition)
    twins: dict[str, twin_pb2.Twin] = field(default_factory=dict)
    keys: dict[tuple[str, str], Message] = field(default_factory=dict)
    feed: list[pb.WatchTwinsResponse] = field(default_factory=list)
    oldest_sequence: int = 0
    sequence: int = 0
    # What ListFacts sends, by twin; and whether it says that it is complete.
    facts: dict[str, list[twin_pb2.Fact]] = field(default_factory=dict)
    sends_last_part: bool = True
    # The page token that every list ends with.
    endless_token: str = ""
    # A batch's reply has room for so many twins.
    batch_room: int = 256

    def call(self, method: str, payload: bytes, agent: str) -> Message:
        request_type, serve = self._methods()[method]
        request = request_type.FromString(payload)
        with self.lock:
            response = serve(request, agent)
            self.lock.notify_all()
            return response

    def _methods(self) -> dict[str, tuple[type[Message], Callable[[Message, str], Message]]]:
        return {
            "GetTwin": (pb.GetTwinRequest, self._get),
            "BatchGetTwins": (pb.BatchGetTwinsRequest, self._batch_get),
            "UpdateTwin": (pb.UpdateTwinRequest, self._update),
            "BatchUpdateTwins": (pb.BatchUpdateTwinsRequest, self._batch_update),
            "DeleteTwin": (pb.DeleteTwinRequest, self._delete),
            "ListTwins": (pb.ListTwinsRequest, self._list),
            "GetServerInfo": (admin.GetServerInfoRequest, self._server_info),
            "GetStats": (admin.GetStatsRequest, self._stats),
            "Checkpoint": (admin.CheckpointRequest, self._checkpoint),
            "Check": (health_pb2.HealthCheckRequest, self._check),
        }

    def _get(self, request, agent):
        twin = self._existing(request.name)
        if request.if_newer_than_revision >= twin.revision:
            return pb.GetTwinResponse(sequence=self.sequence, not_modified=True)
        redactions = [twin_pb2.Redaction(attribute="salary", reason="not for support")] if request.purpose else []
        return pb.GetTwinResponse(twin=_masked(twin, request.attributes), sequence=self.sequence, redactions=redactions)

    def _batch_get(self, request, agent):
        if len(request.names) > 256:
            raise Refused(Code.INVALID_ARGUMENT, "names: at most 256")
        response = pb.BatchGetTwinsResponse(sequence=self.sequence)
        for name in request.names:
            result = response.results.add(name=name)
            if name not in self.twins:
                result.status.code, result.status.message = Code.NOT_FOUND, f"no twin {name}"
            elif sum(r.HasField("twin") for r in response.results) >= self.batch_room:
                result.status.code, result.status.message = Code.RESOURCE_EXHAUSTED, "the reply is full"
            else:
                result.twin.CopyFrom(_masked(self.twins[name], request.attributes))
        return response

    def _update(self, request, agent):
        key = (agent, request.idempotency_key)
        if request.idempotency_key and key in self.keys:
            return self.keys[key]
        self._check_precondition(request)
        change = self._apply(request, agent, self.sequence + 1)
        self._commit([change])
        response = pb.UpdateTwinResponse(
            sequence=self.sequence,
            revision=self.sequence,
            durability=request.durability or twin_pb2.DURABILITY_MEMORY,
            fact_count=len(request.changes),
        )
        if request.idempotency_key:
            self.keys[key] = response
        return response

    def _batch_update(self, request, agent):
        for one in request.requests:
            self._check_precondition(one)
        self._commit([self._apply(one, agent, self.sequence + 1) for one in request.requests])
        return pb.BatchUpdateTwinsResponse(
            sequence=self.sequence,
            revisions=[self.sequence] * len(request.requests),
            durability=twin_pb2.DURABILITY_MEMORY,
            fact_count=sum(len(one.changes) for one in request.requests),
        )

    def _delete(self, request, agent):
        twin = self._existing(request.name)
        if request.HasField("expected_revision") and request.expected_revision != twin.revision:
            raise self._stale(request.name, twin.revision)
        del self.twins[request.name]
        self._commit([pb.TwinChange(name=request.name, revision=self.sequence + 1, deleted=True)])
        return pb.DeleteTwinResponse(
            sequence=self.sequence, revision=self.sequence, durability=twin_pb2.DURABILITY_MEMORY
        )

    def _list(self, request, agent):
        names = sorted(n for n in self.twins if n.startswith(request.prefix) and n > request.page_token)
        size = request.page_size or 100
        response = pb.ListTwinsResponse(sequence=self.sequence)
        for name in names[:size]:
            twin = self.twins[name]
            bare = twin_pb2.Twin(name=name, revision=twin.revision)
            response.twins.append(bare if request.names_only else _masked(twin, request.attributes))
        if len(names) > size:
            response.next_page_token = names[size - 1]
        response.next_page_token = self.endless_token or response.next_page_token
        return response

    def _server_info(self, request, agent):
        return admin.GetServerInfoResponse(
            version="0.1.0", sequence=self.sequence, durability=twin_pb2.DURABILITY_MEMORY, dev=True,
            start_time=1_000_000, socket="/s", data_dir="/d", pid=7,
            limits=[admin.Limit(name="requestBytesMax", value=262144)],
        )  # fmt: skip

    def _stats(self, request, agent):
        return admin.GetStatsResponse(
            sequence=self.sequence, twin_count=len(self.twins), uptime_micros=2_000_000, failure="disk full",
            synced_sequence=1, journal_bytes=64, memory_bytes_max=1024, checkpoint_rows_total=9,
            recovery_duration_micros=3_000_000,
        )  # fmt: skip

    def _checkpoint(self, request, agent):
        return admin.CheckpointResponse(sequence=self.sequence, twin_count=len(self.twins), duration_micros=5)

    def _check(self, request, agent):
        if request.service not in ("", "twind.v1.TwinService"):
            raise Refused(Code.NOT_FOUND, f"no service {request.service}")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    def list_facts(self, request, send: Callable[[Message], None]) -> None:
        """Parts of two facts each, as they stand in `facts`, with a redaction for a purpose."""
        with self.lock:
            if request.name not in self.facts:
                raise Refused(Code.NOT_FOUND, f"no twin {request.name}")
            facts, sequence = list(self.facts[request.name]), self.sequence
        redactions = [twin_pb2.Redaction(attribute="salary", reason="not for support")] if request.purpose else []
        for start in range(0, len(facts), 2):
            send(pb.ListFactsResponse(facts=facts[start : start + 2], redactions=redactions))
        if self.sends_last_part:
            send(pb.ListFactsResponse(sequence=sequence, redactions=redactions))

    def watch(self, request, send: Callable[[Message], None], ended: Callable[[], bool]) -> None:
        """Sends the snapshot and then commits until `ended`."""
        with self.lock:
            if request.HasField("from_sequence"):
                position = request.from_sequence
                if not self.oldest_sequence <= position <= self.sequence:
                    detail = errors_pb2.ResumeDetail(oldest_sequence=self.oldest_sequence, head_sequence=self.sequence)
                    raise Refused(Code.OUT_OF_RANGE, f"from_sequence {position} is not kept", detail)
            else:
                position = self.sequence
                for twin in sorted(self.twins.values(), key=lambda twin: twin.name):
                    if _watched(twin.name, request):
                        send(pb.WatchTwinsResponse(snapshot=[twin]))
                send(pb.WatchTwinsResponse(sequence=position, snapshot_complete=True))
        while not ended():
            with self.lock:
                self.lock.wait_for(lambda: self.sequence > position or ended(), timeout=0.05)
                new = [commit for commit in self.feed if commit.sequence > position]
                position = self.sequence
            for commit in new:
                changes = [change for change in commit.changes if _watched(change.name, request)]
                send(pb.WatchTwinsResponse(sequence=commit.sequence, changes=changes))

    def _existing(self, name: str) -> twin_pb2.Twin:
        if name not in self.twins:
            raise Refused(Code.NOT_FOUND, f"there is no twin {name}")
        return self.twins[name]

    def _check_precondition(self, request) -> None:
        revision = self.twins[request.name].revision if request.name in self.twins else 0
        if request.HasField("expected_revision") and request.expected_revision != revision:
            raise self._stale(request.name, revision)
        if request.must_not_exist and request.name in self.twins:
            raise Refused(Code.ALREADY_EXISTS, f"{request.name} exists", self._conflict(request.name, revision))

    def _stale(self, name: str, revision: int) -> Refused:
        return Refused(Code.ABORTED, f"{name} is at revision {revision}", self._conflict(name, revision))

    def _conflict(self, name: str, revision: int) -> Message:
        return errors_pb2.ConflictDetail(
            name=name, current_revision=revision, last_agent="someone", recorded_at=1_700_000_000_000_000
        )

    def _apply(self, request, agent: str, sequence: int) -> pb.TwinChange:
        twin = self.twins.setdefault(request.name, twin_pb2.Twin(name=request.name))
        attributes = {attribute.name: attribute for attribute in twin.attributes}
        outcome = pb.TwinChange(name=request.name, revision=sequence)
        for change in request.changes:
            if change.WhichOneof("op") == "remove":
                attributes.pop(change.attribute, None)
                outcome.removed.append(change.attribute)
                continue
            value = twin_pb2.Value()
            value.CopyFrom(change.set)
            if change.WhichOneof("op") == "increment":
                before = attributes[change.attribute].value.int_value if change.attribute in attributes else 0
                value = twin_pb2.Value(int_value=before + change.increment.int_value)
            now = int(time.time() * 1e6)
            attributes[change.attribute] = twin_pb2.Attribute(
                name=change.attribute, value=value, agent=agent, sequence=sequence, recorded_at=now,
                valid_from_time=change.valid_from_time or now, valid_to_time=change.valid_to_time,
                confidence=change.confidence, evidence=change.evidence, purpose=request.purpose,
            )  # fmt: skip
            outcome.attributes.append(attributes[change.attribute])
        whole = twin_pb2.Twin(name=request.name, revision=sequence)
        whole.attributes.extend(attributes[name] for name in sorted(attributes))
        self.twins[request.name] = whole
        return outcome

    def _commit(self, changes: list[pb.TwinChange]) -> None:
        self.sequence += 1
        self.feed.append(pb.WatchTwinsResponse(sequence=self.sequence, changes=changes))


def _masked(twin: twin_pb2.Twin, mask) -> twin_pb2.Twin:
    if not mask:
        return twin
    kept = [a for a in twin.attributes if any(a.name == m or a.name.startswith(m + ".") for m in mask)]
    return twin_pb2.Twin(name=twin.name, revision=twin.revision, attributes=kept)


def _watched(name: str, request) -> bool:
    return name in request.names if request.names else name.startswith(request.prefix)
