"""Stopping: what a first and a second SIGTERM or SIGINT do, and what must neither end nor block the daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import twind
from daemon import TWIND, Daemon, environment, until
from frames import OUT_OF_RANGE, RawConnection, field, request


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_checkpoints_and_ends_with_0(start: Callable[..., Daemon], number: signal.Signals) -> None:
    daemon = start("--checkpoint-interval", "1h")
    with daemon.client() as client:
        client.update("acme/customer/1", {"a": 1})
    daemon.stop(number)
    with start().client() as client:
        assert client.get("acme/customer/1")["a"] == 1


def test_a_signal_right_after_the_banner(start: Callable[..., Daemon]) -> None:
    for _ in range(10):
        daemon = start()
        daemon.stop()
        assert not daemon.socket.exists()


def waiting_read(stream: int) -> bytes:
    """A read of a sequence that will not come, which takes a second."""
    return request(stream, "GetTwin", field(1, "acme/customer/1") + field(5, 1000))


def test_a_call_in_flight_is_finished(daemon: Daemon) -> None:
    """A read that waits for a sequence is answered, and is not cut off."""
    with RawConnection(daemon.socket) as raw, daemon.client() as client:
        client.update("acme/customer/1", {"a": 1})
        raw.send(waiting_read(1))
        until(lambda: client.stats().stream_count >= 2, "the read waits")
        daemon.process.send_signal(signal.SIGTERM)
        assert raw.answer(1).code == OUT_OF_RANGE
        assert raw.is_closed()
    assert daemon.wait() == 0


def test_what_was_acknowledged_while_it_stops_is_kept(start: Callable[..., Daemon]) -> None:
    daemon = start()
    acknowledged = []

    def write() -> None:
        with daemon.client(connect_timeout=0) as client:
            try:
                while True:
                    acknowledged.append(client.update("acme/customer/1", {"a": twind.increment(1)}).sequence)
            except twind.Unavailable:
                pass

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(acknowledged) > 100, "writes")
    daemon.stop()
    writer.join()
    with start().client() as client:
        count = client.get("acme/customer/1")["a"]
        assert isinstance(count, int)
        # The last one may have been applied without its acknowledgement getting through.
        assert len(acknowledged) <= count <= len(acknowledged) + 1


def test_watches_and_idle_connections_do_not_hold_it_up(daemon: Daemon) -> None:
    with daemon.client() as client, RawConnection(daemon.socket), client.watch("") as watch:
        assert watch.snapshot() == []
        before = time.monotonic()
        daemon.stop()
        assert time.monotonic() - before < 5


def test_a_half_sent_request_does_not_hold_it_up_for_ever(daemon: Daemon) -> None:
    with RawConnection(daemon.socket) as raw:
        raw.send(request(1, "GetTwin", field(1, "acme/customer/1"))[:-1])
        before = time.monotonic()
        daemon.stop()
        assert time.monotonic() - before < 12


def test_a_reader_that_does_not_read_does_not_hold_it_up_for_ever(start: Callable[..., Daemon]) -> None:
    daemon = start()
    with RawConnection(daemon.socket) as raw, daemon.client() as client:
        client.update("acme/customer/1", {f"a{i}": "x" * 60_000 for i in range(4)})
        for stream in range(1, 129, 2):
            raw.send(request(stream, "GetTwin", field(1, "acme/customer/1")))
        until(lambda: client.stats().stream_count > 2 or client.stats().call_count > 4, "the reads have begun")
        before = time.monotonic()
        daemon.stop()
        assert time.monotonic() - before < 12


def test_a_second_signal_ends_it_at_once(daemon: Daemon) -> None:
    with RawConnection(daemon.socket) as raw:
        raw.send(waiting_read(1))
        raw.send(request(3, "GetTwin")[:-1])
        daemon.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in daemon.logged(), "the drain")
        before = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.wait() == 128 + signal.SIGTERM
        assert time.monotonic() - before < 0.5


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_that_mean_nothing(daemon: Daemon, number: signal.Signals) -> None:
    daemon.process.send_signal(number)
    daemon.check()


def test_a_development_daemon_ends_with_its_terminal(start: Callable[..., Daemon]) -> None:
    # Even if these tests run under nohup.
    daemon = start("--dev", wrapper=("env", "--default-signal=HUP"))
    with daemon.client() as client:
        client.update("acme/customer/1", {"a": 1}, durability=twind.Durability.MEMORY)
    # The shell and the system may both say so.
    daemon.process.send_signal(signal.SIGHUP)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.wait() == 0 and "stopped" in daemon.logged()
    assert not daemon.socket.exists()
    with start("--dev").client() as client:
        assert client.get("acme/customer/1")["a"] == 1


def test_a_development_daemon_that_is_to_outlive_its_terminal(start: Callable[..., Daemon]) -> None:
    daemon = start("--dev", wrapper=("nohup",))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.check()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_are_nobody_elses(directory: Path, closed: str) -> None:
    """No socket and no file gets their numbers, where a line for people would end up in it."""
    command = f'exec "$@" {closed}'
    options = ["--socket", directory / "s", "--data-dir", directory / "data", "--log-level", "trace"]
    process = subprocess.Popen(
        ["sh", "-c", command, "sh", TWIND, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=environment(),
    )  # fmt: skip
    try:
        until((directory / "s").exists, "it serves")
        with twind.Client(directory / "s", agent="tester") as client:
            client.update("acme/customer/1", {"a": 1})
            assert client.get("acme/customer/1")["a"] == 1
        assert {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)} == {"/dev/null"}
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_standard_error_closed(start: Callable[..., Daemon]) -> None:
    daemon = start("--log-level", "trace", wrapper=("sh", "-c", 'exec "$@" 2>&-', "sh"))
    daemon.check()
    daemon.stop()


def test_standard_error_that_nobody_reads(start: Callable[..., Daemon]) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with open(read, "rb"), open(write, "wb", buffering=0) as pipe:
        while pipe.write(b"x" * 4096):
            pass
        os.set_blocking(write, True)
        daemon = start("--log-level", "trace", "--checkpoint-interval", "20ms", stderr=pipe)
        with daemon.client() as client:
            client.update("acme/customer/1", {"a": 1})
            client.checkpoint()
            assert client.stats().log_dropped_count > 0
        daemon.check()
        daemon.stop()


def test_standard_error_whose_reader_is_gone(start: Callable[..., Daemon]) -> None:
    read, write = os.pipe()
    daemon = start("--log-level", "trace", stderr=write)
    os.close(read)
    os.close(write)
    with daemon.client() as client:
        client.checkpoint()
    daemon.check()
    daemon.stop()


def test_standard_output_whose_reader_is_gone(start: Callable[..., Daemon]) -> None:
    daemon = start()
    assert daemon.process.stdout
    daemon.process.stdout.close()
    daemon.check()
