"""Finding the daemon, and what is said when it is not there."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

import twind
from fake_daemon import FakeDaemon
from twind import _socket


def test_default_path():
    assert _socket.default_path({"TWIND_SOCKET": "/a", "XDG_RUNTIME_DIR": "/run/u"}) == "/a"
    assert _socket.default_path({"TWIND_SOCKET": "", "XDG_RUNTIME_DIR": "/run/u"}) == "/run/u/twind.sock"
    assert _socket.default_path({"XDG_RUNTIME_DIR": ""}) == "./twind.sock"
    assert _socket.default_path({}) == "./twind.sock"


def test_client_takes_the_default_path(monkeypatch, daemon):
    monkeypatch.setenv("TWIND_SOCKET", daemon.path)
    with twind.Client() as client:
        assert client.path == daemon.path
        assert client.health() is twind.Health.SERVING


@pytest.mark.parametrize("path", ["", "/x" * 54, "é" * 54])
def test_a_path_that_no_socket_can_have(path):
    with pytest.raises(ValueError, match="1 to 107"):
        twind.Client(path)


def test_the_longest_path(tmp_path):
    directory = str(tmp_path)
    daemon = FakeDaemon(directory + "/" + "s" * (107 - len(directory) - 1))
    with twind.Client(daemon.path) as client:
        assert client.health() is twind.Health.SERVING
    daemon.stop()


def test_no_daemon(tmp_path):
    path = str(tmp_path / "absent")
    with pytest.raises(twind.Unavailable, match=f"twind at {path}: there is no such socket. Start the daemon"):
        twind.Client(path, connect_timeout=0).health()


def test_stale_socket(tmp_path):
    path = str(tmp_path / "stale")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
    with pytest.raises(twind.Unavailable, match="has ended and left its socket"):
        twind.Client(path, connect_timeout=0).health()


def test_not_a_socket_is_told_at_once(tmp_path):
    path = tmp_path / "datagrams"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        start = time.monotonic()
        with pytest.raises(twind.Unavailable, match="not a stream socket"):
            twind.Client(path, connect_timeout=5).health()
    assert time.monotonic() - start < 2


def test_a_full_queue_of_connections_does_not_hang(tmp_path):
    path = str(tmp_path / "full")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(path)
        with pytest.raises(twind.Unavailable, match="its queue is full"):
            twind.Client(path, connect_timeout=0.2).health()
        for one in waiting:
            one.close()


def test_a_call_waits_for_a_daemon_that_is_starting(tmp_path):
    path = str(tmp_path / "late")
    daemons = []
    threading.Timer(0.3, lambda: daemons.append(FakeDaemon(path))).start()
    with twind.Client(path, connect_timeout=5) as client:
        assert client.health() is twind.Health.SERVING
    daemons[0].stop()


def test_connect_timeout_stays_within_the_calls_own(tmp_path):
    start = time.monotonic()
    with pytest.raises(twind.Unavailable, match="no such socket"):
        twind.Client(tmp_path / "absent", connect_timeout=60, timeout=0.2).health()
    assert time.monotonic() - start < 2


def test_permission_denied_says_what_to_look_at():
    error = _socket.connect_error("/run/t", PermissionError(13, "Permission denied"))
    assert isinstance(error, twind.PermissionDenied) and "--socket-mode" in str(error)


def test_a_forked_child_makes_its_own_connection(client, daemon):
    client.update("acme/customer/1", {"a": 1})
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        value = client.get("acme/customer/1")["a"]
        os.write(write, str(value).encode())
        os._exit(0)
    assert os.read(read, 10) == b"1"
    os.waitpid(child, 0)
    assert client.get("acme/customer/1")["a"] == 1
    assert daemon.accepted == 2
    os.close(read)
    os.close(write)
