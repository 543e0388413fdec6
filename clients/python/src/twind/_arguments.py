"""Checks of strings and times before anything is sent. Errors name the argument."""

from __future__ import annotations

import math
from typing import Any


def text(value: object, what: str) -> str:
    """A str that the wire can carry. Raises TypeError or ValueError, naming `what`."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}: {value!r}")
    if "\0" in value:
        raise ValueError(f"{what} contains a NUL character: {value!r}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"{what} contains half of a surrogate pair, which is not valid text: {value!r}. "
                "If it comes from a file or an argument, decode it with errors='replace'"
            ) from None
    return value


def seconds(value: Any, option: str) -> float:
    """Checks a timeout in seconds; infinity: no limit. Raises TypeError or ValueError, naming the option."""
    if type(value) is float and value == value:
        return value
    if isinstance(value, (str, bytes, bool)) or not hasattr(value, "__float__"):
        raise TypeError(f"{option} must be a number of seconds, not {value!r}; use math.inf for no limit")
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    if math.isnan(number):
        raise ValueError(f"{option} is not a number: {number}")
    return number
