"""SIGKILL may lose the last milliseconds of MEMORY writes, but nothing that was journaled, and no sequence is used
twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

import twind
from daemon import Daemon, until

NAME = "acme/customer/1"
SEQUENCE_JUMP = 1 << 20
# Far above the 10 ms within which MEMORY writes are written, for machines that are busy.
MEMORY_SECONDS_MAX = 0.5
WRITTEN = [twind.Durability.JOURNALED, twind.Durability.SYNCED]


@pytest.mark.parametrize("durability", WRITTEN)
def test_nothing_that_was_acknowledged_is_missing(start: Callable[..., Daemon], durability: twind.Durability) -> None:
    """Before and after the last checkpoint: values, removals, deletes and idempotency keys."""
    level = ("--durability", durability.name.lower())
    daemon = start("--checkpoint-interval", "1h", *level)
    with daemon.client() as client:
        client.update(NAME, {"kept": 1, "changed": "old", "removed": "old"})
        client.update("acme/customer/2", {"a": 1})
        before = client.update(NAME, {"a": 1}, idempotency_key="before")
        client.checkpoint()
        client.update(NAME, {"changed": "new", "added": 1, "removed": twind.remove})
        client.delete("acme/customer/2")
        client.update("acme/customer/3", {"a": 1})
        after = client.update(NAME, {"a": 2}, idempotency_key="after")
    daemon.kill()
    with start(*level).client() as client:
        assert dict(client.get(NAME)) == {"kept": 1, "changed": "new", "added": 1, "a": 2}
        assert [twin.name for twin in client.list()] == [NAME, "acme/customer/3"]
        assert client.update(NAME, {"a": 1}, idempotency_key="before") == before
        assert client.update(NAME, {"a": 2}, idempotency_key="after") == after
        assert client.get(NAME).revision == after.revision


def test_each_write_at_its_own_level_on_a_daemon_of_memory(start: Callable[..., Daemon]) -> None:
    """As there is one log, a write that is journaled takes all before it along."""
    for durability in WRITTEN:
        daemon = start("--checkpoint-interval", "1h", "--durability", "memory")
        with daemon.client() as client:
            assert client.update(NAME, {"a": f"before {durability}"}).durability == twind.Durability.MEMORY
            assert client.update("acme/customer/2", {"a": 1}, durability=durability).durability == durability
            daemon.kill()
        after = start()
        with after.client() as client:
            assert client.get(NAME)["a"] == f"before {durability}"
        after.stop()


def test_memory_loses_the_last_milliseconds_only(start: Callable[..., Daemon]) -> None:
    """What is there is a beginning of what was written, and holds everything but the newest."""
    count = 0
    for _ in range(4):
        daemon = start("--checkpoint-interval", "1h", "--durability", "memory")
        acknowledged: list[tuple[int, float]] = []
        first = count
        killer = threading.Timer(0.8, daemon.kill)
        killer.start()
        with daemon.client(connect_timeout=0) as client:
            try:
                while True:
                    client.update(f"acme/customer/{count:06}", {"a": count})
                    acknowledged.append((count, time.monotonic()))
                    count += 1
                    time.sleep(0.0005)
            except twind.Unavailable:
                ended = time.monotonic()
        killer.join()
        after = start()
        with after.client() as client:
            found = [int(twin.name[-6:]) for twin in client.list(page_size=1000)]
        after.stop()
        kept = [number for number in found if number >= first]
        assert kept == list(range(first, first + len(kept))), "a write is missing that has later ones"
        old = [number for number, at in acknowledged if at < ended - MEMORY_SECONDS_MAX]
        assert old and kept[-1] >= old[-1]
        count += 1  # what was under way may be there


def test_batches_are_whole(start: Callable[..., Daemon]) -> None:
    """Each commit gives the same number to all twins. Whenever the daemon is killed, all have one number after."""
    names = [f"acme/customer/{i}" for i in range(40)]
    chance = random.Random(1)
    lowest = highest = 0
    for _ in range(6):
        daemon = start("--checkpoint-interval", "5ms")
        with daemon.client() as client:
            twins = client.get_many(names)
            counters = {twin["counter"] for twin in twins.values()}
            assert len(counters) <= 1 and len(twins) in (0, 40)
            assert len({twin.revision for twin in twins.values()}) <= 1
            kept = counters.pop() if counters else 0
            assert isinstance(kept, int) and lowest <= kept <= highest
            lowest, highest = write_until_killed(daemon, names, kept, chance.uniform(0.05, 0.3))


def write_until_killed(daemon: Daemon, names: list[str], counter: int, seconds: float) -> tuple[int, int]:
    """The last number that was acknowledged, and the last that may have been written."""
    killer = threading.Timer(seconds, daemon.kill)
    killer.start()
    acknowledged = counter
    with daemon.client(connect_timeout=0) as client:
        try:
            while True:
                counter += 1
                client.update_many([twind.Update(name, {"counter": counter, "filler": "x" * 200}) for name in names])
                acknowledged = counter
        except twind.Unavailable:
            pass
    killer.join()
    return acknowledged, counter


def test_killed_after_a_checkpoint_under_writers(start: Callable[..., Daemon]) -> None:
    """A pipeline writes while checkpoints run: all that it was told of is there after the kill, and counted once."""
    total = 0
    for _ in range(3):
        daemon = start("--checkpoint-interval", "1h")
        with daemon.client() as writer, daemon.client() as operator:
            with writer.pipeline() as pipeline:
                for i in range(3000):
                    pipeline.update(f"acme/customer/{i % 500}", {"n": twind.increment(1)})
                    if i == 1500:
                        done = operator.checkpoint()
            assert operator.stats().checkpoint_sequence == done.sequence < operator.server_info().sequence
        daemon.kill()
        total += 3000
        after = start()
        with after.client() as client:
            assert sum(twin["n"] for twin in client.list(page_size=1000)) == total  # type: ignore[misc]
        after.stop()


def test_sequences_are_never_issued_again(start: Callable[..., Daemon]) -> None:
    """After every crash they begin beyond all that anybody can have seen."""
    seen = 0
    for _ in range(4):
        daemon = start("--checkpoint-interval", "1h", "--durability", "memory")
        with daemon.client() as client:
            first = client.update(NAME, {"a": f"first after {seen}"}).sequence
            assert first == 1 if seen == 0 else first > seen + SEQUENCE_JUMP - 1000
            for i in range(50):
                sequence = client.update(NAME, {"a": f"{seen} {i}"}).sequence
                assert sequence > seen
                seen = sequence
        daemon.kill()


def test_crashes_without_a_write_between_them(start: Callable[..., Daemon]) -> None:
    """What one start passes over the next one does too; what a run issued in memory only stays its own."""
    daemon = start()
    with daemon.client() as client:
        seen = client.update(NAME, {"a": 1}).sequence
    daemon.kill()
    lost = 0
    for turn in range(5):
        start().kill()
        daemon = start()
        with daemon.client() as client:
            client.checkpoint()
        daemon.kill()
        for life in range(2):
            daemon = start("--durability", "memory")
            with daemon.client() as client:
                lost += client.get(NAME).revision < seen
                sequence = client.update(NAME, {"a": f"{turn} {life}"}).sequence
                daemon.kill()
            assert sequence > seen
            seen = sequence
    assert lost, "no write was lost: none could have been issued again"


def test_sequences_inside_the_jump_are_out_of_range(start: Callable[..., Daemon]) -> None:
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
        client.checkpoint()
        kept = client.update(NAME, {"a": 2}).sequence
    daemon.kill()
    with start().client() as client:
        assert client.get(NAME, min_sequence=kept)["a"] == 2
        before = time.monotonic()
        for sequence in (kept + 1, kept + 1000):
            with pytest.raises(twind.OutOfRange) as raised:
                client.get(NAME, min_sequence=sequence)
            assert raised.value.resume
        new = client.update(NAME, {"a": 3}).sequence
        assert new == kept + SEQUENCE_JUMP + 1
        assert client.get(NAME, min_sequence=new)["a"] == 3
        for sequence in (kept + 1, new - 1):
            with pytest.raises(twind.OutOfRange):
                client.get(NAME, min_sequence=sequence)
            with pytest.raises(twind.OutOfRange) as raised, client.watch(from_sequence=sequence) as watch:
                next(watch)
            assert raised.value.resume and raised.value.resume.head_sequence == new
        assert time.monotonic() - before < 0.9, "what can never be visible is not waited for"
        with client.watch(from_sequence=kept) as watch:
            assert (next(watch)["a"], watch.sequence) == (3, new)


def test_a_watch_goes_on_across_a_crash(start: Callable[..., Daemon]) -> None:
    """It misses nothing of what was written between its last change and the kill, nor of what comes after."""
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update(NAME, {"a": 0})
        with client.watch() as watch:
            assert [change["a"] for change in watch.snapshot()] == [0]
            client.update(NAME, {"a": 1})
            assert next(watch)["a"] == 1
            with daemon.client() as writer:
                for a in (2, 3):
                    writer.update(NAME, {"a": a})
                writer.delete(NAME)
            daemon.kill()
            start()
            new = client.update(NAME, {"a": 4}).sequence
            changes = [next(watch) for _ in range(4)]
            assert [(change.get("a"), change.deleted) for change in changes] == [
                (2, False), (3, False), (None, True), (4, False),
            ]  # fmt: skip
            assert watch.sequence == new > SEQUENCE_JUMP


def test_a_watch_is_not_told_what_a_crash_takes_back(start: Callable[..., Daemon]) -> None:
    """It hears of a commit once that is as durable as the daemon's writes are: whatever it was told is there after."""
    for _ in range(3):
        daemon = start("--checkpoint-interval", "1h", "--durability", "journaled")
        told = 0
        with daemon.client(connect_timeout=0) as client, client.watch(from_sequence=0, reconnect_timeout=0) as watch:
            writer = threading.Thread(target=write_in_memory, args=(daemon,))
            writer.start()
            killer = threading.Timer(0.3, daemon.kill)
            killer.start()
            with pytest.raises(twind.Unavailable):
                for change in watch:
                    told = change.revision
            killer.join()
            writer.join()
        after = start()
        with after.client() as client:
            assert 0 < told <= client.get(NAME).revision
        after.stop()


def write_in_memory(daemon: Daemon) -> None:
    with daemon.client(connect_timeout=0) as client:
        try:
            while True:
                client.update(NAME, {"n": twind.increment(1)}, durability=twind.Durability.MEMORY)
        except twind.Unavailable:
            pass


def test_what_a_start_found(start: Callable[..., Daemon]) -> None:
    """The log says that the stop was no clean one and what that cost; a clean stop is no news."""
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        for i in range(20):
            client.update(f"acme/customer/{i}", {"a": i})
    daemon.kill()
    daemon = start("--checkpoint-interval", "1h")
    assert ["twins", "20"] in [line.split() for line in daemon.banner.splitlines()]
    lines = [line for line in daemon.logged().splitlines() if "recovered" in line]
    assert len(lines) == 1
    assert "commits_replayed=20" in lines[0] and "bytes_cut=0" in lines[0] and "twins=20" in lines[0]
    assert f"jump=21-{20 + SEQUENCE_JUMP}" in lines[0]
    with daemon.client() as client:
        client.update(NAME, {"a": "more"})
    daemon.stop()
    daemon = start()
    assert len([line for line in daemon.logged().splitlines() if "recovered" in line]) == 1


def test_killed_while_it_starts_and_ends(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client:
        for i in range(200):
            client.update(f"acme/customer/{i}", {"a": i})
    daemon.stop()
    for delay in (0.0, 0.001, 0.003, 0.01):
        daemon = start()
        daemon.process.terminate()
        time.sleep(delay)  # where in its end it is killed is the point
        daemon.kill()
    with start().client() as client:
        assert {twin.name: twin["a"] for twin in client.list(page_size=1000)} == {
            f"acme/customer/{i}": i for i in range(200)
        }
        until(lambda: client.health() == twind.Health.SERVING, "serving")
