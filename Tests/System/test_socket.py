"""The socket: who may connect, which files are replaced, and which are refused."""

from __future__ import annotations

import grp
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import twind
from daemon import Daemon, refused


def stale_socket(path: Path) -> None:
    """A socket that nobody listens on any more."""
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
        old.listen()


def refusal(directory: Path, path: object) -> str:
    error = refused(directory, "--socket", str(path), "--data-dir", "own-data")
    assert len(error.strip().splitlines()) == 1, error
    return error


def test_only_the_owner_may_connect(start: Callable[..., Daemon]) -> None:
    daemon = start(umask=0)
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(daemon.socket.stat().st_mode)


def test_a_group_may_connect(start: Callable[..., Daemon]) -> None:
    group = grp.getgrnam("daemon")
    daemon = start("--socket-mode", "0660", "--socket-group", group.gr_name, umask=0o077)
    status = daemon.socket.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o660, group.gr_gid)


def test_the_socket_goes_with_the_daemon(start: Callable[..., Daemon]) -> None:
    daemon = start()
    daemon.stop()
    assert not daemon.socket.exists()


def test_a_stale_socket_is_replaced(directory: Path, start: Callable[..., Daemon]) -> None:
    stale_socket(directory / "s")
    start().check()


def test_the_socket_of_a_killed_daemon_is_replaced(start: Callable[..., Daemon]) -> None:
    first = start()
    first.kill()
    assert first.socket.exists()
    start().check()


def test_a_daemon_that_lives_keeps_its_socket(daemon: Daemon, directory: Path) -> None:
    assert str(daemon.socket) in refusal(directory, daemon.socket)
    daemon.check()


def test_somebody_else_who_listens_keeps_it(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(directory / "s"))
        other.listen()
        assert "s" in refusal(directory, "s")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(directory / "s"))


def test_somebody_who_listens_and_does_not_answer_keeps_it(directory: Path) -> None:
    """Its backlog is full: a connect would wait."""
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as waiting:
        other.bind(str(directory / "s"))
        other.listen(0)
        waiting.connect(str(directory / "s"))
        refusal(directory, "s")
        assert (directory / "s").is_socket()


def test_a_symbolic_link_is_refused(directory: Path) -> None:
    stale_socket(directory / "target")
    (directory / "link").symlink_to("target")
    assert "link" in refusal(directory, "link")
    assert (directory / "link").is_symlink() and (directory / "target").is_socket()


def test_a_link_to_nothing_is_refused(directory: Path) -> None:
    (directory / "link").symlink_to("nowhere")
    assert "link" in refusal(directory, "link")
    assert not (directory / "nowhere").exists()


def test_a_regular_file_is_refused(directory: Path) -> None:
    (directory / "file").write_text("mine")
    assert "file" in refusal(directory, "file")
    assert (directory / "file").read_text() == "mine"


def test_a_directory_is_refused(directory: Path) -> None:
    (directory / "folder").mkdir()
    assert "folder" in refusal(directory, "folder")


def test_a_socket_of_another_user_is_refused(directory: Path) -> None:
    stale_socket(directory / "s")
    os.chown(directory / "s", 65534, 65534)
    assert "s" in refusal(directory, "s")
    assert (directory / "s").is_socket()


def test_the_longest_path(directory: Path, start: Callable[..., Daemon]) -> None:
    path = directory / ("s" * (107 - len(str(directory)) - 1))
    assert len(str(path)) == 107
    start(socket=path)
    with twind.Client(path) as client:
        assert client.health() == twind.Health.SERVING


def test_a_longer_path_is_refused(directory: Path) -> None:
    path = directory / ("s" * (108 - len(str(directory)) - 1))
    assert len(str(path)) == 108
    assert "107" in refusal(directory, path)


def test_a_directory_that_is_not_there(directory: Path) -> None:
    assert "nowhere" in refusal(directory, "nowhere/s")


@pytest.mark.parametrize("mode", ["0600", "600", "0660", "666"])
def test_modes(start: Callable[..., Daemon], mode: str) -> None:
    assert stat.S_IMODE(start("--socket-mode", mode).socket.stat().st_mode) == int(mode, 8)
