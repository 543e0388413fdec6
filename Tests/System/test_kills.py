"""Kills the daemon repeatedly while clients write: no acknowledged write is lost, no batch is torn.

It is killed 50 times, or 200 times with TWIND_FULL=1. Writes use all levels of durability while checkpoints run every
few milliseconds, so that kills hit journal writes, syncs, checkpoint slices, SQLite's own checkpoints, starts, and the
first moments after them. Changes of journal segments are rarely hit, since a segment has 64 MiB; the simulation uses
small ones.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import twind
from daemon import Daemon
from writers import BATCH, SPACE, Collector, History, start_writers, twins_of

WRITERS = 8
IS_FULL = os.environ.get("TWIND_FULL") == "1"
ROUNDS = 200 if IS_FULL else 50
# The round in which the directory is begun anew, so that recoveries stay short.
ROUNDS_OF_A_DIRECTORY = 50


@pytest.mark.seconds(600)
def test_nothing_is_lost_however_often_it_is_killed(start: Callable[..., Daemon], directory: Path) -> None:
    began = time.monotonic()
    acknowledged = 0
    for first in range(0, ROUNDS, ROUNDS_OF_A_DIRECTORY):
        data = directory / f"data-{first}"
        history = History()
        for number in range(first, min(first + ROUNDS_OF_A_DIRECTORY, ROUNDS)):
            run(start, directory, data, history, random.Random(number), number)
        daemon = start(data=data)
        check(daemon, history)
        daemon.stop()
        explain(history, directory / "events.ndjson")
        acknowledged += history.acknowledged
    seconds = time.monotonic() - began
    print(f"{ROUNDS} kills in {seconds:.0f} s, {acknowledged} acknowledged writes, none lost")
    assert acknowledged > ROUNDS * WRITERS


def run(
    start: Callable[..., Daemon], directory: Path, data: Path, history: History, chance: random.Random, number: int
) -> None:
    """One life of the daemon: checks what the ones before left, and is killed under writers."""
    daemon = start("--checkpoint-interval", chance.choice(["1ms", "5ms", "50ms", "1h"]), data=data)
    check(daemon, history)
    collector = Collector(directory / "acknowledged")
    numbers = [number * 1_000_000] * WRITERS
    process = start_writers(daemon.socket, collector, numbers, number)
    try:
        wait_for_writes(collector.path)
        time.sleep(chance.uniform(0, 0.25))  # when it is killed is the point
        daemon.kill()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    history.add(collector.close())
    collector.path.unlink()
    daemon.close()


def explain(history: History, file: Path) -> None:
    """The simulator's checker finds an order of all writes and reads that explains what was seen of each register."""
    assert history.events
    file.write_text("".join(json.dumps(event) + "\n" for event in history.events))
    checker = Path(os.environ["TWIND_BIN_DIR"]) / "twind-simulate"
    result = subprocess.run([checker, "check-history", str(file)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def wait_for_writes(log: Path) -> None:
    end = time.monotonic() + 20
    while log.stat().st_size == 0:
        assert time.monotonic() < end, "no writer begins"
        time.sleep(0.002)


def check(daemon: Daemon, history: History) -> None:
    """Every register against its history, and every batch for being whole."""
    with daemon.client() as client:
        found = {twin.name: twin for twin in client.list(SPACE + "/", page_size=1000)}
        head = client.server_info().sequence
    for (writer, register), past in history.registers.items():
        names = twins_of(writer)
        of_register = names[3:] if register == "batch" else [names[int(register)]]
        twins = [found[name] for name in of_register if name in found]
        assert len(twins) in (0, BATCH if register == "batch" else 1), f"a torn batch: {twins}"
        states = {(twin["n"], twin["text"], twin.revision) for twin in twins} or {(0, "", 0)}
        assert len(states) == 1, f"a torn batch: {twins}"
        number, text, revision = states.pop()
        assert isinstance(number, int) and text == f"{number} " * 20 * (number > 0)
        past.check(number, revision)
        assert revision <= head
        history.saw(writer, register, number)
        # What is there now is there for good.
        past.kept = max(past.kept, number)
