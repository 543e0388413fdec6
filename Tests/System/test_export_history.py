"""twinctl export --history and twind restore: everything that was recorded moves to another data directory."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import TWIND, Daemon, environment, until
from histories import NAMES, as_of, facts, moments, recorded_times, write_some
from test_operations import JUMP, contents, run, verify
from twinctl import LOCAL, TWINCTL, Twinctl

READS = 1_000


def crc32c(data: bytes) -> str:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return f"{value ^ 0xFFFFFFFF:08x}"


def signed(line: dict[str, Any]) -> bytes:
    """A line of a history, with its checksum."""
    text = json.dumps({name: value for name, value in line.items() if name != "crc32c"}, ensure_ascii=False)[:-1].encode()
    return text + b',"crc32c":"' + crc32c(text).encode() + b'"}\n'


def restore(file: Path | str, data: Path, code: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    return run(TWIND, "restore", file, "--data-dir", data, code=code, **options)


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    return Twinctl(daemon.socket, directory)


@pytest.fixture
def history(twinctl: Twinctl, daemon: Daemon, directory: Path) -> Path:
    """A small history in a file."""
    write_some(daemon, random.Random(1), 60)
    twinctl("export", "--history", "-o", "small.history")
    return directory / "small.history"


# What is restored is what was.


@pytest.mark.seconds(180)
@pytest.mark.parametrize("options", [(), ("--memory-limit", "8MiB", "--retain", "acme=40facts,beta=1s")], ids=["all", "retained"])
@pytest.mark.parametrize("seed", range(2))
def test_reads_as_of_any_time_are_the_same(
    seed: int, options: tuple[str, ...], start: Callable[..., Daemon], directory: Path
) -> None:
    chance = random.Random(seed)
    source = start("--checkpoint-interval", "1h", *options)
    twinctl = Twinctl(source.socket, directory)
    with source.client() as client:
        # Part of it is in the database, and shortened where that is asked for, and part in memory.
        write_some(source, chance, 900)
        client.checkpoint()
        time.sleep(1.1)
        client.checkpoint()
        write_some(source, chance, 300)
        done = twinctl.json("export", "--history", "-o", "h")
        sequence = client.server_info().sequence
        restore(directory / "h", directory / "restored")
        assert verify(directory / "restored")["sequence"] == sequence
        other = start(socket=directory / "s2", data=directory / "restored")
        known = recorded_times(client)
        with other.client() as copy:
            all_facts = {name: facts(client, name) for name in NAMES}
            assert {name: facts(copy, name) for name in NAMES} == all_facts
            assert done["facts"] == sum(map(len, all_facts.values()))
            assert done["twins"] == sum(map(bool, all_facts.values()))
            answers = set()
            for name, valid_at, known_at in moments(chance, known, READS):
                answer = as_of(client, name, valid_at, known_at)
                assert as_of(copy, name, valid_at, known_at) == answer, (name, valid_at, known_at)
                answers.add(answer)
            assert len(answers) > READS / 5
            assert [(t.name, t.revision, dict(t)) for t in copy.list()] == [
                (t.name, t.revision, dict(t)) for t in client.list()
            ]
            assert copy.update(NAMES[0], {"after": 1}).sequence == sequence + JUMP + 1
        other.stop()
        assert verify(directory / "restored")["sequence"] > sequence


def test_restored_twice_is_the_same(history: Path, start: Callable[..., Daemon], directory: Path) -> None:
    restore(history, directory / "a")
    start(socket=directory / "sa", data=directory / "a")
    again = Twinctl(directory / "sa", directory)("export", "--history").splitlines()
    assert again[1:] == history.read_text().splitlines()[1:]


def test_history_of_a_prefix(twinctl: Twinctl, start: Callable[..., Daemon], directory: Path) -> None:
    for name in ("acme/customer/1", "acme/user/1", "beta/customer/1"):
        twinctl("set", name, "a=1")
    assert twinctl.json("export", "acme/customer", "--history", "-o", "h")["twins"] == 1
    restore(directory / "h", directory / "restored")
    start(socket=directory / "s2", data=directory / "restored")
    other = Twinctl(directory / "s2", directory)
    assert other("list", "--names") == "acme/customer/1\n"
    assert other.json("info")["sequence"] == 3


def test_history_of_nothing(twinctl: Twinctl, start: Callable[..., Daemon], directory: Path) -> None:
    assert twinctl("export", "--history", "-o", "h").startswith("exported 0 twins with 0 facts to h in ")
    restore(directory / "h", directory / "restored")
    assert verify(directory / "restored")["sequence"] == 0
    start(socket=directory / "s2", data=directory / "restored")
    assert Twinctl(directory / "s2", directory)("set", "a/b/c", "x=1")


# Where it goes, and where it comes from.


def test_pipes_links_and_devices(twinctl: Twinctl, directory: Path, history: Path) -> None:
    lines = history.read_bytes()
    assert twinctl("export", "--history").encode() == lines
    assert twinctl("export", "--history", "-o", "-").encode() == lines
    os.mkfifo(directory / "fifo")
    reader = subprocess.Popen(["cat", directory / "fifo"], stdout=subprocess.PIPE)
    twinctl("export", "--history", "-o", "fifo")
    assert reader.communicate()[0] == lines
    (directory / "there").mkdir()
    (directory / "link").symlink_to("there/file")
    (directory / "there" / "file").write_text("old")
    twinctl("export", "--history", "-o", "link")
    assert (directory / "link").is_symlink() and (directory / "there" / "file").read_bytes() == lines
    assert [path.name for path in (directory / "there").iterdir()] == ["file"]
    twinctl("export", "--history", "-o", "/dev/null")
    assert Path("/dev/null").is_char_device()

    writer = subprocess.Popen(["cp", history, directory / "fifo"])
    restore(directory / "fifo", directory / "a")
    assert writer.wait(10) == 0
    with history.open() as opened:
        restore("-", directory / "b", stdin=opened)
    packed = gzip.decompress(gzip.compress(lines))
    subprocess.run([TWIND, "restore", "-", "--data-dir", directory / "c"], input=packed, check=True, capture_output=True)
    assert verify(directory / "a") | {"data_dir": ""} == verify(directory / "b") | {"data_dir": ""}


def test_reader_that_stops_ends_the_export(twinctl: Twinctl, daemon: Daemon) -> None:
    with daemon.client() as client, client.pipeline() as pipeline:
        for i in range(20_000):
            pipeline.update(f"acme/customer/{i}", {"text": "x" * 50})
    exporting = subprocess.Popen(
        [TWINCTL, "export", "--history"], stdout=subprocess.PIPE, env=environment({"TWIND_SOCKET": str(daemon.socket)})
    )
    assert exporting.stdout
    assert exporting.stdout.readline().startswith(b'{"history":1,')
    exporting.stdout.close()
    assert exporting.wait(10) == -signal.SIGPIPE
    with daemon.client() as client:
        until(lambda: client.stats().stream_count <= 1, "the call has ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_export_that_is_cancelled_leaves_nothing(daemon: Daemon, directory: Path, number: signal.Signals) -> None:
    with daemon.client() as client, client.pipeline() as pipeline:
        for i in range(30_000):
            pipeline.update(f"acme/customer/{i}", {"text": "x" * 50})
    target = directory / "exports"
    target.mkdir()
    for seconds in (0.0, 0.05, 0.1, 0.2):
        exporting = subprocess.Popen(
            [TWINCTL, "export", "--history", "-o", target / "h"], env=environment({"TWIND_SOCKET": str(daemon.socket)})
        )
        time.sleep(seconds)
        exporting.send_signal(number)
        if exporting.wait(10) == -number:
            assert not list(target.iterdir())
        else:
            assert [path.name for path in target.iterdir()] == ["h"]
            (target / "h").unlink()


def test_daemon_that_goes_leaves_nothing(start: Callable[..., Daemon], directory: Path) -> None:
    daemon = start()
    with daemon.client() as client, client.pipeline() as pipeline:
        for i in range(30_000):
            pipeline.update(f"acme/customer/{i}", {"text": "x" * 50})
    os.mkfifo(directory / "fifo")
    exporting = subprocess.Popen(
        [TWINCTL, "export", "--history", "-o", directory / "fifo"], stderr=subprocess.PIPE, text=True,
        env=environment({"TWIND_SOCKET": str(daemon.socket)}),
    )  # fmt: skip
    with (directory / "fifo").open("rb") as pipe:
        first = pipe.read(100_000)
        daemon.kill()
        rest = pipe.read()
    assert exporting.wait(10) != 0 and exporting.stderr and "UNAVAILABLE" in exporting.stderr.read()
    (directory / "cut").write_bytes(first + rest)
    assert "the file is incomplete" in (why := restore(directory / "cut", directory / "restored", code=1).stderr) or "truncated" in why
    assert not (directory / "restored").exists()


@pytest.mark.seconds(180)
def test_more_than_memory_holds_beside_writers(start: Callable[..., Daemon], directory: Path) -> None:
    """Two twins are always written together: at the history's sequence they are the same."""
    daemon = start("--memory-limit", "8MiB")
    with daemon.client(timeout=60) as client:
        for first in range(0, 80_000, 20_000):
            with client.pipeline() as pipeline:
                for i in range(first, first + 20_000):
                    pipeline.update(f"acme/customer/{i % 30_000}", {"number": i, "text": "x" * 200})
            client.checkpoint()
        before = daemon.resident_bytes
        stop = threading.Event()
        highest = 0

        def watch_memory() -> None:
            nonlocal highest
            while not stop.wait(0.01):
                highest = max(highest, daemon.resident_bytes)

        def write() -> None:
            with daemon.client(timeout=60) as own:
                number = 0
                while not stop.is_set():
                    number += 1
                    change: dict[str, twind.ChangeLike] = {"number": number}
                    own.update_many([twind.Update("acme/a/first", change), twind.Update("zeta/z/last", change)])

        threads = [threading.Thread(target=work) for work in (watch_memory, write)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.2)
            twinctl = Twinctl(daemon.socket, directory)
            done = twinctl.json("export", "--history", "-o", "h")
            last = client.server_info().sequence
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert highest < before + (32 << 20)
        with (directory / "h").open() as lines:
            sequence = json.loads(next(lines))["sequence"]
        assert 80_000 < sequence < last
        assert done["facts"] > 110_000
    report = restore(directory / "h", directory / "restored")
    assert f"up to sequence {sequence}" in report.stdout
    other = start(socket=directory / "s2", data=directory / "restored")
    with other.client() as client:
        pair = [client.get(name) for name in ("acme/a/first", "zeta/z/last")]
        assert pair[0]["number"] == pair[1]["number"] and pair[0].revision == pair[1].revision <= sequence
        assert client.stats().twin_count == 30_002


# What cannot be restored.


def refused(file: Path, directory: Path, *why: str) -> None:
    """With a line, a reason and a remedy, and nothing is left."""
    target = directory / "restored"
    error = restore(file, target, code=1).stderr
    assert error.count("\n") == 1 and "line " in error and "Nothing was restored" in error and "export it again" in error, error
    for part in why:
        assert part in error
    assert not target.exists()


def test_flipped_bytes(history: Path, directory: Path) -> None:
    whole = history.read_bytes()
    chance = random.Random(3)
    damaged = directory / "damaged"
    # In the first ten bytes it may be something else than a history.
    for position in [*range(12, 60, 7), *chance.sample(range(60, len(whole) - 80), 40), *range(len(whole) - 70, len(whole) - 1, 11)]:
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << chance.randrange(7)]) + whole[position + 1 :])
        refused(damaged, directory)
    line = whole[:400].count(b"\n") + 1
    damaged.write_bytes(whole[:400] + bytes([whole[400] ^ 1]) + whole[401:])
    refused(damaged, directory, f"line {line}:", "checksum")


def test_files_that_are_not_whole(history: Path, directory: Path) -> None:
    whole = history.read_bytes()
    lines = whole.splitlines(keepends=True)
    damaged = directory / "damaged"
    for length in [len(lines[0]), len(whole) // 2, len(whole) - len(lines[-1]), len(whole) - 5]:
        damaged.write_bytes(whole[:length])
        refused(damaged, directory)
    for changed, why in [
        (lines[:-1], f"line {len(lines) - 1}: the file is incomplete"),
        ([*lines[:5], *lines[6:]], f"but this line says {len(lines) - 2} facts"),
        ([*lines[:5], lines[5], *lines[5:]], "line 7:"),
        ([*lines, lines[0]], f"line {len(lines) + 1}: there is text after"),
        ([*lines, *lines], "there is text after"),
        ([*lines[:2], *reversed(lines[2:-1]), lines[-1]], "a line was moved"),
        ([lines[0], lines[-1]], "the file has 0 facts of 0 twins"),
    ]:
        damaged.write_bytes(b"".join(changed))
        refused(damaged, directory, why)
    # One without a line break at its end is whole.
    damaged.write_bytes(whole[:-1])
    restore(damaged, directory / "restored")


FACT: dict[str, Any] = {
    "name": "a/b/c", "sequence": 3, "ordinal": 0, "attribute": "x", "kind": "int", "value": 1,
    "valid_from": "2026-01-01T00:00:00Z", "recorded_at": "2026-01-01T00:00:00Z", "agent": "me",
}  # fmt: skip


def written(path: Path, *lines: dict[str, Any]) -> Path:
    """A history of these facts whose checksums and counts are right."""
    twins = len({line["name"] for line in lines if "name" in line})
    ends = [{"history": 1, "sequence": 9, "prefix": ""}, *lines, {"end": True, "twins": twins, "facts": len(lines)}]
    path.write_bytes(b"".join(signed(line) for line in ends))
    return path


def test_a_history_written_by_hand(directory: Path, start: Callable[..., Daemon]) -> None:
    restore(written(directory / "h", FACT, FACT | {"sequence": 4, "value": 2}), directory / "restored")
    start(data=directory / "restored")
    assert Twinctl(directory / "s", directory).json("get", "a/b/c")["attributes"]["x"]["value"] == 2


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"name": "a/b"}, "a/b"),
        ({"name": "a/a/c"}, "does not come after the twin before it"),
        ({"sequence": 0}, "sequence 0"),
        ({"sequence": 2}, "does not come after the fact before it"),
        ({}, "does not come after the fact before it"),
        ({"ordinal": 1}, "the facts do not belong to one change"),
        ({"ordinal": 1, "attribute": "y", "agent": "you"}, "not of the same commit"),
        ({"ordinal": 1, "attribute": "y", "recorded_at": "2026-01-01T00:00:01Z"}, "not of the same commit"),
        ({"sequence": 2**60}, "sequence 1152921504606846976"),
        ({"sequence": 4, "ordinal": 2000}, "ordinal 2000"),
        ({"sequence": 4, "recorded_at": "2025-01-01T00:00:00Z"}, "recorded before"),
        ({"sequence": 4, "recorded_at": 2**62}, "no clock shows"),
        ({"sequence": 4, "attribute": "X"}, '"X"'),
        ({"sequence": 4, "kind": "float"}, '"float" is not a kind'),
        ({"sequence": 4, "value": "many"}, "is not an int"),
        ({"sequence": 4, "value": "many", "kind": "json", "text": "1"}, "one of kind and value"),
        ({"sequence": 4, "kind": "string", "value": "x" * 70_000}, "no readable value"),
        ({"sequence": 4, "valid_to": "2025-01-01T00:00:00Z"}, "ends before it begins"),
        ({"sequence": 4, "agent": "x" * 200}, "provenance"),
        ({"sequence": 4, "removed": True}, "one of kind and value"),
        ({"sequence": 4, "colour": "red"}, '"colour" is unknown'),
        ({"sequence": 4, "agent": None}, "a string is expected"),
        ({"sequence": -4}, "64-bit integer"),
        ({"sequence": 4, "kept_from": 2**62, "name": "a/b/d"}, "kept_from"),
    ],
)  # fmt: skip
def test_facts_that_cannot_be(directory: Path, second: dict[str, Any], why: str) -> None:
    refused(written(directory / "h", FACT, FACT | second), directory, "line 3:", why)


def test_sequence_of_two_twins_is_one_commit(directory: Path) -> None:
    """Each of its facts has a number of its own."""
    h = written(directory / "h", FACT, FACT | {"name": "a/b/d"})
    assert "cannot write" in restore(h, directory / "restored", code=1).stderr
    assert not (directory / "restored").exists()
    restore(written(directory / "h", FACT, FACT | {"name": "a/b/d", "ordinal": 1}), directory / "restored")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not a backup"), (b"{}\n", "is not a backup"), (signed({"history": 2, "sequence": 1, "prefix": ""}), "has format 2"),
        (signed({"history": 1, "prefix": ""}), "the sequence is missing"),
        (b'{"history":1}\n', "has no checksum"), (b'{"history":1,\n\n', "has no checksum"),
    ],
)  # fmt: skip
def test_files_that_are_none(directory: Path, content: bytes, why: str) -> None:
    (directory / "h").write_bytes(content)
    error = restore(directory / "h", directory / "restored", code=1).stderr
    assert why in error or (why == "is not a backup" and "cannot" in error), error
    assert not (directory / "restored").exists()
    piped = run(TWIND, "restore", "-", "--data-dir", directory / "restored", code=1)
    assert "cannot restore standard input, line 1: the file is empty" in piped.stderr


def test_directory_that_is_not_empty(history: Path, daemon: Daemon, directory: Path) -> None:
    target = directory / "full"
    target.mkdir()
    (target / "note").write_text("mine")
    assert f"{target}/note already exists" in restore(history, target, code=1).stderr
    assert contents(target) == {"note": b"mine"}
    assert "exists" in restore(history, daemon.data, code=1).stderr


def test_an_empty_directory_stays(history: Path, directory: Path) -> None:
    target = directory / "empty"
    target.mkdir(mode=0o700)
    damaged = directory / "damaged"
    damaged.write_bytes(history.read_bytes()[:-10])
    restore(damaged, target, code=1)
    assert set(contents(target)) <= {"lock"}
    restore(history, target)
    verify(target)


@pytest.mark.seconds(120)
def test_a_restore_that_is_killed(start: Callable[..., Daemon], directory: Path) -> None:
    """No daemon takes what it left for a store; the next restore makes it good."""
    daemon = start()
    with daemon.client() as client, client.pipeline() as pipeline:
        for i in range(30_000):
            pipeline.update(f"acme/customer/{i}", {"text": "x" * 100})
    Twinctl(daemon.socket, directory)("export", "--history", "-o", "h")
    target = directory / "restored"
    for seconds in (0.1, 0.3, 0.5):
        restoring = subprocess.Popen([TWIND, "restore", directory / "h", "--data-dir", target], stdout=subprocess.DEVNULL)
        until(lambda: (target / "twind.db.partial").exists(), "it has begun")
        time.sleep(seconds)
        restoring.kill()
        restoring.wait()
        if (target / "twind.db").exists():
            break
        assert "a restore has left" in run(TWIND, "--data-dir", target, "--socket", directory / "s2", code=1).stderr
    if not (target / "twind.db").exists():
        restore(directory / "h", target)
    assert verify(target)["sequence"] == 30_000


def test_usage(twinctl: Twinctl) -> None:
    assert "leave --purpose out" in twinctl.fails(LOCAL, "export", "--history", "--purpose", "service")
    for command in ("export", "import"):
        words = " ".join(twinctl(command, "--help").split())
        assert "recorded times" in words.lower() and "twind restore" in words
    assert "idempotency keys" in run(TWIND, "restore", "--help").stdout
