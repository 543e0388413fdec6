"""How long to wait between tries to reach the daemon, and for how long to try at all. No I/O."""

import random
import time

_FIRST_SECONDS = 0.01
_LAST_SECONDS = 1.0


class Backoff:
    """Delays that double from 10 ms to 1 s, each shortened at random by up to a half, until `until`."""

    __slots__ = ("_next", "until")

    def __init__(self, until: float) -> None:
        # On time.monotonic()'s clock.
        self.until = until
        self._next = _FIRST_SECONDS

    def delay(self) -> float | None:
        """Seconds to wait before the next try; None = it is too late for one."""
        left = self.until - time.monotonic()
        if left <= 0:
            return None
        delay = self._next * random.uniform(0.5, 1)
        self._next = min(2 * self._next, _LAST_SECONDS)
        return min(delay, left)
