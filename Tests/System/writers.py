"""Writes to a daemon until it is killed, and logs what was acknowledged.

Run as a program, it is a writer process with a thread for each writer. The log has a line before each write is sent,
and an `ok` line when it is acknowledged. A separate collector process receives the lines over a pipe and appends them
to a file, so that the log is complete even if a writer dies. The outcome of a write without `ok` is unknown. `Register`
compares the state after a restart with the log. Used by test_kills.py.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import twind

SPACE = "kills"
BATCH = 5
# The registers that are only written at levels which survive a kill: the journaled and the synced one.
KEPT = ("1", "2")
LEVELS = (twind.Durability.MEMORY, twind.Durability.JOURNALED, twind.Durability.SYNCED)


def twins_of(writer: int) -> list[str]:
    """One twin for each level, in the order of LEVELS, then those of the batches."""
    return [f"{SPACE}/{kind}/{writer}" for kind in ("memory", "journaled", "synced")] + [
        f"{SPACE}/batch/{writer}-{i}" for i in range(BATCH)
    ]


def write(socket: str, writer: int, number: int, output: int, seed: int) -> None:
    """Numbers that only rise, each to one twin or to a batch of them, until the daemon is gone."""
    chance = random.Random(seed)
    names = twins_of(writer)

    def tell(event: str, *values: object) -> None:
        os.write(output, (" ".join([event, str(writer), *map(str, values)]) + "\n").encode())

    with twind.Client(socket, agent=f"writer-{writer}", connect_timeout=0) as client:
        try:
            while True:
                number += 1
                choice = chance.randrange(8)
                level = LEVELS[choice % 3]
                register = "batch" if choice >= 6 else str(choice % 3)
                tell("invoke", register, number, int(level))
                if register == "batch":
                    updates = [twind.Update(name, {"n": number, "text": f"{number} " * 20}) for name in names[3:]]
                    done = client.update_many(updates, durability=level).sequence
                else:
                    change: dict[str, twind.ChangeLike] = {"n": number, "text": f"{number} " * 20}
                    done = client.update(names[choice % 3], change, durability=level).sequence
                tell("ok", register, number, int(level), done)
        except twind.Unavailable:
            return


class Collector:
    """The process that keeps the log, and the end of the pipe that writers write to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        reading, self.pipe = os.pipe()
        with path.open("ab") as log:
            self._process = subprocess.Popen(["cat"], stdin=reading, stdout=log)
        os.close(reading)

    def close(self) -> str:
        """All lines, when every writer has closed its end."""
        os.close(self.pipe)
        assert self._process.wait(20) == 0
        return self.path.read_text()


def start_writers(socket: Path, collector: Collector, numbers: list[int], seed: int) -> subprocess.Popen[bytes]:
    """A process with a writer for each of `numbers`, where they begin."""
    command = [sys.executable, __file__, str(socket), str(collector.pipe), str(seed), *map(str, numbers)]
    return subprocess.Popen(command, pass_fds=[collector.pipe])


@dataclass
class Register:
    """The history of one register, which only one writer writes."""

    # The highest number that was acknowledged as journaled or better, by this write or a later one of any writer.
    kept: int = 0
    # Every number that may have been written, with the sequence it was told.
    invoked: set[int] = field(default_factory=lambda: {0})
    sequences: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)

    def check(self, found: int, revision: int) -> None:
        """A number that was written, none before the last that was to stay, at the sequence that was told."""
        assert found in self.invoked, f"{found} was never written"
        assert found >= self.kept, f"{found} is there and {self.kept} was acknowledged"
        if found in self.sequences:
            assert revision == self.sequences[found], f"{found} is at revision {revision}"


class History:
    """Registers by writer and name, and the highest sequence that anybody was told."""

    def __init__(self) -> None:
        self.registers: dict[tuple[int, str], Register] = {}
        # Of the registers whose acknowledged writes all survive a kill, for `twind-simulate check-history`.
        self.events: list[dict[str, object]] = []
        self.runs = 0
        self.highest = 0
        self.acknowledged = 0

    def register(self, writer: int, name: str) -> Register:
        return self.registers.setdefault((writer, name), Register())

    def saw(self, writer: int, name: str, number: int) -> None:
        """A read between two runs; 0 = nothing was there."""
        if name not in KEPT:
            return
        agent = f"reader after run {self.runs}"
        self.events.append({"agent": agent, "event": "invoke", "on": f"{writer} {name}", "do": "read"})
        self.events.append({"agent": agent, "event": "ok", "value": number or None})

    def add(self, log: str) -> None:
        """The events of one run of the daemon."""
        told: list[tuple[int, Register, int]] = []
        anchor = 0
        before = self.highest
        self.runs += 1
        for line in log.splitlines():
            event, writer, name, *numbers = line.split()
            register = self.register(int(writer), name)
            number, level = int(numbers[0]), int(numbers[1])
            if name in KEPT:
                told_of: dict[str, object] = {"agent": f"writer {writer} of run {self.runs}", "event": event}
                if event == "invoke":
                    told_of |= {"on": f"{writer} {name}", "do": "write", "value": number}
                self.events.append(told_of)
            if event == "invoke":
                register.invoked.add(number)
                register.levels[number] = level
                continue
            sequence = int(numbers[2])
            assert sequence > before, f"sequence {sequence} was issued before {before}"
            register.sequences[number] = sequence
            told.append((sequence, register, number))
            if level > twind.Durability.MEMORY:
                anchor = max(anchor, sequence)
        sequences = [sequence for sequence, _, _ in told]
        assert len(set(sequences)) == len(sequences), "a sequence was issued twice"
        self.highest = max([before, *sequences])
        self.acknowledged += len(told)
        # There is one log: what came before a journaled write was written with it.
        for sequence, register, number in told:
            if sequence <= anchor:
                register.kept = max(register.kept, number)


def main() -> None:
    socket, output, seed, *numbers = sys.argv[1:]
    threads = [
        threading.Thread(target=write, args=(socket, i, int(number), int(output), int(seed) * 1000 + i))
        for i, number in enumerate(numbers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
