"""Starting: the banner, default paths, and that two daemons cannot share a data directory."""

from __future__ import annotations

import re
import resource
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import twind
from daemon import TWIND, Daemon, environment, refused, until


def test_the_banner(start: Callable[..., Daemon]) -> None:
    daemon = start()
    lines = daemon.banner.splitlines()
    assert lines[0].startswith("twind ")
    assert ["socket", str(daemon.socket)] in [line.split() for line in lines]
    assert ["data", str(daemon.data)] in [line.split() for line in lines]
    assert ["twins", "0"] in [line.split() for line in lines]
    commands = [line for line in lines if line.strip().startswith("twinctl ")]
    assert len(commands) == 3
    assert all(f"--socket {daemon.socket} " in command for command in commands)


def test_the_banner_counts_the_twins(start: Callable[..., Daemon]) -> None:
    first = start()
    with first.client() as client:
        for index in range(12):
            client.update(f"acme/customer/{index}", {"a": 1})
        client.delete("acme/customer/0")
    first.stop()
    assert ["twins", "11"] in [line.split() for line in start().banner.splitlines()]


def test_dev_is_announced(start: Callable[..., Daemon]) -> None:
    daemon = start("--dev")
    assert "--dev" in daemon.banner
    with daemon.client() as client:
        assert client.server_info().dev


def test_serve_is_the_default_subcommand(directory: Path, start: Callable[..., Daemon]) -> None:
    daemon = start(variables={"TWIND_LOG_LEVEL": "debug"})
    with daemon.client() as client:
        info = client.server_info()
    assert Path(info.socket).resolve() == daemon.socket.resolve()
    assert Path(info.data_dir).resolve() == daemon.data.resolve()
    assert info.pid == daemon.pid


def test_it_serves_from_the_current_directory_without_settings(directory: Path) -> None:
    process = subprocess.Popen(
        [TWIND], cwd=directory, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        try:
            until((directory / "twind.sock").exists, "./twind.sock")
            with twind.Client(directory / "twind.sock") as client:
                assert client.health() == twind.Health.SERVING
            assert (directory / "twind-data").is_dir()
        finally:
            process.terminate()
    assert process.returncode == 0


def test_nobody_else_can_read_what_is_stored(directory: Path, start: Callable[..., Daemon]) -> None:
    (directory / "data").mkdir(mode=0o755)
    daemon = start(umask=0)
    with daemon.client() as client:
        client.update("acme/customer/1", {"secret": "x"})
        client.checkpoint()
    for path in daemon.data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_missing_data_directory_is_made(start: Callable[..., Daemon]) -> None:
    assert stat.S_IMODE(start().data.stat().st_mode) == 0o700


def test_a_data_directory_in_use_is_refused_at_once(daemon: Daemon, directory: Path) -> None:
    before = time.monotonic()
    error = refused(directory, "--socket", "other.sock", "--data-dir", str(daemon.data))
    assert time.monotonic() - before < 1
    assert str(daemon.data) in error and len(error.strip().splitlines()) == 1
    assert not (directory / "other.sock").exists()


@pytest.mark.parametrize("path", ["nowhere/data", "/proc/data", "/dev/null", "/dev/null/data"])
def test_a_data_directory_that_cannot_be(directory: Path, path: str) -> None:
    assert path in refused(directory, "--socket", "s", "--data-dir", path)


def test_a_database_that_is_none(directory: Path) -> None:
    (directory / "data").mkdir()
    (directory / "data" / "twind.db").write_bytes(b"not a database, but long enough to look like one " * 100)
    error = refused(directory, "--socket", "s", "--data-dir", "data")
    assert "twind.db" in error


def test_of_twenty_starts_at_once_one_serves(directory: Path) -> None:
    """On one data directory and one socket, over a stale socket."""
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(directory / "s"))
    command = [str(TWIND), "--socket", "s", "--data-dir", "data"]
    starts = [
        subprocess.Popen(
            command, cwd=directory, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(20)
    ]
    try:
        until(lambda: sum(p.poll() is not None for p in starts) == 19, "19 starts refused")
        with twind.Client(directory / "s") as client:
            pid = client.server_info().pid
        assert [p.pid for p in starts if p.poll() is None] == [pid]
        assert all(p.returncode not in (0, None) and p.returncode > 0 for p in starts if p.pid != pid)
    finally:
        for process in starts:
            process.terminate()
    ended = [process.communicate(timeout=10)[1] for process in starts]
    assert all("in use" in text for text, p in zip(ended, starts) if p.pid != pid), ended
    assert [p.returncode for p in starts if p.pid == pid] == [0]


def with_address_space(bytes_max: int, directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TWIND, "--socket", "s", "--data-dir", "data", *options],
        cwd=directory, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_max, bytes_max)),
    )  # fmt: skip


@pytest.mark.parametrize("mebibytes", [120, 200, 400, 1000, 1200, 2500])
def test_limit_on_the_address_space_is_refused_with_a_remedy(mebibytes: int, directory: Path) -> None:
    ended = with_address_space(mebibytes << 20, directory)
    assert ended.returncode == 1, ended.stderr
    assert f"limited to {mebibytes} MiB" in ended.stderr and "ulimit -v" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    # The remedy, followed: what the message says is needed is enough.
    needed = int(re.findall(r"twind needs (\d+) MiB", ended.stderr)[0])
    limit = needed << 20
    options = ["--memory-limit", "8MiB", "--buffer-limit", "16MiB"] if needed < 1100 else []
    daemon = Daemon(
        directory, *options, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )  # fmt: skip
    try:
        daemon.check()
        daemon.stop()
    finally:
        daemon.close()
