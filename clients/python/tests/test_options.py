"""Options and attributes do not share a namespace; what is misspelt, empty or no choice is an error."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from datetime import datetime, timezone

import pytest

import twind
import twind.aio
from twind._generated.twind.v1 import twin_pb2
from twind._generated.twind.v1.twin_pb2 import Value

NAME = "acme/customer/42"


def in_every_client(daemon, call):
    """The errors of a call of both clients and their pipelines, none of which sends anything."""

    async def asynchronous():
        async with twind.aio.Client(daemon.path) as client:
            for each in (client, client.pipeline()):
                try:
                    await call(each)
                except Exception as error:
                    errors.append(error)

    errors = []
    with twind.Client(daemon.path) as client:
        for each in (client, client.pipeline()):
            try:
                call(each)
            except Exception as error:
                errors.append(error)
    asyncio.run(asynchronous())
    assert daemon.requests == []
    return errors


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda c: c.update(NAME, expected_revison=3), TypeError, "'expected_revison': did you mean expected_revision?"),
        (lambda c: c.update(NAME, {"a": 1}, must_not_exists=True), TypeError, "did you mean must_not_exist?"),
        (lambda c: c.update(NAME, {"a": 1}, timout=1), TypeError, "did you mean timeout?"),
        (lambda c: c.update(NAME, email="x"), TypeError, "Attributes go in the mapping: update(name, {'email': …})"),
        (lambda c: c.update(NAME, email="x"), TypeError, "its options are expected_revision, must_not_exist, idempot"),
        (lambda c: c.update_many([], idempotency="k"), TypeError, "update_many() has no option 'idempotency': did you"),
        (lambda c: c.delete(NAME, expect_revision=1), TypeError, "did you mean expected_revision?"),
        (lambda c: c.update(NAME, ["a"]), TypeError, "mapping of attribute names to values, not list"),
        (lambda c: c.update(NAME, {"a": 1}, idempotency_key=""), ValueError, "idempotency_key is empty"),
        (lambda c: c.update_many([], idempotency_key=""), ValueError, "idempotency_key is empty"),
        (lambda c: c.delete(NAME, idempotency_key=""), ValueError, "idempotency_key is empty"),
        (lambda c: c.update(NAME, {}, durability=9), ValueError, "use Durability.MEMORY, Durability.JOURNALED or D"),
        (lambda c: c.update(NAME, {}, durability="synced"), ValueError, "durability is 'synced': use"),
        (lambda c: c.update(NAME, {"a": twind.attribute(1, confidence=0)}), ValueError, "confidence is 0, but must be"),
    ],
)
def test_mistakes_in_writes(daemon, call, error, says):
    errors = in_every_client(daemon, call)
    assert [type(one) for one in errors] == [error] * 4
    assert all(says in str(one) for one in errors), errors


@pytest.mark.parametrize("confidence", [0, 0.0, -0.1, 1.0001, float("nan"), float("inf")])
def test_confidence_is_above_0_and_at_most_1(confidence):
    with pytest.raises(ValueError, match="above 0 and at most 1: leave it out if unknown"):
        twind.attribute(1, confidence=confidence)


def test_empty_evidence():
    with pytest.raises(ValueError, match="evidence is empty: leave it out"):
        twind.attribute(1, evidence="")
    assert twind.attribute(1, confidence=1, evidence="x").confidence == 1


@pytest.mark.parametrize("kind", [twind.Client, twind.aio.Client])
def test_a_gap_that_is_no_choice(daemon, kind):
    with pytest.raises(ValueError, match="^on_gap is 'ignore': use 'raise' or 'snapshot'$"):
        kind(daemon.path).watch("acme/", on_gap="ignore")
    assert daemon.accepted == 0


def test_attributes_may_be_named_as_options_are(client):
    names = ["expected_revision", "must_not_exist", "idempotency_key", "durability", "purpose", "timeout", "changes"]
    client.update(NAME, {name: 1 for name in names}, timeout=3)
    assert client.get(NAME) == {name: 1 for name in names}


def test_no_changes_at_all(client):
    assert client.update(NAME).revision == 1 and client.update(NAME, {}).revision == 2


def test_pipelines_ask_for_other_times_too(client, daemon):
    from twind._generated.twind.v1.twin_service_pb2 import GetTwinRequest

    client.update(NAME, {"a": 1})
    with client.pipeline() as p:
        p.get(NAME, valid_at=7, known_at=8)

    async def asynchronous():
        async with twind.aio.Client(daemon.path) as other, other.pipeline() as p:
            await p.get(NAME, valid_at=7, known_at=8)

    asyncio.run(asynchronous())
    for _, envelope, _ in daemon.requests[-2:]:
        request = GetTwinRequest.FromString(envelope.payload)
        assert (request.valid_at, request.known_at) == (7, 8)


# Values of a stated kind.

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def twin():
    values = {
        "text": Value(string_value="a"), "number": Value(int_value=5), "ratio": Value(double_value=0.5),
        "yes": Value(bool_value=True), "raw": Value(bytes_value=b"b"), "late": Value(timestamp_value=2**63 - 1),
        "noon": Value(timestamp_value=1_767_268_800_000_000), "list": Value(list_value={"values": [{"int_value": 1}]}),
        "object": Value(json_value='{"a":1}'), "json": Value(json_value="[1,[2]]"), "null": Value(json_value="null"),
        "odd": Value(),
    }  # fmt: skip
    return twind.Twin(twin_pb2.Twin(attributes=[{"name": name, "value": values[name]} for name in values]), 1)


def test_typed_getters(twin):
    assert (twin.str("text"), twin.int("number"), twin.float("ratio"), twin.bytes("raw")) == ("a", 5, 0.5, b"b")
    assert twin.bool("yes") is True and twin.time("noon") == NOON and twin.list("list") == [1]
    assert (twin.json("object"), twin.json("json"), twin.json("null")) == ({"a": 1}, [1, [2]], None)
    assert twin.float("number") == 5.0 and type(twin.float("number")) is float


@pytest.mark.parametrize("kind", ["str", "int", "float", "bool", "bytes", "time", "list", "json"])
def test_a_value_of_another_kind(twin, kind):
    fits = {
        "str": {"text"}, "int": {"number"}, "float": {"ratio", "number"}, "bool": {"yes"}, "bytes": {"raw"},
        "time": {"noon"}, "list": {"list"}, "json": {"object", "json", "null"},
    }  # fmt: skip
    for name in twin:
        if name not in fits[kind]:
            with pytest.raises(TypeError, match=f"attribute '{name}' is not .* but "):
                getattr(twin, kind)(name)
    with pytest.raises(KeyError):
        getattr(twin, kind)("absent")
    default = object()
    assert getattr(twin, kind)("absent", default) is default


def test_a_change_has_them_too(client):
    client.update(NAME, {"n": 7})
    with client.watch(NAME) as watch:
        assert next(watch).int("n") + 1 == 8


STRICT = """
import twind, twind.aio
from datetime import datetime

def work(client: twind.Client) -> float:
    twin = client.get("a/b/c")
    seen: datetime = twin.time("seen")
    tags = [tag for tag in twin.list("tags", []) if isinstance(tag, str)]
    note: str = twin.str("note", "") + twin.json("more")["text"] + ", ".join(tags)
    client.update("a/b/c", {"tickets": twin.int("tickets") + 1, "note": note, "raw": twin.bytes("raw")})
    for change in client.watch("a/", timeout=1, on_gap="snapshot"):
        return twin.float("ratio") * change.int("n", 0) if twin.bool("yes") else seen.timestamp()
    return 0

async def aio_work(client: twind.aio.Client) -> int:
    async with client.pipeline() as p:
        pending = await p.update("a/b/c", {"n": 1})
        await p.get("a/b/c", valid_at=5)
    return (await pending).revision + (await pending.result()).sequence
"""


def mypy(tmp_path, code):
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(code))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(path)]
    return subprocess.run(command, capture_output=True, text=True).stdout


def test_programs_pass_mypy_strict(tmp_path):
    pytest.importorskip("mypy")
    assert "Success" in mypy(tmp_path, STRICT)
    wrong = 'import twind\ntwind.Client().update("a/b/c", expected_revison=3)\ntwind.Client().watch("", on_gap="x")\n'
    found = mypy(tmp_path, wrong)
    assert "program.py:2: error" in found and "program.py:3: error" in found, found


def test_the_examples_pass_mypy_strict(tmp_path):
    pytest.importorskip("mypy")
    from test_examples import EXAMPLES

    for path in EXAMPLES.glob("*.py"):
        assert "Success" in mypy(tmp_path, path.read_text()), path
