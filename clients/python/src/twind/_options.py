"""Errors for misspelt options and unknown choices, which suggest what was meant."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable, Mapping
from typing import TypeVar

E = TypeVar("E", bound=enum.Enum)

_WRITE = ("idempotency_key", "durability", "purpose", "timeout")
# Of each write; attributes are never among them.
UPDATE = ("expected_revision", "must_not_exist", *_WRITE)
UPDATE_MANY = _WRITE
DELETE = ("expected_revision", *_WRITE)


def unknown(call: str, given: Mapping[str, object], options: Iterable[str]) -> TypeError:
    """The error for an unknown keyword."""
    name = min(given)
    near = difflib.get_close_matches(name, options, 1)
    meant = f"did you mean {near[0]}?" if near else f"its options are {', '.join(options)}."
    attribute = f" Attributes go in the mapping: update(name, {{{name!r}: …}})" if call == "update" else ""
    return TypeError(f"{call}() has no option {name!r}: {meant}{attribute}")


def checked_choice(option: str, value: object, choices: type[E]) -> E:
    """Returns the member for a value. Raises ValueError, listing the choices."""
    for choice in choices:
        if value == choice.value:
            return choice
    names = [f"{choices.__name__}.{choice.name}" for choice in choices]
    raise ValueError(f"{option} is {value!r}: use {_listed(names)}")


def checked_word(option: str, value: str, words: Iterable[str]) -> None:
    """Raises ValueError, listing the choices."""
    if value not in words:
        raise ValueError(f"{option} is {value!r}: use {_listed(map(repr, words))}")


def _listed(choices: Iterable[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}"
