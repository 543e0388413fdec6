"""Exceptions that signal handlers raise, anywhere: they lose nothing, and the client stays usable for all threads."""

from __future__ import annotations

import ast
import threading
import time
from pathlib import Path

import pytest

import twind
from fake_daemon import delayed
from interruptions import HOME, Interrupted, each_place, interrupted_at

NAME = "acme/customer/42"
ERRORS = [Interrupted, OSError, TimeoutError, BlockingIOError, KeyboardInterrupt, lambda: ValueError("the handler's")]


def assert_whole(client, daemon):
    """The connection is the one that it was, nobody holds a lock, and no call is left."""
    start = time.monotonic()
    assert client.get(NAME, timeout=2)["a"] == 1
    assert time.monotonic() - start < 0.5
    connection = client._channel._connection
    assert not connection._sending.locked() and not connection._reading.locked()
    assert connection._calls == {} and connection._asleep == {} and not connection._rooms
    assert daemon.accepted == 1


@pytest.mark.parametrize("error", ERRORS)
def test_a_read_at_every_place(client, daemon, error):
    client.update(NAME, {"a": 1})

    def work(place):
        try:
            assert client.get(NAME)["a"] == 1
        finally:
            assert_whole_later.append(place)

    assert_whole_later: list[int] = []
    places = each_place(work, error)
    assert places > 30 and len(assert_whole_later) == places + 1
    assert_whole(client, daemon)


def test_after_each_place_the_connection_is_whole(client, daemon):
    client.update(NAME, {"a": 1})
    for place in range(10_000):
        with interrupted_at(place, Interrupted()) as interruption:
            client.get(NAME)
        assert_whole(client, daemon)
        if not interruption.struck:
            break


def test_the_first_call_at_every_place(daemon):
    """Connecting is part of it."""
    daemon.twins.call("UpdateTwin", b"\x0a\x05a/b/c", "x")

    def work(place):
        with twind.Client(daemon.path, connect_timeout=2, timeout=2) as client:
            try:
                client.get("a/b/c")
            except (Interrupted, twind.Unavailable):
                client.get("a/b/c")
                raise

    assert each_place(work) > 50


def test_a_write_at_every_place_takes_effect_at_most_once(client, daemon):
    client.update(NAME, {"a": 1})
    for place in range(10_000):
        before = client.get(NAME).get("n", 0)
        with interrupted_at(place, Interrupted()) as interruption:
            client.update(NAME, {"n": twind.increment()})
        assert_whole(client, daemon)
        assert client.get(NAME).get("n", 0) - before in (0, 1)
        if not interruption.struck:
            break
    assert client.get(NAME)["n"] > 10


def test_a_pipeline_at_every_place_loses_no_call_and_makes_none_twice(client, daemon):
    client.update(NAME, {"a": 1})
    for place in range(10_000):
        before = client.get(NAME).get("n", 0)
        given = []
        refused = 0
        with client.pipeline(window=4) as p, interrupted_at(place, Interrupted()) as interruption:
            for _ in range(7):
                try:
                    given.append(p.update(NAME, {"n": twind.increment()}))
                except Interrupted:
                    refused += 1
        assert [pending.result().fact_count for pending in given] == [1] * len(given)
        made = client.get(NAME)["n"] - before
        assert len(given) + refused == 7 and len(given) <= made <= 7
        assert_whole(client, daemon)
        if not interruption.struck:
            break
    assert place > 200


def test_results_of_a_pipeline_can_be_asked_for_again(client, daemon):
    client.update(NAME, {"a": 1})
    for place in range(10_000):
        with client.pipeline() as p:
            found = [p.get(NAME) for _ in range(3)]
            absent = p.get("acme/customer/none")
            with interrupted_at(place, Interrupted()) as interruption:
                found[1].result()
                absent.exception()
            assert [pending.result()["a"] for pending in found] == [1] * 3
            assert isinstance(absent.exception(), twind.NotFound)
        assert_whole(client, daemon)
        if not interruption.struck:
            break
    assert place > 50


def changes_of(watch, wanted):
    """As many of the watch's changes, in a loop that is begun again when it is interrupted."""
    seen = []
    while len(seen) < wanted:
        try:
            for change in watch:
                seen.append(change)
                if len(seen) == wanted:
                    break
        except Interrupted:
            continue
    return seen


def test_a_watch_at_every_place_loses_nothing_and_gives_nothing_twice(client, daemon):
    client.update(NAME, {"a": 1})
    with client.watch("acme/") as watch:
        watch.snapshot()
        n = 0
        for place in range(10_000):
            wanted = list(range(n, n + 3))
            n += 3
            client.update_many([twind.Update(f"acme/customer/{i}", {"n": i}) for i in wanted[:2]])
            client.update("acme/customer/last", {"n": wanted[2]})
            with interrupted_at(place, Interrupted()) as interruption:
                changes = changes_of(watch, 3)
            assert [change["n"] for change in changes] == wanted
            assert watch.sequence == daemon.twins.sequence
            if not interruption.struck:
                break
    assert place > 50
    assert daemon.methods().count("WatchTwins") == 1


def test_a_snapshot_at_every_place(client, daemon):
    for i in range(5):
        client.update(f"acme/customer/{i}", {"n": i})
    for place in range(10_000):
        with client.watch("acme/") as watch:
            with interrupted_at(place, Interrupted()) as interruption:
                try:
                    twins = watch.snapshot()
                except Interrupted:
                    twins = watch.snapshot()
            assert [twin["n"] for twin in twins] == list(range(5)) and watch.sequence == 5
        if not interruption.struck:
            break
    assert place > 50


def test_a_history_and_a_list_at_every_place(client, daemon):
    from twind._generated.twind.v1 import twin_pb2

    def attribute(n):
        return twin_pb2.Attribute(name="n", value=twin_pb2.Value(int_value=n), recorded_at=1 + n, valid_from_time=1)

    daemon.twins.sequence = 9
    daemon.twins.facts[NAME] = [twin_pb2.Fact(attribute=attribute(n)) for n in range(5)]
    for i in range(5):
        client.update(f"acme/customer/{i}", {"n": i})
    for read, number in (
        (lambda: client.facts(NAME), lambda fact: fact.value),
        (lambda: client.list("acme/", page_size=2), lambda twin: twin["n"]),
    ):
        for place in range(10_000):
            found = read()
            seen = []
            with interrupted_at(place, Interrupted()) as interruption:
                while len(seen) < 5:
                    try:
                        for one in found:
                            seen.append(one)
                    except Interrupted:
                        continue
            assert [number(one) for one in seen] == list(range(5)) and list(found) == []
            if not interruption.struck:
                break
        assert place > 50


def test_other_threads_never_notice(client, daemon):
    """While one thread is interrupted at every place, others call on the same connection."""
    client.update(NAME, {"a": 1})
    stop = threading.Event()
    errors = []

    def call():
        try:
            while not stop.is_set():
                start = time.monotonic()
                assert client.get(NAME, timeout=5)["a"] == 1
                client.update("acme/customer/other", {"b": 2}, timeout=5)
                assert time.monotonic() - start < 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            daemon.faults["GetTwin"] = [delayed(0.002)] * 50
            each_place(lambda place: client.get(NAME) and None)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    assert_whole(client, daemon)


def test_no_lock_is_held_around_a_loop():
    """Where a loop goes back, CPython 3.12 and later may leave a `try` without its `finally`."""
    blocks = []
    for path in Path(HOME).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Try) and node.finalbody and ast.unparse(node.finalbody[0]).startswith("if held:"):
                release = [line for line in ast.unparse(node.finalbody[0]).split("\n") if "(" in line][0]
                assert release.endswith(".release()"), "there is no call before it"
                loops = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
                inner = [n for statement in node.body for n in ast.walk(statement)]
                assert not any(isinstance(n, loops) for n in inner), f"{path.name}:{node.lineno}"
                blocks.append(node)
    assert len(blocks) >= 6
