"""Fixtures: a fake daemon for unit tests. The real one is started in test_end_to_end.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import twind
from fake_daemon import FakeDaemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    fake = FakeDaemon(str(tmp_path / "s"))
    yield fake
    fake.stop()


@pytest.fixture
def client(daemon: FakeDaemon) -> Iterator[twind.Client]:
    with twind.Client(daemon.path, agent="tester", timeout=5, connect_timeout=2) as connected:
        yield connected
