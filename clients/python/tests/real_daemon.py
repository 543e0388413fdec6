"""Starts the real daemon for end-to-end tests: the binary that $TWIND names, else the repository's release build."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import twind

REPOSITORY = Path(__file__).resolve().parents[3]


def binary() -> Path:
    path = Path(os.environ.get("TWIND") or REPOSITORY / ".build/release/twind")
    if not path.is_file():
        raise FileNotFoundError(
            f"end-to-end tests need the daemon, and there is none at {path}: "
            "build it with `swift build -c release --product twind`, or name it in $TWIND"
        )
    return path


class RealDaemon:
    """A daemon with a directory of its own, which holds its data too unless `data` names another.

    The same data serve again after stop and start.
    """

    def __init__(self, data: Path | None = None) -> None:
        self._binary = binary()
        # Short, for a socket's path has at most 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="twind-"))
        self.path = str(self.directory / "s")
        self._data = data or self.directory / "data"
        self._log = open(self.directory / "log", "ab")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [self._binary, "--dev", "--socket", self.path, "--data-dir", self._data]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TWIND")}
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, env=environment)
        try:
            with twind.Client(self.path, connect_timeout=20, timeout=20) as client:
                assert client.health() is twind.Health.SERVING
        except twind.TwindError as error:
            raise RuntimeError(f"{command} does not serve: {error}\n{self.log()}") from error

    def stop(self) -> int:
        """An orderly end; the exit code."""
        return self._end(signal.SIGTERM)

    def remove(self) -> None:
        self._end(signal.SIGKILL)
        self._log.close()
        shutil.rmtree(self.directory)

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def _end(self, number: int) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        start = time.monotonic()
        code = process.wait(30)
        assert time.monotonic() - start < 20, "the daemon ends within its bound"
        return code
