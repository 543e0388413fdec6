"""More twins than fit in memory: all of them are read correctly, and the process stays within its limit.

200,000 twins under 32 MiB; with TWIND_FULL=1 a million under 128 MiB.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest

import twind
from daemon import Daemon
from pressure import Memory
from twind._generated.twind.v1 import admin_service_pb2 as admin

IS_FULL = os.environ.get("TWIND_FULL") == "1"
TWINS, LIMIT_MEBIBYTES, SAMPLE = (1_000_000, 128, 20_000) if IS_FULL else (200_000, 32, 20_000)
BATCH = 250
MEBIBYTE = 1 << 20
RSS_BYTES_MAX = LIMIT_MEBIBYTES * MEBIBYTE * 3 // 2 + 64 * MEBIBYTE


def name_of(number: int) -> str:
    return f"acme/customer/{number:07}"


def attributes_of(number: int) -> dict[str, twind.ChangeLike]:
    """About 150 bytes, different for each twin."""
    return {"number": number, "email": f"customer-{number}@example.org", "note": f"{number * 7919:x} " * 6}


def load(daemon: Daemon, count: int) -> int:
    """In batches; how often one was refused because checkpoints could not keep up."""
    refused = 0
    batches = [range(first, min(first + BATCH, count)) for first in range(0, count, BATCH)]
    with daemon.client(timeout=60) as client:
        for first in range(0, len(batches), 32):
            left = batches[first : first + 32]
            while left:
                with client.pipeline(window=8) as pipeline:
                    sent = [(batch, pipeline.update_many(updates(batch))) for batch in left]
                    left = [batch for batch, done in sent if was_refused(done)]
                refused += len(left)
                if left:
                    time.sleep(0.2)
    return refused


def updates(batch: range) -> list[twind.Update]:
    return [twind.Update(name_of(number), attributes_of(number)) for number in batch]


def was_refused(done: twind.Pending[twind.BatchCommit]) -> bool:
    error = done.exception()
    if error is None:
        return False
    if not isinstance(error, twind.ResourceExhausted):
        raise error
    return True


@pytest.mark.seconds(900 if IS_FULL else 180)
def test_more_twins_than_memory_holds(start: Callable[..., Daemon]) -> None:
    daemon = start("--memory-limit", f"{LIMIT_MEBIBYTES}MiB")
    chance = random.Random(11)
    steps: list[str] = []
    with Memory(daemon) as memory:
        began = time.monotonic()
        refused = load(daemon, TWINS)
        steps.append(f"written in {time.monotonic() - began:.0f} s, {refused} batches refused")
        check_all(daemon, chance, steps)
    stats_after = check_stats(daemon)
    assert memory.highest <= RSS_BYTES_MAX, f"{memory.highest >> 20} MiB resident of {RSS_BYTES_MAX >> 20}"
    steps.append(f"{memory.highest >> 20} MiB resident at most, of {RSS_BYTES_MAX >> 20}; {stats_after}")
    daemon.kill()
    began = time.monotonic()
    daemon = start("--memory-limit", f"{LIMIT_MEBIBYTES}MiB")
    steps.append(f"started after a crash in {time.monotonic() - began:.1f} s")
    with Memory(daemon) as memory:
        check_all(daemon, chance, steps)
    assert memory.highest <= RSS_BYTES_MAX, f"{memory.highest >> 20} MiB resident of {RSS_BYTES_MAX >> 20}"
    print(f"{TWINS} twins: " + "; ".join(steps))


def check_all(daemon: Daemon, chance: random.Random, steps: list[str]) -> None:
    """A sample by name, with names that never were; writes to cold twins; then all in order."""
    with daemon.client(timeout=60) as client:
        began = time.monotonic()
        numbers = chance.sample(range(TWINS), SAMPLE)
        with client.pipeline() as pipeline:
            found = [(number, pipeline.get(name_of(number))) for number in numbers]
            missing = [pipeline.get(name_of(TWINS + number)) for number in range(2_000)]
            for number, twin in found:
                assert dict(twin.result().items()) == attributes_of(number)
            assert all(isinstance(twin.exception(), twind.NotFound) for twin in missing)
        names = [name_of(number) for number in chance.sample(range(TWINS), 256)]
        assert [twin["number"] for twin in client.get_many(names).values()] == [int(name[-7:]) for name in names]
        steps.append(f"{SAMPLE} reads in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        for number, listed in enumerate(client.list(page_size=1000)):
            assert listed.name == name_of(number) and dict(listed.items()) == attributes_of(number)
        assert number == TWINS - 1
        steps.append(f"all listed in {time.monotonic() - began:.0f} s")


def check_stats(daemon: Daemon) -> str:
    with daemon.client() as client:
        stats = client.admin.get_stats(admin.GetStatsRequest())
    assert stats.twin_count == TWINS and stats.memory_bytes_max == LIMIT_MEBIBYTES * MEBIBYTE
    assert stats.resident_twin_count < TWINS and stats.eviction_count > 0 and stats.cold_read_count > 0
    assert stats.twin_bytes <= stats.memory_bytes_max
    assert stats.failure == "" and stats.checkpoint_error == ""
    return f"{stats.resident_twin_count} twins in memory, {stats.cold_read_count} cold reads"


@pytest.mark.seconds(120)
def test_writes_to_twins_that_are_not_in_memory(start: Callable[..., Daemon]) -> None:
    """Counters that are counted up in any order, many more than memory holds, end where they must."""
    daemon = start("--memory-limit", "8MiB", "--checkpoint-interval", "500ms")
    chance = random.Random(3)
    counts = [0] * 12_000
    with daemon.client(timeout=60) as client:
        for _ in range(4):
            numbers = chance.sample(range(len(counts)), len(counts) // 2)
            for first in range(0, len(numbers), BATCH):
                some = numbers[first : first + BATCH]
                batch = [
                    twind.Update(name_of(n), {"count": twind.increment(1), "text": f"{n} " * 150}) for n in some
                ]
                while True:
                    try:
                        client.update_many(batch)
                        break
                    except twind.ResourceExhausted:
                        time.sleep(0.05)
                for n in some:
                    counts[n] += 1
        stats = client.admin.get_stats(admin.GetStatsRequest())
        assert stats.cold_read_count > 1000 and stats.resident_twin_count < sum(map(bool, counts))
    daemon.kill()
    with start("--memory-limit", "8MiB").client() as client:
        found = {twin.name: twin["count"] for twin in client.list(page_size=1000, attributes=["count"])}
    assert found == {name_of(n): count for n, count in enumerate(counts) if count}
