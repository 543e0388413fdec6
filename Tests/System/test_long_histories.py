"""Histories much larger than the memory limit: they are read page by page, and a stalled reader uses almost no
memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import twind
from daemon import Daemon, until
from frames import DATA, NO_DATA, RawConnection, field, fields, request
from load import Reader, settled

NAME = "acme/customer/1"
OTHER = "acme/customer/2"
FACTS = 100_000
STREAMS = 128
MIB = 1 << 20
# What a connection may have to be sent, the pages on their way, and SQLite's and the allocator's share.
GROWTH_BYTES_MAX = 24 * MIB


def write(client: twind.Client, count: int) -> None:
    """So many facts about one twin, 200 to a commit."""
    for first in range(0, count, 200 * 16):
        with client.pipeline() as pipeline:
            for start in range(first, min(first + 200 * 16, count), 200):
                pipeline.update(NAME, {f"a{i}": start + i for i in range(200)})


@pytest.fixture
def daemon(start: Callable[..., Daemon]) -> Iterator[Daemon]:
    """Its one twin has a long history, on disk."""
    daemon = start("--memory-limit", "64MiB")
    with daemon.client(timeout=60) as client:
        client.update(OTHER, {"a": 1})
        for _ in range(4):
            write(client, FACTS // 4)
            client.checkpoint()
    yield daemon


def facts_of(raw: RawConnection, stream: int) -> tuple[int, int]:
    """Reads one stream to its end: how many facts it had, and up to which sequence."""
    count, sequence = 0, 0
    while True:
        part = raw.answer(stream)
        assert part.kind == DATA, part
        if part.flags & NO_DATA:
            return count, sequence
        found = fields(part.data)
        count += len(found.get(1, []))
        sequence = found.get(2, [0])[0]


@pytest.mark.seconds(240)
def test_many_histories_that_nobody_reads(daemon: Daemon) -> None:
    with daemon.client(timeout=60) as client, Reader(daemon, OTHER) as reader:
        list(client.facts(NAME))
        base = daemon.resident_bytes
        with RawConnection(daemon.socket) as raw:
            for stream in range(1, 2 * STREAMS, 2):
                raw.send(request(stream, "ListFacts", field(1, NAME), 1))
            until(lambda: client.stats().stream_count >= STREAMS, "all are open")
            highest = 0
            for _ in range(40):
                reader.read_on()
                highest = max(highest, daemon.resident_bytes - base)
                time.sleep(0.05)
            assert highest < GROWTH_BYTES_MAX, f"{highest >> 20} MiB for {STREAMS} that are not read"
        until(lambda: settled_beside(client), "they are gone")
        reader.check()
    print(f"{highest / MIB:.1f} MiB for {STREAMS} histories of {FACTS} facts that are not read")


def settled_beside(client: twind.Client) -> bool:
    """Nobody is served but this client and the reader."""
    stats = client.stats()
    return stats.connection_count == 2 and stats.stream_count <= 1


@pytest.mark.seconds(240)
def test_all_of_it_comes_though_read_late(daemon: Daemon) -> None:
    """Commits and a checkpoint while they wait."""
    with daemon.client(timeout=60) as client:
        with RawConnection(daemon.socket) as raw:
            raw.socket.settimeout(60)
            raw.send(request(1, "ListFacts", field(1, NAME), 1))
            time.sleep(0.5)
            last = 0
            for number in range(20):
                last = client.update(NAME, {"late": number}).sequence
                if number == 10:
                    client.checkpoint()
            count, sequence = facts_of(raw, 1)
            # What a stream is complete up to is what was there when its last page was read.
            assert count == FACTS + 20 and sequence >= last
        assert sum(1 for _ in client.facts(NAME)) == FACTS + 20
        until(lambda: settled(client), "it is gone")


@pytest.mark.seconds(240)
def test_as_of_reads_of_a_long_history(daemon: Daemon) -> None:
    """Many at once: right, within memory, and others are read beside them."""
    with daemon.client(timeout=120) as client, Reader(daemon, OTHER) as reader:
        moments = [fact.recorded_at for fact in client.facts(NAME, attributes=["a0"])]
        base = daemon.resident_bytes

        def value(number: int) -> object:
            with daemon.client(timeout=120) as another:
                return another.get(NAME, known_at=moments[number])["a0"]

        numbers = range(0, len(moments), len(moments) // 30)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(value, numbers)) == [number * 200 % (FACTS // 4) for number in numbers]
        assert daemon.resident_bytes - base < GROWTH_BYTES_MAX
        reader.check()
