"""A copy that follows a watch equals what the daemon serves, as time passes and whatever others write."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pytest

import twind
from daemon import Daemon


@dataclass(frozen=True)
class Kept:
    """What a copy needs of a fact."""

    sequence: int
    valid_from: datetime
    valid_to: datetime | None
    value: object

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass
class CopiedTwin:
    revision: int
    facts: dict[str, list[Kept]] = field(default_factory=dict)

    def add(self, attribute: str, fact: Kept) -> None:
        facts = self.facts.setdefault(attribute, [])
        facts.append(fact)
        facts.sort(key=lambda kept: kept.sequence)

    def at(self, moment: datetime) -> dict[str, object]:
        """The rule of the README: bounded facts count where they hold, open ones by their valid_from."""
        twin = {}
        for attribute, facts in self.facts.items():
            winner = None
            for fact in facts:
                if fact.holds(moment) and (
                    winner is None or fact.valid_to is not None or winner.valid_from <= fact.valid_from
                ):
                    winner = fact
            if winner is not None and winner.value is not None:
                twin[attribute] = winner.value
        return twin


class Copy:
    """Made of the messages of one watch after the other, in order."""

    def __init__(self) -> None:
        self.twins: dict[str, CopiedTwin] = {}
        self.deleted: dict[str, int] = {}

    def take(self, change: twind.Change) -> None:
        before = self.twins.get(change.name)
        last = before.revision if before else self.deleted.get(change.name, 0)
        assert change.revision > last, f"{change} takes the copy back from revision {last}"
        if change.deleted:
            self.twins.pop(change.name, None)
            self.deleted[change.name] = change.revision
            return
        assert change.snapshot or change.created == (before is None), f"{change} is said to make the twin, or not to"
        twin = CopiedTwin(change.revision) if change.snapshot or before is None else before
        twin.revision = change.revision
        for name in change:
            attribute = change.attribute(name)
            twin.add(name, Kept(attribute.sequence, attribute.valid_from, attribute.valid_to, attribute.value))
        assert {fact.attribute for fact in change.ended} == set(change.removed)
        for fact in [*change.ended, *change.other_facts, *change.scheduled]:
            twin.add(fact.attribute, Kept(fact.sequence, fact.valid_from, fact.valid_to, fact.value))
        self.twins[change.name] = twin

    def take_all(self, changes: Iterable[twind.Change]) -> None:
        for change in changes:
            self.take(change)


def take_until(watch: twind.Watch, copy: Copy, sequence: int) -> None:
    while (watch.sequence or 0) < sequence:
        copy.take(next(watch))


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def check(copy: Copy, client: twind.Client, names: Iterable[str], moment: datetime) -> None:
    """Both at the same valid time: what the daemon says of a moment does not depend on when it is asked."""
    for name in names:
        expected = dict(client.get(name, valid_at=moment))
        assert copy.twins[name].at(moment) == expected, f"{name} at {moment}"


@pytest.mark.parametrize("in_snapshot", [True, False], ids=["snapshot", "changes"])
def test_a_copy_follows_what_time_does(start: Callable[..., Daemon], in_snapshot: bool) -> None:
    """What is scheduled, what comes back when something ends, a removal that ends, and a late fact behind a removal."""
    name = "acme/customer/1"
    with start().client() as client:
        now = datetime.now(timezone.utc)
        copy = Copy()
        base = client.update(name, {"kept": "always"})
        before = client.watch([name])
        copy.take_all(before.snapshot())

        client.update(name, {"plan": "basic", "tier": "silver", "quota": 1, "note": "old"})
        client.update(name, {"plan": twind.attribute("pro", valid_from=now + seconds(30))})
        client.update(name, {"tier": twind.attribute("gold", valid_to=now + seconds(40))})
        client.update(name, {"quota": twind.attribute(twind.remove, valid_to=now + seconds(50))})
        client.update(name, {"note": twind.remove})
        later = twind.attribute("later", valid_from=now + seconds(60), valid_to=now + seconds(70))
        client.update(name, {"note": later})
        if in_snapshot:
            before.close()
            before, copy = client.watch([name]), Copy()
            copy.take_all(before.snapshot())
        # An older fact that comes late, which the removal keeps out.
        client.update(name, {"note": twind.attribute("late", valid_from=now - seconds(3_600))})
        kept = twind.attribute("for a while", valid_from=now + seconds(80), valid_to=now + seconds(90))
        last = client.update(name, {"kept": kept})

        with before as watch:
            take_until(watch, copy, last.sequence)
        assert base.sequence < last.sequence == copy.twins[name].revision
        check(copy, client, [name], last_moment(client, name))
        for offset in [29, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 85, 95]:
            check(copy, client, [name], now + seconds(offset))


def last_moment(client: twind.Client, name: str) -> datetime:
    """When the twin's last fact was recorded: there is no earlier present."""
    return max(fact.recorded_at for fact in client.facts(name))


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_follows_random_times(start: Callable[..., Daemon], seed: int) -> None:
    chance = random.Random(seed)
    names = [f"acme/customer/{i}" for i in range(4)]
    with start().client() as client:
        now = datetime.now(timezone.utc)
        for name in names:
            client.update(name, {"start": True})
        watch = client.watch("acme/")
        copy = Copy()
        copy.take_all(watch.snapshot())
        last = 0
        for i in range(300):
            name = chance.choice(names)
            attribute = f"a{chance.randrange(3)}"
            value = twind.remove if chance.randrange(4) == 0 else i
            begin = now + seconds(chance.randrange(-100, 1_000)) if chance.randrange(3) else None
            end = now + seconds(1_000 + chance.randrange(1_000)) if chance.randrange(3) == 0 else None
            try:
                change = twind.attribute(value, valid_from=begin, valid_to=end)
                last = client.update(name, {attribute: change}).sequence
            except twind.NotFound:
                pass  # there was nothing to remove
            if i % 100 == 50:
                last = client.delete(name).sequence
                last = client.update(name, {"start": True}).sequence
            if i % 60 == 30:  # a copy that begins here
                take_until(watch, copy, last)
                watch.close()
                watch, copy = client.watch("acme/"), Copy()
                copy.take_all(watch.snapshot())
        with watch:
            take_until(watch, copy, last)
        present = max(last_moment(client, name) for name in names)
        for offset in range(0, 2_200, 37):
            check(copy, client, names, present + seconds(offset))


@pytest.mark.parametrize("coalesce", [False, True], ids=["each commit", "coalesced"])
@pytest.mark.parametrize("again", [False, True], ids=["deleted", "made again"])
def test_a_twin_that_goes_before_its_turn_in_the_snapshot(
    start: Callable[..., Daemon], coalesce: bool, again: bool
) -> None:
    """Nothing is told of a twin that the snapshot has not brought."""
    daemon = start()
    with daemon.client() as client, daemon.client() as writer:
        names = [f"acme/customer/{i:04}" for i in range(400)]
        for name in names:
            client.update(name, {"filler": "x" * 60_000})
        copy = Copy()
        with client.watch("acme/", coalesce=coalesce) as watch:
            # More than a connection takes at once: the last names are not looked for before this is read.
            copy.take(next(watch))
            writer.update(names[-1], {"n": 1})
            writer.delete(names[-1])
            if again:
                writer.update(names[-1], {"n": 2})
            take_until(watch, copy, writer.update(names[0], {"n": 3}).sequence)
        assert (names[-1] in copy.twins) == again
        assert len(copy.twins) == 399 + again


@pytest.mark.parametrize("coalesce", [False, True], ids=["each commit", "coalesced"])
@pytest.mark.parametrize("cold", [False, True], ids=["in memory", "on disk"])
def test_a_snapshot_beside_writers_has_one_sequence(
    start: Callable[..., Daemon], coalesce: bool, cold: bool
) -> None:
    """At `sequence` the copy is what that commit left, twin by twin, and a watch that resumes there goes on from it."""
    daemon = start("--memory-limit", "16MiB") if cold else start()
    names = [f"acme/customer/{i:04}" for i in range(400)]
    filler = "x" * (50_000 if cold else 1_000)
    with daemon.client() as client:
        for i in range(0, len(names), 10):
            client.update_many([twind.Update(name, {"filler": filler, "n": 0}) for name in names[i : i + 10]])
            if cold:
                client.checkpoint()

    done = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(number)
        with daemon.client(agent=f"writer-{number}") as client:
            while not done.is_set():
                name = chance.choice(names)
                try:
                    client.delete(name) if chance.randrange(10) == 0 else client.update(name, {"n": twind.increment(1)})
                except (twind.NotFound, twind.ResourceExhausted):
                    pass  # it was deleted, or memory waits for a checkpoint

    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for writer in writers:
        writer.start()
    torn = 0
    try:
        with daemon.client() as client:
            for _ in range(6):
                copy = Copy()
                with client.watch("acme/", coalesce=coalesce) as watch:
                    copy.take_all(watch.snapshot())
                    torn += watch.sequence is None
                    while watch.sequence is None:
                        copy.take(next(watch))
                    sequence = watch.sequence
                assert all(twin.revision <= sequence for twin in copy.twins.values())
                checked = random.sample(names, 20)
                for name in checked:
                    facts = [fact for fact in client.facts(name) if fact.sequence <= sequence]
                    copied = copy.twins.get(name)
                    assert (copied is None) == facts[-1].deleted, name
                    assert copied is None or copied.revision == facts[-1].sequence, name
                # `take` fails when the copy would go back.
                with client.watch("acme/", from_sequence=sequence, coalesce=coalesce) as watch:
                    until_sequence = sequence + 200
                    while (watch.sequence or 0) < until_sequence:
                        copy.take(next(watch))
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert torn > 0, "no twin was written while a snapshot was read: the test has shown nothing"


@pytest.mark.parametrize("coalesce", [False, True], ids=["each commit", "coalesced"])
@pytest.mark.parametrize("from_disk", [False, True], ids=["from memory", "from disk"])
def test_existence_is_announced_whatever_was_asked_for(
    start: Callable[..., Daemon], coalesce: bool, from_disk: bool
) -> None:
    daemon = start()
    with daemon.client() as client:
        first = client.update("acme/customer/0", {"plan": "basic"}).sequence
        client.update("acme/customer/1", {"mood": "calm"})
        client.update("acme/customer/1", {"mood": "angry"})
        client.delete("acme/customer/1")
        client.update("acme/customer/1", {"mood": "calm"})
        last = client.update("acme/customer/0", {"plan": "pro"}).sequence
    if from_disk:
        daemon.stop()
        daemon = start()
    with daemon.client() as client:
        with client.watch("acme/", from_sequence=first, attributes=["plan"], coalesce=coalesce) as watch:
            seen = [next(watch)]
            while (watch.sequence or 0) < last:
                seen.append(next(watch))
    told = [(change.name[-1], change.created, change.deleted, dict(change)) for change in seen]
    one = [("1", True, False, {}), ("1", False, True, {}), ("1", True, False, {})]
    if coalesce:
        one = one[1:]
    assert sorted(told, key=lambda t: t[0]) == [("0", False, False, {"plan": "pro"}), *one]
