"""JSON texts to values and back. Reading copes with what Python's own reader, or `repr`, would raise at:

integers of more digits than Python prints      decimal.Decimal, exact; written as the integer again
more than 200 levels of nesting                 Unreadable
what is no JSON                                 Unreadable
"""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any

# Python prints this many digits whatever its limit is set to (sys.set_int_max_str_digits).
_DIGITS_MAX = 640
_LEVELS_MAX = 200
_LONG_NUMBER = re.compile(r"\d{%d}" % (_DIGITS_MAX + 1))
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(Exception):
    """Says why."""


def value(text: str) -> Any:
    """Raises Unreadable."""
    has_long_numbers = len(text) > _DIGITS_MAX and _LONG_NUMBER.search(text) is not None
    try:
        found = json.loads(text, parse_int=_integer) if has_long_numbers else json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not valid JSON: {error}") from None
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > _LEVELS_MAX and _levels(found) > _LEVELS_MAX:
        raise Unreadable(_TOO_DEEP)
    return found


def text(value: object, what: str) -> str:
    """Raises TypeError or ValueError, naming `what`, for what JSON cannot hold."""
    # Long ones, for which strings stand in that nobody can have written.
    integers: dict[str, str] = {}

    def default(other: object) -> str:
        if not isinstance(other, Decimal) or other.as_tuple().exponent != 0 or other.adjusted() < _DIGITS_MAX - 1:
            raise TypeError(f"Object of type {type(other).__name__} is not JSON serializable")
        stand_in = f"integer-{secrets.token_hex(16)}"
        integers[f'"{stand_in}"'] = f"{other:f}"
        return stand_in

    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=default)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: not a JSON value: {error}") from None
    except RecursionError:
        raise ValueError(f"{what}: not a JSON value: {_TOO_DEEP}") from None
    if not written.isascii() and _SURROGATE.search(written):
        # No UTF-8, and JSON all the same if they are escaped.
        written = json.dumps(json.loads(written), separators=(",", ":"))
    for stand_in, digits in integers.items():
        written = written.replace(stand_in, digits)
    return written


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _DIGITS_MAX else Decimal(digits)


def _levels(value: object) -> int:
    deepest = 0
    left = [(value, 1)]
    while left:
        one, level = left.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        deepest = max(deepest, level)
        left.extend((item, level + 1) for item in inner)
    return deepest


_TOO_DEEP = f"it is JSON nested more than {_LEVELS_MAX} levels deep"
