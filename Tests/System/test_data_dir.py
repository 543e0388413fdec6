"""The owner of the data directory, and what happens when its files are removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import twind

from daemon import Daemon, refused, until

NAME = "acme/customer/1"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give a directory away")
def test_another_users_data_directory(directory: Path, start: Callable[..., Daemon]) -> None:
    data = directory / "twind-data"
    data.mkdir(mode=0o700)
    os.chown(data, 1234, -1)
    error = refused(directory)
    assert "belongs to user 1234" in error and "--allow-shared-data-dir" in error
    daemon = start("--allow-shared-data-dir")
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
    daemon.stop()
    # The other remedy.
    os.chown(data, os.geteuid(), -1)
    with start().client() as client:
        assert client.get(NAME)["a"] == 1


def test_a_database_that_is_removed_stops_writes_and_not_reads(daemon: Daemon, client: twind.Client) -> None:
    client.update(NAME, {"a": 1})
    (daemon.data / "twind.db").unlink()

    def is_refused() -> bool:
        try:
            client.update(NAME, {"a": twind.increment(1)})
        except twind.Unavailable as error:
            assert "twind.db was removed or replaced" in str(error) and "twinctl export" in str(error)
            return True
        return False

    until(is_refused, "writes are refused", 5)
    assert client.get(NAME)["a"] >= 1
    until(lambda: client.health() != twind.Health.SERVING, "not SERVING", 5)
    # The remedy.
    assert [twin.name for twin in client.list()] == [NAME]
    daemon.kill()  # it takes no write that the fixture would check it with


def test_a_backup_into_the_data_directory(daemon: Daemon, client: twind.Client) -> None:
    with pytest.raises(twind.InvalidArgument, match="choose another directory"):
        client.backup(daemon.data / "backup")
    assert not (daemon.data / "backup").exists()
