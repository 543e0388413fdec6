"""twinctl's output: files, pipes, devices, links, and closed descriptors."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import tty
from pathlib import Path

import pytest

from daemon import Daemon, environment
from twinctl import LOCAL, NAME, OK, TWINCTL, Twinctl


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    twinctl = Twinctl(daemon.socket, directory)
    twinctl("set", NAME, "a=1")
    return twinctl


def name_in(text: str) -> str:
    return json.loads(text)["name"]


def test_an_export_into_a_pipe_with_a_name(twinctl: Twinctl, directory: Path) -> None:
    os.mkfifo(directory / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], cwd=directory, stdout=subprocess.PIPE, text=True)
    twinctl("export", "-o", "pipe")
    assert name_in(reader.communicate(timeout=10)[0]) == NAME
    assert (directory / "pipe").is_fifo() and not (directory / "pipe.partial").exists()


def test_an_export_into_a_device(twinctl: Twinctl, directory: Path) -> None:
    """A terminal: a failure of this test must not be able to replace a device that others need, such as /dev/null."""
    controller, device = pty.openpty()
    tty.setraw(device)
    path = os.ttyname(device)
    assert twinctl("export", "-o", path).startswith(f"exported 1 twin to {path}")
    assert name_in(os.read(controller, 65536).decode()) == NAME and Path(path).is_char_device()
    os.close(device)
    os.close(controller)
    assert "Is a directory" in twinctl.fails(LOCAL, "export", "-o", str(directory))


def test_an_export_into_standard_output_by_name(twinctl: Twinctl, directory: Path) -> None:
    (directory / "stdout").symlink_to("/proc/self/fd/1")
    first, last = twinctl("export", "-o", "stdout").splitlines()
    assert name_in(first) == NAME and last.startswith("exported 1 twin")


@pytest.mark.parametrize("target", ["there", "not-there", "folder/not-there"])
def test_an_export_through_a_link(twinctl: Twinctl, directory: Path, target: str) -> None:
    (directory / "folder").mkdir()
    (directory / "there").write_text("old")
    (directory / "one").symlink_to(target)
    (directory / "folder/two").symlink_to(directory / "one")
    twinctl("export", "-o", "folder/two")
    assert (directory / "one").is_symlink() and (directory / "folder/two").is_symlink()
    assert name_in((directory / target).read_text()) == NAME
    assert not list(directory.rglob("*.partial"))


def test_a_link_to_itself(twinctl: Twinctl, directory: Path) -> None:
    (directory / "loop").symlink_to("loop")
    twinctl("export", "-o", "loop")
    assert name_in((directory / "loop").read_text()) == NAME


def test_an_export_that_fails_leaves_what_was_there(twinctl: Twinctl, daemon: Daemon, directory: Path) -> None:
    (directory / "file").write_text("old")
    (directory / "link").symlink_to("file")
    daemon.kill()
    twinctl.fails(6, "export", "-o", "link")
    assert (directory / "file").read_text() == "old" and not list(directory.rglob("*.partial"))


# Closed descriptors


def run(twinctl: Twinctl, redirections: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", TWINCTL, *arguments], capture_output=True, text=True, timeout=30,
        cwd=twinctl.directory, env=environment({"TWIND_SOCKET": str(twinctl.socket)}),
    )  # fmt: skip


def test_closed_standard_input(twinctl: Twinctl) -> None:
    ended = run(twinctl, "<&-", "get", NAME, "--json")
    assert ended.returncode == OK and name_in(ended.stdout) == NAME
    ended = run(twinctl, "<&-", "import", "-")
    assert ended.returncode == LOCAL and "cannot read -: Bad file descriptor" in ended.stderr


@pytest.mark.parametrize("redirections", [">&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_nothing_is_written_into_the_socket(twinctl: Twinctl, daemon: Daemon, redirections: str) -> None:
    """Where output goes nowhere, that is an error, and not a frame for the daemon."""
    for command in (["get", NAME], ["set", NAME, "b=2"], ["export"], ["history", NAME], ["frobnicate"]):
        ended = run(twinctl, redirections, *command)
        assert ended.returncode == LOCAL
        if "2>" not in redirections and command != ["frobnicate"]:
            assert "cannot write to standard output: Bad file descriptor" in ended.stderr
    daemon.check()
    assert "frame" not in daemon.logged() and "protocol" not in daemon.logged(), daemon.logged()
    assert twinctl.json("get", NAME)["attributes"]["b"]["value"] == "2"
