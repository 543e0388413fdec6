"""twinbench compare, fanout and connections, with and without installed peers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from daemon import TWIND
from twinbench import report, run

TINY: list[str | Path] = ["--spawn", TWIND, "--quick", "--rounds", "3", "--turn", "20ms", "--twins", "50"]


def test_plain_lines_are_names_and_ratios(directory: Path) -> None:
    ended = run(directory, "compare", *TINY, "--plain", "--stages", "read,pipelined")
    assert ended.returncode == 0, ended
    ratios = {name: float(ratio) for name, ratio in (line.split(" ") for line in ended.stdout.splitlines())}
    assert {"read/c-echo", "read/c-echo/p10", "read/c-echo/mean", "read/sqlite", "pipelined-64/c-echo"} <= ratios.keys()
    assert all(0.001 < ratio < 1000 for ratio in ratios.values())
    if shutil.which("redis-server"):
        assert {"read/redis-get", "read/redis-hgetall", "pipelined-64/redis-get"} <= ratios.keys()
    # Whatever the machine: a daemon cannot beat an echo of the same bytes by half, in C, on the same core.
    assert ratios["read/c-echo"] > 0.5 and ratios["pipelined-64/c-echo"] < 2
    assert list(directory.iterdir()) == []


def test_ratios_have_a_spread(directory: Path) -> None:
    found = report(directory, "compare", *TINY, "--stages", "read,write")
    for contest in found["ratios"]:
        low, ratio, high = (float(contest[name]) for name in ("min", "ratio", "max"))
        assert 0 < low <= ratio <= high
    contests = {contest["comparison"]: contest for contest in found["ratios"]}
    for name, budget in ("read/c-echo", "≤ 1.15"), ("read/c-echo/p10", "≤ 1.10"), ("read/c-echo/mean", ""):
        echo = contests[name]
        assert echo["budget"] == budget and "µs" in echo["twind"] and "µs" in echo["peer"]


def test_missing_peers_are_named_with_their_package(directory: Path) -> None:
    ended = run(directory, "compare", *TINY, "--json", variables={"PATH": "/nowhere"})
    assert ended.returncode == 0, ended
    missing = {one["peer"]: one["why"] for one in json.loads(ended.stdout)["missing"]}
    assert "apt-get install redis-server" in missing["Redis"]
    assert "golang-github-containerd-ttrpc-dev" in missing["Go ttrpc"]
    assert "python3-venv" in missing["Python"]
    assert list(directory.iterdir()) == []


def test_fanout_delivers_every_write_to_every_watcher(directory: Path) -> None:
    options = ["--watchers", "5", "--rate", "200", "--duration", "500ms", "--warmup", "50ms", "--rounds", "1"]
    for path in ("/nowhere", None):
        found = report(
            directory, "fanout", "--spawn", TWIND, *options, variables={"PATH": path} if path else {}
        )  # fmt: skip
        series = found.get("series", [found])
        assert series[0]["call"] == "twind WatchTwins"
        assert len(series) == (2 if path is None and shutil.which("redis-server") else 1)
        for one in series:
            # What a busy machine did not let the writer write in time is counted, not hidden.
            assert one["calls"] % 5 == 0 and abs(one["calls"] // 5 + one["unsent"] - 100) <= 1
            assert 0 < one["p50_nanos"] <= one["p99_nanos"] <= one["max_nanos"]


def test_connections(directory: Path) -> None:
    options = ["--counts", "1,50", "--rate", "500", "--duration", "400ms", "--warmup", "50ms", "--twins", "50"]
    found = report(directory, "connections", "--spawn", TWIND, *options)
    assert [one["call"] for one in found["series"]] == ["1 connection", "50 connections"]
    assert all(abs(one["calls"] + one["unsent"] - 200) <= 2 for one in found["series"])
    assert [row["connections"] for row in found["connections"]] == ["1", "50"]
