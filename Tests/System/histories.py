"""Makes random histories, and reads them back in encoded form so that nothing is lost.

They have agents, deletions, scheduled and bounded values, late facts, removals, batches, and every kind of value. Used
by the tests of exports.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import twind
from daemon import Daemon
from twind._generated.twind.v1 import twin_pb2
from twind._generated.twind.v1 import twin_service_pb2 as wire

DAY = 86_400_000_000
AGENTS = ["sales", "billing", "support é", 'quoted "agent"\\']
# Two of them differ in their bytes only.
NAMES = [f"acme/customer/{i}" for i in range(12)] + ["acme/customer/Jos\u00e9", "acme/customer/Jose\u0301", "beta/user/1"]
ATTRIBUTES = ["plan", "mood", "visits", "address.city", "tags", "raw", "seen"]

Facts = list[bytes]


def now() -> int:
    return time.time_ns() // 1000


def some_value(chance: random.Random, attribute: str) -> Any:
    if attribute == "visits":
        return chance.randrange(-(2**63), 2**63) if chance.random() < 0.3 else chance.randrange(100)
    return chance.choice(
        [
            "", 'é"\\ \t\n😀 \u2028\x01', f"text {chance.randrange(9)}", chance.random(), -0.0, 5e-324, 1e300, 3.0, True, False,
            chance.randbytes(chance.randrange(40)), b"", datetime.fromtimestamp(chance.randrange(2**31), timezone.utc),
            [], [1, 1.5, "a", True, b"\0", datetime(1969, 1, 1, tzinfo=timezone.utc)],
            twind.Json('{"b": [1, 2.50], "a": 1e400}'), twind.Json(' {\n "a":1}\r\n'), twind.Json('"\\ud800"'),
        ]
    )  # fmt: skip


def some_change(chance: random.Random, attribute: str) -> Any:
    change = some_value(chance, attribute)
    if attribute == "visits" and chance.random() < 0.5:
        change = twind.increment(chance.randrange(1, 9))
    elif chance.random() < 0.2:
        change = twind.remove
    options: dict[str, Any] = {}
    if isinstance(change, type(twind.increment(1))):
        # It counts from now on for good.
        return change
    if chance.random() < 0.5:
        # About the past, or the future, for good or until a time.
        start = now() + chance.randrange(-40 * DAY, 20 * DAY)
        options["valid_from"] = start
        if chance.random() < 0.5:
            options["valid_to"] = start + chance.randrange(1, 20 * DAY)
    elif chance.random() < 0.2:
        options["valid_to"] = now() + chance.randrange(1_000_000, 20 * DAY)
    if chance.random() < 0.4:
        options["confidence"] = chance.choice([1e-9, 0.1, 1 / 3, 1.0])
    if chance.random() < 0.4:
        options["evidence"] = chance.choice(["ticket:1", 'é "x"'])
    return twind.attribute(change, **options) if options else change


def some_changes(chance: random.Random) -> dict[str, Any]:
    return {name: some_change(chance, name) for name in chance.sample(ATTRIBUTES, chance.randrange(1, 5))}


def write_some(daemon: Daemon, chance: random.Random, count: int) -> None:
    """So many writes; some change nothing, some are refused."""
    clients = [daemon.client(agent=agent) for agent in AGENTS]
    for _ in range(count):
        client = chance.choice(clients)
        purpose = chance.choice(["", "", "service"])
        try:
            kind = chance.random()
            if kind < 0.04:
                client.delete(chance.choice(NAMES), purpose=purpose)
            elif kind < 0.15:
                names = chance.sample(NAMES, chance.randrange(2, 6))
                client.update_many([twind.Update(name, some_changes(chance)) for name in names], purpose=purpose)
            else:
                client.update(chance.choice(NAMES), some_changes(chance), purpose=purpose)
        except (twind.NotFound, twind.FailedPrecondition, twind.OutOfRange):
            pass
    for client in clients:
        client.close()


def facts(client: twind.Client, name: str) -> Facts:
    """All facts about a twin, encoded; none when there never was one."""
    found: list[twin_pb2.Fact] = []
    try:
        with client.twins.list_facts(wire.ListFactsRequest(name=name)) as parts:
            for part in parts:
                found += part.facts
    except twind.NotFound:
        return []
    return [fact.SerializeToString(deterministic=True) for fact in found]


def recorded_times(client: twind.Client) -> list[int]:
    """Of all facts, ascending."""
    times = {twin_pb2.Fact.FromString(one).attribute.recorded_at for name in NAMES for one in facts(client, name)}
    return sorted(times)


def as_of(client: twind.Client, name: str, valid_at: int, known_at: int) -> bytes | str:
    """The twin as it was, or why it cannot be told."""
    try:
        reply = client.twins.get_twin(wire.GetTwinRequest(name=name, valid_at=valid_at, known_at=known_at))
    except twind.TwindError as error:
        return f"{type(error).__name__}: {error}"
    return reply.twin.SerializeToString(deterministic=True)


def moments(chance: random.Random, known: list[int], count: int) -> Iterator[tuple[str, int, int]]:
    """Twins, and pairs of a valid and a known time: near what was recorded, and anywhere."""
    for _ in range(count):
        known_at = min(known[-1], max(1, chance.choice(known) + chance.choice([-1, 0, 0, 1, chance.randrange(-5000, 5000)])))
        near = known_at + chance.choice([-1, 0, 1])
        valid_at = chance.choice([near, known_at + chance.randrange(-60 * DAY, 60 * DAY), chance.choice(known)])
        yield chance.choice(NAMES), valid_at, known_at
