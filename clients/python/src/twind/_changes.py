"""Changes of attributes: a plain value sets one; `remove`, `increment` and `attribute` are for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from twind import _arguments, _time, _values
from twind._generated.twind.v1.twin_service_pb2 import Change as ChangeMessage
from twind._generated.twind.v1.twin_service_pb2 import UpdateTwinRequest
from twind._time import Moment


class Remove:
    """The type of `twind.remove`."""

    def __repr__(self) -> str:
        return "twind.remove"


# Removes the attribute: `client.update(name, {"phone": twind.remove})`.
remove = Remove()


@dataclass(frozen=True)
class Increment:
    amount: int | float


@dataclass(frozen=True)
class Annotated:
    value: _values.Input | Remove | Increment
    confidence: float | None
    evidence: str | None
    valid_from: Moment | None
    valid_to: Moment | None


ChangeLike = Union[_values.Input, Remove, Increment, Annotated]


def increment(amount: int | float = 1) -> Increment:
    """Adds to the attribute; a missing one counts as 0: `client.update(name, {"visits": twind.increment(1)})`."""
    return Increment(amount)


def attribute(
    value: _values.Input | Remove | Increment,
    *,
    confidence: float | None = None,
    evidence: str | None = None,
    valid_from: Moment | None = None,
    valid_to: Moment | None = None,
) -> Annotated:
    """A value with its provenance: `{"mood": twind.attribute("calm", confidence=0.8, evidence="ticket:4711")}`.

    confidence  how sure you are: above 0, at most 1
    evidence    the source, at most 128 bytes
    valid_from  when it begins to hold; default: at the time of the commit
    valid_to    when it ceases to hold; default: never

    Times are datetimes with a time zone, or microseconds since the epoch.
    """
    if isinstance(confidence, (str, bytes, bool)):
        raise TypeError(f"confidence must be a number above 0 and at most 1, not {confidence!r}")
    if confidence is not None and not 0 < confidence <= 1:
        raise ValueError(f"confidence is {confidence}, but must be above 0 and at most 1: leave it out if unknown")
    if evidence == "":
        raise ValueError("evidence is empty: leave it out if there is none")
    return Annotated(value, confidence, evidence, valid_from, valid_to)


def write_changes(changes: Mapping[str, ChangeLike], request: UpdateTwinRequest) -> None:
    """Adds changes to a request. Raises TypeError or ValueError, naming the attribute that cannot be written."""
    try:
        items = changes.items()
    except AttributeError:
        raise TypeError(f"changes must be a mapping of attribute names to values, not {type(changes).__name__}") from None
    for name, change in items:
        _write(name, change, request.changes.add())


def _write(name: str, change: object, message: ChangeMessage) -> None:
    message.attribute = _arguments.text(name, "an attribute name")
    what = f"attribute {name!r}"
    if not isinstance(change, Annotated):
        _write_operation(change, message, what)
        return
    _write_operation(change.value, message, what)
    if change.confidence is not None:
        message.confidence = change.confidence
    if change.evidence is not None:
        message.evidence = _arguments.text(change.evidence, f"the evidence of {what}")
    if change.valid_from is not None:
        message.valid_from_time = _time.moment(change.valid_from, f"valid_from of {what}")
    if change.valid_to is not None:
        message.valid_to_time = _time.moment(change.valid_to, f"valid_to of {what}")


def _write_operation(change: object, message: ChangeMessage, what: str) -> None:
    if isinstance(change, Increment):
        _values.write_number(change.amount, message.increment, what)
    elif isinstance(change, Remove):
        message.remove = True
    else:
        _values.write(change, message.set, what)
