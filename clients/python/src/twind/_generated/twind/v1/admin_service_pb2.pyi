# mypy: disable-error-code="type-arg,var-annotated"
from twind._generated.twind.v1 import twin_pb2 as _twin_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BackupRequest(_message.Message):
    __slots__ = ["path"]
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class BackupResponse(_message.Message):
    __slots__ = ["byte_count", "pages_done", "pages_total", "sequence"]
    BYTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAGES_DONE_FIELD_NUMBER: _ClassVar[int]
    PAGES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    byte_count: int
    pages_done: int
    pages_total: int
    sequence: int
    def __init__(self, pages_done: _Optional[int] = ..., pages_total: _Optional[int] = ..., sequence: _Optional[int] = ..., byte_count: _Optional[int] = ...) -> None: ...

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

class ExportFactsRequest(_message.Message):
    __slots__ = ["prefix"]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    def __init__(self, prefix: _Optional[str] = ...) -> None: ...

class ExportFactsResponse(_message.Message):
    __slots__ = ["complete", "fact_count", "sequence", "twin_count", "twins"]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    FACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TWINS_FIELD_NUMBER: _ClassVar[int]
    TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    complete: bool
    fact_count: int
    sequence: int
    twin_count: int
    twins: _containers.RepeatedCompositeFieldContainer[TwinHistory]
    def __init__(self, twins: _Optional[_Iterable[_Union[TwinHistory, _Mapping]]] = ..., sequence: _Optional[int] = ..., complete: bool = ..., twin_count: _Optional[int] = ..., fact_count: _Optional[int] = ...) -> None: ...

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
    __slots__ = ["buffer_bytes", "buffer_bytes_max", "call_count", "checkpoint_count", "checkpoint_duration_micros", "checkpoint_error", "checkpoint_rows_done", "checkpoint_rows_total", "checkpoint_sequence", "checkpoint_time", "checkpoint_twin_count", "cold_read_count", "connection_count", "dirty_twin_count", "eviction_count", "fact_count", "failure", "feed_bytes", "feed_oldest_sequence", "journal_bytes", "journal_segment_count", "journal_sync_count", "log_dropped_count", "memory_bytes_max", "recovery_bytes_cut", "recovery_commit_count", "recovery_duration_micros", "resident_bytes", "resident_twin_count", "sequence", "stream_count", "synced_sequence", "twin_bytes", "twin_count", "uptime_micros", "warning", "watch_count"]
    BUFFER_BYTES_FIELD_NUMBER: _ClassVar[int]
    BUFFER_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_DURATION_MICROS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ERROR_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ROWS_DONE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ROWS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    COLD_READ_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIRTY_TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    EVICTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    FACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    FEED_BYTES_FIELD_NUMBER: _ClassVar[int]
    FEED_OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_SYNC_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOG_DROPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_BYTES_CUT_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_COMMIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_DURATION_MICROS_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STREAM_COUNT_FIELD_NUMBER: _ClassVar[int]
    SYNCED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TWIN_BYTES_FIELD_NUMBER: _ClassVar[int]
    TWIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPTIME_MICROS_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    WATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    buffer_bytes: int
    buffer_bytes_max: int
    call_count: int
    checkpoint_count: int
    checkpoint_duration_micros: int
    checkpoint_error: str
    checkpoint_rows_done: int
    checkpoint_rows_total: int
    checkpoint_sequence: int
    checkpoint_time: int
    checkpoint_twin_count: int
    cold_read_count: int
    connection_count: int
    dirty_twin_count: int
    eviction_count: int
    fact_count: int
    failure: str
    feed_bytes: int
    feed_oldest_sequence: int
    journal_bytes: int
    journal_segment_count: int
    journal_sync_count: int
    log_dropped_count: int
    memory_bytes_max: int
    recovery_bytes_cut: int
    recovery_commit_count: int
    recovery_duration_micros: int
    resident_bytes: int
    resident_twin_count: int
    sequence: int
    stream_count: int
    synced_sequence: int
    twin_bytes: int
    twin_count: int
    uptime_micros: int
    warning: str
    watch_count: int
    def __init__(self, sequence: _Optional[int] = ..., twin_count: _Optional[int] = ..., dirty_twin_count: _Optional[int] = ..., twin_bytes: _Optional[int] = ..., connection_count: _Optional[int] = ..., stream_count: _Optional[int] = ..., watch_count: _Optional[int] = ..., call_count: _Optional[int] = ..., feed_bytes: _Optional[int] = ..., feed_oldest_sequence: _Optional[int] = ..., checkpoint_count: _Optional[int] = ..., checkpoint_sequence: _Optional[int] = ..., checkpoint_time: _Optional[int] = ..., checkpoint_duration_micros: _Optional[int] = ..., checkpoint_twin_count: _Optional[int] = ..., checkpoint_error: _Optional[str] = ..., uptime_micros: _Optional[int] = ..., resident_bytes: _Optional[int] = ..., log_dropped_count: _Optional[int] = ..., failure: _Optional[str] = ..., synced_sequence: _Optional[int] = ..., journal_bytes: _Optional[int] = ..., journal_segment_count: _Optional[int] = ..., journal_sync_count: _Optional[int] = ..., memory_bytes_max: _Optional[int] = ..., resident_twin_count: _Optional[int] = ..., eviction_count: _Optional[int] = ..., cold_read_count: _Optional[int] = ..., checkpoint_rows_done: _Optional[int] = ..., checkpoint_rows_total: _Optional[int] = ..., recovery_commit_count: _Optional[int] = ..., recovery_bytes_cut: _Optional[int] = ..., recovery_duration_micros: _Optional[int] = ..., fact_count: _Optional[int] = ..., buffer_bytes: _Optional[int] = ..., buffer_bytes_max: _Optional[int] = ..., warning: _Optional[str] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ["name", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: int
    def __init__(self, name: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...

class TwinHistory(_message.Message):
    __slots__ = ["facts", "kept_from_time", "name"]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[_twin_pb2.Fact]
    kept_from_time: int
    name: str
    def __init__(self, name: _Optional[str] = ..., kept_from_time: _Optional[int] = ..., facts: _Optional[_Iterable[_Union[_twin_pb2.Fact, _Mapping]]] = ...) -> None: ...
