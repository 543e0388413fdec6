"""The three streaming shapes, and how streams end."""

from __future__ import annotations

import threading
import time

import pytest

import twind
from fake_daemon import DATA, NO_DATA, REMOTE_CLOSED, REMOTE_OPEN, RESPONSE, drop_before, hang, raw
from twind import _wire
from twind._generated.grpc.health.v1.health_pb2 import HealthCheckRequest
from twind._generated.ttrpc.ttrpc_pb2 import KeyValue, Response
from twind._method import Method
from twind.errors import Cancelled

COLLECT = Method("test.Streams", "Collect", KeyValue.SerializeToString, KeyValue.FromString)
CHAT = Method("test.Streams", "Chat", KeyValue.SerializeToString, KeyValue.FromString)


def test_server_stream(client, daemon):
    with client.healths.watch(HealthCheckRequest()) as stream:
        assert [reply.status for reply in stream] == [1, 2]
        assert next(stream, None) is None
    assert [flags for _, _, flags in daemon.requests] == [REMOTE_CLOSED]


def test_client_stream(client, daemon):
    with client._channel.client_stream(COLLECT) as stream:
        for text in ("a", "b", "", "c"):
            stream.send(KeyValue(value=text))
        assert stream.finish() == KeyValue(key="4", value="abc")
        with pytest.raises(Cancelled, match="Collect: the stream has ended"):
            stream.send(KeyValue())
    assert [flags for _, _, flags in daemon.requests] == [REMOTE_OPEN]


def test_client_stream_that_the_daemon_refuses(client):
    with client._channel.client_stream(COLLECT) as stream:
        stream.send(KeyValue(value="bad"))
        with pytest.raises(twind.InvalidArgument, match="bad is not collected"):
            stream.finish()


def test_client_stream_without_a_reply(client, daemon):
    daemon.faults["Collect"] = [lambda d, peer, stream, serve: peer.send(stream, DATA, b"", REMOTE_CLOSED | NO_DATA)]
    with client._channel.client_stream(COLLECT) as stream, pytest.raises(twind.Internal, match="without a reply"):
        stream.finish()


def test_bidi_stream(client):
    with client._channel.bidi_stream(CHAT) as stream:
        stream.send(KeyValue(value="one"))
        assert next(stream).value == "ONE"
        stream.send(KeyValue(value="two"))
        stream.send(KeyValue(value="three"))
        stream.close_send()
        assert [reply.value for reply in stream] == ["TWO", "THREE"]


def test_remote_closed_is_a_frame_of_its_own(client, daemon):
    sent = []
    original = daemon._frames

    def frames(source):
        for frame in original(source):
            sent.append(frame[1:3] + (len(frame[3]),))
            yield frame

    daemon._frames = frames
    with client._channel.client_stream(COLLECT) as stream:
        stream.send(KeyValue(value="a"))
        stream.finish()
    assert sent[1:] == [(DATA, 0, 3), (DATA, REMOTE_CLOSED | NO_DATA, 0)]


def test_the_last_message_may_carry_the_end(client, daemon):
    frames = _wire.frame(1, DATA, 0, b"\x08\x01") + _wire.frame(1, DATA, REMOTE_CLOSED, b"\x08\x02")
    daemon.faults["Watch"] = [raw(frames)]
    assert [reply.status for reply in client.healths.watch(HealthCheckRequest())] == [1, 2]


def test_a_response_may_end_it_with_a_message(client, daemon):
    response = Response(payload=b"\x08\x02").SerializeToString()
    daemon.faults["Watch"] = [raw(_wire.frame(1, DATA, 0, b"") + _wire.frame(1, RESPONSE, 0, response))]
    assert [reply.status for reply in client.healths.watch(HealthCheckRequest())] == [0, 2]


def test_a_status_ends_it(client, daemon):
    def fault(d, peer, stream, serve):
        peer.send(stream, DATA, b"\x08\x01")
        daemon_status = Response()
        daemon_status.status.code, daemon_status.status.message = 8, "too far behind"
        peer.send(stream, RESPONSE, daemon_status.SerializeToString())

    daemon.faults["Watch"] = [fault]
    stream = client.healths.watch(HealthCheckRequest())
    assert next(stream).status == 1
    with pytest.raises(twind.ResourceExhausted, match="too far behind"):
        next(stream)
    assert list(stream) == []


def test_a_lost_stream(client, daemon):
    daemon.faults["Watch"] = [drop_before]
    with pytest.raises(twind.Unavailable, match="Watch: the daemon closed the connection"):
        next(client.healths.watch(HealthCheckRequest()))


def test_a_streams_deadline(client, daemon):
    daemon.faults["Watch"] = [hang]
    start = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded, match="Watch had no reply within 0.2 s$"):
        next(client.healths.watch(HealthCheckRequest(), timeout=0.2))
    assert 0.15 < time.monotonic() - start < 1
    assert daemon.requests[-1][1].timeout_nano == 200_000_000


def test_sending_has_a_deadline_too(client, daemon):
    with client._channel.client_stream(COLLECT, timeout=0.5) as stream:
        daemon.reading.clear()
        with pytest.raises(twind.DeadlineExceeded):
            for _ in range(100):
                stream.send(KeyValue(value="x" * 100_000))
        daemon.reading.set()


def test_close_from_another_thread_ends_the_iteration(client, daemon):
    daemon.faults["Watch"] = [hang]
    stream = client.healths.watch(HealthCheckRequest())
    threading.Timer(0.2, stream.close).start()
    assert list(stream) == []


def test_closing_the_client_ends_streams(client, daemon):
    daemon.faults["Watch"] = [hang]
    stream = client.healths.watch(HealthCheckRequest())
    threading.Timer(0.2, client.close).start()
    assert list(stream) == []
    with pytest.raises(Cancelled):
        client.healths.watch(HealthCheckRequest())


def test_streams_do_not_hold_up_calls(client, daemon):
    streams = [client.watch("acme/") for _ in range(5)]
    for i in range(10):
        client.update("acme/customer/1", {"i": i})
    assert client.get("acme/customer/1")["i"] == 9
    for stream in streams:
        stream.close()
