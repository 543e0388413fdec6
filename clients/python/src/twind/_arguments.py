"""Arguments that go onto the wire or into a clock: what they may be, in errors that name them. No I/O.

Called before anything is sent, by whatever builds a request and by both channels.
"""

from __future__ import annotations

import math
from typing import Any


def text(value: object, what: str) -> str:
    """A str that the wire can carry. Raises TypeError or ValueError, naming `what`."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a str, not {type(value).__name__}: {value!r}")
    if "\0" in value:
        raise ValueError(f"{what} holds a NUL character: {value!r}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"{what} holds half of a surrogate pair, which is not text: {value!r}. "
                "If it was read from a file or an argument, decode that with errors='replace'"
            ) from None
    return value


def seconds(value: Any, option: str) -> float:
    """A time to wait; infinity = no end. Raises TypeError or ValueError, naming the option."""
    if type(value) is float and value == value:
        return value
    if isinstance(value, (str, bytes, bool)) or not hasattr(value, "__float__"):
        raise TypeError(f"{option} is a number of seconds, not {value!r}: math.inf has no end")
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    if math.isnan(number):
        raise ValueError(f"{option} is not a number: {number}")
    return number
