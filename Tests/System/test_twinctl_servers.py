"""twinctl with misbehaving servers: the Python client's fake daemon."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import REPOSITORY, environment
from twinctl import OTHER, TWINCTL, Twinctl

sys.path.append(str(REPOSITORY / "clients/python/tests"))

import fake_daemon  # noqa: E402
from twind._generated.twind.v1.twin_pb2 import Twin  # noqa: E402
from twind._generated.twind.v1.twin_service_pb2 import WatchTwinsResponse  # noqa: E402


@pytest.fixture
def server(directory: Path) -> Iterator[fake_daemon.FakeDaemon]:
    server = fake_daemon.FakeDaemon(str(directory / "s"))
    server.twins.twins["acme/customer/1"] = Twin(name="acme/customer/1", revision=1)
    yield server
    server.stop()


def test_a_list_ends_when_a_page_token_comes_again(server: fake_daemon.FakeDaemon, directory: Path) -> None:
    server.twins.endless_token = "acme/customer/0"
    ended = Twinctl(directory / "s", directory).run("list", "acme/")
    assert ended.returncode == OTHER and "page token acme/customer/0 twice" in ended.stderr, ended
    assert server.methods().count("ListTwins") == 2


def test_a_server_that_ends_every_watch_at_once_is_asked_less_and_less(
    server: fake_daemon.FakeDaemon, directory: Path
) -> None:
    def end(daemon, peer, stream, serve):  # type: ignore[no-untyped-def]
        peer.send(stream, 3, WatchTwinsResponse(sequence=1).SerializeToString())
        peer.drop()

    server.faults["WatchTwins"] = [end] * 500
    with subprocess.Popen(
        [TWINCTL, "--socket", directory / "s", "watch", "acme/"], env=environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        time.sleep(4)
        process.terminate()
        process.wait(5)
    # Pauses of 0.05 to 0.1 s at first, each twice the one before: seven or so in four seconds, and not four hundred.
    assert 3 <= server.methods().count("WatchTwins") <= 10
