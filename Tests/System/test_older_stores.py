"""Directories that older versions wrote are opened, and say what they said: see stores/fill.py for how they were made.

Each was left by a daemon that was killed, with commits that only its journal has.
"""

from __future__ import annotations

import json
import lzma
import shutil
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import TWIND, Daemon, environment, shifted_clock

STORES = sorted((Path(__file__).parent / "stores").glob("*.tar.xz"))
assert STORES


@pytest.fixture(params=STORES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def store(request: pytest.FixtureRequest, directory: Path) -> Path:
    """The data directory of an older version."""
    data = directory / "data"
    data.mkdir(mode=0o700)
    with tarfile.open(request.param) as archive:
        archive.extractall(data, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (directory / "expected.ndjson").write_bytes(
        lzma.decompress(request.param.with_name(request.param.name.replace(".tar.", ".ndjson.")).read_bytes())
    )
    return data


def seen(client: twind.Client, name: str) -> dict[str, Any]:
    """As stores/fill.py writes it."""
    try:
        twin = client.get(name)
        now = {a: [str(twin.attribute(a).value), twin.attribute(a).agent, twin.attribute(a).sequence] for a in twin}
        revision = twin.revision
    except twind.NotFound:
        now, revision = None, 0
    facts = [
        [
            f.attribute, str(f.value), f.removed, f.deleted, f.sequence, f.agent, str(f.recorded_at), str(f.valid_from),
            str(f.valid_to), f.confidence, f.evidence, f.purpose,
        ]
        for f in client.facts(name)
    ]  # fmt: skip
    return {"name": name, "revision": revision, "now": now, "facts": facts}


def check(client: twind.Client, directory: Path, changed: str = "") -> int:
    expected = [json.loads(line) for line in (directory / "expected.ndjson").read_text().splitlines()]
    for twin in expected:
        if twin["name"] != changed:
            assert seen(client, twin["name"]) == twin
    alive = {twin["name"] for twin in expected if twin["now"] is not None}
    assert {twin.name for twin in client.list()} == alive
    return len(expected)


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=number)


def verify(store: Path) -> None:
    ended = subprocess.run([TWIND, "verify", "--data-dir", store], env=environment(), capture_output=True, text=True)
    assert ended.returncode == 0, ended


def test_it_says_what_it_said(store: Path, start: Callable[..., Daemon], directory: Path) -> None:
    verify(store)
    daemon = start(data=store)
    with daemon.client(agent="crm") as client:
        assert check(client, directory) == 61
        assert daemon.logged().count("migrating the database") == 1
        assert daemon.logged().count("migrated the database") == 1
        # What was true before is asked for by times of before.
        assert client.get("acme/customer/1", valid_at=day(15))["plan"] == "pro"
        assert client.get("acme/customer/1", valid_at=day(25))["plan"] == "basic"
    daemon.stop()
    verify(store)
    daemon = start(data=store)
    with daemon.client() as client:
        check(client, directory)
    assert daemon.logged().count("migrated the database") == 1


def test_it_goes_on(store: Path, start: Callable[..., Daemon], directory: Path) -> None:
    """Retries are known, watches resume, writes follow, and another start has all of it."""
    # Keys are known for a day. It is an hour after the store was written.
    facts = [fact for line in (directory / "expected.ndjson").read_text().splitlines() for fact in json.loads(line)["facts"]]
    written = max(datetime.fromisoformat(fact[6]) for fact in facts)
    age = datetime.now(timezone.utc) - written - timedelta(hours=1)
    clock = shifted_clock(f"-{int(age.total_seconds())}s")
    daemon = start(data=store, **clock)
    with daemon.client(agent="crm") as client:
        head = client.server_info().sequence
        orders = {name: client.get(name)["orders"] for name in ("acme/customer/4", "acme/customer/5")}
        client.update("acme/customer/4", {"orders": twind.increment(5)}, idempotency_key="order-1")
        synced = twind.Durability.SYNCED
        client.update("acme/customer/5", {"orders": twind.increment(7)}, idempotency_key="order-2", durability=synced)
        assert {name: client.get(name)["orders"] for name in orders} == orders
        assert client.server_info().sequence == head
        with client.watch("acme/", from_sequence=1) as watch:
            changes = []
            while (watch.sequence or 0) < head - 1:
                changes.append(next(watch))
        assert {change.name for change in changes} >= {f"acme/customer/{i}" for i in range(40)}
        assert sum(change.deleted for change in changes) == 2
        client.update("acme/customer/9", {"orders": twind.increment(1)})
        assert client.update("acme/customer/9", {"new": 1}).sequence > head
    daemon.kill()
    daemon = start(data=store, **clock)
    with daemon.client() as client:
        check(client, directory, changed="acme/customer/9")
        assert dict(client.get("acme/customer/9"))["orders"] == 10
    daemon.stop()
    verify(store)


def old(store: Path, statement: str, *arguments: Any) -> None:
    """Changes a database of format 2, without a checksum that belongs to it."""
    with sqlite3.connect(store / "twind.db") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        database.execute(statement, arguments)
    database.close()


def refusal(store: Path) -> str:
    before = contents(store)
    ended = subprocess.run(
        [TWIND, "--data-dir", store, "--socket", store / "s"], env=environment(), capture_output=True, text=True, timeout=30
    )
    assert ended.returncode != 0 and contents(store) == before, ended
    return ended.stderr


def contents(store: Path) -> dict[str, bytes]:
    """Of all files that say something; SQLite makes and removes its log as it likes."""
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name not in ("twind.db-shm", "twind.db-wal", "lock")
    }


@pytest.fixture
def settled(store: Path) -> Path:
    """Without a write-ahead log."""
    database = sqlite3.connect(store / "twind.db")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return store


@pytest.mark.parametrize(
    "statement, words",
    [
        ("UPDATE twins SET revision = revision + 1 WHERE id = 7", "row 7, is damaged"),
        ("DELETE FROM twins WHERE id = 7", "twins, and"),
        ("UPDATE checkpoint SET applied_sequence = 1", "its checkpoint row"),
    ],
)
def test_a_damaged_one_is_left_alone(settled: Path, statement: str, words: str) -> None:
    old(settled, statement)
    message = refusal(settled)
    assert "written by an older version and cannot be migrated" in message and words in message
    assert "Repair it with the twind that wrote it" in message
    ended = subprocess.run([TWIND, "verify", "--data-dir", settled], env=environment(), capture_output=True, text=True)
    assert ended.returncode != 0 and words in ended.stdout + ended.stderr


def test_names_that_are_reserved_now_are_named(settled: Path) -> None:
    """A row of a twin whose kind is now twind's, as version 0.1 would have written it."""
    with sqlite3.connect(settled / "twind.db") as database:
        columns = "id, revision, recorded_at, deleted, facts_from, fact_count, fact_digest, name, last_agent, attributes, pending"
        [row] = database.execute(f"SELECT {columns}, checksum FROM twins WHERE CAST(name AS TEXT) = 'acme/values/1'")
        numbers, (name, *blobs), checksum = row[:7], row[7:11], row[11]
        assert checksum == old_checksum(numbers, [name, *blobs])
        name = b"acme/twind-values/1"
        changed = old_checksum(numbers, [name, *blobs])
        database.execute("UPDATE twins SET name = ?, checksum = ? WHERE id = ?", (name, changed, row[0]))
        columns = (
            "applied_sequence, recorded_at, expects_journal, resumable_from, twin_count, twin_digest, key_count, key_digest, "
            "fact_count"
        )
        [row] = database.execute(f"SELECT {columns}, jumps FROM checkpoint")
        numbers = list(row[:9])
        numbers[5] ^= checksum ^ changed
        database.execute(
            "UPDATE checkpoint SET twin_digest = ?, checksum = ?",
            (numbers[5], old_checksum(numbers, [row[9]], b"chec")),
        )
    database.close()
    message = refusal(settled)
    assert 'now reserved for twind itself: the twin "acme/twind-values/1"' in message
    assert "delete these twins or remove these attributes, run `twinctl checkpoint`" in message


def old_checksum(numbers: Sequence[int], blobs: Sequence[bytes], tag: bytes = b"twin") -> int:
    """CRC-32C of a row of format 2."""
    crc = int.from_bytes(tag, "big") ^ 0xFFFFFFFF
    parts = [number.to_bytes(8, "little", signed=True) for number in numbers]
    for blob in blobs:
        parts += [len(blob).to_bytes(8, "little"), blob]
    for byte in b"".join(parts):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_a_migration_that_is_killed(store: Path, start: Callable[..., Daemon], directory: Path) -> None:
    """One transaction: the next start finds one format or the other, and makes the same store of it."""
    versions = set()
    for milliseconds in range(0, 60, 3):
        copy = directory / f"killed-{milliseconds}"
        shutil.copytree(store, copy)
        process = subprocess.Popen([TWIND, "--data-dir", copy, "--socket", directory / "k"], env=environment())
        time.sleep(milliseconds / 1000)
        process.kill()
        process.wait()
        database = sqlite3.connect(copy / "twind.db")
        versions.update(database.execute("PRAGMA user_version").fetchone())
        database.close()
        daemon = start(data=copy)
        with daemon.client() as client:
            check(client, directory)
        daemon.kill()
        shutil.rmtree(copy)
    assert versions == {2, 3}
