"""Times: `datetime` with a zone in Python, microseconds since the Unix epoch on the wire."""

from datetime import datetime, timedelta, timezone

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


def from_micros(micros: int) -> datetime:
    """In UTC. Raises ValueError outside the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError(f"{micros} microseconds since the epoch lie outside the years that datetime knows") from None
