"""What a well-behaved client waits beside neighbours that are not: a table of its latencies.

    python Tests/Bench/neighbours.py --binary .build/release/twind [--seconds 3] [--only as-of] [--json]

Starts a daemon of its own with 60,000 twins, of which memory holds a part, and one twin with 100,000 facts. Beside
each neighbour a client makes one kind of call after the other for so many seconds each: a read of a twin in memory, a
read of a twin as it was known before, a list of 100 twins. It sends raw frames, waits for the reply, and pauses for a
millisecond; a call without an answer after 30 seconds ends its cell. Neighbours run in processes of low priority, so
that the daemon is measured and not the cores that they take themselves. A new daemon serves each neighbour.

The column "idle" is the same read from a second daemon, which the neighbours do not call: what is left there is the
machine, on which the neighbours and the daemon that serves them take the cores.

Needs the Python client in the environment. Takes two to four minutes, and ends only what it has started.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "System"))

import twind  # noqa: E402
from flood import Calls, Flood, FloodProcess, same  # noqa: E402
from frames import OK, REMOTE_CLOSED, RawConnection, field, request  # noqa: E402

VICTIM = "victims/customer/042"
LONG = "neighbours/customer/long"
ADMIN = "twind.v1.AdminService"
TWINS, FACTS = 60_000, 100_000
MEMORY_LIMIT = "32MiB"
CALL_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.001


# Each is a list of floods, one for a process: connections, calls under way on each, the call.
def neighbours(known: int) -> dict[str, list[tuple[int, int, Calls]]]:
    cold = batches()
    return {
        "none": [],
        "128 as-of of a long history": [(1, 128, same("GetTwin", field(1, LONG) + field(7, known)))],
        "16 ListFacts": [(16, 1, same("ListFacts", field(1, LONG), REMOTE_CLOSED))],
        "8 x 8 ListTwins of 1,000": [(8, 8, same("ListTwins", field(1, "crowd/") + field(2, 1000)))],
        "64 x 2 batches of 256 cold": [(64, 2, lambda stream: cold[stream * 31 % len(cold)](stream))],
        "120 checkpoints": [(1, 120, same("Checkpoint", service=ADMIN))],
        "6,000 min_sequence waits": [(50, 120, same("GetTwin", field(1, VICTIM) + field(5, 1 << 50)))],
        "GetTwin flood, 32 x 64": [(16, 64, same("GetTwin", field(1, VICTIM)))] * 2,
        "16 writers of 55 KB JSON": [(16, 1, write_json)],
    }


def crowd_name(number: int) -> str:
    return f"crowd/customer/{number:06}"


def batches() -> list[Calls]:
    chance = random.Random(1)
    names = [chance.sample(range(TWINS), 256) for _ in range(200)]
    return [same("BatchGetTwins", b"".join(field(1, crowd_name(n)) for n in some)) for some in names]


def write_json(stream: int) -> bytes:
    text = "[" + ",".join(str(1_000_000_000 + stream * 7919 + i) for i in range(5_000)) + "]"
    change = field(1, "document") + field(2, field(8, text))
    return request(stream, "UpdateTwin", field(1, f"documents/customer/{stream // 2 % 64}") + field(2, change))


class Daemon:
    """twind on a data directory of its own."""

    def __init__(self, binary: Path, directory: Path) -> None:
        self.socket = directory / "s"
        command = [str(binary), "--socket", str(self.socket), "--data-dir", str(directory / "data")]
        command += ["--memory-limit", MEMORY_LIMIT]
        variables = {k: v for k, v in os.environ.items() if not k.startswith("TWIND_")}
        with (directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while not self._serves():
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise SystemExit(f"{binary} does not serve: {(directory / 'log').read_text()[-2000:]}")
            time.sleep(0.01)

    def _serves(self) -> bool:
        try:
            with twind.Client(self.socket, connect_timeout=0, timeout=5) as client:
                return client.health() == twind.Health.SERVING
        except twind.TwindError:
            return False

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        if self.is_running:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


@contextmanager
def serving(binary: Path, directory: Path) -> Iterator[Daemon]:
    daemon = Daemon(binary, directory)
    try:
        yield daemon
    finally:
        daemon.close()


def attributes(number: int) -> dict[str, twind.ChangeLike]:
    """Eight, with provenance, as twinbench has them."""
    parts = {f"attribute_{i}": twind.attribute(f"{number} {i} " * 3, evidence=f"crm:{number}") for i in range(6)}
    return {**parts, "visits": number, "score": number / 7}


def write_all(client: twind.Client) -> int:
    """All twins, the victims more than once; a time at which all of it was known."""
    names = [f"victims/customer/{i:03}" for i in range(100)] * 3 + [crowd_name(i) for i in range(TWINS)]
    for first in range(0, len(names), 100):
        updates = [twind.Update(name, attributes(first + i)) for i, name in enumerate(names[first : first + 100])]
        while True:
            try:
                client.update_many(updates)
                break
            except twind.ResourceExhausted:
                client.checkpoint()
    with client.pipeline() as pipeline:
        for _ in range(FACTS):
            pipeline.update(LONG, {"visits": twind.increment(1)})
    client.checkpoint()
    return time.time_ns() // 1000


class Victim:
    """Makes one call after the other and keeps their latencies, in seconds."""

    def __init__(self, path: Path, call: Calls) -> None:
        self._path = path
        self._call = call
        self.seconds: list[float] = []
        self.codes: Counter[int] = Counter()
        # The last call did not come back, or the daemon ended.
        self.failure = ""

    def run(self, seconds: float) -> None:
        try:
            with RawConnection(self._path, seconds=CALL_SECONDS_MAX) as raw:
                end = time.monotonic() + seconds
                stream = 1
                while time.monotonic() < end:
                    asked = self._call(stream)
                    before = time.perf_counter()
                    raw.send(asked)
                    try:
                        answer = raw.answer(stream)
                    finally:
                        self.seconds.append(time.perf_counter() - before)
                    self.codes[answer.code] += 1
                    stream += 2
                    time.sleep(PAUSE_SECONDS)
        except TimeoutError:
            self.failure = f"no answer within {CALL_SECONDS_MAX:.0f} s"
        except (OSError, AssertionError) as error:
            self.failure = f"{error}"

    def percentile(self, part: float) -> float:
        times = sorted(self.seconds)
        return times[min(len(times) - 1, int(len(times) * part))] if times else float("nan")


def victims(known: int) -> dict[str, Calls]:
    return {
        "idle": same("GetTwin", field(1, VICTIM)),
        "get": same("GetTwin", field(1, VICTIM)),
        "as-of": same("GetTwin", field(1, VICTIM) + field(7, known)),
        "list": same("ListTwins", field(1, "victims/") + field(2, 100)),
    }


def measured(
    daemon: Daemon, idle: Daemon, floods: list[tuple[int, int, Calls]], known: int, seconds: float
) -> dict[str, Any]:
    """One row."""
    calls = {
        kind: Victim((idle if kind == "idle" else daemon).socket, call) for kind, call in victims(known).items()
    }
    with twind.Client(idle.socket, timeout=30) as client:
        client.update(VICTIM, attributes(42))
    with twind.Client(daemon.socket, timeout=30) as client:
        for _ in range(20):  # so that what the victim reads is in memory, and stays there
            for number in range(100):
                client.get(f"victims/customer/{number:03}")
    beside = [FloodProcess(Flood(daemon.socket, *flood), 3 * seconds + 120) for flood in floods]
    with ExitStack() as stack:
        for flood in beside:
            stack.enter_context(flood)
        if beside:
            time.sleep(1)  # until they are all under way
        for victim in calls.values():
            victim.run(seconds)
    codes = sum((flood.codes for flood in beside), Counter[int]())
    lasted = max((flood.seconds for flood in beside), default=0)
    return {
        "victim": {kind: cell(victim) for kind, victim in calls.items()},
        "neighbour_calls_per_second": sum(codes.values()) / lasted if lasted else 0,
        "neighbour_codes": {str(code): count for code, count in sorted(codes.items())},
        "daemon_ended": not daemon.is_running,
    }


def cell(victim: Victim) -> dict[str, Any]:
    refused = sum(count for code, count in victim.codes.items() if code != OK)
    return {
        "p50_millis": victim.percentile(0.5) * 1e3, "p99_millis": victim.percentile(0.99) * 1e3,
        "max_millis": victim.percentile(1) * 1e3, "calls": len(victim.seconds), "refused": refused,
        "failure": victim.failure,
    }  # fmt: skip


def row(name: str, found: dict[str, Any]) -> str:
    cells = [
        f">{CALL_SECONDS_MAX:.0f} s" if each["failure"] else f"{short(each['p50_millis'])}/{short(each['p99_millis'])}"
        for each in found["victim"].values()
    ]
    rate = f"{found['neighbour_calls_per_second']:,.0f}"
    return "| " + " | ".join([f"{name:27}", *(f"{text:>11}" for text in cells), f"{rate:>7}"]) + " |"


def short(millis: float) -> str:
    return f"{millis:.2f}" if millis < 10 else f"{millis:.1f}" if millis < 100 else f"{millis:.0f}"


def notes(name: str, found: dict[str, Any]) -> Iterator[str]:
    for kind, each in found["victim"].items():
        if each["refused"]:
            yield f"{name}: {each['refused']} of {each['calls']} calls of {kind} were refused"
        if each["failure"]:
            yield f"{name}: {kind}: {each['failure']}"
    if found["daemon_ended"]:
        yield f"{name}: the daemon died"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build" / "release" / "twind")
    parser.add_argument("--seconds", type=float, default=3, help="for each cell of the table")
    parser.add_argument("--only", default="", help="neighbours whose name contains this, and none")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = run(arguments.binary.resolve(), arguments.seconds, arguments.only, quiet=arguments.json)
    if arguments.json:
        about = {"cores": os.cpu_count(), "system": platform.release(), "seconds": arguments.seconds}
        print(json.dumps({**about, "rows": rows}, indent=2))


def run(binary: Path, seconds: float, only: str, quiet: bool) -> dict[str, Any]:
    directory = Path(tempfile.mkdtemp(prefix="twind-"))
    rows: dict[str, Any] = {}
    say: Callable[[str], None] = (lambda text: None) if quiet else (lambda text: print(text, flush=True))
    try:
        with serving(binary, directory) as daemon, twind.Client(daemon.socket, timeout=60) as client:
            known = write_all(client)
        say(f"Milliseconds, p50/p99, of {seconds:g} s each; {os.cpu_count()} cores, Linux {platform.release()}.\n")
        kinds = " | ".join(f"{kind:>11}" for kind in victims(known))
        say(f"| {'beside':27} | {kinds} | {'calls/s':>7} |")
        say("|-".ljust(30, "-") + "|" + f"{':|':->14}" * len(victims(known)) + f"{':|':->10}")
        for name, floods in neighbours(known).items():
            if only in name or name == "none":
                (directory / "idle").mkdir(exist_ok=True)
                with serving(binary, directory) as daemon, serving(binary, directory / "idle") as idle:
                    rows[name] = measured(daemon, idle, floods, known, seconds)
                say(row(name, rows[name]))
        noted = [note for name, found in rows.items() for note in notes(name, found)]
        say("\n" + "\n".join(noted))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return rows


if __name__ == "__main__":
    main()
