"""twinctl export and import of present values: with agents, valid times and scheduled facts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import Daemon
from histories import DAY, NAMES, now, write_some
from test_operations import verify
from twind._generated.twind.v1 import twin_pb2
from twind._generated.twind.v1 import twin_service_pb2 as wire
from twinctl import NAME, REJECTED, Twinctl


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    return Twinctl(daemon.socket, directory)


@pytest.fixture
def other(start: Callable[..., Daemon], directory: Path) -> Twinctl:
    return Twinctl(start(socket=directory / "s2", data=directory / "data2").socket, directory)


def told(attribute: twin_pb2.Attribute) -> bytes:
    """Without what an import makes anew."""
    attribute.recorded_at = attribute.sequence = 0
    attribute.ClearField("increment")
    return attribute.SerializeToString(deterministic=True)


def view(client: twind.Client, name: str, valid_at: int) -> list[bytes]:
    reply = client.twins.get_twin(wire.GetTwinRequest(name=name, valid_at=valid_at))
    return [told(attribute) for attribute in reply.twin.attributes]


@pytest.mark.parametrize("seed", range(3))
def test_random_twins_come_back_as_they_are_and_will_be(
    seed: int, twinctl: Twinctl, other: Twinctl, daemon: Daemon, directory: Path
) -> None:
    write_some(daemon, random.Random(seed), 700)
    twinctl("export", "-o", "out.ndjson")
    assert other.json("import", "out.ndjson")["rejected"] == 0
    with twind.Client(twinctl.socket) as one, twind.Client(other.socket) as two:
        names = [twin.name for twin in one.list(names_only=True)]
        assert [twin.name for twin in two.list(names_only=True)] == names and len(names) > 8
        # Nor does a second time change anything.
        for _ in range(2):
            for name in names:
                for days in range(0, 45, 3):
                    valid_at = now() + days * DAY + DAY // 7
                    assert view(two, name, valid_at) == view(one, name, valid_at), (name, days)
            assert other.json("import", "out.ndjson")["rejected"] == 0
    # What came back goes out the same.
    lines = [json.loads(line) for line in (directory / "out.ndjson").read_text().splitlines()]
    again = [json.loads(line) for line in other("export").splitlines()]
    assert [plain(line) for line in again] == [plain(line) for line in lines]


def plain(line: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, attribute in line["attributes"].items():
        kept[name] = {k: v for k, v in attribute.items() if k not in ("recorded_at", "sequence", "increment")}
    return {"name": line["name"], "attributes": kept}


def test_agents_and_times(twinctl: Twinctl, other: Twinctl) -> None:
    twinctl("set", NAME, "plan=basic", "--valid-from", "2025-01-01", "--agent", "sales", "--purpose", "service")
    twinctl("set", NAME, "mood=calm", "--valid-to", "+30d", "--agent", "support", "--confidence", "0.5")
    twinctl("set", NAME, "plan=free", "--valid-from", "+30d", "--agent", "billing")
    twinctl("remove", NAME, "plan", "--valid-from", "+60d", "--agent", "billing")
    lines = twinctl("export")
    assert [one["attribute"] for one in json.loads(lines)["scheduled"]] == ["plan", "plan"]
    assert other.json("import", "-", stdin=lines)["facts"] == 4
    before, after = (t.json("get", NAME)["attributes"] for t in (twinctl, other))
    assert before["plan"]["agent"] == after["plan"]["agent"] == "sales"
    assert after["plan"]["valid_from"] == "2025-01-01T00:00:00Z" and after["plan"]["purpose"] == "service"
    assert (after["mood"]["agent"], after["mood"]["valid_to"]) == ("support", before["mood"]["valid_to"])
    assert after["plan"]["recorded_at"] > before["plan"]["recorded_at"]
    assert other.json("get", NAME, "--valid-at", "+31d")["attributes"]["plan"]["value"] == "free"
    assert "plan" not in other.json("get", NAME, "--valid-at", "+61d")["attributes"]


def test_import_may_say_it_otherwise(twinctl: Twinctl, other: Twinctl) -> None:
    twinctl("set", NAME, "plan=basic", "--valid-from", "2025-01-01", "--agent", "sales", "--purpose", "service")
    twinctl("set", NAME, "plan=free", "--valid-from", "+30d")
    options = ["--no-valid-times", "--agent", "me", "--purpose", "migration"]
    assert other.json("import", "-", *options, stdin=twinctl("export"))["facts"] == 1
    found = other.json("get", NAME)["attributes"]["plan"]
    assert (found["agent"], found["purpose"], found["valid_from"]) == ("me", "migration", found["recorded_at"])


def test_twins_without_attributes(twinctl: Twinctl, other: Twinctl) -> None:
    twinctl("set", "a/b/removed", "x=1")
    twinctl("remove", "a/b/removed", "x")
    twinctl("set", "a/b/ended", "x=1", "--valid-from", "2025-01-01", "--valid-to", "2025-02-01")
    twinctl("set", "a/b/later", "x=1", "--valid-from", "+30d")
    with twind.Client(twinctl.socket) as client:
        # More removals than a twin keeps in memory: the last value is of one that is forgotten.
        for start in range(0, 900, 300):
            client.update("a/b/many", {f"a{i}": i for i in range(start, start + 300)})
            client.update("a/b/many", {f"a{i}": twind.remove for i in range(start, start + 300)})
        old = twind.attribute("old", valid_from=now() - 400 * DAY)
        client.update("a/b/many", {"old": old})
        client.update("a/b/many", {"old": twind.attribute(twind.remove, valid_from=now() - 300 * DAY)})
    twinctl("set", "a/b/gone", "x=1")
    twinctl("delete", "a/b/gone")
    names = ["a/b/ended", "a/b/later", "a/b/many", "a/b/removed"]
    exported = twinctl("export")
    assert [json.loads(line)["name"] for line in exported.splitlines()] == names
    assert other.json("import", "-", stdin=exported)["rejected"] == 0
    assert other("list", "--names").splitlines() == names
    assert all(other.json("get", name)["attributes"] == {} for name in names)
    assert other.json("get", "a/b/ended", "--valid-at", "2025-01-15")["attributes"]["x"]["value"] == "1"


def test_many_agents(twinctl: Twinctl, other: Twinctl, daemon: Daemon) -> None:
    """More than may have a connection at a time; each twin has something of several."""
    for agent in range(40):
        with daemon.client(agent=f"agent-{agent}") as client, client.pipeline() as pipeline:
            for twin in range(60):
                if (twin + agent) % 3 == 0:
                    pipeline.update(f"acme/customer/{twin}", {f"a{agent}": twin, "last": agent})
    exported = twinctl("export")
    assert other.json("import", "-", stdin=exported)["rejected"] == 0
    for t in range(60):
        before, after = ({a: (v["value"], v["agent"]) for a, v in c.json("get", f"acme/customer/{t}")["attributes"].items()}
                         for c in (twinctl, other))  # fmt: skip
        assert before == after


def test_the_same_twin_in_several_lines(twinctl: Twinctl, other: Twinctl) -> None:
    """The last line counts, whoever the agents are."""
    lines = []
    for number in range(300):
        twinctl_line = {"name": f"a/b/{number % 7}", "attributes": {"n": {
            "kind": "int", "value": number, "agent": f"agent-{number % 5}", "sequence": number}}}  # fmt: skip
        lines.append(json.dumps(twinctl_line) + "\n")
    assert other.json("import", "-", stdin="".join(lines))["rejected"] == 0
    assert {t["name"]: t["attributes"]["n"]["value"] for t in other.lines("list", "--json")} == {
        f"a/b/{number % 7}": number for number in range(293, 300)
    }


def test_wrong_lines_are_put_aside(other: Twinctl, twinctl: Twinctl, directory: Path) -> None:
    wrong = [
        ({"attributes": {"x": {"kind": "int", "value": 1, "agent": "x" * 200}}}, "agent"),
        ({"attributes": {}, "scheduled": [{"kind": "int", "value": 1}]}, "not a valid attribute name"),
        ({"attributes": {}, "scheduled": [{"attribute": "x", "value": 1}]}, "x: the kind is missing"),
        ({"attributes": {}, "scheduled": {}}, "an array is expected"),
        ({"attributes": {}}, "set an attribute"),
    ]
    good = {"name": "a/b/good", "attributes": {"x": {"kind": "int", "value": 1, "agent": "me"}}}
    lines = [json.dumps(line) for line in [good, *({"name": f"a/b/{i}"} | line for i, (line, _) in enumerate(wrong))]]
    ended = other.run("import", "-", "--rejects", "rejects", stdin="\n".join(lines))
    assert ended.returncode == REJECTED, ended
    reasons = [json.loads(line)["reason"] for line in (directory / "rejects").read_text().splitlines()]
    assert len(reasons) == len(wrong)
    assert all(any(why in reason for reason in reasons) for _, why in wrong), reasons
    assert other("list", "--names") == "a/b/good\n"


def test_import_of_everything_is_sound(twinctl: Twinctl, start: Callable[..., Daemon], daemon: Daemon, directory: Path) -> None:
    write_some(daemon, random.Random(9), 300)
    copy = start(socket=directory / "s2", data=directory / "data2")
    Twinctl(copy.socket, directory)("import", "-", stdin=twinctl("export"))
    copy.stop()
    verify(copy.data)
    assert NAMES
