"""Operations with the real programs: verify, recover, backup, restore, retention."""

from __future__ import annotations

import json
import os
import pty
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import BINARIES, TWIND, Daemon, environment

TWINCTL = BINARIES / "twinctl"
JUMP = 1 << 32


def run(*arguments: object, code: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    options.setdefault("stdin", subprocess.DEVNULL)
    ended = subprocess.run(
        [str(argument) for argument in arguments], capture_output=True, text=True, timeout=50, env=environment(), **options
    )
    assert ended.returncode == code, ended
    return ended


def verify(data: Path, code: int = 0) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run(TWIND, "verify", "--data-dir", data, "--json", code=code).stdout)
    assert report["ok"] == (code == 0)
    assert bool(report["problems"]) == (code != 0)
    return report


def fill(client: twind.Client, start: int = 0, count: int = 200) -> None:
    with client.pipeline() as pipeline:
        for i in range(start, start + count):
            pipeline.update(f"acme/customer/{i % 50}", {"number": i, "text": f"customer {i}"})


def content(client: twind.Client) -> dict[str, tuple[int, dict[str, Any]]]:
    return {twin.name: (twin.revision, dict(twin)) for twin in client.list(page_size=1000)}


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.fixture
def crashed(start: Callable[..., Daemon]) -> Path:
    """A data directory with commits in the database, and more in the journal alone."""
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        fill(client)
        client.checkpoint()
        fill(client, 200)
        client.update("acme/customer/0", {"last": 1}, durability=twind.Durability.SYNCED)
        client.update("acme/customer/0", {"last": 2}, durability=twind.Durability.SYNCED)
    daemon.kill()
    return daemon.data


def test_verify_of_a_sound_directory(crashed: Path) -> None:
    before = contents(crashed)
    report = verify(crashed)
    assert report["sequence"] == 402
    parts = {part["part"]: part["checked"] for part in report["parts"]}
    assert (parts["twins"], parts["facts"], parts["replay"]) == (50, 400, 402)
    table = run(TWIND, "verify", "--data-dir", crashed).stdout.splitlines()
    assert table[0].split() == ["PART", "CHECKED", "RESULT"]
    assert table[-1] == f"ok: {crashed} has everything up to sequence 402"
    assert contents(crashed) == before


def test_verify_shows_progress_on_a_terminal(crashed: Path) -> None:
    main, side = pty.openpty()
    try:
        with subprocess.Popen(
            [TWIND, "verify", "--data-dir", crashed], env=environment(), stdout=subprocess.PIPE, stderr=side, text=True
        ) as process:
            assert process.wait(20) == 0
        os.close(side)
        assert b"\r" in os.read(main, 65536)
    finally:
        os.close(main)


def test_verify_says_that_a_daemon_has_it(daemon: Daemon) -> None:
    assert "in use by another twind" in run(TWIND, "verify", "--data-dir", daemon.data, code=1).stderr


def test_verify_of_nothing(directory: Path) -> None:
    missing = directory / "no"
    assert f"{missing} is missing" in run(TWIND, "verify", "--data-dir", missing, code=1).stderr
    assert not missing.exists()


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("UPDATE facts SET record = zeroblob(length(record)) WHERE id = (SELECT min(id) FROM facts)", "facts"),
        ("DELETE FROM facts WHERE id = (SELECT max(id) FROM facts)", "facts"),
        ("UPDATE twins SET body = CAST(body || x'00' AS BLOB) WHERE id = 7", "twins"),
        ("DELETE FROM twins WHERE id = 7", "twins"),
        ("UPDATE checkpoint SET applied_sequence = 3", "checkpoint"),
    ],
)
def test_verify_of_damage(crashed: Path, statement: str, part: str) -> None:
    with sqlite3.connect(crashed / "twind.db") as database:
        database.execute(statement)
    database.close()
    problems = verify(crashed, code=1)["problems"]
    assert part in {problem["part"] for problem in problems}
    assert all(problem["reason"] and problem["remedy"] and problem["path"] for problem in problems)
    assert f"damaged: {crashed}" in run(TWIND, "verify", "--data-dir", crashed, code=1).stdout


def damage_journal(data: Path) -> None:
    """Flips a byte in the middle of the last segment's records."""
    segment = sorted((data / "journal").glob("*.journal"))[-1]
    raw = bytearray(segment.read_bytes())
    middle = len(raw.rstrip(b"\0")) * 3 // 4
    raw[middle] ^= 0x20
    segment.write_bytes(raw)


def test_recover(crashed: Path, start: Callable[..., Daemon]) -> None:
    damage_journal(crashed)
    problem = verify(crashed, code=1)["problems"][0]
    keeps = int(problem["remedy"].rpartition("--drop-after ")[2].rstrip("`"))
    assert 200 <= keeps < 402
    before = contents(crashed)
    asked = run(TWIND, "recover", "--data-dir", crashed, "--drop-after", keeps, code=1)
    assert "add --yes" in asked.stderr
    assert "is damaged" in asked.stdout
    assert "database already has everything" in run(TWIND, "recover", "--data-dir", crashed, "--drop-after", 3, "--yes", code=1).stderr
    assert contents(crashed) == before
    done = run(TWIND, "recover", "--data-dir", crashed, "--drop-after", keeps, "--yes").stdout
    assert done.splitlines()[-1] == f"ok: {crashed} has everything up to sequence {keeps}"
    assert list((crashed / "journal").glob("*.dropped"))
    with start().client() as client:
        assert client.server_info().sequence == keeps
        assert client.update("acme/customer/0", {"after": 1}).sequence > 402


def test_recover_asks_on_a_terminal(crashed: Path) -> None:
    for answer, code in ((b"no\n", 1), (b"yes\n", 0)):
        main, side = pty.openpty()
        try:
            os.write(main, answer)
            ended = run(TWIND, "recover", "--data-dir", crashed, "--drop-after", 401, code=code, stdin=side)
            assert "dropped: 1 readable commit, sequences 402 to 402" in ended.stdout
        finally:
            os.close(main)
            os.close(side)
    assert verify(crashed)["sequence"] == 401


def test_backup_and_restore(start: Callable[..., Daemon], directory: Path) -> None:
    daemon = start()
    with daemon.client() as client:
        fill(client)
        kept = client.update("acme/customer/1", {"number": -1}, idempotency_key="k")
        before = content(client)
        done = json.loads(run(TWINCTL, "--socket", daemon.socket, "backup", "b.twind", "--json", cwd=directory).stdout)
        assert done["path"] == str(directory / "b.twind")
        assert done["sequence"] == 201
        assert done["byte_count"] == (directory / "b.twind").stat().st_size
        assert (directory / "b.twind").stat().st_mode & 0o777 == 0o600
        client.update("acme/customer/1", {"number": -2})
    restored = directory / "restored"
    report = json.loads(run(TWIND, "restore", directory / "b.twind", "--data-dir", restored, "--json").stdout)
    assert (report["sequence"], report["twin_rows"]) == (201, 50)
    assert verify(restored)["sequence"] == 201
    with start(data=restored, socket=directory / "s2").client() as client:
        assert content(client) == before
        assert client.update("acme/customer/1", {"number": -1}, idempotency_key="k") == kept
        assert client.update("acme/customer/1", {"number": -3}).sequence == 202 + JUMP


def test_backup_refuses(daemon: Daemon, directory: Path) -> None:
    taken = directory / "taken"
    taken.write_text("mine")
    backup = (TWINCTL, "--socket", daemon.socket, "backup")
    assert "ALREADY_EXISTS" in run(*backup, taken, code=4).stderr
    assert taken.read_text() == "mine"
    assert "NOT_FOUND" in run(*backup, directory / "no" / "b", code=3).stderr
    assert "UNAVAILABLE" in run(*backup, "/proc/b", code=6).stderr


def test_reads_and_writes_go_on_during_backups(start: Callable[..., Daemon], directory: Path) -> None:
    daemon = start()
    with daemon.client() as client:
        fill(client, 0, 20_000)
        last, longest = 0, 0.0
        stop = threading.Event()

        def write() -> None:
            nonlocal last, longest
            with daemon.client() as own:
                while not stop.is_set():
                    begin = time.monotonic()
                    last = own.update("acme/customer/x", {"n": twind.increment(1)}).sequence
                    own.get("acme/customer/x")
                    longest = max(longest, time.monotonic() - begin)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            done = [
                json.loads(run(TWINCTL, "--socket", daemon.socket, "backup", directory / f"b{i}", "--json").stdout)
                for i in range(3)
            ]
        finally:
            stop.set()
            writer.join()
        assert last > done[0]["sequence"] >= 20_000
        assert done[0]["sequence"] < done[1]["sequence"] < done[2]["sequence"]
        assert longest < 2
    for i, backup in enumerate(done):
        run(TWIND, "restore", directory / f"b{i}", "--data-dir", directory / f"d{i}")
        assert verify(directory / f"d{i}")["sequence"] == backup["sequence"]


def test_a_backup_that_is_given_up_leaves_nothing(start: Callable[..., Daemon], directory: Path) -> None:
    daemon = start()
    with daemon.client() as client:
        fill(client, 0, 30_000)
    target = directory / "backups"
    target.mkdir()
    process = subprocess.Popen([TWINCTL, "--socket", daemon.socket, "backup", target / "b"], env=environment())
    end = time.monotonic() + 20
    while not list(target.iterdir()) and time.monotonic() < end:
        time.sleep(0.001)
    process.kill()
    process.wait()
    end = time.monotonic() + 20
    while [p.name for p in target.iterdir()] not in ([], ["b"]) and time.monotonic() < end:
        time.sleep(0.01)
    assert [p.name for p in target.iterdir()] in ([], ["b"])
    daemon.check()


def test_restore_refuses(crashed: Path, directory: Path) -> None:
    target = directory / "restored"
    plain = shutil.copy(crashed / "twind.db", directory / "plain")
    restore = (TWIND, "restore")
    assert "restored" not in {p.name for p in directory.iterdir()}
    assert "is not a backup" in run(*restore, plain, "--data-dir", target, code=1).stderr
    assert "is missing" in run(*restore, directory / "no", "--data-dir", target, code=1).stderr
    assert not target.exists()
    text = directory / "text"
    text.write_text("this is no database at all, and long enough for a header " * 4)
    assert "cannot" in run(*restore, text, "--data-dir", target, code=1).stderr
    assert "exists" in run(*restore, plain, "--data-dir", crashed, code=1).stderr


def test_retention(start: Callable[..., Daemon]) -> None:
    daemon = start("--retain", "acme=10facts,*=all", "--checkpoint-interval", "1h")
    with daemon.client() as client:
        for name in ("acme/customer/1", "beta/customer/1"):
            with client.pipeline() as pipeline:
                for i in range(100):
                    pipeline.update(name, {"number": i})
        client.checkpoint()
        client.checkpoint()
        stats = json.loads(run(TWINCTL, "--socket", daemon.socket, "stats", "--json").stdout)
        # The newest ten, and the last before them, which says what the twin was when history begins.
        assert stats["fact_count"] == 100 + 11
        assert client.get("acme/customer/1")["number"] == 99
        with pytest.raises(twind.OutOfRange):
            next(iter(client.watch(from_sequence=1)))
    daemon.stop()
    assert verify(daemon.data)["sequence"] == 200


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("acme", "write rules such as acme=90d"),
        ("acme=", "write 90d, 1000facts or all"),
        ("acme=0", "write 90d, 1000facts or all"),
        ("acme=-1", "write 90d, 1000facts or all"),
        ("acme=1y", "write 90d (s, m, h, d), 1000facts or all"),
        ("acme=90fact", "1000facts or all"),
        ("acme=9223372036854775807d", "1000facts or all"),
        ("acme=1d,acme=2d", '"acme" appears twice'),
        ("a b=1d", "has no space"),
        ("=5d", "has no space"),
        (",", "has no space"),
        ("acme=90", "acme=90 has no unit: write acme=90d for 90 days, or acme=90facts for the newest 90 facts"),
        ("acme=1d,*=1000", "*=1000 has no unit: write *=1000d for 1000 days"),
    ],
)
def test_retention_that_cannot_be_read(directory: Path, text: str, remedy: str) -> None:
    refused = run(TWIND, "--retain", text, "--data-dir", directory / "data", code=1, cwd=directory).stderr
    assert f'retain is "{text}"' in refused and remedy in refused
