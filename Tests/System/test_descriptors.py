"""More connections than the limit of open files allows: connections are refused before the journal, the database, a
backup or an operator runs out of descriptors.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import twind
from daemon import TWIND, Daemon, environment, until
from frames import OK, RESOURCE_EXHAUSTED, RawConnection, get
from twinctl import Twinctl

NAME = "acme/customer/1"
LIMIT = 1024
IDLE = 1100
NOBODY = 65534
IS_FULL = os.environ.get("TWIND_FULL") == "1"


def limited(soft: int, hard: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def as_user(uid: int) -> Iterator[None]:
    """The daemon sees who connects meanwhile as this user."""
    before = os.geteuid()
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="connecting as another user takes root")


class Crowd:
    """Keeps so many connections to the daemon open, and connects again whenever one is closed."""

    def __init__(self, path: Path, count: int, uid: int | None = None, calls: bool = False) -> None:
        self.path, self.count, self.uid, self.calls = path, count, uid, calls
        self.connections: list[socket.socket] = []
        self.rounds = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Crowd:
        self._thread.start()
        until(lambda: self.rounds > 2, "a crowd", 30)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        for connection in self.connections:
            connection.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            self.connections = [each for each in self.connections if self._is_open(each)]
            for _ in range(self.count - len(self.connections)):
                if self._is_over.is_set():
                    return
                self._connect()
            self.rounds += 1
            time.sleep(1)

    def _connect(self) -> None:
        each = socket.socket(socket.AF_UNIX)
        try:
            each.connect(str(self.path))
            if self.calls:
                each.sendall(get(1, NAME))
        except OSError:
            pass
        each.setblocking(False)
        self.connections.append(each)

    @staticmethod
    def _is_open(each: socket.socket) -> bool:
        try:
            while each.recv(65536):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
        each.close()
        return False


def write_segments(client: twind.Client, mebibytes: int = 140) -> None:
    """More than two segments of the journal, and checkpoints that delete some."""
    for number in range(mebibytes * 1_000_000 // 240_000):
        client.update(f"acme/customer/{number % 16}", {f"a{i}": f"{number}" + "x" * 60_000 for i in range(4)})


@pytest.mark.seconds(180)
def test_writes_go_on_beside_more_connections_than_descriptors(
    start: Callable[..., Daemon], directory: Path, many_descriptors: None
) -> None:
    daemon = start("--checkpoint-interval", "250ms", preexec_fn=limited(LIMIT, LIMIT))
    assert "connections-max is " in daemon.logged()
    with daemon.client() as early:
        early.update(NAME, {"a": 1})
        with Crowd(daemon.socket, IDLE):
            assert daemon.open_files <= LIMIT
            write_segments(early)
            assert early.stats().failure == ""
            # They have made no call, and make room for somebody new.
            daemon.check()
            stats = Twinctl(daemon.socket, directory).json("stats")
            assert stats["connection_count"] <= LIMIT
            early.checkpoint()
            Twinctl(daemon.socket, directory)("backup", str(directory / "backup"))
        until(lambda: early.stats().connection_count <= 2, "they leave")
        daemon.check()
    assert daemon.open_files < 60


@needs_root
@pytest.mark.seconds(180)
def test_the_operator_gets_in_when_the_house_is_full(
    start: Callable[..., Daemon], directory: Path, many_descriptors: None
) -> None:
    """All who have the places have made a call, so none of them goes."""
    daemon = start("--socket-mode", "0666", preexec_fn=limited(LIMIT, LIMIT))
    limits = server_limits(daemon)
    places, mine = limits["connectionsMax"], limits["connectionsPerUserMax"]
    assert mine < places < LIMIT
    with as_user(NOBODY):
        held = [RawConnection(daemon.socket) for _ in range(mine)]
    for connection in held:
        connection.send(get(1, NAME))
        assert connection.answer(1).code != RESOURCE_EXHAUSTED
    with as_user(NOBODY), RawConnection(daemon.socket) as refused:
        answer = refused.answer(1)
        assert answer.code == RESOURCE_EXHAUSTED and f"user {NOBODY}" in answer.message
        assert "connectionsPerUserMax" in answer.message
    # Another user finds a place; then all are taken.
    with as_user(NOBODY - 1):
        held += [RawConnection(daemon.socket) for _ in range(places - mine)]
    for connection in held[mine:]:
        connection.send(get(1, NAME))
        connection.answer(1)
    with as_user(NOBODY - 2), RawConnection(daemon.socket) as refused:
        answer = refused.answer(1)
        assert answer.code == RESOURCE_EXHAUSTED
        assert "connectionsMax" in answer.message and f"{mine} by user {NOBODY}" in answer.message
    twinctl = Twinctl(daemon.socket, directory)
    for _ in range(3):
        twinctl("stats")
    daemon.check()
    for connection in held:
        connection.send(get(3, NAME))
        assert connection.answer(3).code != RESOURCE_EXHAUSTED
        connection.close()


def test_the_journal_recovers_from_a_shortage(start: Callable[..., Daemon], many_descriptors: None) -> None:
    """The limit is taken away from a daemon that runs: nothing latches."""
    daemon = start("--checkpoint-interval", "250ms", preexec_fn=limited(LIMIT, LIMIT))
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        time.sleep(0.6)  # the next segment is prepared
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (3, LIMIT))
        try:
            with pytest.raises(twind.ResourceExhausted) as raised:
                write_segments(client)
            assert "ulimit -n" in str(raised.value)
            assert client.get(NAME)["a"] == 1
            time.sleep(0.6)  # checkpoints fail meanwhile
        finally:
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        until(lambda: can_write(client), "writes go on by themselves")
        assert client.stats().failure == ""
        write_segments(client, 70)
        client.checkpoint()


def can_write(client: twind.Client) -> bool:
    try:
        client.update(NAME, {"a": 2})
        return True
    except twind.ResourceExhausted:
        return False


def server_limits(daemon: Daemon) -> dict[str, int]:
    with daemon.client() as client:
        return dict(client.server_info().limits)


def test_the_limits_are_stated(start: Callable[..., Daemon]) -> None:
    stated = server_limits(start(preexec_fn=limited(LIMIT, LIMIT)))
    assert stated["connectionsMax"] < LIMIT == stated["descriptorsMax"]
    assert stated["connectionsPerUserMax"] == stated["connectionsMax"]
    assert (stated["connectionsReservedMax"], stated["refusalsMax"]) == (8, 64)
    assert (stated["silentNanosMax"], stated["silentNanosMin"]) == (60_000_000_000, 1_000_000_000)


def ended_start(directory: Path, limit: int, *options: str) -> subprocess.CompletedProcess[str] | None:
    """What a start says that fails; None = it serves."""
    process = subprocess.Popen(
        [TWIND, "--socket", "s", "--data-dir", "data", *options], cwd=directory, env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=limited(limit, limit),
    )  # fmt: skip
    assert process.stdout
    if process.stdout.readline().startswith("twind "):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
        return None
    out, error = process.communicate(timeout=20)
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def test_a_number_of_connections_that_cannot_be_had(directory: Path) -> None:
    ended = ended_start(directory, LIMIT, "--connections-max", "1024")
    assert ended and ended.returncode == 1 and len(ended.stderr.strip().splitlines()) == 1, ended
    offer = re.search(r"--connections-max (\d+) or less", ended.stderr)
    assert offer, ended.stderr
    assert ended_start(directory, LIMIT, "--connections-max", offer[1]) is None
    assert ended_start(directory, LIMIT, "--connections-max", str(int(offer[1]) + 1)) is not None


@pytest.mark.parametrize("limit", [0, 3, 4, 5, 6, 8, 12, 16, 24, 40, 100, 170])
def test_a_start_with_few_descriptors_is_refused_in_words(directory: Path, limit: int) -> None:
    ended = ended_start(directory, limit)
    if ended is None:
        return
    assert ended.returncode > 0, ended
    if limit >= 12:  # below, the program's libraries may not even be found
        assert "ulimit -Hn" in ended.stderr and len(ended.stderr.strip().splitlines()) == 1, ended


@pytest.mark.seconds(150)
def test_silent_connections_are_closed_after_a_minute(start: Callable[..., Daemon]) -> None:
    """And not before; the minute itself is waited for with TWIND_FULL=1."""
    daemon = start("--connections-max", "20")
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        speaking = RawConnection(daemon.socket)
        speaking.send(get(1, NAME))
        assert speaking.answer(1).code == OK
        silent = [RawConnection(daemon.socket, seconds=90) for _ in range(17)]
        time.sleep(30 if IS_FULL else 3)  # the measure
        assert client.stats().connection_count == 19
        if IS_FULL:
            for connection in silent:
                assert connection.answer(1).code == RESOURCE_EXHAUSTED
            assert client.stats().connection_count == 2
        speaking.send(get(3, NAME))
        assert speaking.answer(3).code == OK
