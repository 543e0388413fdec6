"""The results of reads: Twin, Attribute, Change and Fact.

They wrap the reply's messages and convert each value when it is used. Conversion never raises: values that Python
cannot represent are returned in another form (see `_values`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from twind import _values
from twind._generated.twind.v1 import twin_pb2, twin_service_pb2
from twind._getters import Getters
from twind._time import Moment, clock, from_micros
from twind._values import Value


@dataclass(frozen=True)
class Attribute:
    """One attribute's value and where it came from. Times are in UTC."""

    name: str
    value: Value
    # When the value begins and ceases to hold; None: no end. An int of microseconds outside the years 1 to 9999.
    valid_from: Moment
    valid_to: Moment | None
    # When the daemon recorded it, and in which commit.
    recorded_at: datetime
    sequence: int
    # The agent that wrote it.
    agent: str
    # How sure the writer was (0 to 1), its evidence and purpose; None: not stated.
    confidence: float | None
    evidence: str | None
    purpose: str | None
    # The number that was added, if the value comes from an increment.
    increment: int | float | None = None


@dataclass(frozen=True)
class Fact:
    """One recorded change. Times are in UTC."""

    # Empty when the twin was deleted.
    attribute: str
    # None: the attribute has no value while the fact holds.
    value: Value | None
    # When it begins and ceases to hold; None: no end. An int of microseconds outside the years 1 to 9999.
    valid_from: Moment
    valid_to: Moment | None
    # When the daemon recorded it, in which commit, and its number in the commit; None in a watch.
    recorded_at: datetime
    sequence: int
    ordinal: int | None
    # The agent that recorded it.
    agent: str
    # How sure the writer was (0 to 1), its evidence and purpose; None: not stated.
    confidence: float | None
    evidence: str | None
    purpose: str | None
    # The number that was added, if the value comes from an increment.
    increment: int | float | None
    # The twin was deleted, with all the attributes that it had.
    deleted: bool = False

    @property
    def removed(self) -> bool:
        """The attribute has no value while the fact holds."""
        return self.value is None and not self.deleted


@dataclass(frozen=True)
class Redaction:
    """An attribute that a reply withheld, and why. `twin` is empty if the reply is about one twin."""

    twin: str
    attribute: str
    reason: str


class Attributes(Getters):
    """A mapping from attribute name to value, in byte order of the names. For typed access see `_getters`."""

    __slots__ = ("_index", "_message")

    def __init__(self, message: twin_pb2.Twin | twin_service_pb2.TwinChange) -> None:
        self._message = message
        self._index: dict[str, twin_pb2.Attribute] | None = None

    def attribute(self, name: str) -> Attribute:
        """The attribute with its provenance. Raises KeyError."""
        message = self._by_name()[name]
        return Attribute(
            name=name,
            value=self[name],
            valid_from=from_micros(message.valid_from_time),
            valid_to=from_micros(message.valid_to_time) if message.valid_to_time else None,
            recorded_at=clock(message.recorded_at),
            sequence=message.sequence,
            agent=message.agent,
            confidence=message.confidence or None,
            evidence=message.evidence or None,
            purpose=message.purpose or None,
            increment=_increment(message),
        )

    def __getitem__(self, name: str) -> Value:
        return _values.from_message(self._by_name()[name].value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def _by_name(self) -> dict[str, twin_pb2.Attribute]:
        if self._index is None:
            self._index = {message.name: message for message in self._message.attributes}
        return self._index


class Twin(Attributes):
    """A twin, whole at one revision: a mapping from attribute name to value."""

    __slots__ = ("name", "redactions", "revision", "sequence")

    def __init__(self, message: twin_pb2.Twin, sequence: int, redactions: Sequence[twin_pb2.Redaction] = ()) -> None:
        super().__init__(message)
        self.name = message.name
        # The sequence of the twin's last commit.
        self.revision = message.revision
        # The reply includes everything up to this sequence; 0 in a watch's snapshot before it is complete.
        self.sequence = sequence
        self.redactions = tuple([Redaction(r.twin, r.attribute, r.reason) for r in redactions]) if redactions else ()

    def __repr__(self) -> str:
        return f"Twin({self.name!r}, revision={self.revision}, {dict(self)!r})"


class Change(Attributes):
    """What a commit did to a twin: a mapping from the attributes that were set to their values after the commit.

    If `snapshot` is true, it is not a commit but the twin as it is.
    """

    __slots__ = (
        "_ended", "_other_facts", "_scheduled", "created", "deleted", "name", "removed", "revision", "snapshot",
    )  # fmt: skip

    def __init__(self, message: twin_service_pb2.TwinChange | twin_pb2.Twin) -> None:
        super().__init__(message)
        self.name = message.name
        # The twin's revision after the commit.
        self.revision = message.revision
        self.snapshot = isinstance(message, twin_pb2.Twin)
        # The names of the attributes that were removed.
        self.removed: tuple[str, ...] = ()
        # The twin did not exist before the commit, or had been deleted.
        self.created = False
        # The twin was deleted with all its attributes.
        self.deleted = False
        self._ended: Iterable[twin_pb2.Attribute] = ()
        self._other_facts: Iterable[twin_pb2.Attribute] = ()
        self._scheduled: Iterable[twin_pb2.Attribute] = ()
        if isinstance(message, twin_service_pb2.TwinChange):
            self.removed = tuple(message.removed)
            self.created = message.created
            self.deleted = message.deleted
            self._ended = message.ended
            self._other_facts = message.other_facts
        else:
            self._scheduled = message.scheduled

    @property
    def ended(self) -> tuple[Fact, ...]:
        """The facts behind `removed`: from when, until when, and by whom."""
        return tuple(_fact(message, None) for message in self._ended)

    @property
    def other_facts(self) -> tuple[Fact, ...]:
        """Facts that the commit recorded about the past or the future, which do not hold at its time."""
        return tuple(_fact(message, None) for message in self._other_facts)

    @property
    def scheduled(self) -> tuple[Fact, ...]:
        """In a snapshot: facts that can matter later, when time passes or older facts arrive, as they were recorded."""
        return tuple(_fact(message, None) for message in self._scheduled)

    def __repr__(self) -> str:
        if self.deleted:
            return f"Change({self.name!r}, revision={self.revision}, deleted)"
        snapshot = ", snapshot" if self.snapshot else ", created" if self.created else ""
        removed = f", removed={self.removed!r}" if self.removed else ""
        return f"Change({self.name!r}, revision={self.revision}{snapshot}, {dict(self)!r}{removed})"


def fact(message: twin_pb2.Fact) -> Fact:
    return _fact(message.attribute, message.ordinal, message.deleted)


def _fact(message: twin_pb2.Attribute, ordinal: int | None, deleted: bool = False) -> Fact:
    return Fact(
        attribute=message.name,
        value=_values.from_message(message.value) if message.HasField("value") else None,
        valid_from=from_micros(message.valid_from_time),
        valid_to=from_micros(message.valid_to_time) if message.valid_to_time else None,
        recorded_at=clock(message.recorded_at),
        sequence=message.sequence,
        ordinal=ordinal,
        agent=message.agent,
        confidence=message.confidence or None,
        evidence=message.evidence or None,
        purpose=message.purpose or None,
        increment=_increment(message),
        deleted=deleted,
    )


def _increment(message: twin_pb2.Attribute) -> int | float | None:
    kind = message.increment.WhichOneof("kind")
    if kind is None:
        return None
    return message.increment.int_value if kind == "int_value" else message.increment.double_value
