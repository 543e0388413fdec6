"""Fairness: whatever one client does, reads of others and the operator's `twinctl stats` are answered within a second.
And reads that cannot get the memory they need end.

The limits here are loose; Tests/Bench/neighbours.py measures the real figures.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import twind
from daemon import Daemon, environment, until
from flood import Calls, Flood, FloodProcess, same
from frames import (
    OK, OUT_OF_RANGE, REMOTE_CLOSED, REQUEST, RESOURCE_EXHAUSTED, TWINS,
    RawConnection, envelope, field, fields, frame, request,
)  # fmt: skip
from load import Reader, describe
from pressure import fill_history
from twinctl import TWINCTL

IS_FULL = os.environ.get("TWIND_FULL") == "1"
SMALL = "acme/customer/1"
LONG = "acme/customer/long"
ADMIN = "twind.v1.AdminService"
# What anybody may wait beside such a neighbour, on a machine that others use too.
WAIT_SECONDS_MAX = 1.0


def write(stream: int) -> bytes:
    """55 KB of JSON, which changes."""
    value = field(8, "[" + ",".join(str(1_000_000_000 + stream * 7919 + i) for i in range(5_000)) + "]")
    change = field(1, "document") + field(2, value)
    return request(stream, "UpdateTwin", field(1, f"acme/document/{stream % 64}") + field(2, change))


# Connections, calls under way on each, and a call. `known` is a time at which the long history was there.
def floods(known: int) -> dict[str, tuple[int, int, Calls]]:
    return {
        "as_of": (1, 128, same("GetTwin", field(1, LONG) + field(7, known))),
        "facts": (4, 4, same("ListFacts", field(1, LONG), REMOTE_CLOSED)),
        "lists": (8, 8, same("ListTwins", field(1, "acme/crowd/") + field(2, 1000))),
        "checkpoints": (1, 120, same("Checkpoint", service=ADMIN)),
        "waits": (50, 120, same("GetTwin", field(1, SMALL) + field(5, 1 << 40))),
        "writes": (16, 1, write),
    }


def stats_seconds(daemon: Daemon) -> float:
    """What `twinctl stats` takes, at most 20 s."""
    before = time.perf_counter()
    ended = subprocess.run(
        [TWINCTL, "stats", "--timeout", "20s"], capture_output=True, text=True, timeout=30,
        env=environment({"TWIND_SOCKET": str(daemon.socket)}),
    )  # fmt: skip
    assert ended.returncode == 0, ended
    return time.perf_counter() - before


@pytest.mark.parametrize("kind", floods(0))
def test_nobody_waits_for_a_flood(kind: str, start: Callable[..., Daemon]) -> None:
    daemon = start()
    with daemon.client(timeout=30) as client:
        client.update(SMALL, {"a": 1})
        crowd = [twind.Update(f"acme/crowd/{i:04}", {"text": f"{i} " * 40}) for i in range(1000)]
        for first in range(0, 1000, 250):
            client.update_many(crowd[first : first + 250])
        if kind in ("as_of", "facts"):
            fill_history(client, LONG, 100_000 if IS_FULL else 40_000)
        client.checkpoint()
    known = time.time_ns() // 1000
    readers = {
        "get": Reader(daemon, SMALL),
        "as-of": Reader(daemon, SMALL, lambda client: client.get(SMALL, known_at=known)),
        "list": Reader(daemon, SMALL, lambda client: list(client.list("acme/crowd/00", page_size=100))),
    }
    flood = FloodProcess(Flood(daemon.socket, *floods(known)[kind]))
    with flood:
        time.sleep(0.2)  # until it is under way
        with ExitStack() as stack:
            for reader in readers.values():
                stack.enter_context(reader)
            stats = [stats_seconds(daemon)]
            end = time.monotonic() + 2
            while time.monotonic() < end:
                stats.append(stats_seconds(daemon))
            for reader in readers.values():
                until(lambda: reader.error or reader.seconds, "a read", 20)
        assert flood.answered.wait(20), "the flood itself waits for ever"
    waits = {name: max(reader.seconds) for name, reader in readers.items()} | {"stats": max(stats)}
    found = ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in waits.items())
    print(f"\n{kind}: {dict(flood.codes)} answered; longest waits: {found}")
    assert set(flood.codes) <= {OUT_OF_RANGE if kind == "waits" else OK, RESOURCE_EXHAUSTED} and flood.codes
    assert max(waits.values()) < WAIT_SECONDS_MAX, found


def large(number: int) -> dict[str, twind.ChangeLike]:
    """240 KB."""
    return {f"part_{i}": f"{number:06} {i}" * 6_660 for i in range(4)}


def write_large(client: twind.Client, names: list[str]) -> None:
    """To the database, whatever memory may hold."""
    for number, name in enumerate(names):
        while True:
            try:
                client.update(name, large(number))
                break
            except twind.ResourceExhausted:
                client.checkpoint()
    client.checkpoint()


def result_codes(payload: bytes) -> list[int]:
    """Of each result of a BatchGetTwinsResponse: OK, or its status's code."""
    codes = []
    for result in fields(payload).get(1, []):
        assert isinstance(result, bytes)
        status = fields(result).get(3)
        code = fields(status[0]).get(1, [0])[0] if status and isinstance(status[0], bytes) else OK
        assert isinstance(code, int)
        codes.append(code)
    return codes


def is_idle(daemon: Daemon) -> bool:
    before = daemon.cpu_seconds
    time.sleep(0.5)  # the measure
    return daemon.cpu_seconds - before < 0.1


def test_batch_of_more_than_memory_holds(start: Callable[..., Daemon]) -> None:
    """150 twins of 240 KB under 64 MiB: it ends, and the daemon is idle then. Those that did not fit can be had."""
    names = [f"acme/large/{i:03}" for i in range(150)]
    daemon = start("--memory-limit", "64MiB")
    with daemon.client(timeout=30) as client:
        client.update(SMALL, {"a": 1})
        write_large(client, names)
    daemon.stop()
    daemon = start("--memory-limit", "64MiB")
    with Reader(daemon, SMALL) as reader, RawConnection(daemon.socket, seconds=20) as raw:
        before = time.monotonic()
        raw.send(request(1, "BatchGetTwins", b"".join(field(1, name) for name in names)))
        answer = raw.answer(1)
        took = time.monotonic() - before
    print(f"\na batch of 36 MB: code {answer.code} after {took:.1f} s; {describe(sorted(reader.seconds))}")
    assert answer.code in (OK, RESOURCE_EXHAUSTED), answer.message
    if answer.code == OK:
        codes = result_codes(answer.payload)
        assert len(codes) == 150 and set(codes) <= {OK, RESOURCE_EXHAUSTED} and OK in codes
    until(lambda: is_idle(daemon), "the daemon is idle", 5)
    with daemon.client(timeout=30) as client:
        found = client.get_many(names[:20])
    assert {name: twin["part_3"] for name, twin in found.items()} == {
        name: large(number)["part_3"] for number, name in enumerate(names[:20])
    }
    reader.check()


def test_batch_whose_caller_gives_up(start: Callable[..., Daemon]) -> None:
    """The work of a call ends with it."""
    names = [f"acme/large/{i:03}" for i in range(150)]
    daemon = start("--memory-limit", "8MiB")
    with daemon.client(timeout=30) as client:
        write_large(client, names)
    with RawConnection(daemon.socket) as raw:
        payload = b"".join(field(1, name) for name in names)
        raw.send(frame(1, REQUEST, 0, envelope(TWINS, "BatchGetTwins", payload, timeout_nano=50_000_000)))
        raw.answer(1)
    until(lambda: is_idle(daemon), "the daemon is idle", 5)
    daemon.check()


def test_reads_from_a_full_disk(start: Callable[..., Daemon], small_disk: Callable[[int], Path]) -> None:
    """Memory is full of twins that cannot be written: others are still read from disk, alone, in batches, in lists."""
    disk = small_disk(256)
    daemon = start("--memory-limit", "8MiB", "--checkpoint-interval", "1h", data=disk / "data")
    names = [f"acme/large/{i:03}" for i in range(40)]
    with daemon.client(timeout=20) as client:
        write_large(client, names)
        with full(disk):
            fill_memory(client)
            waits = []
            for number, name in enumerate(names):
                before = time.monotonic()
                assert client.get(name, timeout=5)["part_0"] == large(number)["part_0"]
                waits.append(time.monotonic() - before)
            print(f"slowest read {max(waits) * 1e3:.0f} ms")
            assert max(waits) < WAIT_SECONDS_MAX
            known = time.time_ns() // 1000
            assert client.get(names[0], known_at=known)["part_1"] == large(0)["part_1"]
            assert [twin["part_2"] for twin in client.list("acme/large/")] == [large(i)["part_2"] for i in range(40)]
            assert list(client.get_many(names)) == names
            until(lambda: is_idle(daemon), "the daemon is idle", 5)
        until(lambda: is_taken(client), "a write is taken again", 10)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """To the last block."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass
    try:
        yield
    finally:
        filler.unlink()


def fill_memory(client: twind.Client) -> None:
    """With twins that no checkpoint can write, until not even a small one is taken any more."""
    for length in (30_000, 3_000, 300, 30):
        with pytest.raises(twind.ResourceExhausted) as raised:
            for number in range(10_000):
                client.update(f"acme/dirty/{length}-{number}", {"text": "x" * length})
    print(f"\nwrites are refused: {raised.value}")


def is_taken(client: twind.Client) -> bool:
    try:
        client.update(SMALL, {"a": twind.increment(1)})
        return True
    except twind.ResourceExhausted:
        return False
