"""Statuses become exceptions with their details."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

import twind
from twind.errors import error_of_code

NAME = "acme/customer/42"


def test_every_code_has_its_class():
    for code in twind.Code:
        if code is twind.Code.OK:
            continue
        error = error_of_code(code, "text")
        assert error.code is code and str(error) == "text"
        assert type(error).__name__.lower() == code.name.replace("_", "").lower()
    assert isinstance(error_of_code(99, ""), twind.Unknown)
    assert "status 99" in str(error_of_code(99, ""))


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (twind.NotFound, LookupError),
        (twind.DeadlineExceeded, TimeoutError),
        (twind.Unavailable, ConnectionError),
        (twind.InvalidArgument, ValueError),
    ],
)
def test_builtins_catch_them_too(error, builtin):
    with pytest.raises(builtin, match="^text$"):
        raise error("text")


def test_conflict(client):
    revision = client.update(NAME, {"a": 1}).revision
    conflict = twind.Conflict(NAME, revision, "someone", datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc))
    with pytest.raises(twind.Aborted) as aborted:
        client.update(NAME, {"a": 2}, expected_revision=99)
    assert aborted.value.conflict == conflict
    assert str(aborted.value) == f"{NAME} is at revision {revision}"
    with pytest.raises(twind.AlreadyExists) as exists:
        client.update(NAME, {"a": 2}, must_not_exist=True)
    assert exists.value.conflict == conflict
    assert (exists.value.resume, exists.value.limit) == (None, None)
    with pytest.raises(twind.Aborted):
        client.update(NAME, {"a": 2}, expected_revision=0)


def test_resume(client):
    with pytest.raises(twind.OutOfRange) as caught:
        next(client.watch("acme/", from_sequence=7))
    assert caught.value.resume == twind.Resume(oldest_sequence=0, head_sequence=0)


def test_not_found_and_unimplemented(client, daemon):
    with pytest.raises(twind.NotFound, match=f"there is no twin {NAME}"):
        client.get(NAME)
    daemon.twins._methods = dict
    with pytest.raises(twind.Unimplemented, match="no method GetTwin"):
        client.get(NAME)
