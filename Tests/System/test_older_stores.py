"""Directories that older versions wrote are opened, and say what they said: see stores/fill.py for how they were made.

Each was left by a daemon that was killed, with commits that only its journal has.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import tarfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import TWIND, Daemon, environment

STORES = sorted((Path(__file__).parent / "stores").glob("*.tar.xz"))
assert STORES


@pytest.fixture(params=STORES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def store(request: pytest.FixtureRequest, directory: Path) -> Path:
    """The data directory of an older version."""
    data = directory / "data"
    data.mkdir(mode=0o700)
    with tarfile.open(request.param) as archive:
        archive.extractall(data, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (directory / "expected.ndjson").write_bytes(
        lzma.decompress(request.param.with_name(request.param.name.replace(".tar.", ".ndjson.")).read_bytes())
    )
    return data


def seen(client: twind.Client, name: str) -> dict[str, Any]:
    """As stores/fill.py writes it."""
    try:
        twin = client.get(name)
        now = {a: [str(twin.attribute(a).value), twin.attribute(a).agent, twin.attribute(a).sequence] for a in twin}
        revision = twin.revision
    except twind.NotFound:
        now, revision = None, 0
    facts = [
        [
            f.attribute, str(f.value), f.removed, f.deleted, f.sequence, f.agent, str(f.recorded_at), str(f.valid_from),
            str(f.valid_to), f.confidence, f.evidence, f.purpose,
        ]
        for f in client.facts(name)
    ]  # fmt: skip
    return {"name": name, "revision": revision, "now": now, "facts": facts}


def check(client: twind.Client, directory: Path, changed: str = "") -> int:
    expected = [json.loads(line) for line in (directory / "expected.ndjson").read_text().splitlines()]
    for twin in expected:
        if twin["name"] != changed:
            assert seen(client, twin["name"]) == twin
    alive = {twin["name"] for twin in expected if twin["now"] is not None}
    assert {twin.name for twin in client.list()} == alive
    return len(expected)


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=number)


def verify(store: Path) -> None:
    ended = subprocess.run([TWIND, "verify", "--data-dir", store], env=environment(), capture_output=True, text=True)
    assert ended.returncode == 0, ended


def test_it_says_what_it_said(store: Path, start: Callable[..., Daemon], directory: Path) -> None:
    verify(store)
    daemon = start(data=store)
    with daemon.client(agent="crm") as client:
        assert check(client, directory) == 61
        # What was true before is asked for by times of before.
        assert client.get("acme/customer/1", valid_at=day(15))["plan"] == "pro"
        assert client.get("acme/customer/1", valid_at=day(25))["plan"] == "basic"
    daemon.stop()
    verify(store)
    with start(data=store).client() as client:
        check(client, directory)


def test_it_goes_on(store: Path, start: Callable[..., Daemon], directory: Path) -> None:
    """Retries are known, watches resume, writes follow, and another start has all of it."""
    daemon = start(data=store)
    with daemon.client(agent="crm") as client:
        head = client.server_info().sequence
        orders = {name: client.get(name)["orders"] for name in ("acme/customer/4", "acme/customer/5")}
        client.update("acme/customer/4", {"orders": twind.increment(5)}, idempotency_key="order-1")
        synced = twind.Durability.SYNCED
        client.update("acme/customer/5", {"orders": twind.increment(7)}, idempotency_key="order-2", durability=synced)
        assert {name: client.get(name)["orders"] for name in orders} == orders
        assert client.server_info().sequence == head
        with client.watch("acme/", from_sequence=1) as watch:
            changes = []
            while (watch.sequence or 0) < head - 1:
                changes.append(next(watch))
        assert {change.name for change in changes} >= {f"acme/customer/{i}" for i in range(40)}
        assert sum(change.deleted for change in changes) == 2
        client.update("acme/customer/9", {"orders": twind.increment(1)})
        assert client.update("acme/customer/9", {"new": 1}).sequence > head
    daemon.kill()
    daemon = start(data=store)
    with daemon.client() as client:
        check(client, directory, changed="acme/customer/9")
        assert dict(client.get("acme/customer/9"))["orders"] == 10
    daemon.stop()
    verify(store)
