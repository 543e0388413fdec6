"""Times: `datetime` with a zone in Python, microseconds since the Unix epoch on the wire.

The wire reaches further than the years 1 to 9999 that `datetime` knows: what lies outside is shown as Microseconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Union

# A time to ask for: a datetime with a zone, or microseconds since the Unix epoch.
Moment = Union[datetime, int]


class Microseconds(int):
    """A time outside the years 1 to 9999: an int of microseconds since the Unix epoch. It can be written back."""

    def __repr__(self) -> str:
        return f"twind.Microseconds({int(self)})"


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=timezone.utc) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // _MICROSECOND


def to_micros(time: datetime, what: str) -> int:
    """Raises ValueError, naming `what`, for a time without a zone."""
    if time.utcoffset() is None:
        raise ValueError(
            f"{what}: {time!r} has no time zone, so it is ambiguous: "
            "use datetime.now(timezone.utc), or give it a tzinfo"
        )
    return (time - _EPOCH) // _MICROSECOND


def moment(time: Moment, what: str) -> int:
    """For a field where 0 states no time. Raises ValueError or TypeError, naming `what`."""
    if isinstance(time, datetime):
        micros = to_micros(time, what)
    elif isinstance(time, Microseconds):
        micros = int(time)
    elif isinstance(time, int) and not isinstance(time, bool):
        micros = time
        _check_unit(micros, what)
    else:
        raise TypeError(f"{what} must be a datetime or int microseconds since the epoch, not {type(time).__name__}")
    if not -(2**63) <= micros < 2**63:
        raise ValueError(f"{what}: {micros} microseconds do not fit in 64 bits")
    if micros == 0:
        raise ValueError(f"{what}: the Unix epoch itself is not supported: use a microsecond later")
    return micros


# What a whole number is that is no count of microseconds: the present in seconds, milliseconds and nanoseconds. As
# microseconds these are times of early 1970, and of the year 33,000.
_OTHER_UNITS = [("seconds", 10**9, 10**10), ("milliseconds", 10**12, 10**13), ("nanoseconds", 10**18, 2**63)]


def _check_unit(micros: int, what: str) -> None:
    for unit, low, high in _OTHER_UNITS:
        if low <= micros < high:
            raise ValueError(
                f"{what} is {micros}, which looks like {unit} since the epoch: "
                "convert it to microseconds, or use a datetime"
            )


def from_micros(micros: int) -> datetime | Microseconds:
    """In UTC. Never raises."""
    return _EPOCH + timedelta(microseconds=micros) if _FIRST <= micros <= _LAST else Microseconds(micros)


def clock(micros: int) -> datetime:
    """A reading of the daemon's clock, in UTC; one that datetime cannot show is the first or the last that it can."""
    return _EPOCH + timedelta(microseconds=min(max(micros, _FIRST), _LAST))
