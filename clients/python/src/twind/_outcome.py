"""How pipelined calls end, the same for both clients: with a result or an error, and which errors nobody has seen."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from twind._wire import STREAMS_MAX
from twind.errors import TwindError

T = TypeVar("T")

# Of the calls that failed and that nobody asked for, the first so many are raised at the end.
FAILED_KEPT_MAX = 1000


class Outcome(Generic[T]):
    __slots__ = ("_error", "_result", "_seen")

    def __init__(self) -> None:
        self._result: T | None = None
        self._error: TwindError | None = None
        # The outcome has been shown to the caller.
        self._seen = False

    def succeed(self, result: T) -> None:
        self._result = result

    def fail(self, error: TwindError) -> None:
        self._error = error

    def shown_error(self) -> TwindError | None:
        self._seen = True
        return self._error

    def shown_result(self) -> T:
        """Raises the error, if that is what there is."""
        error = self.shown_error()
        if error is not None:
            raise error
        return cast(T, self._result)

    def unseen_error(self) -> TwindError | None:
        return None if self._seen else self._error


class Failures:
    """The outcomes of a pipeline's calls that failed, the first FAILED_KEPT_MAX of them."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome[object]] = []

    def add(self, outcome: Outcome[object]) -> None:
        """Once; the last one may be added again by whoever was interrupted."""
        if self._outcomes[-1:] != [outcome] and len(self._outcomes) < FAILED_KEPT_MAX:
            self._outcomes.append(outcome)

    def raise_unseen(self) -> None:
        """Raises the first error that nobody has asked for, with the further ones as its `others`."""
        errors = [error for error in (outcome.unseen_error() for outcome in self._outcomes) if error is not None]
        if errors:
            errors[0].others = tuple(errors[1:])
            raise errors[0]


def checked_window(window: int) -> int:
    if not 1 <= window <= STREAMS_MAX:
        raise ValueError(f"window is {window}: use 1 to {STREAMS_MAX}, the most calls that a connection can have in flight")
    return window
