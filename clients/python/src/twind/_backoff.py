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


class Reconnects:
    """The delays of a watch that goes on across connections. They grow while connections do not last, even when each of
    them brings something: a daemon that ends every watch at once is not asked a hundred times a second."""

    __slots__ = ("_backoff", "_opened_at", "_received", "_timeout")

    def __init__(self, timeout: float) -> None:
        # Seconds without anything from the daemon after which it is given up.
        self._timeout = timeout
        self._backoff: Backoff | None = None
        self._opened_at = time.monotonic()
        self._received = False

    def opened(self) -> None:
        """A connection is tried."""
        self._opened_at = time.monotonic()
        self._received = False

    def received(self) -> None:
        """It brought something."""
        self._received = True

    def delay(self) -> float | None:
        """It was lost: seconds to wait before the next; None = it is too late for one."""
        now = time.monotonic()
        if self._backoff is None or self._received and now - self._opened_at > _LAST_SECONDS:
            self._backoff = Backoff(now + self._timeout)
        elif self._received:
            self._backoff.until = now + self._timeout
        return self._backoff.delay()
