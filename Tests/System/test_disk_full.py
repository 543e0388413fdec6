"""A full disk (a small file system in memory): writes are refused while it is full, reads still work.

When there is space again, writes resume by themselves.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import twind
from daemon import Daemon, refused, until
from twind._generated.twind.v1 import admin_service_pb2 as admin

NAME = "acme/customer/1"
SEGMENT_MEBIBYTES = 64
MEBIBYTE = 1 << 20


@contextmanager
def filled(disk: Path, left_bytes: int) -> Iterator[Path]:
    """A file that leaves so many bytes of the disk."""
    filler = disk / "filler"
    filler.touch()
    fill(disk, left_bytes)
    yield filler


def fill(disk: Path, left_bytes: int) -> None:
    block = b"\0" * 4096
    with (disk / "filler").open("ab", buffering=0) as file:
        while free_bytes(disk) > left_bytes:
            try:
                file.write(block * max(1, min(256, (free_bytes(disk) - left_bytes) // 4096)))
            except OSError as error:
                # The daemon was faster.
                assert error.errno == errno.ENOSPC


def free_bytes(disk: Path) -> int:
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize


def stats(client: twind.Client) -> admin.GetStatsResponse:
    return client.admin.get_stats(admin.GetStatsRequest())


class Writes:
    """Counts twins up, one after the other, and keeps what was acknowledged."""

    def __init__(self, client: twind.Client, text_bytes: int = 50_000) -> None:
        self._client = client
        self._text_bytes = text_bytes
        self.acknowledged: dict[str, int] = {}
        self._number = 0

    def write(self) -> None:
        self._number += 1
        name = f"acme/customer/{self._number % 16:02}"
        self._client.update(name, {"n": self._number, "text": f"{self._number}" + "x" * self._text_bytes})
        self.acknowledged[name] = self._number

    def until_refused(self) -> twind.ResourceExhausted:
        while True:
            try:
                self.write()
            except twind.ResourceExhausted as error:
                return error

    def check(self, client: twind.Client) -> None:
        """A write that was refused is not there; every other one is."""
        found = {twin.name: twin["n"] for twin in client.list(attributes=["n"])}
        assert found == self.acknowledged


def taken_again(writes: Writes) -> bool:
    try:
        writes.write()
        return True
    except twind.ResourceExhausted:
        return False


def test_no_room_for_the_first_segment(directory: Path, small_disk: Callable[[int], Path]) -> None:
    """It does not start, says how much it needs, and leaves nothing that a later start stumbles over."""
    disk = small_disk(SEGMENT_MEBIBYTES - 10)
    for _ in range(2):
        error = refused(directory, "--socket", "s", "--data-dir", str(disk / "data"))
        assert f"{disk}/data/journal" in error and f"{SEGMENT_MEBIBYTES} MiB" in error, error
    assert free_bytes(disk) > (SEGMENT_MEBIBYTES - 12) * MEBIBYTE


def test_no_room_for_the_next_segment(start: Callable[..., Daemon], small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(8 * SEGMENT_MEBIBYTES)
    daemon = start("--checkpoint-interval", "1h", data=disk / "data")
    with filled(disk, 20 * MEBIBYTE) as filler, daemon.client() as client:
        writes = Writes(client)
        before = time.monotonic()
        error = writes.until_refused()
        assert "too full" in str(error) and "MiB" in str(error), error
        assert len(writes.acknowledged) == 16
        # What is refused is refused quickly, and reads do not wait.
        assert time.monotonic() - before < 30
        for _ in range(5):
            with pytest.raises(twind.ResourceExhausted):
                writes.write()
        writes.check(client)
        assert client.health() == twind.Health.SERVING and stats(client).failure == ""
        filler.unlink()
        until(lambda: taken_again(writes), "a write is taken again", 10)
        for _ in range(200):
            writes.write()
        daemon.kill()
    with start(data=disk / "data").client() as client:
        writes.check(client)


@pytest.mark.parametrize("left_bytes", [0, 64 << 10, 1 << 20])
def test_no_room_for_a_checkpoint(
    start: Callable[..., Daemon], small_disk: Callable[[int], Path], left_bytes: int
) -> None:
    """SQLite's log runs full: the checkpoint is rolled back, the journal has it all, and takes more while it can."""
    disk = small_disk(4 * SEGMENT_MEBIBYTES)
    daemon = start("--checkpoint-interval", "1h", data=disk / "data")
    with daemon.client() as client:
        writes = Writes(client)
        writes.write()
        client.checkpoint()
        for _ in range(100):
            writes.write()
        with filled(disk, left_bytes) as filler:
            for _ in range(3):
                with pytest.raises(twind.ResourceExhausted) as raised:
                    client.checkpoint()
                assert "twind.db" in str(raised.value) and "the disk is full; free some space" in str(raised.value), raised.value
            assert "full" in stats(client).checkpoint_error
            writes.check(client)
            # There is room in the journal's segments.
            for _ in range(50):
                writes.write()
            assert client.health() == twind.Health.SERVING and stats(client).failure == ""
            filler.unlink()
        done = client.checkpoint()
        assert done.sequence == client.server_info().sequence and stats(client).checkpoint_error == ""
        writes.check(client)
    daemon.kill()
    with start(data=disk / "data").client() as client:
        writes.check(client)


def test_a_full_disk_comes_and_goes(start: Callable[..., Daemon], small_disk: Callable[[int], Path]) -> None:
    """Checkpoints run by themselves, and whatever they give back is taken at once; then a crash while it is full."""
    disk = small_disk(12 * SEGMENT_MEBIBYTES)
    daemon = start("--checkpoint-interval", "100ms", data=disk / "data")
    with daemon.client() as client:
        writes = Writes(client)
        for left_bytes in (0, 1 << 20, 30 << 20):
            for _ in range(50):
                writes.write()
            with filled(disk, left_bytes) as filler, kept_full(disk, left_bytes):
                error = writes.until_refused()
                assert "the disk is too full" in str(error) or "the disk is full" in str(error), error
                writes.check(client)
                assert client.health() == twind.Health.SERVING and stats(client).failure == ""
            filler.unlink()
            until(lambda: taken_again(writes), "a write is taken again", 20)
            until(lambda: not stats(client).checkpoint_error, "a checkpoint succeeds again", 40)
        with filled(disk, 0) as filler, kept_full(disk, 0):
            writes.until_refused()
            daemon.kill()
            # A start takes a new segment, so it needs room too.
            error_text = refused(disk, "--socket", "s", "--data-dir", str(disk / "data"))
            assert "the disk is too full" in error_text or "the disk is full; free some space" in error_text, error_text
        filler.unlink()
    daemon = start(data=disk / "data")
    with daemon.client() as client:
        writes.check(client)
    # What was written has filled the disk by now.
    daemon.kill()


@contextmanager
def kept_full(disk: Path, left_bytes: int) -> Iterator[None]:
    stop = threading.Event()
    keeper = threading.Thread(target=keep_full, args=(disk, left_bytes, stop))
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def keep_full(disk: Path, left_bytes: int, stop: threading.Event) -> None:
    while not stop.wait(0.02):
        fill(disk, left_bytes)
