"""Flips every byte of a small store: the daemon must refuse to start and name the file, or return what was written.

It must never return a wrong value, or miss a twin or a fact. The zeros after the journal's records are sampled, and by
default also the database and its log; TWIND_FULL=1 flips every byte that was ever written, and every bit of the index
of names.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import twind
from daemon import TWIND, Daemon, environment
from twind._generated.twind.v1 import twin_service_pb2 as messages

EVERY_BYTE = os.environ.get("TWIND_FULL") == "1"
SAMPLE_BYTES = 200
PROCESSES = 2
SEED = 20

# Twins with revision and attributes, and encoded facts by twin.
State = tuple[list[tuple[str, int, list[tuple[str, str]]]], list[tuple[str, bytes]]]


def state(client: twind.Client) -> State:
    """All twins and all facts, with everything that they say."""
    twins = [
        (twin.name, twin.revision, sorted((name, str(twin.attribute(name))) for name in twin)) for twin in client.list()
    ]
    facts = []
    for name in [f"flips/customer/{i}" for i in range(7)]:
        try:
            found = facts_of(client, name)
        except twind.NotFound:
            found = []
        facts += [(name, fact) for fact in found]
    return twins, facts


def facts_of(client: twind.Client, name: str) -> list[bytes]:
    request = messages.ListFactsRequest(name=name)
    return [
        fact.SerializeToString(deterministic=True)
        for response in client.twins.list_facts(request)
        for fact in response.facts
    ]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, State]]:
    """Two stores that were killed: in `logged` SQLite's log holds what its file does not, in `folded` the file has it
    all.

    The journals hold what no checkpoint has.
    """
    parent = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path_factory.getbasetemp()
    directory = Path(tempfile.mkdtemp(prefix="twind-", dir=parent))
    daemon = Daemon(directory, "--checkpoint-interval", "1h")
    try:
        with daemon.client() as client:
            write_all(client, daemon.data / "twind.db", lambda: copy_sparse(daemon.data, directory / "logged"))
            expected = state(client)
        daemon.kill()
        cut_zeros(directory / "logged")
        copy_sparse(directory / "logged", directory / "folded")
        # Closing the last connection moves the log into the file.
        with closing(sqlite3.connect(directory / "folded" / "twind.db")) as db:
            db.execute("SELECT count(*) FROM twins").fetchone()
        assert not (directory / "folded" / "twind.db-wal").exists()
        yield directory, expected
    finally:
        daemon.close()
        shutil.rmtree(directory)


def write_all(client: twind.Client, database: Path, copy: Callable[[], None]) -> None:
    """Twins in the database's file, in SQLite's log and in the journal alone; then calls `copy`."""
    for i in range(6):
        client.update(f"flips/customer/{i}", {"text": f"customer {i} " * 10, "number": i}, idempotency_key=f"first {i}")
    client.update("flips/customer/1", {"text": twind.remove, "number": twind.increment(1)})
    client.checkpoint()
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        # What somebody reads an older state of stays in the log.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM twins").fetchone()
        client.delete("flips/customer/2")
        client.update("flips/customer/3", {"note": twind.attribute("late", confidence=0.5, evidence="call:1")})
        for i in range(6):
            client.update(f"flips/customer/{i}", {"number": twind.increment(1)})
        client.checkpoint()
        for i in range(20):
            client.update(f"flips/customer/{i % 6}", {"number": twind.increment(1)})
        client.update("flips/customer/6", {"last": 1}, durability=twind.Durability.SYNCED)
        # A mark says that it is durable, once nothing follows.
        time.sleep(1.2)
        copy()


def cut_zeros(data: Path) -> None:
    """The zeros behind the journal's records become a hole, so that copies are quick."""
    for path in (data / "journal").iterdir():
        size, used = path.stat().st_size, used_bytes(path)
        with path.open("r+b") as file:
            file.truncate(used)
            file.truncate(size)


def used_bytes(path: Path) -> int:
    return len(path.read_bytes().rstrip(b"\0"))


class Flipper:
    """Copies of the template, each with one byte flipped, started and read: one a thread."""

    def __init__(self, template: Path, expected: State) -> None:
        self._template = template
        self._expected = expected
        self._local = threading.local()
        self.refused = 0
        self.same = 0
        self.found = 0

    def flip(self, store: str, file: str, offset: int, mask: int) -> str:
        """What is wrong; empty = it was refused with the file's name, or every value is what was written.

        What a start refuses, `twind verify` finds too.
        """
        directory = self._directory()
        data = directory / "data"
        shutil.rmtree(data, ignore_errors=True)
        copy_sparse(self._template / store, data)
        flip_byte(data / file, offset, mask)
        verified = subprocess.run(
            [TWIND, "verify", "--data-dir", str(data)], env=environment(), capture_output=True, text=True, timeout=30
        )
        said = verified.stdout + verified.stderr
        if verified.returncode not in (0, 1) or verified.returncode == 1 and name_of(file) not in said:
            return f"verify: {verified}"
        self.found += verified.returncode
        try:
            daemon = Daemon(directory, "--checkpoint-interval", "1h")
        except AssertionError as error:
            self.refused += 1
            last = str(error).strip().splitlines()[-1]
            if "Error: " not in last or name_of(file) not in last or "Fatal error" in str(error):
                return f"refused with {last}"
            return "" if verified.returncode == 1 else f"verify finds nothing, a start {last}"
        return self._judge_values(daemon)

    def _judge_values(self, daemon: Daemon) -> str:
        try:
            with daemon.client() as client:
                found = state(client)
        except twind.TwindError as error:
            self.refused += 1
            return "" if "twind.db" in str(error) else f"{error}"
        finally:
            daemon.close()
        self.same += 1
        return "" if found == self._expected else difference(found, self._expected)

    def _directory(self) -> Path:
        if not hasattr(self._local, "directory"):
            self._local.directory = Path(tempfile.mkdtemp(prefix="copy-", dir=self._template))
        log = self._local.directory / "log"
        log.unlink(missing_ok=True)
        directory: Path = self._local.directory
        return directory


def name_of(file: str) -> str:
    """As a message names it: the database and its log as one."""
    return "twind.db" if file.startswith("twind.db") else file


def copy_sparse(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        elif path.name not in ("lock", "twind.db-shm"):
            with path.open("rb") as file, copy.open("wb") as written:
                written.write(file.read(2 << 20))
                written.truncate(path.stat().st_size)


def flip_byte(path: Path, offset: int, mask: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))


def difference(found: State, expected: State) -> str:
    twins = sum(twin not in expected[0] for twin in found[0])
    facts = sum(fact not in expected[1] for fact in found[1])
    return (
        f"{len(found[0])} twins of {len(expected[0])}, {twins} of them others; "
        f"{len(found[1])} facts of {len(expected[1])}, {facts} of them others"
    )


def offsets(path: Path, chance: random.Random) -> list[int]:
    """Every byte, or a sample with all that gives the file its structure."""
    size = used_bytes(path)
    if path.suffix == ".journal":
        zeros = [chance.randrange(size, path.stat().st_size) for _ in range(40)]
        some = range(size) if EVERY_BYTE else [*range(64), *chance.sample(range(64, size), SAMPLE_BYTES)]
        return [*some, *zeros]
    if EVERY_BYTE or size <= SAMPLE_BYTES:
        return list(range(size))
    # The header of the file, those of the pages or frames, and any.
    page = 4096 + (24 if path.name.endswith("-wal") else 0)
    structural = [*range(0, 32, 4), *(start + chance.randrange(24) for start in range(0, size - 24, page))]
    return structural + chance.sample(range(size), SAMPLE_BYTES)


def index_bytes(path: Path) -> list[int]:
    """All of the page that leads from names to twins: what it does not lead to seems never to have been."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'twins_by_name'").fetchone()
    start = (page - 1) * 4096
    content = path.read_bytes()[start : start + 4096]
    return [start + offset for offset, byte in enumerate(content) if byte]


@pytest.mark.seconds(4 * 3600 if EVERY_BYTE else 240)
@pytest.mark.parametrize(
    "store, pattern", [("folded", "journal/*.journal"), ("folded", "twind.db"), ("logged", "twind.db"), ("logged", "twind.db-wal")]
)
def test_no_flipped_byte_gives_a_wrong_value(template: tuple[Path, State], store: str, pattern: str) -> None:
    directory, expected = template
    chance = random.Random(SEED)
    flipper = Flipper(directory, expected)
    paths = sorted((directory / store).glob(pattern))
    assert paths and all(path.stat().st_size for path in paths)
    jobs: list[tuple[str, int, int]] = [
        (str(path.relative_to(directory / store)), offset, 1 << chance.randrange(8))
        for path in paths
        for offset in offsets(path, chance)
    ]
    if (store, pattern) == ("folded", "twind.db"):
        jobs += [
            ("twind.db", offset, 1 << bit)
            for offset in index_bytes(paths[0])
            for bit in (range(8) if EVERY_BYTE else [chance.randrange(8)])
        ]
    with ThreadPoolExecutor(PROCESSES) as pool:
        results: list[str] = list(pool.map(lambda job: flipper.flip(store, *job), jobs))
    wrong = [f"{file} byte {offset} mask {mask}: {what}" for (file, offset, mask), what in zip(jobs, results) if what]
    print(f"{store} {pattern}: {len(jobs)} flips, {flipper.refused} refused, {flipper.same} of no effect, {flipper.found} verified")
    assert not wrong, f"{len(wrong)} of {len(jobs)}:\n" + "\n".join(wrong[:20])
    # The journal has all that a log without its last frames has not.
    assert flipper.same == len(jobs) if pattern.endswith("-wal") else flipper.refused > len(jobs) / 20


def test_an_unflipped_copy_is_whole(template: tuple[Path, State], start: Callable[..., Daemon], directory: Path) -> None:
    copy_sparse(template[0] / "logged", directory / "data")
    with start().client() as client:
        assert state(client) == template[1]
        assert len(template[1][0]) == 7 and len(template[1][1]) > 30
