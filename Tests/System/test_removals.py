"""Removals are never refused because of limits, and removed values do not come back when older facts arrive late.

A twin keeps its last `pendingFactsPerTwinMax` removals in memory; older ones are only in its facts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import twind
from daemon import Daemon
from test_operations import verify

NAME = "acme/customer/1"
# More than three times what is kept.
COUNT = 1_700


def attribute(i: int) -> str:
    return f"cart.item_{i:05}"


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def fold(facts: list[twind.Fact], moment: datetime) -> dict[str, Any]:
    """What the facts make at a time, by the README's rule: the oracle for what the daemon keeps in memory."""
    winners: dict[str, twind.Fact] = {}
    for fact in facts:
        if fact.deleted:
            winners.clear()
            continue
        if not (fact.valid_from <= moment and (fact.valid_to is None or moment < fact.valid_to)):
            continue
        present = winners.get(fact.attribute)
        if present is None or fact.valid_to is not None or present.valid_from <= fact.valid_from:
            winners[fact.attribute] = fact
    return {name: fact.value for name, fact in winners.items() if fact.value is not None}


def fill_and_empty(client: twind.Client) -> list[datetime]:
    """Sets and removes many attributes, and returns when each was removed."""
    client.update(NAME, {"kept": 1})
    for start in range(0, COUNT, 100):
        client.update(NAME, {attribute(i): i for i in range(start, min(start + 100, COUNT))})
        for i in range(start, min(start + 100, COUNT), 50):
            client.update(NAME, {attribute(j): twind.remove for j in range(i, min(i + 50, start + 100))})
    removed = {fact.attribute: fact.valid_from for fact in client.facts(NAME) if fact.removed}
    return [removed[attribute(i)] for i in range(COUNT)]


@pytest.mark.parametrize("restart", ["none", "clean", "crash", "cold"])
@pytest.mark.parametrize("retain", [None, "*=200facts"])
def test_late_facts_behind_removals(start: Callable[..., Daemon], restart: str, retain: str | None) -> None:
    options = [*(["--retain", retain] if retain else []), *(["--checkpoint-interval", "1h"] if restart == "crash" else [])]
    daemon = start(*options)
    with daemon.client() as client:
        removed = fill_and_empty(client)
        assert dict(client.get(NAME)) == {"kept": 1}
        for _ in range(3 if restart != "crash" else 0):
            client.checkpoint()
    if restart == "crash":
        daemon.kill()
        daemon = start(*options)
    elif restart != "none":
        daemon.stop()
        daemon = start(*options)
    with daemon.client() as client:
        # The first and the last that were removed, and one that never was there.
        for i in (0, 1, COUNT - 1):
            client.update(NAME, {attribute(i): twind.attribute("late", valid_from=removed[i] - seconds(5))})
            assert attribute(i) not in client.get(NAME), f"{attribute(i)} is back"
            client.update(NAME, {attribute(i): twind.attribute("newer", valid_from=removed[i] + timedelta(microseconds=1))})
            assert client.get(NAME)[attribute(i)] == "newer"
        client.update(NAME, {"never": twind.attribute("old", valid_from=removed[0] - seconds(5))})
        assert client.get(NAME)["never"] == "old"
        # Removing what is removed changes nothing, now as before.
        assert client.update(NAME, {attribute(5): twind.remove}).fact_count == 0
        if restart == "crash":
            daemon.kill()
            daemon = start(*options)
    with daemon.client() as client:
        for i in (0, 1, COUNT - 1):
            assert client.get(NAME)[attribute(i)] == "newer"
        assert len(client.get(NAME)) == 5
        client.checkpoint()
    daemon.stop()
    verify(daemon.data)


@pytest.mark.seconds(120)
@pytest.mark.parametrize("seed", range(3))
def test_memory_and_facts_agree(start: Callable[..., Daemon], seed: int) -> None:
    """Random removals, late facts and bounded ones, with restarts: a twin is always what its facts make."""
    chance = random.Random(seed)
    daemon = start()
    begin = datetime.now(timezone.utc) - timedelta(hours=1)
    for life in range(4):
        with daemon.client() as client:
            for _ in range(150):
                changes: dict[str, Any] = {}
                for i in chance.sample(range(900), 12):
                    value = twind.remove if chance.randrange(5) < 3 else chance.randrange(1_000)
                    valid_from = begin + seconds(chance.randrange(3_600)) if chance.randrange(3) else None
                    valid_to = None
                    if chance.randrange(20) == 0:
                        valid_to = datetime.now(timezone.utc) + seconds(chance.choice([-1_000, 1_000]))
                    if valid_to is not None and valid_to <= (valid_from or datetime.now(timezone.utc)):
                        valid_to = None
                    changes[attribute(i)] = twind.attribute(value, valid_from=valid_from, valid_to=valid_to)
                try:
                    client.update(NAME, changes)
                except twind.ResourceExhausted as error:
                    assert "attributesPerTwinMax" in str(error) or "pendingFactsPerTwinMax" in str(error)
                if chance.randrange(60) == 0:
                    client.checkpoint()
            facts = list(client.facts(NAME))
            now = max(datetime.now(timezone.utc), facts[-1].recorded_at)
            twin = client.get(NAME)
            assert dict(twin) == fold(facts, now)
        daemon.kill() if life % 2 else daemon.stop()
        verify(daemon.data)
        daemon = start()


def test_a_removal_is_not_refused_for_its_size(start: Callable[..., Daemon]) -> None:
    """A twin that is full of bytes: what says more of its removal than it had itself goes all the same."""
    with start().client() as client:
        client.update(NAME, {f"a{i}": i for i in range(500)})
        while True:
            size = len(client.get(NAME))
            try:
                client.update(NAME, {f"text{size}": "x" * 60_000})
            except twind.ResourceExhausted:
                break
        filler = 30_000
        while filler > 10:
            try:
                client.update(NAME, {f"filler{filler}": "x" * filler})
            except twind.ResourceExhausted:
                filler //= 2
        for i in range(500):
            client.update(NAME, {f"a{i}": twind.attribute(twind.remove, evidence="e" * 120)})
        assert not any(name.startswith("a") for name in client.get(NAME))
