"""twinbench's loads: output, leftovers, and invalid options."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

import twind
from daemon import TWIND, Daemon, environment, until
from twinbench import SHORT, TWINBENCH, check_latencies, report, run


@pytest.mark.parametrize("decode", ["full", "none"])
@pytest.mark.parametrize("command", ["read", "write", "mix", "soak"])
def test_json(directory: Path, daemon: Daemon, command: str, decode: str) -> None:
    options = ["--connections", "2", "--in-flight", "8", "--attributes", "3", "--value-bytes", "40", "--decode", decode]
    if command in ("mix", "soak"):
        options += ["--mix", "read=5,update=3,batch=1,watch=1", "--zipf", "0.99"]
    found = report(directory, command, "--socket", daemon.socket, *SHORT, *options)
    assert found["call"] == {"read": "GetTwin", "write": "UpdateTwin"}.get(command, "mixed calls")
    assert found["calls"] > 0 and 0.2 <= found["seconds"] < 2
    check_latencies(found)
    assert (found["connections"], found["in_flight"], found["attributes"], found["value_bytes"]) == (2, 8, 3, 40)
    assert (found["loop"], found["decode"], found["unsent"]) == ("closed", decode, 0)
    assert "cores" in found["machine"] and "threads" in found["load_before"] and "Swift" in found["twinbench"] and found["twind"]
    if command in ("mix", "soak"):
        assert found["mix"] == "read=5,update=3,batch=1,watch=1" and found["keys"] == "Zipf 0.99"
    if command == "soak":
        rows = found["over_time"]
        assert len(rows) > 3 and all(int(row["open_files"]) > 3 and "iB" in row["rss"] for row in rows)


def test_a_count_instead_of_a_time(directory: Path, daemon: Daemon) -> None:
    options = ["--requests", "1001", "--warmup", "50ms", "--twins", "50", "--connections", "3"]
    for decode in ("full", "none"):
        found = report(directory, "read", "--socket", daemon.socket, *options, "--decode", decode)
        assert found["calls"] == 1001 and found["seconds"] < 10
        check_latencies(found)


def test_nothing_is_left_in_a_daemon(directory: Path, daemon: Daemon, client: twind.Client) -> None:
    client.update("acme/customer/42", {"a": 1})
    for command in ("write", "mix", "soak"):
        assert run(directory, command, "--socket", daemon.socket, *SHORT).returncode == 0
    assert run(directory, "fanout", "--socket", daemon.socket, "--duration", "200ms").returncode == 0
    assert [twin.name for twin in client.list("")] == ["acme/customer/42"]


@pytest.mark.parametrize("decode", ["full", "none"])
def test_writes_are_writes(directory: Path, daemon: Daemon, client: twind.Client, decode: str) -> None:
    before = client.update("acme/customer/42", {"a": 1}).sequence
    found = report(directory, "write", "--socket", daemon.socket, *SHORT, "--decode", decode)
    assert client.update("acme/customer/42", {"a": 2}).sequence - before > found["calls"]


@pytest.mark.parametrize(("law", "least", "most"), [("1.5", 0.33, 0.53), ("0.99", 0.12, 0.32), ("uniform", 0.0, 0.08)])
def test_keys_follow_the_law(
    directory: Path, daemon: Daemon, client: twind.Client, law: str, least: float, most: float
) -> None:
    """By Zipf's law the first of 50 twins is written 43 % of the time (1.5) or 22 % (0.99); uniformly 2 %."""
    client.update("twinbench/other/1", {"a": 1})
    with daemon.client() as watcher:
        watch = watcher.watch("twinbench/")
        assert next(watch).snapshot
        options = ["--requests", "1500", "--warmup", "1ms", "--twins", "50", "--zipf", law]
        assert run(directory, "write", "--socket", daemon.socket, *options).returncode == 0
        written: Counter[str] = Counter()
        deleted = 0
        while deleted < 50:
            change = next(watch)
            deleted += change.deleted
            written[change.name] += 1
    share = written["twinbench/customer/00000000"] / written.total()
    assert least < share < most and written.total() > 1500


def test_a_daemon_of_its_own(directory: Path) -> None:
    core = str(min(os.sched_getaffinity(0)))
    ended = run(directory, "read", "--spawn", TWIND, "--pin", f"client={core},server={core}", *SHORT)
    assert ended.returncode == 0, ended
    assert not ended.stdout.endswith("\n\n")
    for word in ("machine", "settings", f"client core {core}", "p50", "p99.99", "CALLS/S", "GetTwin"):
        assert word in ended.stdout
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("decode", ["full", "none"])
def test_both_ends_poll_when_told_to(directory: Path, decode: str) -> None:
    """A daemon of its own gets the option too, and the settings show it."""
    found = report(directory, "read", "--spawn", TWIND, *SHORT, "--decode", decode, "--busy-poll", "1ms")
    assert found["busy-poll"] == "1ms"
    check_latencies(found)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(directory: Path, number: signal.Signals) -> None:
    running = subprocess.Popen(
        [TWINBENCH, "read", "--spawn", TWIND, "--twins", "50", "--duration", "30s"], stdout=subprocess.DEVNULL,
        cwd=directory, env=environment({"TMPDIR": str(directory)}),
    )  # fmt: skip
    try:
        until(lambda: list(directory.glob("twinbench-*/twind.sock")), "a daemon that listens")
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        daemons = [int(pid) for task in children.parents[1].glob("*/children") for pid in task.read_text().split()]
        time.sleep(0.3)
        running.send_signal(number)
        assert running.wait(10) == 128 + number
    finally:
        running.kill()
    assert daemons and not any(Path(f"/proc/{pid}").exists() for pid in daemons)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["read", "--socket", "none"], "is the daemon running?"),
        (["read", "--spawn", "none"], "cannot be executed"),
        (["read", "--spawn", "none", "--socket", "none"], "not both"),
        (["read", "--pin", "server=0"], "needs --spawn"),
        (["read", "--pin", "core=0"], "neither client nor server"),
        (["read", "--in-flight", "0"], "use 1 to 128"),
        (["read", "--rate", "0"], "above 0"),
        (["read", "--zipf", "1"], "uniform"),
        (["read", "--requests", "5", "--duration", "1s"], "not both"),
        (["mix", "--mix", "reed=1"], "is not an operation"),
        (["mix", "--mix", "read"], "is not a mix"),
        (["mix", "--mix", "read=0"], "no weights"),
        (["mix", "--mix", "batch=1", "--twins", "3"], "use --twins 16"),
        (["write", "--duration", "soon"], "250ms"),
        (["write", "--durability", "eternal"], "memory"),
        (["connections", "--counts", "0"], "write 1,64,1000"),
        (["fanout", "--value-bytes", "3"], "use 22 to"),
        (["compare", "--stages", "reading"], "is not a stage"),
        (["compare", "--plain", "--json"], "not both"),
    ],
)
def test_wrong_usage(directory: Path, arguments: list[str], why: str) -> None:
    ended = run(directory, *arguments)
    assert ended.returncode != 0 and ended.stdout == "" and why in ended.stderr


@pytest.mark.parametrize("decode", ["full", "none"])
def test_a_refusal_says_why(directory: Path, decode: str) -> None:
    """A space that the daemon does not allow."""
    ended = run(directory, "write", "--spawn", TWIND, "--space", "Wrong", *SHORT, "--decode", decode)
    assert ended.returncode != 0 and "Wrong" in ended.stderr
    assert list(directory.iterdir()) == []
