"""Watches: snapshot, commits, and going on after the connection was lost."""

from __future__ import annotations

import threading
import time

import pytest

import twind
from fake_daemon import drop_before
from twind._generated.twind.v1.twin_service_pb2 import TwinChange, WatchTwinsResponse
from twind.errors import Cancelled


def fill(client, count):
    for i in range(count):
        client.update(f"acme/customer/{i}", {"i": i})


def test_snapshot_then_commits(client):
    fill(client, 3)
    client.update("other/customer/1", {"i": 9})
    with client.watch("acme/") as watch:
        assert watch.sequence is None
        changes = [next(watch) for _ in range(3)]
        assert [(c.name, c["i"], c.snapshot, c.revision) for c in changes] == [
            (f"acme/customer/{i}", i, True, i + 1) for i in range(3)
        ]
        client.update("other/customer/1", {"i": 10})
        client.update("acme/customer/1", {"i": twind.remove, "b": "x"})
        client.delete("acme/customer/2")
        change = next(watch)
        assert (dict(change), change.removed, change.deleted, change.snapshot) == ({"b": "x"}, ("i",), False, False)
        assert change.attribute("b").agent == "tester"
        assert watch.snapshot_complete
        change = next(watch)
        assert (change.name, change.deleted, change.revision) == ("acme/customer/2", True, 7)
        assert watch.sequence == 7
        assert repr(change) == "Change('acme/customer/2', revision=7, deleted)"


def test_snapshot_at_once(client):
    fill(client, 3)
    with client.watch("acme/") as watch:
        assert [change["i"] for change in watch.snapshot()] == [0, 1, 2]
        assert watch.snapshot() == []
        client.update("acme/customer/0", {"i": 7})
        assert next(watch) == {"i": 7}
    with client.watch("nothing/") as watch:
        assert watch.snapshot() == []
        assert watch.sequence == 4


def test_by_names(client):
    fill(client, 3)
    with client.watch(["acme/customer/1", "acme/customer/9"]) as watch:
        assert [change.name for change in watch.snapshot()] == ["acme/customer/1"]
        client.update("acme/customer/0", {"i": 5})
        client.update("acme/customer/9", {"i": 6})
        assert next(watch).name == "acme/customer/9"


def test_from_sequence(client):
    fill(client, 5)
    with client.watch("acme/", from_sequence=3) as watch:
        assert watch.snapshot_complete
        assert [next(watch).name for _ in range(2)] == ["acme/customer/3", "acme/customer/4"]


def test_sequence_waits_for_the_whole_commit_to_be_handed_out(client):
    with client.watch("acme/") as watch:
        watch.snapshot()
        client.update_many([twind.Update(f"acme/customer/{i}", {"i": i}) for i in range(3)])
        assert [(next(watch).name[-1], watch.sequence) for _ in range(3)] == [("0", 0), ("1", 0), ("2", 1)]


def test_goes_on_after_the_connection_was_lost(client, daemon):
    fill(client, 2)
    with client.watch("acme/") as watch:
        watch.snapshot()
        seen = []
        for i in range(20):
            client.update("acme/customer/0", {"i": i})
            if i % 5 == 3:  # the next change shows the loss
                daemon.drop_all()
            seen.append(next(watch)["i"])
        assert seen == list(range(20))
    assert daemon.methods().count("WatchTwins") == 5


def test_a_snapshot_that_was_cut_short_begins_anew(client, daemon):
    fill(client, 2)

    def first_part_only(d, peer, stream, serve):
        peer.send(stream, 3, WatchTwinsResponse(snapshot=[d.twins.twins["acme/customer/0"]]).SerializeToString())
        time.sleep(0.05)
        peer.drop()

    daemon.faults["WatchTwins"] = [first_part_only]
    with client.watch("acme/") as watch:
        assert [change.name for change in watch.snapshot()] == [f"acme/customer/{i}" for i in (0, 1)]


def test_commits_beside_a_snapshot_come_after_it(client, daemon):
    fill(client, 2)
    change = TwinChange(name="acme/customer/0", revision=7)
    change.attributes.add(name="n").value.int_value = 7

    def torn(d, peer, stream, serve):
        for part in (
            WatchTwinsResponse(snapshot=[d.twins.twins["acme/customer/0"]]),
            WatchTwinsResponse(snapshot=[d.twins.twins["acme/customer/1"]]),
            WatchTwinsResponse(changes=[change]),
            WatchTwinsResponse(changes=[change], sequence=8, snapshot_complete=True),
        ):
            peer.send(stream, 3, part.SerializeToString())

    daemon.faults["WatchTwins"] = [torn]
    with client.watch("acme/") as watch:
        assert [(twin.name[-1], twin.snapshot) for twin in watch.snapshot()] == [("0", True), ("1", True)]
        assert watch.sequence is None
        assert [(dict(next(watch)), watch.sequence) for _ in range(2)] == [({"n": 7}, None), ({"n": 7}, 8)]


def test_a_gap_is_an_error_or_a_new_snapshot(client, daemon):
    fill(client, 2)
    watches = [client.watch("acme/"), client.watch("acme/", on_gap="snapshot")]
    for watch in watches:
        watch.snapshot()
    daemon.stop()
    daemon.twins.feed.clear()
    daemon.twins.sequence += 100
    daemon.twins.oldest_sequence = daemon.twins.sequence
    daemon.start()
    with pytest.raises(twind.OutOfRange) as caught:
        next(watches[0])
    assert caught.value.resume == twind.Resume(102, 102)
    changes = watches[1].snapshot() or [next(watches[1]), next(watches[1])]
    assert [(change.name, change.snapshot) for change in changes] == [(f"acme/customer/{i}", True) for i in range(2)]
    assert watches[1].sequence in (None, 102)


def test_a_daemon_that_stays_away(client, daemon):
    with client.watch("acme/", reconnect_timeout=0.3) as watch:
        watch.snapshot()
        daemon.stop()
        start = time.monotonic()
        with pytest.raises(twind.Unavailable, match="there is no such socket"):
            next(watch)
        assert 0.2 < time.monotonic() - start < 2


def test_no_daemon_at_the_start(tmp_path):
    client = twind.Client(tmp_path / "absent", connect_timeout=0)
    with pytest.raises(twind.Unavailable):
        client.watch("acme/")


def test_close_from_another_thread(client, daemon):
    with client.watch("acme/") as watch:
        threading.Timer(0.2, watch.close).start()
        assert list(watch) == []
    assert watch.snapshot() == []


def test_close_while_it_reconnects(client, daemon):
    with client.watch("acme/") as watch:
        watch.snapshot()
        daemon.stop()
        threading.Timer(0.2, watch.close).start()
        start = time.monotonic()
        assert list(watch) == []
        assert time.monotonic() - start < 1.5


def test_closing_the_client_ends_it(client, daemon):
    watch = client.watch("acme/")
    threading.Timer(0.2, client.close).start()
    with pytest.raises(Cancelled, match="the client has been closed"):
        list(watch)


def one_change_and_the_end(daemon, peer, stream, serve):
    """A watch that the daemon ends as soon as it has brought something."""
    peer.send(stream, 3, WatchTwinsResponse(sequence=1, snapshot_complete=True).SerializeToString())
    peer.drop()


def test_a_daemon_that_ends_every_watch_at_once_is_asked_less_and_less(client, daemon):
    daemon.faults["WatchTwins"] = [one_change_and_the_end] * 500
    with client.watch("acme/", reconnect_timeout=0.2) as watch:
        threading.Timer(2, watch.close).start()
        assert list(watch) == []
    # 10 ms, 20, 40 … with up to half of it taken off: about a dozen fit.
    assert 4 <= daemon.methods().count("WatchTwins") <= 20


def test_retries_are_spaced_and_end(client, daemon):
    daemon.faults["WatchTwins"] = [drop_before] * 500
    with client.watch("acme/", reconnect_timeout=0.3) as watch, pytest.raises(twind.Unavailable):
        next(watch)
    assert 3 < daemon.methods().count("WatchTwins") < 40
