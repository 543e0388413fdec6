"""Runs a twind process under test.

All tests use it through the fixtures of conftest.py. If the start fails, the error has the daemon's output. No process
outlives its test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import twind

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("TWIND_BIN_DIR") or REPOSITORY / ".build" / "release").resolve()
TWIND = BINARIES / "twind"
LAST_BANNER_LINE = "watch acme/"


def shifted_clock(offset: str) -> dict[str, Any]:
    """Arguments of a start for a daemon whose time of day is ahead or behind, as `+3y` or `-90s`."""
    library = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
    assert library.exists(), "libfaketime shifts the clock: install faketime, as Tests/run.sh does"
    variables = {"LD_PRELOAD": str(library), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    # Not twind's own start: the library changes the environment of the first process, which hides Swift's arguments.
    return {"variables": variables, "wrapper": ("env",)}


def environment(variables: Mapping[str, str] = {}) -> dict[str, str]:
    """This process's variables without those that twind reads, and with `variables`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TWIND_") and k != "XDG_RUNTIME_DIR"}
    return kept | dict(variables)


def until(condition: Callable[[], T], what: str, seconds: float = 10) -> T:
    """The first true value of `condition`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.005)


class Daemon:
    """twind in `directory`, serving once the constructor returns.

    `options` follow --socket and --data-dir, which `socket` and `data` replace.
    """

    def __init__(
        self,
        directory: Path,
        *options: str,
        socket: Path | None = None,
        data: Path | None = None,
        variables: Mapping[str, str] = {},
        wrapper: tuple[str, ...] = (),
        **popen: Any,
    ) -> None:
        self.directory = directory
        self.socket = socket or directory / "s"
        self.data = data or directory / "data"
        self.log = directory / "log"
        command = [*wrapper, str(TWIND), "--socket", str(self.socket), "--data-dir", str(self.data), *options]
        popen.setdefault("cwd", directory)
        if "stderr" not in popen:
            popen["stderr"] = self.log.open("ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment(variables), text=True, **popen
        )
        self.pid = self.process.pid
        self.banner = self._read_banner()

    def _read_banner(self) -> str:
        lines = []
        assert self.process.stdout
        while line := self.process.stdout.readline():
            lines.append(line)
            if line.rstrip().endswith(LAST_BANNER_LINE):
                return "".join(lines)
        self.process.wait(10)
        raise AssertionError(f"twind did not start: {self.logged()}")

    def client(self, **options: Any) -> twind.Client:
        return twind.Client(self.socket, **{"agent": "tester", **options})

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def check(self) -> None:
        """Fails unless it lives and serves reads, writes and health to somebody new."""
        assert self.is_running, f"twind ended with {self.process.returncode}: {self.logged()}"
        with self.client(timeout=5) as client:
            assert client.health() == twind.Health.SERVING
            commit = client.update("check/up/1", {"checked": twind.increment(1)})
            assert client.get("check/up/1", min_sequence=commit.sequence).revision == commit.revision

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it as an operator does."""
        self.process.send_signal(number)
        assert self.wait() == 0, self.logged()

    def kill(self) -> None:
        """Ends it as a crash does."""
        self.process.kill()
        self.wait()

    def wait(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)

    def close(self) -> None:
        if self.is_running:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @property
    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def refused(directory: Path, *options: str, variables: Mapping[str, str] = {}, seconds: float = 10) -> str:
    """Standard error of a twind that must refuse to start: one line, and a non-zero exit."""
    ended = subprocess.run(
        [TWIND, *options], cwd=directory, env=environment(variables), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=seconds,
    )  # fmt: skip
    assert ended.returncode not in (0, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGILL, -signal.SIGTRAP), ended
    assert ended.stdout == "", ended.stdout
    return ended.stderr
