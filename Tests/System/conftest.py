"""Fixtures: twind processes in temporary directories, and clients for them.

Needs the Python client in the environment, and the binaries in $TWIND_BIN_DIR or .build/release.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "seconds(number): what the test may take, where it is not 60 s")


@pytest.fixture(autouse=True)
def time_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test hangs the run: 60 s, or what its `seconds` mark says."""
    mark = request.node.get_closest_marker("seconds")
    seconds = int(mark.args[0]) if mark else 60

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"the test took more than {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
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
def small_disk() -> Iterator[Callable[[int], Path]]:
    """Makes file systems of so many MiB, in memory."""
    mounted: list[Path] = []

    def mount(mebibytes: int) -> Path:
        path = Path(tempfile.mkdtemp(prefix="twind-"))
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", str(path)]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode != 0:
            path.rmdir()
            pytest.skip(f"no file system can be mounted here, which takes root: {ended.stderr.strip()}")
        mounted.append(path)
        return path

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()


@pytest.fixture
def start(directory: Path, small_disk: Callable[[int], Path]) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons, by default all on one socket and one data directory. Those left running must still serve.

    They end before a small disk that they are on is unmounted.
    """
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
