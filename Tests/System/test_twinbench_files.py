"""The files that twinbench writes: the page and the interval log."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from daemon import TWIND, Daemon
from twinbench import SHORT, decoded, report, run


def page(path: Path) -> ElementTree.Element:
    """The page's tree; it must be well-formed and need nothing from elsewhere."""
    text = path.read_text()
    assert text.startswith("<!DOCTYPE html>\n")
    assert not re.search(r"https?:|//\w|\bsrc=|\bhref=|@import|url\(|<script", text)
    assert "prefers-color-scheme: dark" in text
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))


def words(tree: ElementTree.Element) -> str:
    return " ".join(" ".join(tree.itertext()).split())


UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}


def drawn(chart: ElementTree.Element, percentile: str) -> float:
    """The latency in nanoseconds that the chart shows at a percentile, read off its axes as a person does."""
    texts = chart.findall("text")
    (x,) = (float(one.attrib["x"]) for one in texts if one.text == percentile)
    points = [tuple(map(float, pair.split(","))) for pair in chart.findall("polyline")[0].attrib["points"].split()]
    y = min(points, key=lambda point: abs(point[0] - x))[1]
    labels = {float(one.attrib["y"]): one.text or "" for one in texts if one.attrib.get("text-anchor") == "end"}
    values = {at: float(text.split()[0]) * UNITS[text.split()[1]] for at, text in labels.items() if text != "0"}
    (low, small), (high, large) = max(values.items()), min(values.items())
    part = (low - y) / (low - high)
    if any("logarithmic)" in (one.text or "") and one.attrib.get("transform") for one in texts):
        return float(small * (large / small) ** part)
    return float(small + (large - small) * part)


def test_the_page_holds_the_data(directory: Path, daemon: Daemon) -> None:
    file = directory / "page.html"
    options: list[str | Path] = ["--duration", "600ms", "--warmup", "50ms", "--twins", "50", "--report", file]
    found = report(directory, "read", "--socket", daemon.socket, *options)
    tree = page(file)
    text = words(tree)
    for part in ("GetTwin, closed loop", "Random twins were read", f"{found['calls']:,}", found["machine"], "p99.99"):
        assert part in text
    for setting in ("connections", "value bytes", "decode"):
        assert setting in text
    by_percentile, over_time = tree.findall(".//svg")
    labels = [" ".join(chart.itertext()) for chart in (by_percentile, over_time)]
    assert "99.9 %" in labels[0] and "µs" in labels[0] and "percentile of calls" in labels[0]
    assert "seconds since" in labels[1] and "p99.9" in labels[1]
    for label, name in (("50 %", "p50_nanos"), ("90 %", "p90_nanos"), ("99 %", "p99_nanos")):
        assert drawn(by_percentile, label) == pytest.approx(found[name], rel=0.1)
    (line,) = by_percentile.findall("polyline")
    assert len(line.attrib["points"].split()) > 100
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert heights == sorted(heights, reverse=True)
    busy = [one for one in found["intervals"] if one["calls"]]
    assert [len(line.attrib["points"].split()) for line in over_time.findall("polyline")] == [len(busy)] * 4


@pytest.mark.parametrize(
    ("arguments", "title", "charts"),
    [
        (["soak", *SHORT], "Soak", 3),
        (["connections", "--counts", "1,8", "--duration", "200ms", "--warmup", "50ms", "--twins", "50"], "Many connections", 3),
        (["fanout", "--watchers", "4", "--duration", "400ms"], "One writer, 4 watchers", 2),
        (["compare", "--stages", "pipelined", "--rounds", "2", "--turn", "20ms", "--twins", "50"], "twind and its peers", 0),
    ],
)  # fmt: skip
def test_every_report_is_a_page(directory: Path, arguments: list[str], title: str, charts: int) -> None:
    file = directory / "page.html"
    ended = run(directory, *arguments, "--spawn", TWIND, "--report", file)
    assert ended.returncode == 0, ended
    tree = page(file)
    heading = tree.find(".//h1")
    assert heading is not None and heading.text == title
    assert len(tree.findall(".//svg")) >= charts and "µs" in words(tree)


def test_the_interval_log_holds_every_call(directory: Path, daemon: Daemon) -> None:
    file = directory / "log"
    found = report(directory, "mix", "--socket", daemon.socket, *SHORT, "--hdr-log", file)
    lines = file.read_text().splitlines()
    assert "#[Histogram log format version 1.3]" in lines
    header = lines.index('"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"')
    intervals = lines[header + 1 :]
    counts = [decoded(line) for line in intervals]
    assert [sum(one.values()) for one in counts] == [one["calls"] for one in found["intervals"]]
    assert [float(line.split(",")[2]) for line in intervals] == pytest.approx(
        [one["max_nanos"] / 1e6 for one in found["intervals"]], abs=1e-6
    )
    highest = max(max(one) for one in counts if one)
    assert highest == pytest.approx(found["max_nanos"], rel=2e-3)


def test_a_page_that_cannot_be_written(directory: Path, daemon: Daemon) -> None:
    ended = run(directory, "read", "--socket", daemon.socket, *SHORT, "--report", "nowhere/page.html")
    assert ended.returncode != 0 and "nowhere/page.html" in ended.stderr
