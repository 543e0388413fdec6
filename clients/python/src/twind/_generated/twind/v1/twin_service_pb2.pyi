# mypy: disable-error-code="type-arg,var-annotated"
from twind._generated.twind.v1 import twin_pb2 as _twin_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchGetTwinsRequest(_message.Message):
    __slots__ = ["attributes", "min_sequence", "names", "purpose"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    MIN_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    min_sequence: int
    names: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    def __init__(self, names: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., min_sequence: _Optional[int] = ...) -> None: ...

class BatchGetTwinsResponse(_message.Message):
    __slots__ = ["redactions", "results", "sequence"]
    REDACTIONS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    redactions: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Redaction]
    results: _containers.RepeatedCompositeFieldContainer[TwinResult]
    sequence: int
    def __init__(self, results: _Optional[_Iterable[_Union[TwinResult, _Mapping]]] = ..., sequence: _Optional[int] = ..., redactions: _Optional[_Iterable[_Union[_twin_pb2.Redaction, _Mapping]]] = ...) -> None: ...

class BatchUpdateTwinsRequest(_message.Message):
    __slots__ = ["durability", "idempotency_key", "purpose", "requests"]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    durability: _twin_pb2.Durability
    idempotency_key: str
    purpose: str
    requests: _containers.RepeatedCompositeFieldContainer[UpdateTwinRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[UpdateTwinRequest, _Mapping]]] = ..., idempotency_key: _Optional[str] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ..., purpose: _Optional[str] = ...) -> None: ...

class BatchUpdateTwinsResponse(_message.Message):
    __slots__ = ["durability", "fact_count", "revisions", "sequence"]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    FACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    durability: _twin_pb2.Durability
    fact_count: int
    revisions: _containers.RepeatedScalarFieldContainer[int]
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., revisions: _Optional[_Iterable[int]] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ..., fact_count: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ["attribute", "confidence", "evidence", "increment", "remove", "set", "valid_from_time", "valid_to_time"]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    SET_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    confidence: float
    evidence: str
    increment: _twin_pb2.Value
    remove: bool
    set: _twin_pb2.Value
    valid_from_time: int
    valid_to_time: int
    def __init__(self, attribute: _Optional[str] = ..., set: _Optional[_Union[_twin_pb2.Value, _Mapping]] = ..., remove: bool = ..., increment: _Optional[_Union[_twin_pb2.Value, _Mapping]] = ..., valid_from_time: _Optional[int] = ..., valid_to_time: _Optional[int] = ..., confidence: _Optional[float] = ..., evidence: _Optional[str] = ...) -> None: ...

class DeleteTwinRequest(_message.Message):
    __slots__ = ["durability", "expected_revision", "idempotency_key", "name", "purpose"]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    durability: _twin_pb2.Durability
    expected_revision: int
    idempotency_key: str
    name: str
    purpose: str
    def __init__(self, name: _Optional[str] = ..., expected_revision: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ..., purpose: _Optional[str] = ...) -> None: ...

class DeleteTwinResponse(_message.Message):
    __slots__ = ["durability", "revision", "sequence"]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    durability: _twin_pb2.Durability
    revision: int
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., revision: _Optional[int] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ...) -> None: ...

class GetTwinRequest(_message.Message):
    __slots__ = ["attributes", "if_newer_than_revision", "known_at", "min_sequence", "name", "purpose", "valid_at"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    IF_NEWER_THAN_REVISION_FIELD_NUMBER: _ClassVar[int]
    KNOWN_AT_FIELD_NUMBER: _ClassVar[int]
    MIN_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    VALID_AT_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    if_newer_than_revision: int
    known_at: int
    min_sequence: int
    name: str
    purpose: str
    valid_at: int
    def __init__(self, name: _Optional[str] = ..., attributes: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., if_newer_than_revision: _Optional[int] = ..., min_sequence: _Optional[int] = ..., valid_at: _Optional[int] = ..., known_at: _Optional[int] = ...) -> None: ...

class GetTwinResponse(_message.Message):
    __slots__ = ["not_modified", "redactions", "sequence", "twin"]
    NOT_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    REDACTIONS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TWIN_FIELD_NUMBER: _ClassVar[int]
    not_modified: bool
    redactions: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Redaction]
    sequence: int
    twin: _twin_pb2.Twin
    def __init__(self, twin: _Optional[_Union[_twin_pb2.Twin, _Mapping]] = ..., sequence: _Optional[int] = ..., redactions: _Optional[_Iterable[_Union[_twin_pb2.Redaction, _Mapping]]] = ..., not_modified: bool = ...) -> None: ...

class ListFactsRequest(_message.Message):
    __slots__ = ["attributes", "name", "purpose", "recorded_from_time", "recorded_to_time", "valid_from_time", "valid_to_time"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORDED_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    name: str
    purpose: str
    recorded_from_time: int
    recorded_to_time: int
    valid_from_time: int
    valid_to_time: int
    def __init__(self, name: _Optional[str] = ..., attributes: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., recorded_from_time: _Optional[int] = ..., recorded_to_time: _Optional[int] = ..., valid_from_time: _Optional[int] = ..., valid_to_time: _Optional[int] = ...) -> None: ...

class ListFactsResponse(_message.Message):
    __slots__ = ["facts", "redactions", "sequence"]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    REDACTIONS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Fact]
    redactions: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Redaction]
    sequence: int
    def __init__(self, facts: _Optional[_Iterable[_Union[_twin_pb2.Fact, _Mapping]]] = ..., sequence: _Optional[int] = ..., redactions: _Optional[_Iterable[_Union[_twin_pb2.Redaction, _Mapping]]] = ...) -> None: ...

class ListTwinsRequest(_message.Message):
    __slots__ = ["attributes", "names_only", "page_size", "page_token", "prefix", "purpose", "with_scheduled"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    NAMES_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    WITH_SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    names_only: bool
    page_size: int
    page_token: str
    prefix: str
    purpose: str
    with_scheduled: bool
    def __init__(self, prefix: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., attributes: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., names_only: bool = ..., with_scheduled: bool = ...) -> None: ...

class ListTwinsResponse(_message.Message):
    __slots__ = ["next_page_token", "redactions", "sequence", "twins"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REDACTIONS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TWINS_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    redactions: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Redaction]
    sequence: int
    twins: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Twin]
    def __init__(self, twins: _Optional[_Iterable[_Union[_twin_pb2.Twin, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., sequence: _Optional[int] = ..., redactions: _Optional[_Iterable[_Union[_twin_pb2.Redaction, _Mapping]]] = ...) -> None: ...

class ResultStatus(_message.Message):
    __slots__ = ["code", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class TwinChange(_message.Message):
    __slots__ = ["attributes", "created", "deleted", "ended", "name", "other_facts", "removed", "revision"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OTHER_FACTS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Attribute]
    created: bool
    deleted: bool
    ended: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Attribute]
    name: str
    other_facts: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Attribute]
    removed: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[int] = ..., attributes: _Optional[_Iterable[_Union[_twin_pb2.Attribute, _Mapping]]] = ..., removed: _Optional[_Iterable[str]] = ..., deleted: bool = ..., other_facts: _Optional[_Iterable[_Union[_twin_pb2.Attribute, _Mapping]]] = ..., created: bool = ..., ended: _Optional[_Iterable[_Union[_twin_pb2.Attribute, _Mapping]]] = ...) -> None: ...

class TwinResult(_message.Message):
    __slots__ = ["name", "status", "twin"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TWIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    status: ResultStatus
    twin: _twin_pb2.Twin
    def __init__(self, name: _Optional[str] = ..., twin: _Optional[_Union[_twin_pb2.Twin, _Mapping]] = ..., status: _Optional[_Union[ResultStatus, _Mapping]] = ...) -> None: ...

class UpdateTwinRequest(_message.Message):
    __slots__ = ["changes", "durability", "expected_revision", "idempotency_key", "must_not_exist", "name", "purpose"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    MUST_NOT_EXIST_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    durability: _twin_pb2.Durability
    expected_revision: int
    idempotency_key: str
    must_not_exist: bool
    name: str
    purpose: str
    def __init__(self, name: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., expected_revision: _Optional[int] = ..., must_not_exist: bool = ..., idempotency_key: _Optional[str] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ..., purpose: _Optional[str] = ...) -> None: ...

class UpdateTwinResponse(_message.Message):
    __slots__ = ["durability", "fact_count", "revision", "sequence"]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    FACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    durability: _twin_pb2.Durability
    fact_count: int
    revision: int
    sequence: int
    def __init__(self, sequence: _Optional[int] = ..., revision: _Optional[int] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ..., fact_count: _Optional[int] = ...) -> None: ...

class WatchTwinsRequest(_message.Message):
    __slots__ = ["attributes", "coalesce", "from_sequence", "names", "prefix", "purpose"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    COALESCE_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    coalesce: bool
    from_sequence: int
    names: _containers.RepeatedScalarFieldContainer[str]
    prefix: str
    purpose: str
    def __init__(self, names: _Optional[_Iterable[str]] = ..., prefix: _Optional[str] = ..., from_sequence: _Optional[int] = ..., coalesce: bool = ..., attributes: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ...) -> None: ...

class WatchTwinsResponse(_message.Message):
    __slots__ = ["changes", "redactions", "sequence", "snapshot", "snapshot_complete"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    REDACTIONS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[TwinChange]
    redactions: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Redaction]
    sequence: int
    snapshot: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Twin]
    snapshot_complete: bool
    def __init__(self, sequence: _Optional[int] = ..., snapshot: _Optional[_Iterable[_Union[_twin_pb2.Twin, _Mapping]]] = ..., snapshot_complete: bool = ..., changes: _Optional[_Iterable[_Union[TwinChange, _Mapping]]] = ..., redactions: _Optional[_Iterable[_Union[_twin_pb2.Redaction, _Mapping]]] = ...) -> None: ...
