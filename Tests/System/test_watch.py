"""WatchTwins: a snapshot, then every commit once and in order, and resuming."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

import twind
from daemon import Daemon, until
from frames import DATA, INVALID_ARGUMENT, RESPONSE, Frame, RawConnection, field, fields, request, watch

NAME = "acme/customer/1"

END = "acme/end/1"

State = dict[str, tuple[int, dict[str, object]]]


def state_of(twins: Iterable[twind.Twin]) -> State:
    return {twin.name: (twin.revision, dict(twin)) for twin in twins}


def apply(state: State, change: twind.Change) -> None:
    """What a reader makes of one change: revisions only ever rise."""
    revision, attributes = state.get(change.name, (0, {}))
    assert change.revision > revision, f"{change} after revision {revision}"
    if change.deleted:
        assert not change and not change.removed
        state.pop(change.name, None)  # with coalesce it may have been made and deleted in between
        return
    attributes = {} if change.snapshot else dict(attributes)
    attributes.update(change)
    for name in change.removed:
        attributes.pop(name, None)
    state[change.name] = (change.revision, attributes)


def write_at_random(daemon: Daemon, seed: int, count: int) -> None:
    """Sets, increments, removals, deletes and batches on a few twins."""
    chance = random.Random(seed)
    with daemon.client(agent=f"writer-{seed}") as client:
        for i in range(count):
            name = f"acme/customer/{chance.randrange(8)}"
            attribute = f"a{chance.randrange(4)}"
            match chance.randrange(8):
                case 0:
                    try:
                        client.delete(name)
                    except twind.NotFound:
                        pass
                case 1:
                    client.update(name, {attribute: twind.remove})
                case 2:
                    names = {f"acme/customer/{chance.randrange(8)}" for _ in range(5)}
                    client.update_many([twind.Update(each, {attribute: f"{seed} {i}"}) for each in names])
                case 3:
                    client.update(name, {"count": twind.increment(1)})
                case _:
                    client.update(name, {attribute: f"{seed} {i}", "b": i})


def running(daemon: Daemon, writers: int, count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=write_at_random, args=(daemon, seed, count)) for seed in range(writers)]
    for thread in threads:
        thread.start()
    return threads


def ending_after(threads: list[threading.Thread], daemon: Daemon) -> threading.Thread:
    """Makes a last write after all others."""

    def end() -> None:
        for thread in threads:
            thread.join()
        with daemon.client() as client:
            client.update(END, {"a": 1})

    ending = threading.Thread(target=end)
    ending.start()
    return ending


def followed(watch: twind.Watch, daemon: Daemon, threads: list[threading.Thread]) -> Iterator[twind.Change]:
    """What comes, up to a last write that is made after all others."""
    ending = ending_after(threads, daemon)
    for change in watch:
        yield change
        if change.name == END:
            break
    ending.join()


@pytest.mark.parametrize("coalesce", [False, True])
def test_a_watch_among_writers_ends_where_the_reads_are(daemon: Daemon, client: twind.Client, coalesce: bool) -> None:
    threads = running(daemon, 3, 300)
    until(lambda: client.server_info().sequence > 50, "writes")
    state: State = {}
    with client.watch("acme/", coalesce=coalesce) as watch:
        for change in followed(watch, daemon, threads):
            apply(state, change)
        assert watch.sequence == client.server_info().sequence
    assert state == state_of(client.list())


def test_the_snapshot_is_one_state(daemon: Daemon, client: twind.Client) -> None:
    """With the changes up to a sequence applied it is what the writers had at that sequence."""
    names = [f"acme/customer/{i}" for i in range(200)]
    client.update_many([twind.Update(name, {"n": 0}) for name in names])
    stop = threading.Event()

    def write() -> None:
        with daemon.client() as own:
            n = 0
            while not stop.is_set():
                n += 1
                own.update_many([twind.Update(name, {"n": n, "filler": "x" * 500}) for name in names])

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(5):
        state: State = {}
        with client.watch("acme/") as watch:
            for change in watch:
                apply(state, change)
                if (
                    watch.snapshot_complete
                    and watch.sequence
                    and len({attributes["n"] for _, attributes in state.values()}) == 1
                ):
                    break
        assert len(state) == 200
    stop.set()
    writer.join()


def test_every_commit_comes_once_and_in_order(daemon: Daemon, client: twind.Client) -> None:
    with client.watch(from_sequence=0) as watch:
        changes = list(followed(watch, daemon, running(daemon, 3, 200)))
    head = client.server_info().sequence
    revisions = [change.revision for change in changes]
    assert revisions == sorted(revisions)
    assert set(revisions) == set(range(1, head + 1)), "no commit is missing"
    assert len({(change.name, change.revision) for change in changes}) == len(changes), "none comes twice"


def test_a_watch_that_breaks_off_again_and_again(daemon: Daemon, client: twind.Client) -> None:
    """Resumed each time after a few commits, it ends where an unbroken one does."""
    chance = random.Random(7)
    ending = ending_after(running(daemon, 2, 200), daemon)
    state: State = {}
    sequence: int | None = None
    while END not in state:
        with client.watch("acme/", from_sequence=sequence) as watch:
            commits = 0
            for change in watch:
                apply(state, change)
                # It moves at the end of a commit: only there one can go on.
                if watch.sequence != sequence:
                    sequence = watch.sequence
                    commits += 1
                if END in state or commits and commits == chance.randrange(1, 30):
                    break
    ending.join()
    assert state == state_of(client.list())


def test_the_snapshot_is_in_name_order(client: twind.Client) -> None:
    names = [f"acme/customer/{id}" for id in ("2", "10", "é", "e\u0301", "Z", "a")]
    for name in names:
        client.update(name, {"n": name})
    with client.watch() as watch:
        assert [change.name for change in watch.snapshot()] == sorted(names, key=str.encode)


def test_a_large_snapshot_comes_in_parts(raw: RawConnection, client: twind.Client) -> None:
    for i in range(40):
        client.update(f"acme/customer/{i:02}", {"filler": "x" * 50_000})
    raw.send(watch(1, ""))
    parts: list[dict[int, list[int | bytes]]] = []
    while not parts or 3 not in parts[-1]:
        received = raw.answer(1)
        assert len(received.data) < 1 << 20
        parts.append(fields(received.data))
    names = [fields(twin)[1][0] for part in parts for twin in part[2] if isinstance(twin, bytes)]
    assert names == [f"acme/customer/{i:02}".encode() for i in range(40)]
    assert len(parts) > 1 and all(1 not in part for part in parts[:-1]) and parts[-1][1] == [40]


def test_by_names(client: twind.Client) -> None:
    client.update(NAME, {"a": 1})
    with client.watch([NAME, "acme/customer/3"]) as watch:
        assert [change.name for change in watch.snapshot()] == [NAME]
        client.update("acme/customer/2", {"a": 1})
        client.update("acme/customer/3", {"a": 2})
        client.update_many([twind.Update(f"acme/customer/{i}", {"b": i}) for i in range(1, 5)])
        assert [(c.name, dict(c)) for c in (next(watch), next(watch), next(watch))] == [
            ("acme/customer/3", {"a": 2}), (NAME, {"b": 1}), ("acme/customer/3", {"b": 3}),
        ]  # fmt: skip


def test_by_prefix(client: twind.Client) -> None:
    with client.watch("acme/customer/1") as watch:
        assert watch.snapshot() == []
        for name in ("acme/customer/2", "acme/account/1", "acme-2/customer/1", "acme/customer/12"):
            client.update(name, {"a": 1})
        assert next(watch).name == "acme/customer/12"


def test_a_mask(client: twind.Client) -> None:
    client.update(NAME, {"a": 1, "address.city": "x"})
    with client.watch(attributes=["address"]) as watch:
        assert [dict(change) for change in watch.snapshot()] == [{"address.city": "x"}]
        client.update(NAME, {"a": 2})
        client.update(NAME, {"address.code": 5, "a": 3})
        change = next(watch)
        while not change and not change.removed:
            change = next(watch)
        assert dict(change) == {"address.code": 5}


def test_removals_and_deletes(client: twind.Client) -> None:
    client.update(NAME, {"a": 1, "b": 2})
    with client.watch() as watch:
        watch.snapshot()
        client.update(NAME, {"a": twind.remove, "c": 3})
        change = next(watch)
        assert (dict(change), change.removed, change.deleted) == ({"c": 3}, ("a",), False)
        client.delete(NAME)
        change = next(watch)
        assert (dict(change), change.deleted) == ({}, True)
        client.update(NAME, {"d": 4})
        assert dict(next(watch)) == {"d": 4}
    with client.watch() as watch:
        assert [dict(change) for change in watch.snapshot()] == [{"d": 4}]


def test_the_provenance_comes_with_a_change(client: twind.Client) -> None:
    with client.watch() as watch:
        watch.snapshot()
        client.update(NAME, {"a": twind.attribute(1, confidence=0.5, evidence="call:1")}, purpose="care")
        assert next(watch).attribute("a") == client.get(NAME).attribute("a")


def test_coalescing_gives_the_last_change_of_each_attribute(client: twind.Client) -> None:
    for i in range(500):
        client.update(NAME, {"a": i, f"b{i % 3}": i})
    state: State = {}
    count = 0
    with client.watch(from_sequence=0, coalesce=True) as watch:
        while watch.sequence != 500:
            apply(state, next(watch))
            count += 1
    assert count < 500
    assert state == state_of(client.list())


def test_coalescing_keeps_what_follows_a_delete(client: twind.Client) -> None:
    client.update(NAME, {"a": 1, "b": 1})
    client.update("acme/customer/2", {"a": 1})
    client.delete(NAME)
    client.update(NAME, {"c": 1})
    client.delete("acme/customer/2")
    client.update(END, {"a": 1})
    with client.watch(from_sequence=1, coalesce=True) as watch:
        changes: list[twind.Change] = []
        while not changes or changes[-1].name != END:
            changes.append(next(watch))
    ours = [change for change in changes if change.name == NAME]
    assert [(change.deleted, dict(change), change.revision) for change in ours] == [(True, {}, 3), (False, {"c": 1}, 4)]


def test_going_on_from_a_sequence(client: twind.Client) -> None:
    for i in range(10):
        client.update(NAME, {"a": i})
    with client.watch(from_sequence=7) as watch:
        assert [dict(next(watch)) for _ in range(3)] == [{"a": 7}, {"a": 8}, {"a": 9}]
    with client.watch(from_sequence=10) as watch:
        client.update(NAME, {"a": "new"})
        assert dict(next(watch)) == {"a": "new"}


@pytest.mark.parametrize("sequence", [2, 1000, 1 << 63, (1 << 64) - 1])
def test_a_sequence_that_is_not_there_yet(client: twind.Client, sequence: int) -> None:
    client.update(NAME, {"a": 1})
    with pytest.raises(twind.OutOfRange) as raised, client.watch(from_sequence=sequence) as watch:
        next(watch)
    assert raised.value.resume and raised.value.resume.head_sequence == 1


def test_a_sequence_that_has_left_the_feed(client: twind.Client) -> None:
    """The feed holds 64 MiB. What it does not hold any more is read from history, every commit once and in order."""
    with client.pipeline() as pipeline:
        for i in range(1200):
            pipeline.update(f"acme/customer/{i % 16}", {"filler": f"{i:06}" + "x" * 60_000})
    oldest = client.stats().feed_oldest_sequence
    assert oldest > 0 and client.stats().feed_bytes <= 64 << 20
    for sequence in (0, oldest - 1, oldest):
        with client.watch(from_sequence=sequence) as watch:
            for expected in range(sequence + 1, 1201):
                change = next(watch)
                assert change.revision == expected
                assert change["filler"] == f"{expected - 1:06}" + "x" * 60_000


def test_a_watch_goes_on_after_a_restart(start: Callable[..., Daemon]) -> None:
    """From any sequence: sets, removals, deletes, batches and increments come as they were committed."""
    first = start()
    with first.client() as client:
        write_at_random(first, 5, 100)
        with client.watch(from_sequence=0) as watch:
            before = [next(watch)]
            while watch.sequence != client.server_info().sequence:
                before.append(next(watch))
        state = state_of(client.list())
    first.stop()
    with start().client() as client:
        head = client.server_info().sequence
        for sequence in (0, 1, head // 2, head - 1):
            expected = [change for change in before if change.revision > sequence]
            with client.watch(from_sequence=sequence) as watch:
                found = [next(watch) for _ in expected]
                assert [comparable(change) for change in found] == [comparable(change) for change in expected]
                assert watch.sequence == head
        rebuilt: State = {}
        for change in before:
            apply(rebuilt, change)
        assert rebuilt == state == state_of(client.list())
        with client.watch(from_sequence=head) as watch:
            client.update(NAME, {"a": "new"})
            assert next(watch)["a"] == "new"


def comparable(change: twind.Change) -> tuple[object, ...]:
    return change.name, change.revision, change.deleted, sorted(change.removed), sorted(change.items(), key=str)


def test_a_hundred_watches(daemon: Daemon, client: twind.Client) -> None:
    with RawConnection(daemon.socket) as raw:
        for stream in range(1, 201, 2):
            raw.send(watch(stream, "acme/"))
        done = {raw_frame(raw).stream for _ in range(100)}
        assert done == set(range(1, 201, 2)) and client.stats().watch_count == 100
        for i in range(20):
            client.update(NAME, {"a": i})
        seen: dict[int, list[int | bytes]] = {}
        for _ in range(100 * 20):
            received = raw_frame(raw)
            seen.setdefault(received.stream, []).extend(fields(received.data)[1])
        assert all(sequences == list(range(1, 21)) for sequences in seen.values()) and len(seen) == 100
    until(lambda: client.stats().watch_count == 0, "the watches of a closed connection end")


def raw_frame(raw: RawConnection) -> Frame:
    received = raw.receive()
    assert received and received.kind == DATA, received
    return received


@pytest.mark.parametrize("payload", [field(1, NAME) + field(2, "acme/"), field(2, "acme"), field(1, "acme")])
def test_a_watch_of_what_cannot_be_watched(raw: RawConnection, payload: bytes) -> None:
    raw.send(request(1, "WatchTwins", payload, 1))
    answer = raw.answer(1)
    assert answer.kind == RESPONSE and answer.code == INVALID_ARGUMENT


def test_a_quiet_watch_learns_how_far_it_has_come(client: twind.Client) -> None:
    """Its cursor goes on over others' commits, so that it can resume later."""
    with client.watch("quiet/") as watch:
        assert watch.snapshot() == []
        with client.pipeline() as pipeline:
            for i in range(12_000):
                pipeline.update(NAME, {"a": i})
        client.update("quiet/customer/1", {"a": 1})
        assert next(watch)["a"] == 1
        assert watch.sequence == 12_001
