"""What the client itself finds wrong with a call, in words. Called by both transports."""

from twind.errors import Cancelled, DeadlineExceeded, Unavailable

_UNKNOWN = (
    ": whether the write took effect is unknown. Read the twin again, or use an idempotency_key, which makes it "
    "safe to repeat"
)


def timeout_error(name: str, timeout: float, outcome_unknown: bool) -> DeadlineExceeded:
    text = f"{name} had no reply within {timeout:g} s" if timeout > 0 else f"{name} has a timeout of {timeout:g} s"
    return DeadlineExceeded(text + (_UNKNOWN if outcome_unknown else ""))


def lost_error(name: str, reason: str, outcome_unknown: bool) -> Unavailable:
    text = f"{name}: {reason}" if name else reason
    return Unavailable(text + (_UNKNOWN if outcome_unknown else ""))


def closed_error() -> Cancelled:
    return Cancelled("the client has been closed")
