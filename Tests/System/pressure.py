"""Measures a daemon under pressure: its memory and the latency of a reader, during a `with` block.

`memory_group` makes a control group that kills a process which uses too much memory. Used by the tests of memory.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import twind
from daemon import Daemon, until
from load import LATENCY_MAX_SECONDS, Reader, settled

MIB = 1 << 20


class Memory:
    """Samples the resident memory of a daemon for as long as the `with` lasts."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.highest = 0

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.02):
            if self._daemon.is_running:
                try:
                    self.highest = max(self.highest, self._daemon.resident_bytes)
                except OSError:  # it has ended meanwhile
                    return


class Pressure:
    """Samples a daemon that is abused within `with`, whose end prints what was found; then `check` judges it.

    `name` is a twin in memory that a bystander reads again and again.
    """

    def __init__(self, daemon: Daemon, name: str, what: str) -> None:
        self._daemon = daemon
        self._what = what
        self._reader = Reader(daemon, name)
        self._memory = Memory(daemon)
        self._base = daemon.resident_bytes
        # Resident bytes once the abusers have left, and seconds that it took to come near the start.
        self._after = 0
        self._took = 0.0
        self._error: Exception | None = None

    def __enter__(self) -> Pressure:
        self._memory.__enter__()
        self._reader.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._reader.__exit__()
        except Exception as failure:
            self._error = failure
        self._memory.__exit__()
        if kind is None and self._daemon.is_running:
            self._wait_for_memory()
        print(f"\n{self._what}: {self}")

    def __str__(self) -> str:
        waits = f"slowest of {len(self._reader.seconds)} reads {max(self._reader.seconds, default=0) * 1e3:.0f} ms"
        failed = f", a read failed: {self._error}" if self._error else ""
        return (
            f"{self._base // MIB} MiB before, {self._memory.highest // MIB} at most, {self._after // MIB} after"
            f" {self._took:.1f} s; {waits}{failed}"
        )

    def read_on(self) -> None:
        """Waits for 200 more of the bystander's reads, so that the present state of things shows."""
        self._reader.read_on()

    def _wait_for_memory(self) -> None:
        began = time.monotonic()
        while True:
            self._after = self._daemon.resident_bytes
            self._took = time.monotonic() - began
            if self._is_near_the_start or self._took > 8:
                return
            time.sleep(0.05)

    @property
    def _is_near_the_start(self) -> bool:
        return self._after - self._base < 32 * MIB

    def check(self, bytes_max: int) -> None:
        """Fails unless memory stayed within `bytes_max` and came back, and others were served within a second."""
        assert self._daemon.is_running, f"twind ended with {self._daemon.process.returncode}; {self}"
        assert self._memory.highest <= bytes_max, f"more than {bytes_max // MIB} MiB: {self}"
        assert not self._error, str(self)
        assert max(self._reader.seconds) < LATENCY_MAX_SECONDS, str(self)
        with self._daemon.client() as client:
            until(lambda: settled(client), "nothing of them is left")
        assert self._is_near_the_start, f"memory is not given back: {self}"


@contextmanager
def memory_group(mebibytes: int) -> Iterator[tuple[str, ...]]:
    """A control group of so much memory, as the command that enters it; () where none can be made.

    Those in it must end first.
    """
    made = _make_group(mebibytes)
    if made is None:
        yield ()
        return
    try:
        yield ("sh", "-c", f'echo $$ > {made}/cgroup.procs && exec "$@"', "sh")
    finally:
        until(lambda: not (made / "cgroup.procs").read_text(), "all in the control group have ended")
        made.rmdir()


def _make_group(mebibytes: int) -> Path | None:
    """Beside this process's group in version 2, where groups with members have no children; else in it."""
    groups = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    root = Path("/sys/fs/cgroup")
    for parent, limit in (
        (root / "memory" / groups.get("memory", "/").lstrip("/"), "memory.limit_in_bytes"),
        ((root / groups.get("", "/").lstrip("/")).parent, "memory.max"),
    ):
        made = parent / f"twind-test-{os.getpid()}"
        try:
            made.mkdir()
        except OSError:
            continue
        try:
            (made / limit).write_text(str(mebibytes * MIB))
            return made
        except OSError:
            made.rmdir()
    return None


def fill_history(client: twind.Client, name: str, facts: int) -> None:
    """So many facts of one twin, 500 in a commit."""
    with client.pipeline() as pipeline:
        for number in range(facts // 500):
            pipeline.update(name, {f"attribute_{i:03}": number * 1000 + i for i in range(500)})
