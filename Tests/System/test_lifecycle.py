"""Data directories that the daemon must refuse without changing them: newer formats, and directories with missing
parts.

A missing part must never lead to an empty store. (For two daemons on one directory see test_start.py.)
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

import twind
from daemon import Daemon, refused

NAME = "acme/customer/1"


@pytest.fixture
def data(start: Callable[..., Daemon]) -> Path:
    """Left by a crash: one twin is in the database, one in the journal only."""
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        client.checkpoint()
        client.update("acme/customer/2", {"a": 2})
    daemon.kill()
    return daemon.data


def segments(data: Path) -> list[Path]:
    return sorted((data / "journal").glob("*.journal"))


def digests(data: Path) -> dict[str, str]:
    """Of all files that hold anything that lasts: not the lock, SQLite's shared memory, or an empty log of SQLite's."""
    passing = ("lock", "twind.db-shm")
    files = [path for path in data.rglob("*") if path.is_file() and path.name not in passing and path.stat().st_size]
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_refused(data: Path, *parts: str) -> None:
    """Twice, with a message that names these, and with every file as it was."""
    before = digests(data)
    for _ in range(2):
        error = refused(data.parent, "--socket", "s", "--data-dir", str(data))
        for part in parts:
            assert part in error, error
        assert len(error.strip().splitlines()) == 1
    assert digests(data) == before, "a start that is refused leaves everything as it is"
    assert not (data.parent / "s").exists() or (data.parent / "s").is_socket()


def test_what_is_whole_starts(start: Callable[..., Daemon], data: Path) -> None:
    with start().client() as client:
        assert [twin["a"] for twin in client.list()] == [1, 2]


def test_a_newer_database(data: Path) -> None:
    with sqlite3.connect(data / "twind.db") as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()
    check_refused(data, "twind.db", f"format {version + 1}", "newer twind")


def test_a_newer_journal(data: Path) -> None:
    """The header's place for the version, and its checksum, stay what they are in every format."""
    path = segments(data)[-1]
    header = bytearray(path.read_bytes()[:64])
    struct.pack_into("<I", header, 8, 3)
    struct.pack_into("<I", header, 12, crc32c(bytes(header[:12] + header[16:])))
    with path.open("r+b") as file:
        file.write(header)
    check_refused(data, path.name, "format 3", "newer twind")


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_some_other_programs_database(data: Path) -> None:
    with sqlite3.connect(data / "twind.db") as db:
        db.execute("PRAGMA application_id = 1234")
    db.close()
    check_refused(data, "twind.db", "not a database of twind")


def test_no_database(data: Path) -> None:
    for name in ("twind.db", "twind.db-wal", "twind.db-shm"):
        (data / name).unlink(missing_ok=True)
    check_refused(data, "twind.db", "missing")


def test_no_database_but_its_log(start: Callable[..., Daemon], data: Path) -> None:
    start().close()
    (data / "twind.db").unlink()
    shutil.rmtree(data / "journal")
    if (data / "twind.db-wal").exists():
        check_refused(data, "twind.db", "missing")


@pytest.mark.parametrize("clean", [False, True])
def test_no_journal(start: Callable[..., Daemon], data: Path, clean: bool) -> None:
    """After a clean stop as well, when the database holds everything."""
    if clean:
        start().stop()
    shutil.rmtree(data / "journal")
    check_refused(data, f"{data}/journal", "missing")
    (data / "journal").mkdir()
    check_refused(data, f"{data}/journal", "missing")


def test_a_missing_segment(start: Callable[..., Daemon], data: Path) -> None:
    """One in the middle, and the last. The first may hold nothing that the database has not: then nothing is missed."""
    for i in range(40):
        daemon = start("--checkpoint-interval", "1h")
        with daemon.client() as client:
            client.update(NAME, {"b": i})
        daemon.kill()
        # A start writes what it replayed to the database; when that was faster than the kill, segments are gone.
        first, *needed = segments(data)
        if i >= 2 and len(needed) >= 2:
            break
    assert len(needed) >= 2
    for path in needed:
        aside = data.parent / path.name
        path.rename(aside)
        check_refused(data, f"{data}/journal", "missing")
        aside.rename(path)
    aside = data.parent / first.name
    first.rename(aside)
    try:
        daemon = start()
    except AssertionError as error:
        assert "segments before it are missing" in str(error)
        aside.rename(first)
        daemon = start()
    with daemon.client() as client:
        assert client.get(NAME)["b"] == i and client.get("acme/customer/2")["a"] == 2


def test_a_database_without_what_it_held(data: Path) -> None:
    """Rows that are gone, or were brought back from an older copy, show."""
    for statement in (
        "DELETE FROM twins",
        "DELETE FROM checkpoint",
        "UPDATE twins SET body = CAST(body || x'00' AS BLOB)",
        "UPDATE twins SET name = CAST(name || 'x' AS BLOB)",
        "UPDATE checkpoint SET applied_sequence = 0",
    ):
        copy = data.with_name("copy")
        shutil.copytree(data, copy)
        with sqlite3.connect(copy / "twind.db") as db:
            db.execute(statement)
        db.close()
        check_refused(copy, "twind.db", "row")
        shutil.rmtree(copy)


def test_a_clean_stop_leaves_nothing_to_recover(start: Callable[..., Daemon], data: Path) -> None:
    start().stop()
    daemon = start()
    assert "recovered" not in daemon.logged().splitlines()[-1]
    with daemon.client() as client:
        assert client.server_info().sequence == client.get("acme/customer/2").revision
        assert [twin["a"] for twin in client.list()] == [1, 2]
        assert isinstance(client, twind.Client)
