"""Open and closed loops: how a stalled daemon shows in each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from daemon import Daemon, environment
from twinbench import SHORT, TWINBENCH, check_latencies, report

STALL = 0.25


def stalled(directory: Path, daemon: Daemon, *options: str) -> dict[str, Any]:
    """What a run of 1.5 s reports during which the daemon stood still for a quarter of a second."""
    command: list[str | Path] = [TWINBENCH, "read", "--socket", daemon.socket, "--twins", "20", "--json"]
    command += ["--duration", "1500ms", "--warmup", "100ms", *options]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=directory,
        env=environment({"TMPDIR": str(directory)}),
    )  # fmt: skip
    try:
        time.sleep(0.8)
        os.kill(daemon.pid, signal.SIGSTOP)
        time.sleep(STALL)
        os.kill(daemon.pid, signal.SIGCONT)
        output, _ = running.communicate(timeout=20)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
        running.kill()
    assert running.returncode == 0
    parsed: dict[str, Any] = json.loads(output)
    check_latencies(parsed)
    return parsed


@pytest.mark.parametrize("decode", ["full", "none"])
@pytest.mark.parametrize("arrivals", ["fixed", "poisson"])
def test_an_open_loop_shows_every_call_that_a_stall_delayed(
    directory: Path, daemon: Daemon, decode: str, arrivals: str
) -> None:
    found = stalled(directory, daemon, "--rate", "1000", "--arrivals", arrivals, "--decode", decode)
    assert found["loop"].startswith("open, 1000/s")
    # 250 of 1,500 calls were due while it stood still: a third of them waited for more than 150 ms.
    assert found["p99_nanos"] > 150e6 and found["p99_9_nanos"] > 200e6
    assert 1200 < found["calls"] + found["unsent"] < 1800


def test_a_closed_loop_hides_them(directory: Path, daemon: Daemon) -> None:
    found = stalled(directory, daemon, "--decode", "none")
    assert found["max_nanos"] > 200e6 and found["p99_nanos"] < 100e6


@pytest.mark.parametrize("decode", ["full", "none"])
def test_an_impossible_rate_shows_growing_latency(directory: Path, daemon: Daemon, decode: str) -> None:
    options = ["--duration", "600ms", "--warmup", "50ms", "--twins", "20", "--rate", "20000000", "--decode", decode]
    found = report(directory, "read", "--socket", daemon.socket, *options)
    check_latencies(found)
    assert found["unsent"] > found["calls"]
    medians = [one["p50_nanos"] for one in found["intervals"] if one["calls"]]
    assert medians[-1] > 3 * medians[0] and medians[-1] > 300e6


def test_the_rate_is_kept(directory: Path, daemon: Daemon) -> None:
    options = ["--rate", "2000", "--connections", "2", "--in-flight", "4", "--decode", "none"]
    found = report(directory, "read", "--socket", daemon.socket, *SHORT, *options)
    assert abs(found["calls"] + found["unsent"] - 400) <= 4
