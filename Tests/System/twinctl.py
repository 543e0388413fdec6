"""Runs twinctl like a shell does, and returns its output and exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from daemon import BINARIES, environment

TWINCTL = BINARIES / "twinctl"
NAME = "acme/customer/42"
OK, LOCAL, INVALID, NOT_FOUND, CONFLICT, NOT_PERMITTED, UNAVAILABLE, LIMIT, OTHER, REJECTED = range(10)


class Twinctl:
    """Runs twinctl against one daemon."""

    def __init__(self, socket: Path, directory: Path) -> None:
        self.socket = socket
        self.directory = directory

    def run(self, *arguments: str, stdin: str | bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        ended = subprocess.run(
            [TWINCTL, *arguments], input=data, capture_output=True, timeout=60, cwd=self.directory,
            env=environment({"TWIND_SOCKET": str(self.socket), "TZ": "UTC", **variables}),
        )  # fmt: skip
        assert ended.returncode >= 0, ended
        return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def __call__(self, *arguments: str, **options: Any) -> str:
        ended = self.run(*arguments, **options)
        assert ended.returncode == OK, ended
        assert ended.stderr == "", ended
        return ended.stdout

    def json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self(*arguments, "--json", **options))

    def lines(self, *arguments: str, **options: Any) -> list[Any]:
        return [json.loads(line) for line in self(*arguments, **options).splitlines()]

    def fails(self, code: int, *arguments: str, **options: Any) -> str:
        """The one line that it says about why."""
        ended = self.run(*arguments, **options)
        assert ended.returncode == code, ended
        assert ended.stdout == "", ended
        assert ended.stderr.startswith("twinctl: ") and ended.stderr.count("\n") == 1, ended
        return ended.stderr
