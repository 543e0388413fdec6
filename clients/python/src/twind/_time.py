"""Times: `datetime` with a zone in Python, microseconds since the Unix epoch on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Union

# A time to ask for: a datetime with a zone, or microseconds since the Unix epoch.
Moment = Union[datetime, int]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(time: datetime, what: str) -> int:
    """Raises ValueError, naming `what`, for a time without a zone."""
    if time.utcoffset() is None:
        raise ValueError(
            f"{what}: {time!r} has no time zone, so it names no moment: "
            "use datetime.now(timezone.utc), or give it a tzinfo"
        )
    return (time - _EPOCH) // _MICROSECOND


def moment(time: Moment, what: str) -> int:
    """For a field where 0 states no time. Raises ValueError or TypeError, naming `what`."""
    if isinstance(time, datetime):
        micros = to_micros(time, what)
    elif isinstance(time, int) and not isinstance(time, bool):
        micros = time
    else:
        raise TypeError(f"{what} is a datetime or an int of microseconds since the epoch, not {type(time).__name__}")
    if not -(2**63) <= micros < 2**63:
        raise ValueError(f"{what}: {micros} microseconds do not fit into 64 bits")
    if micros == 0:
        raise ValueError(f"{what}: the epoch itself stands for a time that is not stated: use a microsecond later")
    return micros


def from_micros(micros: int) -> datetime:
    """In UTC. Raises ValueError outside the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError(f"{micros} microseconds since the epoch lie outside the years that datetime knows") from None
