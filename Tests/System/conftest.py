"""Fixtures: twind processes in directories of their own, and clients of them.

Needs the Python client in the environment, and the binaries in $TWIND_BIN_DIR or .build/release.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import TWIND, Daemon
from frames import RawConnection


def pytest_sessionstart() -> None:
    if not TWIND.exists():
        pytest.exit(f"there is no {TWIND}: run swift build -c release, or set TWIND_BIN_DIR", returncode=2)


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """No test hangs the run: 60 s."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError("the test took more than 60 s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def directory() -> Iterator[Path]:
    """An empty directory whose name leaves room for a socket's path."""
    path = Path(tempfile.mkdtemp(prefix="twind-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons, by default all on one socket and one data directory. Those left running must still serve."""
    started: list[Daemon] = []

    def start_one(*options: str, **arguments: Any) -> Daemon:
        daemon = Daemon(directory, *options, **arguments)
        started.append(daemon)
        return daemon

    try:
        yield start_one
        for daemon in started:
            if daemon.is_running:
                daemon.check()
                daemon.stop()
            assert "Fatal error" not in daemon.logged()
    finally:
        for daemon in started:
            daemon.close()


@pytest.fixture
def daemon(start: Callable[..., Daemon]) -> Daemon:
    return start()


@pytest.fixture
def client(daemon: Daemon) -> Iterator[twind.Client]:
    with daemon.client() as connected:
        yield connected


@pytest.fixture
def raw(daemon: Daemon) -> Iterator[RawConnection]:
    """A connection that sends any bytes."""
    with RawConnection(daemon.socket) as connection:
        yield connection
