"""Every remedy that twind suggests for damage works: the test runs the command in the message as it is."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

import twind
from daemon import BINARIES, TWIND, Daemon, environment, refused, shifted_clock, until

COUNT = 20
YEARS_AHEAD = 10


def name(i: int) -> str:
    return f"acme/customer/{i}"


def needle(i: int, age: str) -> str:
    return f"needle-{age}-{i:03}-" + "n" * 40


@pytest.fixture
def filled(start: Callable[..., Daemon]) -> Path:
    """Twins in the database with an older and a newer text each, a key, and a commit that only the journal has."""
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        for age in ("old", "new"):
            for i in range(COUNT):
                client.update(name(i), {"text": needle(i, age)}, idempotency_key=f"{age}-{i}")
        client.checkpoint()
        client.update(name(7), {"later": True}, durability=twind.Durability.SYNCED)
        client.update(name(8), {"later": True}, durability=twind.Durability.SYNCED)
    daemon.kill()
    fold_log(daemon.data)
    return daemon.data


def fold_log(data: Path) -> None:
    """All of the database in its file: what is flipped there is what twind reads."""
    with sqlite3.connect(data / "twind.db") as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    database.close()


def flip(data: Path, text: str, at: int = 20) -> None:
    """One bit of every place in the database's file where the text stands."""
    raw = bytearray((data / "twind.db").read_bytes())
    places = [match.start() for match in re.finditer(re.escape(text.encode()), raw)]
    assert places, text
    for place in places:
        raw[place + at] ^= 0x04
    (data / "twind.db").write_bytes(raw)


def refusal(data: Path) -> str:
    return refused(data.parent, "--socket", "refused", "--data-dir", str(data))


def follow(message: str) -> str:
    """Runs the `twind recover` that the message names, without asking, and returns what it says."""
    commands = re.findall(r"`(twind recover [^`]+)`", message)
    assert len(commands) == 1, message
    path = f"{BINARIES}:{os.environ['PATH']}"
    ended = subprocess.run(
        commands[0] + " --yes", shell=True, env=environment() | {"PATH": path}, capture_output=True, text=True, timeout=50
    )
    assert ended.returncode == 0, ended
    assert ended.stdout.splitlines()[-1].startswith("ok: "), ended.stdout
    return ended.stdout


def follow_any(command: str) -> None:
    """The same, when it may not be the last thing to be done."""
    path = f"{BINARIES}:{os.environ['PATH']}"
    subprocess.run(command.strip("`") + " --yes", shell=True, env=environment() | {"PATH": path}, capture_output=True, timeout=50)


def check_others(client: twind.Client, lost: int) -> None:
    """All twins but one are as they were, with their histories; that one is gone, and can be written anew."""
    for i in range(COUNT):
        if i == lost:
            with pytest.raises(twind.NotFound):
                client.get(name(i))
            continue
        assert client.get(name(i))["text"] == needle(i, "new")
        assert [fact.value for fact in client.facts(name(i), attributes=["text"])] == [needle(i, "old"), needle(i, "new")]
    assert client.get(name(8))["later"] is True
    client.update(name(lost), {"text": "anew"})
    assert dict(client.get(name(lost))) == {"text": "anew"}
    assert [fact.value for fact in client.facts(name(lost)) if not fact.deleted] == ["anew"]


@pytest.mark.parametrize("at", [0, 9, 20, 45])
def test_a_flipped_byte_of_a_twin(filled: Path, start: Callable[..., Daemon], at: int) -> None:
    with sqlite3.connect(filled / "twind.db") as database:
        [(raw,)] = database.execute("SELECT body FROM twins WHERE CAST(name AS TEXT) = ?", (name(7),))
        raw = bytearray(raw)
        raw[raw.index(b"needle") + at] ^= 0x04
        database.execute("UPDATE twins SET body = ? WHERE CAST(name AS TEXT) = ?", (bytes(raw), name(7)))
    database.close()
    message = refusal(filled)
    assert name(7) in message
    said = follow(message)
    assert f"dropped: {name(7)}, row 8, with 2 facts" in said
    daemon = start()
    with daemon.client() as client:
        check_others(client, 7)
    # What the journal has of it does not come back, now or later.
    daemon.kill()
    with start().client() as client:
        assert dict(client.get(name(7))) == {"text": "anew"}


def test_a_twin_whose_name_is_damaged(filled: Path, start: Callable[..., Daemon]) -> None:
    """The index still has its name."""
    raw = bytearray((filled / "twind.db").read_bytes())
    text = name(7).encode()
    # In the table the name stands in front of the last agent and the attributes, in the index alone.
    places = [m.start() for m in re.finditer(re.escape(text), raw) if b"tester" in raw[m.end() : m.end() + 60]]
    assert places
    for place in places:
        raw[place + 3] = ord("\n")
    (filled / "twind.db").write_bytes(raw)
    message = refusal(filled)
    said = follow(message)
    assert f"dropped: {name(7)}, row 8" in said
    with start().client() as client:
        check_others(client, 7)


def test_a_flipped_byte_of_a_fact(filled: Path, start: Callable[..., Daemon]) -> None:
    """It is found when somebody reads it. The twin itself, the others and all writes are served on."""
    flip(filled, needle(7, "old"))
    daemon = start()
    with daemon.client() as client:
        for i in range(2):
            with pytest.raises(twind.DataLoss) as caught:
                list(client.facts(name(7)))
            assert client.get(name(7))["text"] == needle(7, "new")
            client.update(name(7), {"still": i})
            client.update(name(9), {"still": i})
            client.checkpoint()
            assert client.health() == twind.Health.SERVING
        assert [fact.value for fact in client.facts(name(9), attributes=["still"])] == [0, 1]
        health = subprocess.run(
            [BINARIES / "twinctl", "--socket", daemon.socket, "health"], env=environment(), capture_output=True, text=True
        )
        assert health.returncode == 0 and re.match(r"DEGRADED: .*row 8.*--drop-twin 8", health.stdout), health
    until(lambda: "is damaged" in daemon.logged(), "a line in the log")
    daemon.stop()
    said = follow(str(caught.value))
    assert f"{name(7)}, row 8" in said and "its row is intact" in said
    with start().client() as client:
        check_others(client, 7)


def test_a_twin_is_dropped_by_its_name(filled: Path, start: Callable[..., Daemon]) -> None:
    no_such = subprocess.run(
        [TWIND, "recover", "--data-dir", filled, "--drop-twin", "acme/customer/none", "--yes"],
        env=environment(), capture_output=True, text=True,
    )
    assert no_such.returncode == 1 and "has no twin or row acme/customer/none" in no_such.stderr
    follow(f"`twind recover --data-dir {filled} --drop-twin {name(3)} --drop-twin {name(4)}`")
    with start().client() as client:
        assert {twin.name for twin in client.list()} == {name(i) for i in range(COUNT) if i not in (3, 4)}


def test_damaged_keys(filled: Path, start: Callable[..., Daemon]) -> None:
    with sqlite3.connect(filled / "twind.db") as database:
        database.execute("UPDATE idempotency SET result = x'08' WHERE id = 3")
    database.close()
    said = follow(refusal(filled))
    assert f"dropped: {2 * COUNT} idempotency keys" in said
    with start().client() as client:
        assert client.get(name(7))["later"] is True
        assert client.update(name(1), {"text": "again"}, idempotency_key="new-1").sequence > 2 * COUNT


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("DELETE FROM twins WHERE id = 8", 7),
        ("DELETE FROM facts WHERE id = (SELECT max(id) FROM facts WHERE twin = 5)", None),
        (
            "DROP INDEX twins_by_name; CREATE UNIQUE INDEX twins_by_name ON twins (name) WHERE id <> 1;"
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' WHERE id <> 1', '')"
            "WHERE name = 'twins_by_name'",
            None,
        ),
    ],
    ids=["a row that is missing", "a fact that is missing", "an index that leaves one out"],
)
def test_the_rest_is_taken_for_all(
    filled: Path, start: Callable[..., Daemon], statement: str, lost: int | None
) -> None:
    database = sqlite3.connect(filled / "twind.db")
    database.executescript(statement)
    database.close()
    for _ in range(3):
        verified = subprocess.run(
            [TWIND, "verify", "--data-dir", filled], env=environment(), capture_output=True, text=True
        )
        if verified.returncode == 0:
            break
        first = re.search(r"`twind recover [^`]+`", verified.stdout)
        assert first, verified.stdout
        follow_any(first.group())
    assert verified.returncode == 0, verified.stdout
    with start().client() as client:
        found = {twin.name for twin in client.list()}
        assert len(found) >= COUNT - 1
        for i in range(COUNT):
            if name(i) in found and i not in (4, 7):
                assert client.get(name(i))["text"] == needle(i, "new")


def test_a_journal_that_is_gone(filled: Path, start: Callable[..., Daemon]) -> None:
    for file in (filled / "journal").iterdir():
        file.unlink()
    (filled / "journal").rmdir()
    message = refusal(filled)
    assert "Backups have no journal" in message and f"--drop-after {2 * COUNT}`" in message
    said = follow(message)
    assert "there is no journal" in said
    with start().client() as client:
        assert "later" not in client.get(name(7))
        assert client.get(name(7))["text"] == needle(7, "new")
        # None of the sequences that were lost with it comes again.
        assert client.update(name(7), {"text": "anew"}).sequence > 1 << 32


def test_damage_at_the_journals_beginning(start: Callable[..., Daemon]) -> None:
    """Nothing would be left to keep, and so `--drop-after 0` is not what the message says."""
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        for i in range(4):
            client.update(name(i), {"text": "x" * 100}, durability=twind.Durability.SYNCED)
    daemon.kill()
    segment = sorted((daemon.data / "journal").glob("*.journal"))[0]
    raw = bytearray(segment.read_bytes())
    raw[raw.index(b"x" * 100)] ^= 1
    segment.write_bytes(raw)
    message = refusal(daemon.data)
    assert "--drop-after" not in message and "no commit before the damage is left" in message


def test_what_goes_says_whether_it_was_synced(start: Callable[..., Daemon], directory: Path) -> None:
    for synced in (False, True):
        data = directory / f"data-{synced}"
        daemon = start("--checkpoint-interval", "1h", data=data)
        with daemon.client() as client:
            client.update(name(1), {"n": 1}, durability=twind.Durability.SYNCED)
            client.update(name(1), {"n": 2}, durability=twind.Durability.JOURNALED)
            if synced:
                client.update(name(1), {"n": 3}, durability=twind.Durability.SYNCED)
            daemon.kill()
        said = subprocess.run(
            [TWIND, "recover", "--data-dir", data, "--drop-after", "1"],
            env=environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )
        assert said.returncode == 1 and "add --yes" in said.stderr
        count = "2 readable commits" if synced else "1 readable commit"
        assert f"dropped: {count}, sequences 2 to" in said.stdout
        assert ("it may include writes" in said.stdout) == synced, said.stdout
        assert ("it includes no write that was acknowledged as SYNCED" in said.stdout) != synced


@pytest.mark.parametrize("crash", [False, True], ids=["after a clean stop", "after a crash"])
def test_a_clock_that_was_ahead(start: Callable[..., Daemon], crash: bool) -> None:
    daemon = start()
    with daemon.client() as client:
        before = client.update(name(1), {"plan": "basic", "kept": 1})
    daemon.stop()
    daemon = start(**shifted_clock(f"+{YEARS_AHEAD}y"))
    with daemon.client() as client:
        ahead = [client.update(name(i), {"plan": "pro"}, idempotency_key=f"k{i}") for i in range(4)]
        client.update(name(2), {"plan": twind.remove})
        client.delete(name(3))
        client.checkpoint()
        client.update(name(1), {"later": True})
        recorded = client.get(name(1)).attribute("plan").recorded_at
        assert recorded.year >= datetime.now().year + YEARS_AHEAD - 1
    daemon.kill() if crash else daemon.stop()
    daemon = start()
    with daemon.client() as client:
        # Without a remedy the store's time stays where it was.
        first = client.get(name(1)).attribute("plan")
        assert first.recorded_at == recorded and first.recorded_at > client.facts(name(1)).__next__().recorded_at
        health = subprocess.run(
            [BINARIES / "twinctl", "--socket", daemon.socket, "health"], env=environment(), capture_output=True, text=True
        )
        assert "--reset-clock" in health.stdout, health
    daemon.stop()
    said = follow(health.stdout)
    assert "recorded again: 7 commits of 4 twins" in said, said
    with start().client() as client:
        now = client.update(name(5), {"here": True})
        present = client.get(name(5)).attribute("here").recorded_at
        twin = client.get(name(1))
        assert dict(twin) == {"plan": "pro", "kept": 1, "later": True}
        facts = list(client.facts(name(1)))
        assert [fact.sequence for fact in facts][:2] == [before.sequence] * 2
        assert all(fact.recorded_at < present and fact.valid_from == fact.recorded_at for fact in facts)
        times = [fact.recorded_at for fact in facts]
        assert times == sorted(times)
        assert dict(client.get(name(0))) == {"plan": "pro"} and dict(client.get(name(2))) == {}
        with pytest.raises(twind.NotFound):
            client.get(name(3))
        # A write that is retried is still known.
        assert client.update(name(0), {"plan": "pro"}, idempotency_key="k0") == ahead[0]
        assert now.sequence > ahead[-1].sequence
        assert dict(client.get(name(1), known_at=facts[0].recorded_at)) == {"plan": "basic", "kept": 1}
