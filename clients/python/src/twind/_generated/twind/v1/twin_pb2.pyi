# mypy: disable-error-code="type-arg,var-annotated"
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

COMBINE_CONSENSUS: Combine
COMBINE_FIRST: Combine
COMBINE_LATEST: Combine
COMBINE_MAX: Combine
COMBINE_MIN: Combine
COMBINE_SUM: Combine
DESCRIPTOR: _descriptor.FileDescriptor
DURABILITY_JOURNALED: Durability
DURABILITY_MEMORY: Durability
DURABILITY_SYNCED: Durability
DURABILITY_UNSPECIFIED: Durability
METHOD_INFERRED: Method
METHOD_OBSERVED: Method
METHOD_REPORTED: Method
METHOD_UNSPECIFIED: Method

class Attribute(_message.Message):
    __slots__ = ["agent", "combine", "confidence", "effective_time", "event_id", "event_source", "evidence", "evidence_roots", "increment", "method", "more_evidence", "name", "purpose", "recorded_at", "schema_version", "sequence", "source_rank", "turn", "valid_from_time", "valid_to_time", "value"]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    COMBINE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_ROOTS_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MORE_EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RANK_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    agent: str
    combine: Combine
    confidence: float
    effective_time: int
    event_id: str
    event_source: str
    evidence: str
    evidence_roots: _containers.RepeatedCompositeFieldContainer[EvidenceRoot]
    increment: Value
    method: Method
    more_evidence: _containers.RepeatedScalarFieldContainer[str]
    name: str
    purpose: str
    recorded_at: int
    schema_version: str
    sequence: int
    source_rank: int
    turn: bool
    valid_from_time: int
    valid_to_time: int
    value: Value
    def __init__(self, name: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., valid_from_time: _Optional[int] = ..., valid_to_time: _Optional[int] = ..., recorded_at: _Optional[int] = ..., agent: _Optional[str] = ..., confidence: _Optional[float] = ..., evidence: _Optional[str] = ..., sequence: _Optional[int] = ..., purpose: _Optional[str] = ..., increment: _Optional[_Union[Value, _Mapping]] = ..., method: _Optional[_Union[Method, str]] = ..., event_source: _Optional[str] = ..., event_id: _Optional[str] = ..., combine: _Optional[_Union[Combine, str]] = ..., source_rank: _Optional[int] = ..., evidence_roots: _Optional[_Iterable[_Union[EvidenceRoot, _Mapping]]] = ..., schema_version: _Optional[str] = ..., more_evidence: _Optional[_Iterable[str]] = ..., turn: bool = ..., effective_time: _Optional[int] = ...) -> None: ...

class EvidenceRoot(_message.Message):
    __slots__ = ["id", "time"]
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    time: int
    def __init__(self, id: _Optional[str] = ..., time: _Optional[int] = ...) -> None: ...

class Fact(_message.Message):
    __slots__ = ["attribute", "deleted", "ordinal", "removed"]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    attribute: Attribute
    deleted: bool
    ordinal: int
    removed: bool
    def __init__(self, attribute: _Optional[_Union[Attribute, _Mapping]] = ..., ordinal: _Optional[int] = ..., removed: bool = ..., deleted: bool = ...) -> None: ...

class Redaction(_message.Message):
    __slots__ = ["attribute", "reason", "twin"]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TWIN_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    reason: str
    twin: str
    def __init__(self, twin: _Optional[str] = ..., attribute: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Scalar(_message.Message):
    __slots__ = ["bool_value", "bytes_value", "double_value", "int_value", "string_value", "timestamp_value"]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    BYTES_VALUE_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_VALUE_FIELD_NUMBER: _ClassVar[int]
    bool_value: bool
    bytes_value: bytes
    double_value: float
    int_value: int
    string_value: str
    timestamp_value: int
    def __init__(self, string_value: _Optional[str] = ..., int_value: _Optional[int] = ..., double_value: _Optional[float] = ..., bool_value: bool = ..., bytes_value: _Optional[bytes] = ..., timestamp_value: _Optional[int] = ...) -> None: ...

class ScalarList(_message.Message):
    __slots__ = ["values"]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Scalar]
    def __init__(self, values: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ...) -> None: ...

class Twin(_message.Message):
    __slots__ = ["attributes", "name", "revision", "scheduled"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    name: str
    revision: int
    scheduled: _containers.RepeatedCompositeFieldContainer[Attribute]
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[int] = ..., attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., scheduled: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ["bool_value", "bytes_value", "double_value", "int_value", "json_value", "list_value", "string_value", "timestamp_value"]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    BYTES_VALUE_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    JSON_VALUE_FIELD_NUMBER: _ClassVar[int]
    LIST_VALUE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_VALUE_FIELD_NUMBER: _ClassVar[int]
    bool_value: bool
    bytes_value: bytes
    double_value: float
    int_value: int
    json_value: str
    list_value: ScalarList
    string_value: str
    timestamp_value: int
    def __init__(self, string_value: _Optional[str] = ..., int_value: _Optional[int] = ..., double_value: _Optional[float] = ..., bool_value: bool = ..., bytes_value: _Optional[bytes] = ..., timestamp_value: _Optional[int] = ..., list_value: _Optional[_Union[ScalarList, _Mapping]] = ..., json_value: _Optional[str] = ...) -> None: ...

class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Combine(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
