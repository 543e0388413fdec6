"""Older clients still work: the released Python client of version 0.1 with the current daemon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import Daemon, environment

CLIENTS = sorted((Path(__file__).parent / "clients").glob("twind-*.whl"))

CALLS = """
import asyncio, sys, threading
from datetime import datetime, timedelta, timezone
import twind, twind.aio
assert sys.argv[2] in twind.__file__, twind.__file__

NAME = "acme/customer/1"
client = twind.Client(sys.argv[1], agent="older")
now = datetime.now(timezone.utc)
assert client.health() == twind.Health.SERVING
assert client.server_info().sequence == 0

first = client.update(NAME, {"address.city": "Bern"}, plan="basic", visits=3, gone=True, idempotency_key="k")
assert client.update(NAME, {"address.city": "Bern"}, plan="basic", visits=3, gone=True, idempotency_key="k") == first
client.update(NAME, visits=twind.increment(2), gone=twind.remove, durability=twind.Durability.SYNCED)
twin = client.get(NAME)
assert dict(twin) == {"address.city": "Bern", "plan": "basic", "visits": 5}, dict(twin)
assert twin.attribute("visits").increment == 2 and twin.attribute("plan").agent == "older"
assert client.get_if_newer(NAME, twin.revision) is None
assert client.get_if_newer(NAME, twin.revision - 1).revision == twin.revision
assert dict(client.get(NAME, attributes=["address"])) == {"address.city": "Bern"}
try:
    client.update(NAME, plan="pro", expected_revision=1)
    raise AssertionError("no conflict")
except twind.Aborted as error:
    assert error.conflict.current_revision == twin.revision

client.update(NAME, plan=twind.attribute("pro", valid_from=now + timedelta(hours=1), confidence=0.5, evidence="t:1"))
client.update(NAME, tier=twind.attribute("silver", valid_from=now - timedelta(hours=1)))
assert client.get(NAME)["plan"] == "basic"
assert client.get(NAME, valid_at=now + timedelta(hours=2))["plan"] == "pro"
assert "tier" not in client.get(NAME, known_at=twin.attribute("visits").recorded_at)
facts = list(client.facts(NAME))
assert [fact.attribute for fact in facts[-2:]] == ["plan", "tier"] and len(facts) == 8

many = client.update_many([twind.Update(f"acme/customer/{i}", {"i": i}) for i in range(2, 30)])
assert len(many.revisions) == 28
found = client.get_many([f"acme/customer/{i}" for i in range(1, 40)])
assert len(found) == 29
assert len(list(client.list("acme/", page_size=7))) == 29
with client.pipeline() as pipeline:
    for i in range(100):
        pipeline.update(f"acme/pipe/{i}", i=i)

with client.watch("acme/customer/") as watch:
    snapshot = {change.name: dict(change) for change in watch.snapshot()}
    assert len(snapshot) == 29 and snapshot[NAME]["plan"] == "basic"
    begin = watch.sequence
    client.update("acme/customer/new", a=1)
    client.update(NAME, visits=twind.remove)
    client.delete("acme/customer/2")
    changes = [next(watch) for _ in range(3)]
assert dict(changes[0]) == {"a": 1} and changes[1].removed == ("visits",) and changes[2].deleted
with client.watch("acme/customer/", from_sequence=begin, attributes=["i"]) as watch:
    assert {next(watch).name for _ in range(2)} >= {"acme/customer/2"}

assert client.checkpoint().sequence == client.server_info().sequence
assert client.backup(sys.argv[3]).sequence > 0


async def calls():
    async with twind.aio.Client(sys.argv[1], agent="older") as client:
        await client.update(NAME, a=1)
        assert (await client.get(NAME))["a"] == 1
        assert len([twin async for twin in client.list("acme/customer/")]) == 29
        async with client.watch([NAME]) as watch:
            assert [change.name for change in await watch.snapshot()] == [NAME]
            await client.update(NAME, a=2)
            assert (await watch.__anext__())["a"] == 2

asyncio.run(calls())
print("all is well")
"""


@pytest.mark.parametrize("wheel", CLIENTS, ids=lambda wheel: wheel.name.split("-")[1])
def test_an_older_client(daemon: Daemon, directory: Path, wheel: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CALLS, daemon.socket, wheel.name, directory / "backup.twind"],
        env=environment({"PYTHONPATH": str(wheel)}), capture_output=True, text=True, timeout=50,
    )
    assert ended.returncode == 0 and ended.stdout == "all is well\n", ended.stderr


def test_there_are_older_clients() -> None:
    assert CLIENTS and all(os.path.getsize(wheel) < 1 << 20 for wheel in CLIENTS)
