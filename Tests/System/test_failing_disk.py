"""A failing disk: twind stops writing at the first failure without retrying, and keeps everything it acknowledged.

failing_disk.c is preloaded into the daemon; it makes system calls fail and logs all of them.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import twind
from daemon import Daemon, until
from twind._generated.twind.v1 import admin_service_pb2 as admin

NAME = "acme/customer/1"
ALWAYS = 1 << 30
IO_ERROR_EXIT_CODE = 74


class Call(NamedTuple):
    operation: str
    path: str
    error: int


class Disk:
    """What a daemon's disk does to it."""

    def __init__(self, library: Path, control: Path) -> None:
        self._control = control
        self._log = Path(f"{control}.log")
        self.variables = {"LD_PRELOAD": str(library), "FAILING_DISK": str(control)}
        self.heal()

    def fail(self, operation: str, part: str, first: int = 1, last: int = ALWAYS, error: int = errno.EIO) -> None:
        """Calls number `first` to `last` from now on, on paths that hold `part`."""
        new = self._control.with_suffix(".new")
        new.write_text(f"{operation} {part} {first} {last} {error}\n")
        new.rename(self._control)

    def heal(self) -> None:
        self._control.write_text("")

    def calls(self) -> list[Call]:
        if not self._log.exists():
            return []
        parts = [line.split() for line in self._log.read_text().splitlines()]
        return [Call(part[0], part[1], int(part[-1])) for part in parts]

    def forget(self) -> None:
        self._log.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def library() -> Iterator[Path]:
    source = Path(__file__).with_name("failing_disk.c")
    directory = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    built = directory / "failing_disk.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(built), str(source), "-ldl"]
    subprocess.run(command, check=True)
    yield built
    shutil.rmtree(directory)


@pytest.fixture
def disk(library: Path, directory: Path) -> Disk:
    return Disk(library, directory / "control")


def stats(client: twind.Client) -> admin.GetStatsResponse:
    return client.admin.get_stats(admin.GetStatsRequest())


def check_stopped(daemon: Daemon, client: twind.Client, part: str, expected: object) -> None:
    """No write is taken, every read is, and everybody who asks is told why."""
    until(lambda: client.health() == twind.Health.NOT_SERVING, "NOT_SERVING", 5)
    writes: list[Callable[[], object]] = [
        lambda: client.update(NAME, {"a": "not taken"}),
        lambda: client.update(NAME, {"a": "not taken"}, durability=twind.Durability.MEMORY),
        lambda: client.update_many([twind.Update("acme/customer/2", {"a": 1})], durability=twind.Durability.SYNCED),
        lambda: client.delete(NAME),
        client.checkpoint,
    ]
    for write in writes:
        with pytest.raises(twind.Unavailable) as raised:
            write()
        assert part in str(raised.value) and os.strerror(errno.EIO).lower() in str(raised.value).lower() or (
            "SQLite" in str(raised.value) and part in str(raised.value)
        ), raised.value
    assert client.get(NAME)["a"] == expected
    assert [twin["a"] for twin in client.list()] == [expected]
    failure = stats(client).failure
    assert part in failure and str(daemon.data) in failure
    assert "writes are refused until a restart" in daemon.logged() and failure in daemon.logged()


def end(daemon: Daemon) -> None:
    """It ends when it is told to, and says that it could not write."""
    daemon.process.terminate()
    assert daemon.wait() == 1
    assert "journal" in daemon.logged().splitlines()[-1]


def test_a_failed_sync_of_the_journal(start: Callable[..., Daemon], disk: Disk) -> None:
    """There is no second one: the system forgets what it could not write, and a second sync would succeed."""
    daemon = start("--checkpoint-interval", "1h", variables=disk.variables)
    with daemon.client() as client:
        client.update(NAME, {"a": 1}, durability=twind.Durability.SYNCED)
        disk.forget()
        disk.fail("sync", ".journal", 1, 1)
        with pytest.raises(twind.Unavailable) as raised:
            client.update(NAME, {"a": 2}, durability=twind.Durability.SYNCED)
        assert "idempotency key" in str(raised.value), "its outcome is not known, and the message says what helps"
        # It is in the journal file and was applied: reads may show it.
        shown = client.get(NAME)["a"]
        assert shown in (1, 2)
        check_stopped(daemon, client, ".journal", shown)
        time.sleep(1.2)  # the sync thread has had its turn twice
        on_database = [call for call in disk.calls() if "twind.db" in call.path]
        assert not [call for call in on_database if call.operation in ("write", "sync")], on_database
        end(daemon)
    on_journal = [call for call in disk.calls() if call.path.endswith(".journal")]
    failed = [index for index, call in enumerate(on_journal) if call.error]
    assert len(failed) == 1 and on_journal[failed[0]].operation == "sync"
    assert on_journal[failed[0] + 1 :] == [], "nothing is done to the journal after its sync has failed"
    with start().client() as client:
        assert client.get(NAME)["a"] in (1, 2)
        assert client.update(NAME, {"a": 3}).revision > 1 << 20


def test_a_failed_sync_that_nobody_waited_for(start: Callable[..., Daemon], disk: Disk) -> None:
    """JOURNALED writes were acknowledged before it: the process's end does not lose them."""
    daemon = start("--checkpoint-interval", "1h", variables=disk.variables)
    with daemon.client() as client:
        disk.forget()
        disk.fail("sync", ".journal", 1, 1)
        client.update(NAME, {"a": 1})
        check_stopped(daemon, client, ".journal", 1)
    assert len([call for call in disk.calls() if call.operation == "sync" and call.path.endswith(".journal")]) == 1
    daemon.kill()
    with start().client() as client:
        assert client.get(NAME)["a"] == 1


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_a_failed_write_of_the_journal(start: Callable[..., Daemon], disk: Disk, error: int) -> None:
    """Once: the space was there before, so that not even ENOSPC is what it seems."""
    daemon = start("--checkpoint-interval", "1h", variables=disk.variables)
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        disk.forget()
        disk.fail("write", ".journal", 1, 1, error)
        with pytest.raises(twind.Unavailable) as raised:
            client.update(NAME, {"a": 2})
        assert os.strerror(error) in str(raised.value)
        for _ in range(3):
            with pytest.raises(twind.Unavailable):
                client.update(NAME, {"a": 3})
        assert client.get(NAME)["a"] == 1
        until(lambda: client.health() == twind.Health.NOT_SERVING, "NOT_SERVING", 5)
        assert os.strerror(error) in stats(client).failure
        time.sleep(0.7)
        end(daemon)
    journal = [call for call in disk.calls() if call.path.endswith(".journal") and call.operation == "write"]
    assert [call.error for call in journal] == [error]
    with start().client() as client:
        assert client.get(NAME)["a"] == 1, "what was not written was not applied"


@pytest.mark.parametrize("operation, part", [
    ("write", "twind.db-wal"), ("sync", "twind.db-wal"), ("write", "twind.db"), ("sync", "twind.db"),
])  # fmt: skip
def test_a_database_that_fails(start: Callable[..., Daemon], disk: Disk, operation: str, part: str) -> None:
    """In the transaction of a checkpoint, or when SQLite moves its log into the file."""
    daemon = start("--checkpoint-interval", "1h", variables=disk.variables)
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        client.checkpoint()
        client.update(NAME, {"a": 2})
        # "twind.db" is part of the log's name too: it comes second.
        first = 1 if part.endswith("wal") else 1 + len(within_a_checkpoint(client, disk, operation))
        client.update(NAME, {"a": 3})
        disk.forget()
        disk.fail(operation, part, first, first)
        with pytest.raises(twind.TwindError):
            client.checkpoint()
        failed = [call for call in disk.calls() if call.error]
        assert len(failed) == 1 and failed[0].path.endswith(part), failed
        check_stopped(daemon, client, "twind.db", 3)
        end(daemon)
    with start().client() as client:
        assert client.get(NAME)["a"] == 3
        client.checkpoint()


def within_a_checkpoint(client: twind.Client, disk: Disk, operation: str) -> list[Call]:
    """Calls of the operation on SQLite's log in a checkpoint that succeeds."""
    disk.forget()
    client.checkpoint()
    return [call for call in disk.calls() if call.operation == operation and call.path.endswith("twind.db-wal")]


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_exiting_on_an_io_error(start: Callable[..., Daemon], disk: Disk, operation: str) -> None:
    daemon = start("--exit-on-io-error", "--checkpoint-interval", "1h", variables=disk.variables)
    with daemon.client(connect_timeout=0) as client:
        client.update(NAME, {"a": 1}, durability=twind.Durability.SYNCED)
        disk.fail(operation, ".journal")
        with pytest.raises(twind.Unavailable):
            client.update(NAME, {"a": 2}, durability=twind.Durability.SYNCED)
    assert daemon.wait() == IO_ERROR_EXIT_CODE
    assert ".journal" in daemon.logged()
    with start().client() as client:
        assert client.get(NAME)["a"] in ((1,) if operation == "write" else (1, 2))


def life(daemon: Daemon) -> dict[str, int]:
    """Commits, checkpoints and commits; what was acknowledged, by name."""
    acknowledged: dict[str, int] = {}
    with daemon.client(connect_timeout=0, timeout=5) as client:
        for i in range(12):
            name = f"acme/customer/{i % 8}"
            try:
                client.update(name, {"a": i}, durability=twind.Durability.SYNCED if i % 3 == 0 else None)
                acknowledged[name] = i
                if i % 4 == 3:
                    client.checkpoint()
            except twind.TwindError as error:
                assert isinstance(error, (twind.Unavailable, twind.ResourceExhausted)), error
        assert client.server_info().pid == daemon.pid, "reads go on"
    return acknowledged


@pytest.mark.seconds(240)
@pytest.mark.parametrize("operation", ["open", "write", "sync", "rename", "unlink", "allocate"])
def test_each_call_in_turn_fails(
    start: Callable[..., Daemon], disk: Disk, directory: Path, operation: str
) -> None:
    """From the start to the end of a short life, on a directory with a history and on an empty one."""
    for history in (False, True):
        template = directory / f"template-{history}"
        if history:
            before = start("--checkpoint-interval", "1h", data=template)
            life(before)
            before.kill()
        disk.heal()
        disk.forget()
        count = len([call for call in one_life(start, disk, template)[1] if call.operation == operation])
        assert count > 0 or operation == "unlink"
        for number in range(1, count + 1):
            disk.forget()
            disk.fail(operation, "/data/", number, number)
            acknowledged, calls = one_life(start, disk, template)
            assert len([call for call in calls if call.error]) <= 1, f"something was tried again: {calls}"
            disk.heal()
            after = start("--checkpoint-interval", "1h", data=directory / "data")
            with after.client() as client:
                found = {twin.name: twin["a"] for twin in client.list()}
                for name, value in acknowledged.items():
                    shown = found.get(name)
                    assert isinstance(shown, int) and shown >= value, f"{operation} {number}: {name} is {shown!r}"
            after.close()


def one_life(start: Callable[..., Daemon], disk: Disk, template: Path) -> tuple[dict[str, int], list[Call]]:
    """On a copy of the template: what was acknowledged, and what was done to the disk."""
    data = template.with_name("data")
    shutil.rmtree(data, ignore_errors=True)
    if template.exists():
        shutil.copytree(template, data)
    try:
        daemon = start("--checkpoint-interval", "1h", data=data, variables=disk.variables)
    except AssertionError as error:
        assert "did not start" in str(error) and str(data) in str(error).splitlines()[-1], error
        return {}, disk.calls()
    acknowledged = life(daemon)
    daemon.kill()
    daemon.close()
    return acknowledged, [call for call in disk.calls() if "/data/" in call.path]
