"""Measures the latency of a well-behaved reader in this process while another client misbehaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import twind
from daemon import Daemon, until

# What a reader may wait, at the 99th percentile and ever, on a small machine that others use too: far above what a
# read takes, far below what it would take behind somebody who stalls.
P99_MAX_SECONDS = 0.1
LATENCY_MAX_SECONDS = 1.0


class Reader:
    """Reads one twin, or does what `read` says, again and again in a thread of its own, as long as the `with` lasts."""

    def __init__(self, daemon: Daemon, name: str, read: Callable[[twind.Client], object] | None = None) -> None:
        self._daemon = daemon
        self._call = read or (lambda client: client.get(name))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.seconds: list[float] = []
        self.error: Exception | None = None

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.error:
            raise self.error

    def _read(self) -> None:
        try:
            with self._daemon.client(timeout=10) as client:
                while not self._stop.is_set():
                    before = time.perf_counter()
                    self._call(client)
                    self.seconds.append(time.perf_counter() - before)
                    self._stop.wait(0.001)
        except Exception as error:
            self.error = error

    def read_on(self) -> None:
        """Waits for 200 more reads, so that the present state of things shows."""
        wanted = len(self.seconds) + 200
        until(lambda: self.error or len(self.seconds) >= wanted, "200 reads", 20)

    def check(self) -> None:
        """Fails unless 99 of 100 reads were quick, and no read was slow."""
        times = sorted(self.seconds)
        assert times[len(times) * 99 // 100] < P99_MAX_SECONDS, describe(times)
        assert times[-1] < LATENCY_MAX_SECONDS, describe(times)


def describe(times: list[float]) -> str:
    def at(part: float) -> str:
        return f"{times[min(len(times) - 1, int(len(times) * part))] * 1e6:.0f}"

    return f"{len(times)} reads: p50 {at(0.5)} µs, p99 {at(0.99)} µs, highest {at(1)} µs"


def settled(client: twind.Client) -> bool:
    """Nobody else is connected or served."""
    stats = client.stats()
    return stats.connection_count == 1 and stats.stream_count <= 1 and stats.watch_count == 0
