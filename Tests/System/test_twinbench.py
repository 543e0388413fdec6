"""twinbench: what it prints, what it leaves behind, what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import twind
from daemon import BINARIES, TWIND, Daemon, environment

TWINBENCH = BINARIES / "twinbench"
SHORT = ["--duration", "200ms", "--warmup", "50ms", "--twins", "50"]


def run(directory: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TWINBENCH, *arguments], capture_output=True, text=True, timeout=60, cwd=directory,
        env=environment({"TMPDIR": str(directory)}),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["read", "write"])
def test_json(directory: Path, daemon: Daemon, command: str) -> None:
    options = ["--connections", "2", "--in-flight", "8", "--attributes", "3", "--value-bytes", "40", "--json"]
    ended = run(directory, command, "--socket", daemon.socket, *SHORT, *options)
    report = json.loads(ended.stdout)
    assert report["call"] == {"read": "GetTwin", "write": "UpdateTwin"}[command]
    assert report["calls"] > 0 and report["seconds"] == 0.2
    assert report["calls_per_second"] == pytest.approx(report["calls"] / 0.2)
    assert 0 < report["p50_nanos"] <= report["p99_nanos"] <= report["p99_9_nanos"] <= report["max_nanos"]
    assert (report["connections"], report["in_flight"], report["attributes"], report["value_bytes"]) == (2, 8, 3, 40)
    assert "cores" in report["machine"] and report["twind"]


def test_nothing_is_left_in_a_daemon(directory: Path, daemon: Daemon, client: twind.Client) -> None:
    client.update("acme/customer/42", a=1)
    assert run(directory, "write", "--socket", daemon.socket, *SHORT).returncode == 0
    assert [twin.name for twin in client.list("")] == ["acme/customer/42"]


def test_writes_are_writes(directory: Path, daemon: Daemon, client: twind.Client) -> None:
    before = client.update("acme/customer/42", a=1).sequence
    report = json.loads(run(directory, "write", "--socket", daemon.socket, *SHORT, "--json").stdout)
    assert client.update("acme/customer/42", a=2).sequence - before > report["calls"]


def test_a_daemon_of_its_own(directory: Path) -> None:
    core = str(min(os.sched_getaffinity(0)))
    ended = run(directory, "read", "--spawn", TWIND, "--pin", f"client={core},server={core}", *SHORT)
    assert ended.returncode == 0, ended
    assert not ended.stdout.endswith("\n\n")
    for word in ("machine", "settings", f"client core {core}", "p50", "p99.9", "CALLS/S", "GetTwin"):
        assert word in ended.stdout
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
        (["write", "--duration", "soon"], "250ms"),
        (["write", "--durability", "eternal"], "memory"),
    ],
)
def test_wrong_usage(directory: Path, arguments: list[str], why: str) -> None:
    ended = run(directory, *arguments)
    assert ended.returncode != 0 and ended.stdout == "" and why in ended.stderr


def test_a_durability_that_there_is_not(directory: Path) -> None:
    ended = run(directory, "write", "--spawn", TWIND, "--durability", "synced", *SHORT)
    assert ended.returncode != 0 and "SYNCED" in ended.stderr
    assert list(directory.iterdir()) == []
