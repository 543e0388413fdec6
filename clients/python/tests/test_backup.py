"""Backups: of the real daemon, and what the client makes of a stream that goes wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import twind
import twind.aio
from fake_daemon import DATA, NO_DATA, REMOTE_CLOSED, raw
from real_daemon import RealDaemon, binary
from twind import _wire
from twind._generated.twind.v1.admin_service_pb2 import BackupResponse


@pytest.fixture(scope="module")
def real():
    daemon = RealDaemon()
    with twind.Client(daemon.path) as client, client.pipeline() as p:
        for i in range(500):
            p.update(f"acme/customer/{i}", {"number": i, "text": "x" * 100})
    yield daemon
    daemon.remove()


def check(backup: twind.Backup, path: Path, head: int, steps: list[tuple[int, int]]) -> None:
    assert backup == twind.Backup(str(path), backup.sequence, path.stat().st_size)
    assert backup.sequence >= head and path.read_bytes().startswith(b"SQLite format 3")
    assert steps and steps == sorted(steps) and steps[-1][0] == steps[-1][1] > 0


def test_a_backup_is_complete(real, tmp_path):
    path = tmp_path / "b.twind"
    steps = []
    with twind.Client(real.path) as client:
        head = client.update("acme/customer/7", {"number": 7_000}).sequence
        check(client.backup(path, progress=lambda done, total: steps.append((done, total))), path, head, steps)
        # What is written later is not in it.
        client.update("acme/customer/7", {"number": 7_001})
    subprocess.run([binary(), "restore", path, "--data-dir", tmp_path / "data"], check=True, capture_output=True)
    restored = RealDaemon(tmp_path / "data")
    try:
        with twind.Client(restored.path) as client:
            assert client.get("acme/customer/7")["number"] == 7_000
            assert client.stats().twin_count == 500
    finally:
        restored.remove()


def test_a_relative_path_is_below_the_working_directory(real, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with twind.Client(real.path) as client:
        assert client.backup("b").path == str(tmp_path / "b")
    assert (tmp_path / "b").exists()


def test_a_backup_is_refused(real, tmp_path):
    (tmp_path / "b").write_text("mine")
    with twind.Client(real.path) as client:
        with pytest.raises(twind.AlreadyExists):
            client.backup(tmp_path / "b")
        with pytest.raises(twind.NotFound):
            client.backup(tmp_path / "no" / "b")
    assert (tmp_path / "b").read_text() == "mine"


def test_what_progress_raises_ends_the_backup(real, tmp_path):
    def stop(done, total):
        raise KeyError("enough")

    with twind.Client(real.path) as client:
        with pytest.raises(KeyError, match="enough"):
            client.backup(tmp_path / "b", progress=stop)
        assert client.backup(tmp_path / "c").byte_count > 0, "the daemon makes the next one"


async def test_asyncio(real, tmp_path):
    path = tmp_path / "b"
    steps = []
    async with twind.aio.Client(real.path) as client:
        head = (await client.update("acme/customer/7", {"number": 7_002})).sequence
        backup = await client.backup(path, progress=lambda done, total: steps.append((done, total)))
        check(backup, path, head, steps)
        with pytest.raises(twind.AlreadyExists):
            await client.backup(path)


HALF = _wire.frame(1, DATA, 0, BackupResponse(pages_done=1, pages_total=2).SerializeToString())
END = _wire.frame(1, DATA, REMOTE_CLOSED | NO_DATA)


@pytest.mark.parametrize("data", [END, HALF + END])
async def test_a_backup_that_was_not_finished_is_no_backup(daemon, client, tmp_path, data):
    daemon.faults["Backup"] = [raw(data)] * 2
    with pytest.raises(twind.DataLoss, match="before the backup was complete"):
        client.backup(tmp_path / "b")
    async with twind.aio.Client(daemon.path) as other:
        with pytest.raises(twind.DataLoss, match="before the backup was complete"):
            await other.backup(tmp_path / "b")


def test_a_lost_daemon_is_told(daemon, client, tmp_path):
    daemon.faults["Backup"] = [lambda d, peer, stream, serve: (peer.send_raw(HALF), peer.drop())]
    with pytest.raises(twind.Unavailable, match="Backup: the daemon closed the connection"):
        client.backup(tmp_path / "b")
