"""Counts the allocations and instructions of a call, which are reproducible, unlike times.

twind-hot-path runs a server and a lean C client in one process. The instructions of both threads count; about 500 are
the client's. If a figure is exceeded, it is a regression, or must be raised here with a reason.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon import BINARIES

HOT_PATH = BINARIES / "twind-hot-path"

# Of one call. The instructions leave 5 % for another compiler or C library.
READ_ALLOCATIONS = 0
UPDATE_ALLOCATIONS = 19
INSTRUCTIONS = {"read": 3_950, "read --in-flight 64": 3_130, "update": 41_000}


def allocated(*arguments: str) -> int:
    command = [str(HOT_PATH), *arguments, "--calls", "10000"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("options", ["", "--in-flight 64", "--purpose support", "--hide attribute_3"])
def test_a_read_allocates_nothing(options: str) -> None:
    # A connection's or the runtime's own, now and then: far from one for each call.
    assert allocated("read", *options.split()) <= 10_000 * READ_ALLOCATIONS + 20


def test_an_update_allocates_what_it_keeps_and_little_more() -> None:
    assert allocated("update") <= 10_000 * UPDATE_ALLOCATIONS + 1_000


@pytest.fixture(scope="module")
def stripped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """valgrind does not understand all of the debugging information, and needs none."""
    copy = tmp_path_factory.mktemp("hot-path") / "twind-hot-path"
    subprocess.run(["strip", "--strip-debug", "-o", copy, HOT_PATH], check=True)
    return copy


def instructions(program: Path, arguments: str, calls: int) -> int:
    """Of a whole run."""
    assert shutil.which("valgrind"), "valgrind counts the instructions: install it, as Tests/run.sh does"
    command = [
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        str(program), *arguments.split(), "--calls", str(calls),
    ]  # fmt: skip
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", ended.stderr)
    assert found, ended.stderr
    return int(found[1])


def of_one(program: Path, arguments: str) -> float:
    """Instructions of one call: of a long run less those of a short one, which starts and ends alike."""
    fewer, more = (instructions(program, arguments, calls) for calls in (2_000, 12_000))
    return (more - fewer) / 10_000


@pytest.mark.parametrize("arguments", INSTRUCTIONS)
def test_a_call_takes_no_more_instructions_than_it_did(stripped: Path, arguments: str) -> None:
    assert of_one(stripped, arguments) <= INSTRUCTIONS[arguments]


def test_a_read_that_leaves_something_out_costs_little_more(stripped: Path) -> None:
    assert of_one(stripped, "read --hide attribute_3") <= 1.25 * of_one(stripped, "read")
