"""Pipelines: order, window, errors, lost connections."""

from __future__ import annotations

import threading
import time

import pytest

import twind
from fake_daemon import drop_after, drop_before, hang
from twind import _outcome

NAME = "acme/customer/42"


def test_results_in_order(client):
    with client.pipeline() as p:
        commits = [p.update(NAME, {"n": twind.increment()}) for _ in range(500)]
        twin = p.get(NAME)
        gone = p.delete(NAME)
        many = p.update_many([twind.Update("acme/customer/1", {"a": 1})])
    assert [commit.result().revision for commit in commits] == list(range(1, 501))
    assert twin.result() == {"n": 500}
    assert gone.result().revision == 501
    assert many.result().revisions == {"acme/customer/1": 502}


@pytest.mark.parametrize("window", [1, 2, 7, 64, 128])
def test_window_is_kept(client, daemon, window):
    client.health()
    most = []
    original = daemon._request

    def request(peer, stream, flags, body):
        most.append(len(client._channel._connection._calls))
        original(peer, stream, flags, body)

    daemon._request = request
    with client.pipeline(window=window) as p:
        for _ in range(400):
            p.update(NAME, {"n": twind.increment()})
    assert client.get(NAME)["n"] == 400
    assert window / 2 <= max(most) <= window


def test_calls_leave_in_batches(client, daemon):
    client.health()
    sends = []
    connection = client._channel._connection
    original = connection._send
    connection._send = lambda data, flags: (sends.append(len(data)), original(data, flags))[1]
    with client.pipeline(window=64) as p:
        for i in range(320):
            p.update(NAME, {"i": i})
    assert len(sends) == 10


def test_a_result_may_be_asked_for_inside(client):
    with client.pipeline() as p:
        commit = p.update(NAME, {"a": 1})
        assert commit.result().revision == 1 and commit.done()
        assert p.get(NAME).result() == {"a": 1}


def test_errors_are_raised_at_the_end_all_of_them(client):
    client.update(NAME, {"a": 1})
    with pytest.raises(
        twind.NotFound, match=r"no twin acme/customer/1 \(2 more calls of this pipeline failed"
    ) as caught:
        with client.pipeline() as p:
            p.get("acme/customer/1")
            good = p.get(NAME)
            p.update(NAME, {"a": 2}, must_not_exist=True)
            p.get("acme/customer/3")
    assert [type(error) for error in caught.value.others] == [twind.AlreadyExists, twind.NotFound]
    assert good.result() == {"a": 1}


def test_an_error_that_was_asked_for_is_not_raised_again(client):
    with client.pipeline() as p:
        absent = p.get("acme/customer/1")
        assert isinstance(absent.exception(), twind.NotFound)
        with pytest.raises(twind.NotFound):
            absent.result()


def test_an_exception_inside_goes_first_and_calls_made_are_done(client):
    with pytest.raises(ZeroDivisionError):
        with client.pipeline() as p:
            p.update(NAME, {"a": 1})
            p.get("acme/customer/1")
            1 / 0
    assert client.get(NAME) == {"a": 1}


def test_only_so_many_errors_are_kept(client, monkeypatch):
    monkeypatch.setattr(_outcome, "FAILED_KEPT_MAX", 10)
    with pytest.raises(twind.NotFound) as caught:
        with client.pipeline() as p:
            for _ in range(50):
                p.get(NAME)
    assert len(caught.value.others) == 9


def test_calls_after_the_end_are_a_mistake(client):
    with client.pipeline() as p:
        pass
    with pytest.raises(RuntimeError, match="the pipeline has ended"):
        p.get(NAME)


def test_reads_and_keyed_writes_survive_a_lost_connection(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.faults["GetTwin"] = [drop_before]
    daemon.faults["UpdateTwin"] = [drop_after]
    with client.pipeline() as p:
        twin = p.get(NAME)
    with client.pipeline() as p:
        commit = p.update(NAME, {"n": twind.increment()}, idempotency_key="k")
    assert twin.result() == {"a": 1}
    assert commit.result().revision == 2
    assert client.get(NAME)["n"] == 1


def test_other_writes_have_an_unknown_outcome(client, daemon):
    daemon.faults["UpdateTwin"] = [drop_after]
    with pytest.raises(twind.Unavailable, match="UpdateTwin: .*whether the write took effect is unknown"):
        with client.pipeline() as p:
            p.update(NAME, {"n": twind.increment()})


def test_calls_that_were_not_sent_are_sent_on_a_new_connection(client, daemon):
    client.health()
    daemon.drop_all()
    with client.pipeline() as p:
        for _ in range(10):
            p.update(NAME, {"n": twind.increment()})
    assert client.get(NAME)["n"] == 10


def test_deadline(client, daemon):
    daemon.faults["GetTwin"] = [hang]
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded, match="GetTwin had no reply within 0.2 s$"):
        with client.pipeline() as p:
            p.get(NAME, timeout=0.2)
            p.update(NAME, {"a": 1})
    assert time.monotonic() - start < 1
    assert client.get(NAME) == {"a": 1}


def test_replies_that_have_come_count_however_late_they_are_asked_for(client):
    client.update(NAME, {"a": 1})
    with client.pipeline(window=1) as p:
        twin = p.get(NAME, timeout=0.1)
        time.sleep(0.3)
    assert twin.result() == {"a": 1}


def test_no_daemon(tmp_path):
    with pytest.raises(twind.Unavailable, match="no such socket") as caught:
        with twind.Client(tmp_path / "absent", connect_timeout=0).pipeline() as p:
            for _ in range(3):
                p.get(NAME)
    assert len(caught.value.others) == 2


def test_replies_are_read_while_the_daemon_will_not_take_more(client, daemon):
    """The daemon serves in the thread that reads: it stops reading when its replies are not taken."""
    client.update(NAME, {"big": "x" * 100_000})
    with client.pipeline(window=64) as p:
        for _ in range(100):
            p.get(NAME)
            p.update("acme/customer/1", {"big": "y" * 50_000})
    assert len(client.get("acme/customer/1")["big"]) == 50_000


def test_pipelines_of_several_threads(client, daemon):
    def work(i):
        with client.pipeline() as p:
            for _ in range(300):
                p.update(f"acme/customer/{i}", {"n": twind.increment()})

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [client.get(f"acme/customer/{i}")["n"] for i in range(6)] == [300] * 6
    assert daemon.accepted == 1
