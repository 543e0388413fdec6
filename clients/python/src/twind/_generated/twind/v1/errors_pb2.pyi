# mypy: disable-error-code="type-arg,var-annotated"
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ConflictDetail(_message.Message):
    __slots__ = ["current_revision", "last_agent", "name", "recorded_at"]
    CURRENT_REVISION_FIELD_NUMBER: _ClassVar[int]
    LAST_AGENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    current_revision: int
    last_agent: str
    name: str
    recorded_at: int
    def __init__(self, name: _Optional[str] = ..., current_revision: _Optional[int] = ..., last_agent: _Optional[str] = ..., recorded_at: _Optional[int] = ...) -> None: ...

class LimitDetail(_message.Message):
    __slots__ = ["actual", "limit", "maximum"]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    actual: int
    limit: str
    maximum: int
    def __init__(self, limit: _Optional[str] = ..., maximum: _Optional[int] = ..., actual: _Optional[int] = ...) -> None: ...

class ResumeDetail(_message.Message):
    __slots__ = ["head_sequence", "oldest_sequence"]
    HEAD_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    head_sequence: int
    oldest_sequence: int
    def __init__(self, oldest_sequence: _Optional[int] = ..., head_sequence: _Optional[int] = ...) -> None: ...
