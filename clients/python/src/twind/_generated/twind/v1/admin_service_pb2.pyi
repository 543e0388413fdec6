# mypy: disable-error-code="type-arg,var-annotated"
from twind._generated.twind.v1 import twin_pb2 as _twin_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckpointRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class CheckpointResponse(_message.Message):
    __slots__ = ["duration_micros", "sequence", "twin_count"]
    DURATION_MICROS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    duration_micros: int
    sequence: int
    twin_count: int
    def __init__(self, sequence: _Optional[int] = ..., twin_count: _Optional[int] = ..., duration_micros: _Optional[int] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ["data_dir", "dev", "durability", "limits", "pid", "sequence", "socket", "start_time", "version"]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    DEV_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    data_dir: str
    dev: bool
    durability: _twin_pb2.Durability
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    pid: int
    sequence: int
    socket: str
    start_time: int
    version: str
    def __init__(self, version: _Optional[str] = ..., sequence: _Optional[int] = ..., durability: _Optional[_Union[_twin_pb2.Durability, str]] = ..., dev: bool = ..., start_time: _Optional[int] = ..., socket: _Optional[str] = ..., data_dir: _Optional[str] = ..., limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., pid: _Optional[int] = ...) -> None: ...

class GetStatsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetStatsResponse(_message.Message):
    __slots__ = ["call_count", "checkpoint_count", "checkpoint_duration_micros", "checkpoint_error", "checkpoint_sequence", "checkpoint_time", "checkpoint_twin_count", "connection_count", "dirty_twin_count", "feed_bytes", "feed_oldest_sequence", "log_dropped_count", "resident_bytes", "sequence", "stream_count", "twin_bytes", "twin_count", "uptime_micros", "watch_count"]
    CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_DURATION_MICROS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ERROR_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIRTY_TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    FEED_BYTES_FIELD_NUMBER: _ClassVar[int]
    FEED_OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LOG_DROPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STREAM_COUNT_FIELD_NUMBER: _ClassVar[int]
    TWIN_BYTES_FIELD_NUMBER: _ClassVar[int]
    TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPTIME_MICROS_FIELD_NUMBER: _ClassVar[int]
    WATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    call_count: int
    checkpoint_count: int
    checkpoint_duration_micros: int
    checkpoint_error: str
    checkpoint_sequence: int
    checkpoint_time: int
    checkpoint_twin_count: int
    connection_count: int
    dirty_twin_count: int
    feed_bytes: int
    feed_oldest_sequence: int
    log_dropped_count: int
    resident_bytes: int
    sequence: int
    stream_count: int
    twin_bytes: int
    twin_count: int
    uptime_micros: int
    watch_count: int
    def __init__(self, sequence: _Optional[int] = ..., twin_count: _Optional[int] = ..., dirty_twin_count: _Optional[int] = ..., twin_bytes: _Optional[int] = ..., connection_count: _Optional[int] = ..., stream_count: _Optional[int] = ..., watch_count: _Optional[int] = ..., call_count: _Optional[int] = ..., feed_bytes: _Optional[int] = ..., feed_oldest_sequence: _Optional[int] = ..., checkpoint_count: _Optional[int] = ..., checkpoint_sequence: _Optional[int] = ..., checkpoint_time: _Optional[int] = ..., checkpoint_duration_micros: _Optional[int] = ..., checkpoint_twin_count: _Optional[int] = ..., checkpoint_error: _Optional[str] = ..., uptime_micros: _Optional[int] = ..., resident_bytes: _Optional[int] = ..., log_dropped_count: _Optional[int] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ["name", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: int
    def __init__(self, name: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
