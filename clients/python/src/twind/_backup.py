"""A backup that the daemon makes while it serves: what is asked of it, and what comes of it. No I/O.

Called by both clients' `backup`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from twind._generated.twind.v1.admin_service_pb2 import BackupRequest, BackupResponse
from twind.errors import DataLoss

# Called with the pages copied and the pages in all, which are 0 as long as they are not known.
Progress = Callable[[int, int], object]
Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Backup:
    """A backup that is complete and verified."""

    # The absolute path of the file.
    path: str
    # The backup has everything up to this sequence.
    sequence: int
    byte_count: int


class BackupParts:
    """The messages of one backup as they come."""

    def __init__(self, path: Path, progress: Progress | None) -> None:
        self._path = os.path.abspath(path)
        self._progress = progress
        self._last: BackupResponse | None = None

    def request(self) -> BackupRequest:
        return BackupRequest(path=self._path)

    def receive(self, part: BackupResponse) -> None:
        self._last = part
        if self._progress is not None:
            self._progress(part.pages_done, part.pages_total)

    def ended(self) -> Backup:
        """Raises DataLoss when the last part has not come."""
        if self._last is None or not self._last.byte_count:
            raise DataLoss("Backup: the daemon ended the stream before the backup was complete")
        return Backup(self._path, self._last.sequence, self._last.byte_count)
