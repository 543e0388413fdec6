"""The examples, run as a user runs them, against the real daemon. The purchase log comes from PyPI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import twind
from real_daemon import RealDaemon

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def real():
    daemon = RealDaemon()
    yield daemon
    daemon.remove()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


def run(script, *arguments, cache="", code=0):
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    command = [sys.executable, EXAMPLES / script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_quickstart(real):
    text = run("quickstart.py", real.path)
    assert "refused:" in text and "acme/customer/42 changed: {'visits': 2}" in text


def test_cdnow(real, cache):
    text = run("cdnow.py", "--socket", real.path, cache=cache)
    assert "Imported 69,659 purchases" in text
    assert "Every twin holds exactly what the file says" in text
    assert "2,500,315.63    2,500,315.63" in text
    assert "says support-agent" in text and "is refused: sales-agent has written since" in text

    again = run("cdnow.py", "--socket", real.path, cache=cache)
    assert "69,659 purchases are in their twins already" in again and "Imported" not in again
    assert "is refused: sales-agent has written since" in again

    assert real.stop() == 0
    real.start()
    after = run("cdnow.py", "--socket", real.path, "--verify-only", cache=cache)
    assert "Every twin holds exactly what the file says" in after

    with twind.Client(real.path) as client:
        client.update("shop/customer/00002", {"discs": twind.increment(1)})
        client.update("shop/customer/00003", {"note": "stays", "orders": 1, "discs": 2, "revenue_cents": 2076})
        client.delete("shop/customer/00004")
        damaged = run("cdnow.py", "--socket", real.path, "--verify-only", cache=cache, code=1)
        assert "Twins that differ from the file: 3." in damaged
        healed = run("cdnow.py", "--socket", real.path, cache=cache)
        assert "Every twin holds exactly what the file says" in healed
        assert client.get("shop/customer/00003")["note"] == "stays"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("00001 19970101 1 11.777\n", "line 1.*fractions of a cent"),
        (" id date n dollars\n00001 19970199 1 1.00\n", "line 2.*is no purchase"),
        ("00001 19970101 1\n", "line 1"),
        ("nothing\n", "holds no purchases"),
    ],
)
def test_cdnow_tells_of_a_bad_file(real, tmp_path, text, says):
    path = tmp_path / "log.txt"
    path.write_text(text)
    output = run("cdnow.py", "--socket", real.path, "--file", str(path), code=1)
    assert re.search(says, output), output
