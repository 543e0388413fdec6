"""Runs every code block of README.md as written and in order, and compares the output.

The shell blocks run in one bash, in a directory with the binaries where a build puts them. Commands that install or
build are replaced and checked; NOT_RUN lists what is not run. Other kinds of blocks fail the test.
"""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daemon import BINARIES, REPOSITORY, TWIND, Daemon, environment, until
from twinctl import TWINCTL, Twinctl

README = REPOSITORY / "README.md"

# What is not run, and why.
NOT_RUN = {
    "Tests/run.sh": "it runs this test",
    "python3 -m venv .venv && .venv/bin/pip install -q ./clients/python": "it fetches from the network",
}
# Commands that would change the machine: they do nothing here but say how they were called.
REPLACED = ("apt-get", "swift")
# Options of programs that are not twind's.
FOREIGN_OPTIONS = {"--product", "--preserve-status"}

# What differs from run to run: recorded times, how long something took, how fast it was.
MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|\+00:00)"), "TIME"),
    (re.compile(r"\b\d+\.\d s\b"), "SECONDS"),
    (re.compile(r"\([\d,]+/s\)"), "(RATE)"),
]
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\S+Z info ")


@dataclass
class Block:
    """One fenced block: its language, its text, and the line of the README that it begins at."""

    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"README.md:{self.line}"


def blocks(markdown: str) -> list[Block]:
    found: list[Block] = []
    opened: int | None = None
    lines = markdown.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
        else:
            language = lines[opened - 1].removeprefix("```")
            found.append(Block(language, "\n".join(lines[opened : number - 1]), opened + 1))
            opened = None
    assert opened is None, f"the block at line {opened} has no end"
    return found


def commands(text: str) -> Iterator[str]:
    """The complete commands of a shell block, as bash would take them one by one."""
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if subprocess.run(["bash", "-n"], input="\n".join(lines), text=True, stderr=subprocess.DEVNULL).returncode == 0:
            yield "\n".join(lines)
            lines = []
    assert not lines, f"bash waits for more: {lines}"


def masked(text: str) -> str:
    """Without what differs from run to run, and without spaces at the ends of lines."""
    for mask, name in MASKS:
        text = mask.sub(name, text)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def pattern(shown: str) -> str:
    """What an output must match: the lines that are shown, where a line of three dots stands for any lines."""
    lines = masked(shown).splitlines()
    return "".join("(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in lines)


class Terminal:
    """One bash in a directory that looks like a checkout that was built. Its output is a terminal, as a reader's is."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.calls = directory / "calls"
        self._errors = directory / "stderr"
        self._printed = b""
        self._lock = threading.Lock()
        (directory / ".build").mkdir()
        (directory / ".build/release").symlink_to(BINARIES)
        self._screen, self._output = pty.openpty()
        tty.setraw(self._output)
        self.environment = environment(
            {"TZ": "UTC", "NO_COLOR": "1", "PATH": f"{self._replaced()}:{os.environ['PATH']}"}
        )
        with self._errors.open("ab") as errors:
            self._bash = subprocess.Popen(
                ["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE, stdout=self._output, stderr=errors,
                cwd=directory, env=self.environment, start_new_session=True,
            )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            piece = os.read(self._screen, 65536)
            with self._lock:
                self._printed += piece
            if piece.endswith(b"\0"):
                return

    def _replaced(self) -> Path:
        folder = self.directory / "bin"
        folder.mkdir()
        for name in REPLACED:
            (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {self.calls}\n')
            (folder / name).chmod(0o755)
        return folder

    def run(self, command: str) -> None:
        assert self._bash.stdin
        self._bash.stdin.write(f"{command}\nprintf '\\001%s\\002' $?\n".encode())
        self._bash.stdin.flush()
        status = self._mark()
        assert status == "0", f"exit code {status}: {command}\n{self.errors()}"

    def _mark(self) -> str:
        """What stands between the two marks, once everything before them has been read; it is taken out."""
        mark = until(lambda: re.search(rb"\001(.*)\002", self._printed), "the command ends", 60)
        assert mark
        with self._lock:
            self._printed = self._printed[: mark.start()] + self._printed[mark.end() :]
        return mark[1].decode()

    def run_python(self, text: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-"], input=text.encode(), stdout=self._output, stderr=subprocess.PIPE, cwd=self.directory,
            env=self.environment, timeout=30,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr.decode()
        os.write(self._output, b"\1\2")
        self._mark()

    def new_output(self) -> str:
        return masked(self._printed.decode(errors="replace"))

    def forget(self) -> None:
        """What follows is the output of the next block."""
        self._printed = b""

    def errors(self) -> str:
        return self._errors.read_text()

    def close(self) -> None:
        """Ends the shell and all that it started."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        assert self._bash.stdin
        self._bash.stdin.close()
        os.write(self._output, b"\0")  # ends the reader
        self._reader.join()
        os.close(self._screen)
        os.close(self._output)


@pytest.fixture
def terminal(directory: Path) -> Iterator[Terminal]:
    terminal = Terminal(directory)
    yield terminal
    terminal.close()


def check_shown(terminal: Terminal, block: Block) -> None:
    """Waits for the output: what was started in the background prints when it likes."""
    wanted, end = pattern(block.text), time.monotonic() + 20
    while not re.fullmatch(wanted, terminal.new_output()):
        if time.monotonic() > end:
            assert terminal.new_output() == masked(block.text), f"{block}: the first is printed, the second is shown"
        time.sleep(0.02)


@pytest.mark.seconds(180)
def test_every_block_runs_as_it_is_written(terminal: Terminal) -> None:
    not_run = dict(NOT_RUN)
    ran: Block | None = None
    for block in blocks(README.read_text()):
        match block.language:
            case "sh" if not_run.pop(block.text, None):
                ran = None
            case "sh":
                terminal.forget()
                for command in commands(block.text):
                    terminal.run(command)
                ran = block
            case "python":
                terminal.forget()
                terminal.run_python(block.text)
                ran = block
            case "text":
                assert ran, f"{block}: nothing before it was run that could print this"
                check_shown(terminal, block)
                ran = None
            case language:
                pytest.fail(f"{block}: a block of kind {language!r} is neither run nor listed as not run")
    assert not not_run, "listed as not run, and not in the README"
    strange = [line for line in terminal.errors().splitlines() if not LOG_LINE.match(line)]
    assert not strange, strange
    check_installation(terminal.calls.read_text().splitlines())


def check_installation(calls: list[str]) -> None:
    """What the first command installs is what the tests need to build, and what it builds there is."""
    installed = {package for call in calls if "install" in call for package in call.split()[3:]}
    needed = re.search(r"^install_debian (.*)$", (REPOSITORY / "Tests/run.sh").read_text(), re.M)
    assert needed and installed == set(needed[1].split()) - {"python3-venv"}
    products = {call.split()[-1] for call in calls if call.startswith("swift build -c release --product ")}
    assert products == {TWIND.name, TWINCTL.name}


def test_a_block_that_is_neither_run_nor_listed_is_found() -> None:
    assert [block.language for block in blocks("```sh\na\n```\n\n```json\n{}\n```\n")] == ["sh", "json"]
    assert list(commands("a &&\n  b\nc")) == ["a &&\n  b", "c"]
    assert re.fullmatch(pattern("a  2026-01-02T03:04:05.6Z\n...\nb"), masked("a  2027-01-02T03:04:05.678Z\nx\nb\n"))
    assert not re.fullmatch(pattern("a"), masked("a\nb\n"))


def test_limits_are_those_of_the_daemon(daemon: Daemon, directory: Path) -> None:
    limits: dict[str, Any] = Twinctl(daemon.socket, directory).json("info")["limits"]
    named = re.findall(r"`(\w+Max)` ([\d,]+)", README.read_text())
    assert len(named) > 3
    assert {name: int(value.replace(",", "")) for name, value in named} == {name: limits[name] for name, _ in named}


def test_options_exist() -> None:
    def help_of(program: Path, *arguments: str) -> str:
        return subprocess.run([program, *arguments, "--help"], capture_output=True, text=True, check=True).stdout

    helps = ""
    for program in (TWIND, TWINCTL):
        overview = help_of(program)
        listed = re.findall(r"^  ([a-z]+) ", overview.partition("SUBCOMMANDS:")[2], re.M)
        assert listed
        helps += overview + "".join(help_of(program, command) for command in listed)
    known = set(re.findall(r"--[a-z][a-z-]*", helps)) | FOREIGN_OPTIONS
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README.read_text())) <= known
