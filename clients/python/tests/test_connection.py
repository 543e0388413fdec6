"""One connection under threads, lost replies, deadlines and a daemon that misbehaves."""

from __future__ import annotations

import gc
import os
import signal
import struct
import threading
import time

import pytest

import fake_daemon
import twind
from fake_daemon import delayed, drop_after, drop_before, hang, raw
from twind import _connection, _wire
from twind.errors import Cancelled

NAME = "acme/customer/42"


def in_threads(count, work):
    errors = []

    def run(i):
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "a call hangs"
    return errors


def test_unary_requests_have_no_flags_and_odd_rising_ids(client, daemon):
    ids = []
    original = daemon._request
    daemon._request = lambda peer, stream, flags, body: (ids.append(stream), original(peer, stream, flags, body))
    for _ in range(4):
        client.health()
    assert ids == [1, 3, 5, 7]
    assert [flags for _, _, flags in daemon.requests] == [0] * 4


def test_threads_share_one_connection(client, daemon):
    def work(i):
        name = f"acme/customer/{i}"
        for n in range(100):
            client.update(name, {"n": n, "who": str(i)})
            assert client.get(name) == {"n": n, "who": str(i)}

    assert in_threads(8, work) == []
    assert daemon.accepted == 1


def test_replies_in_any_order(client, daemon):
    client.health()
    daemon.faults["GetTwin"] = [delayed(0.05 * (10 - i)) for i in range(10)]
    client.update(NAME, {"a": 1})
    start = time.monotonic()
    assert in_threads(10, lambda i: client.get(NAME)) == []
    assert time.monotonic() - start < 2


def test_more_threads_than_streams(client, daemon):
    client.update(NAME, {"a": 1})
    most = []
    daemon.faults["GetTwin"] = [delayed(0.2)] * 400
    original = daemon._request

    def request(peer, stream, flags, body):
        most.append(len(client._channel._connection._calls))
        original(peer, stream, flags, body)

    daemon._request = request
    assert in_threads(200, lambda i: [client.get(NAME) for _ in range(2)]) == []
    assert 100 < max(most) <= _wire.STREAMS_MAX


def test_waiting_for_a_stream_ends_at_the_deadline(client, daemon):
    client.health()
    daemon.faults["GetTwin"] = [hang] * 200

    def work(i):
        with pytest.raises(twind.DeadlineExceeded):
            client.get(NAME, timeout=0.5)

    start = time.monotonic()
    assert in_threads(140, work) == []
    assert time.monotonic() - start < 5
    assert client.health() is twind.Health.SERVING


def test_a_read_whose_reply_is_lost_is_sent_again(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [drop_before, drop_after]
    assert client.get(NAME) == {"a": 1}
    assert daemon.methods().count("GetTwin") == 3


def test_a_write_whose_reply_is_lost_has_an_unknown_outcome(client, daemon):
    daemon.faults["UpdateTwin"] = [drop_after]
    with pytest.raises(twind.Unavailable, match="UpdateTwin: .*whether the write took effect is unknown"):
        client.update(NAME, {"visits": twind.increment()})
    assert client.get(NAME)["visits"] == 1
    assert daemon.methods().count("UpdateTwin") == 1


def test_a_write_with_a_key_is_sent_again_and_takes_effect_once(client, daemon):
    daemon.faults["UpdateTwin"] = [drop_after, drop_before]
    client.update(NAME, {"visits": twind.increment()}, idempotency_key="k")
    assert client.get(NAME)["visits"] == 1
    assert daemon.methods().count("UpdateTwin") == 3


def test_a_write_that_was_not_sent_is_sent_on_a_new_connection(client, daemon):
    client.update(NAME, {"visits": twind.increment()})
    for _ in range(20):
        daemon.drop_all()
        client.update(NAME, {"visits": twind.increment()})
    assert client.get(NAME)["visits"] == 21
    assert daemon.accepted == 21


def test_a_restarted_daemon_is_found_again(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.stop()
    threading.Timer(0.3, daemon.start).start()
    assert client.get(NAME) == {"a": 1}


def test_a_daemon_that_always_drops_is_given_up(daemon):
    daemon.faults["GetTwin"] = [drop_before] * 1000
    with twind.Client(daemon.path, connect_timeout=0.3, timeout=10) as client:
        start = time.monotonic()
        with pytest.raises(twind.Unavailable, match="GetTwin: the daemon closed the connection"):
            client.get(NAME)
        assert time.monotonic() - start < 2
    assert 3 < daemon.methods().count("GetTwin") < 40, "tries are spaced"


def test_deadline(client, daemon):
    daemon.faults["GetTwin"] = [hang]
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded, match="GetTwin had no reply within 0.2 s$"):
        client.get(NAME, timeout=0.2)
    assert 0.15 < time.monotonic() - start < 1
    client.health()
    assert daemon.cancelled == [1], "the daemon is told"
    assert daemon.accepted == 1, "the connection goes on"


def test_deadline_of_a_write_says_that_its_outcome_is_unknown(client, daemon):
    daemon.faults["UpdateTwin"] = [hang]
    with pytest.raises(twind.DeadlineExceeded, match="whether the write took effect is unknown"):
        client.update(NAME, {"a": 1}, timeout=0.1)


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_at_all(client, daemon, timeout):
    with pytest.raises(twind.DeadlineExceeded, match="has a timeout of"):
        client.get(NAME, timeout=timeout)
    assert daemon.requests == []


def test_a_late_reply_is_dropped(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [delayed(0.3)]
    with pytest.raises(twind.DeadlineExceeded):
        client.get(NAME, timeout=0.1)
    time.sleep(0.4)
    assert client.get(NAME) == {"a": 1}
    assert daemon.accepted == 1


def test_followers_have_their_own_deadlines(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [hang] * 3
    took = {}

    def work(i):
        start = time.monotonic()
        with pytest.raises(twind.DeadlineExceeded):
            client.get(NAME, timeout=(0.8, 0.2, 0.4)[i])
        took[i] = time.monotonic() - start

    assert in_threads(3, work) == []
    for i, wanted in enumerate((0.8, 0.2, 0.4)):
        assert wanted - 0.05 < took[i] < wanted + 0.5


def test_leadership_passes_on_when_the_leader_times_out(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [hang, delayed(0.6)]
    results = []

    def work(i):
        if i == 0:
            with pytest.raises(twind.DeadlineExceeded):
                client.get(NAME, timeout=0.2)
        else:
            time.sleep(0.05)
            results.append(client.get(NAME, timeout=5))

    assert in_threads(2, work) == []
    assert results == [{"a": 1}]


def test_a_followers_reply_wakes_it_while_the_leader_waits_on(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [delayed(1.0)]
    took = []

    def work(i):
        if i == 0:
            client.get(NAME)
        else:
            time.sleep(0.1)
            daemon.faults["Check"] = [delayed(0.1)]
            start = time.monotonic()
            client.health()
            took.append(time.monotonic() - start)

    assert in_threads(2, work) == []
    assert took[0] < 0.6


def test_a_leaders_deadline_holds_while_others_are_served(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [hang]
    stop = threading.Event()

    def work(i):
        if i == 0:
            start = time.monotonic()
            with pytest.raises(twind.DeadlineExceeded):
                client.get(NAME, timeout=0.3)
            stop.set()
            assert time.monotonic() - start < 1
        else:
            time.sleep(0.05)
            while not stop.is_set():
                client.health()

    threading.Timer(5, stop.set).start()
    assert in_threads(3, work) == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff" * 10, "a frame of 4294967295 bytes"),
        (struct.pack(">IIBB", 0, 1, 3, 0), "stream's data for a unary call"),
    ],
)
def test_a_peer_that_does_not_keep_the_protocol(daemon, data, says):
    daemon.faults["UpdateTwin"] = [raw(data)]
    with twind.Client(daemon.path) as client:
        with pytest.raises(twind.Unavailable, match=says):
            client.update(NAME, {"a": 1})
        assert client.health() is twind.Health.SERVING, "on a new connection"


def test_a_reply_that_is_no_message(client, daemon):
    daemon.faults["GetTwin"] = [raw(struct.pack(">IIBB", 3, 1, 2, 0) + b"\x12\x01\xff")]
    with pytest.raises(twind.Internal, match="GetTwin: cannot decode the daemon's message"):
        client.get(NAME)


def test_unknown_frame_types_and_streams_are_ignored(client, daemon):
    client.update(NAME, {"a": 1})
    noise = struct.pack(">IIBB", 1, 3, 0x44, 9) + b"z" + struct.pack(">IIBB", 0, 99, 2, 0)
    daemon.faults["GetTwin"] = [lambda d, peer, stream, serve: (peer.send_raw(noise), serve())]
    assert client.get(NAME) == {"a": 1}


def test_a_large_value_goes_both_ways(client):
    client.update(NAME, {"big": "x" * 3_000_000})
    assert len(client.get(NAME)["big"]) == 3_000_000


def test_a_daemon_that_stops_reading_cannot_hold_a_call(client, daemon):
    client.health()
    daemon.reading.clear()
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded, match="no reply within 0.5 s: whether the write took effect is unknown"):
        client.update(NAME, {"big": "x" * 3_000_000}, timeout=0.5)
    assert time.monotonic() - start < 3
    daemon.reading.set()
    assert client.health() is twind.Health.SERVING


def test_stream_ids_run_out(daemon, monkeypatch):
    limit = 2 * _wire.STREAMS_MAX + 9
    monkeypatch.setattr(_connection.Connection.__init__, "__defaults__", (limit,))
    with twind.Client(daemon.path) as client:
        for i in range(20):
            client.update(NAME, {"i": i})
        assert client.get(NAME)["i"] == 19
        time.sleep(0.1)
        assert [peer.gone for peer in daemon.peers] == [True] * 4 + [False], "connections used up are closed"


def test_close_ends_calls_under_way(client, daemon):
    daemon.faults["GetTwin"] = [hang] * 3
    threading.Timer(0.2, client.close).start()
    errors = in_threads(3, lambda i: client.get(NAME))
    assert [type(error) for error in errors] == [Cancelled] * 3
    with pytest.raises(Cancelled, match="the client has been closed"):
        client.health()


def test_descriptors_are_given_back(daemon):
    def descriptors():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    with twind.Client(daemon.path) as client:
        client.health()
    time.sleep(0.1)
    before = descriptors()
    for _ in range(20):
        with twind.Client(daemon.path) as client:
            client.health()
            with client.watch("acme/") as watch:
                watch.snapshot()
            daemon.drop_all()
            client.health()
    del client, watch
    time.sleep(0.2)
    assert descriptors() <= before + 2


@pytest.fixture
def interruptible():
    """A shell starts what it runs in the background with SIGINT ignored; here it interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_call_and_not_the_client(client, daemon, interruptible):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [hang]
    main = threading.main_thread().ident
    threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.get(NAME, timeout=5)
    assert time.monotonic() - start < 2
    assert client.get(NAME) == {"a": 1}


def test_faults_are_used_up(daemon):
    """Guards the tests above: a fault that never struck would prove nothing."""
    assert fake_daemon.STREAMING["WatchTwins"] == fake_daemon.REMOTE_CLOSED
    with twind.Client(daemon.path, connect_timeout=0) as client:
        daemon.faults["Check"] = [drop_before]
        with pytest.raises(twind.Unavailable):
            client.health()
        assert daemon.faults["Check"] == []
