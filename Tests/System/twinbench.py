"""Runs twinbench with tiny settings in a temporary directory, and decodes its HdrHistogram log."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daemon import BINARIES, environment

TWINBENCH = BINARIES / "twinbench"
SHORT = ["--duration", "200ms", "--warmup", "50ms", "--twins", "50"]
PERCENTILES = ["p50_nanos", "p90_nanos", "p99_nanos", "p99_9_nanos", "p99_99_nanos", "max_nanos"]


def run(
    directory: Path, *arguments: str | Path, variables: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TWINBENCH, *arguments], capture_output=True, text=True, timeout=55, cwd=directory,
        env=environment({"TMPDIR": str(directory), **variables}),
    )  # fmt: skip


def report(directory: Path, *arguments: str | Path, **options: Any) -> dict[str, Any]:
    """What --json prints."""
    ended = run(directory, *arguments, "--json", **options)
    assert ended.returncode == 0, ended
    parsed: dict[str, Any] = json.loads(ended.stdout)
    return parsed


def check_latencies(found: Mapping[str, Any]) -> None:
    """Percentiles grow and add up."""
    values = [found[name] for name in PERCENTILES]
    assert values[0] > 0 and values == sorted(values)
    assert found["calls_per_second"] * found["seconds"] == found["calls"] or abs(
        found["calls_per_second"] * found["seconds"] / found["calls"] - 1
    ) < 1e-6  # fmt: skip
    assert sum(interval["calls"] for interval in found["intervals"]) == found["calls"]


def decoded(line: str) -> dict[int, int]:
    """Counts by value of one line of an HdrHistogram log, decoded as its specification has it."""
    data = base64.b64decode(line.split(",")[3])
    cookie, length = struct.unpack(">II", data[:8])
    assert cookie == 0x1C849314 and len(data) == 8 + length
    payload = zlib.decompress(data[8:])
    cookie, length, offset, digits, low, high, ratio = struct.unpack(">IIIIqqd", payload[:40])
    assert (cookie, offset, digits, low, ratio) == (0x1C849313, 0, 3, 1, 1.0)
    assert len(payload) == 40 + length and high > 0
    counts: dict[int, int] = {}
    index = at = 0
    body = payload[40:]
    while at < length:
        number = shift = 0
        while True:
            byte = body[at]
            at += 1
            if shift == 56:
                number |= byte << shift
                break
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        number = (number >> 1) ^ -(number & 1)
        if number < 0:
            index -= number
            continue
        if number:
            bucket = max(0, index // 1024 - 1)
            counts[(index - bucket * 1024) << bucket] = number
        index += 1
    return counts
