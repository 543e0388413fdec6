"""What SIGKILL may take: what came after the last checkpoint, whole commits, and no number twice."""

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


def test_only_what_came_after_the_last_checkpoint_is_missing(start: Callable[..., Daemon]) -> None:
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update(NAME, kept=1, changed="old", removed="old")
        client.update("acme/customer/2", a=1)
        client.update(NAME, a=1, idempotency_key="before")
        client.checkpoint()
        client.update(NAME, changed="new", added=1, removed=twind.remove)
        client.delete("acme/customer/2")
        client.update("acme/customer/3", a=1)
        client.update(NAME, a=2, idempotency_key="after")
    daemon.kill()
    with start().client() as client:
        assert dict(client.get(NAME)) == {"kept": 1, "changed": "old", "removed": "old", "a": 1}
        assert [twin.name for twin in client.list()] == [NAME, "acme/customer/2"]
        assert client.update(NAME, a=1, idempotency_key="before").sequence == 3
        assert client.update(NAME, a=3, idempotency_key="after").sequence > SEQUENCE_JUMP


def test_batches_are_whole(start: Callable[..., Daemon]) -> None:
    """Each commit gives the same number to all twins. Whenever the daemon is killed, all have one number after."""
    names = [f"acme/customer/{i}" for i in range(40)]
    chance = random.Random(1)
    highest = 0
    for _ in range(6):
        daemon = start("--checkpoint-interval", "5ms")
        with daemon.client() as client:
            twins = client.get_many(names)
            counters = {twin["counter"] for twin in twins.values()}
            assert len(counters) <= 1 and len(twins) in (0, 40)
            assert len({twin.revision for twin in twins.values()}) <= 1
            kept = counters.pop() if counters else 0
            assert isinstance(kept, int) and kept <= highest
            highest = write_until_killed(daemon, names, kept, chance.uniform(0.05, 0.3))


def write_until_killed(daemon: Daemon, names: list[str], counter: int, seconds: float) -> int:
    """The last number that may have been written."""
    killer = threading.Timer(seconds, daemon.kill)
    killer.start()
    with daemon.client(connect_timeout=0) as client:
        try:
            while True:
                counter += 1
                client.update_many([twind.Update(name, {"counter": counter, "filler": "x" * 200}) for name in names])
        except twind.Unavailable:
            pass
    killer.join()
    return counter


def test_checkpoints_that_were_acknowledged_hold_all_before(start: Callable[..., Daemon]) -> None:
    """Writers and checkpoints run; what a finished checkpoint covers is there after the kill."""
    for _ in range(3):
        daemon = start("--checkpoint-interval", "1h")
        with daemon.client() as writer, daemon.client() as operator:
            with writer.pipeline() as pipeline:
                for i in range(3000):
                    pipeline.update(f"acme/customer/{i % 500}", n=twind.increment(1))
                    if i == 1500:
                        covered = {twin.name: twin for twin in operator.list(page_size=1000)}
                        done = operator.checkpoint()
        daemon.kill()
        after = start()
        with after.client() as client:
            for name, twin in covered.items():
                found = client.get(name)
                assert found.revision >= twin.revision and found["n"] >= twin["n"]  # type: ignore[operator]
            assert all(twin.revision <= done.sequence for twin in client.list(page_size=1000))
        after.stop()


def test_sequences_are_never_issued_again(start: Callable[..., Daemon]) -> None:
    seen = 0
    for _ in range(4):
        daemon = start("--checkpoint-interval", "1h")
        with daemon.client() as client:
            for i in range(50):
                sequence = client.update(NAME, a=f"{seen} {i}").sequence
                assert sequence > seen
                seen = sequence
        daemon.kill()


def test_sequences_inside_the_jump_are_out_of_range(start: Callable[..., Daemon]) -> None:
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update(NAME, a=1)
        client.checkpoint()
        lost = client.update(NAME, a=2).sequence
    daemon.kill()
    with start().client() as client:
        assert client.get(NAME, min_sequence=1)["a"] == 1
        before = time.monotonic()
        for sequence in (lost, lost + 1000):
            with pytest.raises(twind.OutOfRange) as raised:
                client.get(NAME, min_sequence=sequence)
            assert raised.value.resume
        new = client.update(NAME, a=3).sequence
        assert new > SEQUENCE_JUMP
        assert client.get(NAME, min_sequence=new)["a"] == 3
        for sequence in (lost, new - 1):
            with pytest.raises(twind.OutOfRange):
                client.get(NAME, min_sequence=sequence)
            with pytest.raises(twind.OutOfRange) as raised, client.watch(from_sequence=sequence) as watch:
                next(watch)
            assert raised.value.resume and raised.value.resume.head_sequence == new
        assert time.monotonic() - before < 0.9, "what can never be visible is not waited for"


def test_a_watch_cannot_skip_a_crash(start: Callable[..., Daemon]) -> None:
    """A client that goes on after the restart is told that it must begin anew."""
    daemon = start()
    with daemon.client() as client:
        client.update(NAME, a=1)
        with client.watch() as watch:
            assert [change["a"] for change in watch.snapshot()] == [1]
            client.update(NAME, a=2)
            assert next(watch)["a"] == 2
            daemon.kill()
            start()
            with pytest.raises(twind.OutOfRange):
                next(watch)


def test_killed_while_it_starts_and_ends(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client() as client:
        for i in range(200):
            client.update(f"acme/customer/{i}", a=i)
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
