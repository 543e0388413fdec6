"""The agent of a write: from the call, the settings, or the connection's user. And who may make operators' calls."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from daemon import Daemon
from frames import REQUEST, TWINS, RawConnection, envelope, field, frame

NAME = "acme/customer/1"
NOBODY = 65534

# A client in a process of another user.
AS_ANOTHER = """
import os, sys, twind
from twind.errors import TwindError
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
client = twind.Client(sys.argv[1], agent=sys.argv[3] or None)
try:
    print(eval(sys.argv[4]))
except TwindError as error:
    print(type(error).__name__, error)
"""


def as_another(daemon: Daemon, expression: str, agent: str = "", uid: int = NOBODY) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER, daemon.socket, str(uid), agent, expression], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.fixture
def shared(start: Callable[..., Daemon]) -> Daemon:
    """A daemon whose socket all users may open."""
    daemon = start("--socket-mode", "0666", "--agents", "1234=billing,0=operator")
    return daemon


def test_the_agent_is_the_users_name(start: Callable[..., Daemon]) -> None:
    with start().client(agent=None) as client:
        client.update(NAME, {"a": 1})
        assert client.get(NAME).attribute("a").agent == "root"


@pytest.mark.parametrize(
    "uid, agent, expected",
    [
        (NOBODY, "", "nobody"),
        (1234, "", "billing"),
        (0, "", "operator"),
        (NOBODY, "stated", "stated"),
        (1234, "stated", "stated"),
    ],
)
def test_agents(shared: Daemon, uid: int, agent: str, expected: str) -> None:
    as_another(shared, f"client.update('{NAME}', {{'a': 1}})", agent, uid)
    with shared.client() as client:
        assert client.get(NAME).attribute("a").agent == expected


def test_a_user_without_a_name(shared: Daemon) -> None:
    as_another(shared, f"client.update('{NAME}', {{'a': 1}})", uid=54321)
    with shared.client() as client:
        assert "54321" in client.get(NAME).attribute("a").agent


@pytest.mark.parametrize("key", ["twind-agent", "Twind-Agent", "TWIND-AGENT"])
def test_the_key_is_compared_in_lower_case(daemon: Daemon, raw: RawConnection, key: str) -> None:
    payload = field(1, NAME) + field(2, field(1, "a") + field(2, field(2, 1)))
    raw.send(frame(1, REQUEST, 0, envelope(TWINS, "UpdateTwin", payload, metadata={key: "robot"})))
    assert raw.answer(1).code == 0
    with daemon.client() as client:
        assert client.get(NAME).attribute("a").agent == "robot"


@pytest.mark.parametrize("agent", ["", "a\nb", "a\x7fb"])
def test_an_agent_that_is_none(daemon: Daemon, raw: RawConnection, agent: str) -> None:
    payload = field(1, NAME) + field(2, field(1, "a") + field(2, field(2, 1)))
    raw.send(frame(1, REQUEST, 0, envelope(TWINS, "UpdateTwin", payload, metadata={"twind-agent": agent})))
    answer = raw.answer(1)
    assert answer.code == 3 and "agent" in answer.message


@pytest.mark.parametrize("call", ["server_info", "stats", "checkpoint"])
def test_the_operators_calls_are_refused_to_others(shared: Daemon, call: str) -> None:
    assert as_another(shared, f"client.{call}()").startswith("PermissionDenied")
    assert not as_another(shared, f"client.{call}()", uid=0).startswith("PermissionDenied")


def test_others_may_do_all_else(shared: Daemon) -> None:
    assert as_another(shared, f"client.update('{NAME}', {{'a': 1}}).sequence") == "1"
    assert as_another(shared, f"client.get('{NAME}')['a']") == "1"
    assert as_another(shared, "client.health().name") == "SERVING"
    assert as_another(shared, f"client.delete('{NAME}').sequence") == "2"


def test_the_daemons_own_user_and_root_are_operators(start: Callable[..., Daemon], directory: object) -> None:
    assert isinstance(directory, os.PathLike)
    os.chown(directory, NOBODY, NOBODY)
    daemon = start("--socket-mode", "0666", user=NOBODY, group=NOBODY, extra_groups=[], umask=0o077)
    assert as_another(daemon, "client.server_info().pid") == str(daemon.pid)
    assert as_another(daemon, "client.server_info().pid", uid=0) == str(daemon.pid)
    assert as_another(daemon, "client.server_info().pid", uid=1234).startswith("PermissionDenied")


def test_the_socket_is_closed_to_others(daemon: Daemon) -> None:
    assert as_another(daemon, "client.health()").startswith("PermissionDenied")
