"""The blocking client's calls, against the fake daemon."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

import twind
from twind._generated.twind.v1.twin_service_pb2 import GetTwinRequest

NAME = "acme/customer/42"


def test_update_then_get(client):
    commit = client.update(NAME, {"email": "ann@example.org", "visits": twind.increment(2), "name": "Ann"})
    assert commit == twind.Commit(sequence=1, revision=1, durability=twind.Durability.MEMORY, fact_count=3)
    twin = client.get(NAME)
    assert twin == {"email": "ann@example.org", "visits": 2, "name": "Ann"}
    assert (twin.name, twin.revision, twin.sequence) == (NAME, 1, 1)
    client.update(NAME, {"address.city": "Bern", "email": twind.remove, "visits": twind.increment()})
    twin = client.get(NAME)
    assert dict(twin) == {"address.city": "Bern", "name": "Ann", "visits": 3}
    assert list(twin) == ["address.city", "name", "visits"]
    assert "email" not in twin and twin.get("email") is None and len(twin) == 3
    assert repr(twin) == "Twin('acme/customer/42', revision=2, {'address.city': 'Bern', 'name': 'Ann', 'visits': 3})"


def test_provenance(client):
    start = datetime(2024, 5, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    mood = twind.attribute(
        "upset", confidence=0.75, evidence="ticket:4711", valid_from=start, valid_to=start + timedelta(1)
    )
    client.update(NAME, {"mood": mood}, purpose="support")
    client.update(NAME, {"plain": 1})
    twin = client.get(NAME)
    mood = twin.attribute("mood")
    assert (mood.value, mood.agent, mood.confidence, mood.evidence) == ("upset", "tester", 0.75, "ticket:4711")
    assert mood.valid_from == start and mood.valid_from.utcoffset() == timedelta(0)
    assert mood.valid_to == start + timedelta(1)
    assert abs(mood.recorded_at - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert (mood.sequence, mood.purpose) == (1, "support")
    plain = twin.attribute("plain")
    assert (plain.confidence, plain.evidence, plain.valid_to, plain.purpose) == (None, None, None, None)
    with pytest.raises(KeyError):
        twin.attribute("absent")


def test_mask_purpose_and_min_sequence_are_sent(client, daemon):
    client.update(NAME, {"address.city": "Bern", "address.zip": "3000", "email": "e"})
    twin = client.get(NAME, attributes=["address"], purpose="support", min_sequence=1)
    assert dict(twin) == {"address.city": "Bern", "address.zip": "3000"}
    assert twin.redactions == (twind.Redaction("", "salary", "not for support"),)
    sent = GetTwinRequest.FromString(daemon.requests[-1][1].payload)
    assert sent == GetTwinRequest(name=NAME, attributes=["address"], purpose="support", min_sequence=1)


def test_get_if_newer(client):
    commit = client.update(NAME, {"a": 1})
    assert client.get_if_newer(NAME, commit.revision) is None
    assert client.get_if_newer(NAME, commit.revision - 1) == {"a": 1}


def test_get_many_keeps_order_and_leaves_out_what_is_absent(client, daemon):
    names = [f"acme/customer/{i}" for i in range(600)]
    for i in range(0, 600, 2):
        client.update(names[i], {"i": i})
    daemon.twins.batch_room = 100
    wanted = list(reversed(names))
    twins = client.get_many([*wanted, wanted[0]])
    assert list(twins) == [name for name in wanted if name in twins]
    assert {name: twin["i"] for name, twin in twins.items()} == {names[i]: i for i in range(0, 600, 2)}
    assert client.get_many([]) == {}


def test_get_many_that_has_room_for_nothing_ends(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.twins.batch_room = 0
    with pytest.raises(twind.ResourceExhausted, match="too small"):
        client.get_many([NAME])


def test_update_many(client):
    commit = client.update_many([twind.Update("acme/customer/1", {"a": 1}), twind.Update("acme/customer/2", {"b": 2})])
    assert commit.revisions == {"acme/customer/1": 1, "acme/customer/2": 1}
    assert commit.fact_count == 2
    assert client.get("acme/customer/2") == {"b": 2}


def test_list_reads_all_pages(client, daemon):
    for i in range(25):
        client.update(f"acme/customer/{i:02}", {"i": i})
    client.update("other/customer/1", {"i": 0})
    twins = client.list("acme/customer/", page_size=10)
    assert [twin["i"] for twin in twins] == list(range(25))
    assert daemon.methods().count("ListTwins") == 3
    assert [len(twin) for twin in client.list("acme/", names_only=True)] == [0] * 25


def test_a_list_ends_when_a_page_token_comes_again(client, daemon):
    client.update(NAME, {"a": 1})
    daemon.twins.endless_token = "acme/customer/0"
    with pytest.raises(twind.Internal, match="page token 'acme/customer/0' twice"):
        list(client.list("acme/"))
    assert daemon.methods().count("ListTwins") == 2


def test_delete(client):
    revision = client.update(NAME, {"a": 1}).revision
    with pytest.raises(twind.Aborted):
        client.delete(NAME, expected_revision=revision + 1)
    assert client.delete(NAME, expected_revision=revision).revision == revision + 1
    with pytest.raises(twind.NotFound):
        client.get(NAME)


def test_idempotency_key_gives_the_first_result(client):
    first = client.update(NAME, {"visits": twind.increment()}, idempotency_key="k")
    assert client.update(NAME, {"visits": twind.increment()}, idempotency_key="k") == first
    assert client.get(NAME)["visits"] == 1


def test_durability_is_asked_for(client):
    commit = client.update(NAME, {"a": 1}, durability=twind.Durability.SYNCED)
    assert commit.durability is twind.Durability.SYNCED


def test_admin_and_health(client):
    info = client.server_info()
    assert info.limits == {"requestBytesMax": 262144}
    assert info.started_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc)
    assert info.dev and info.durability is twind.Durability.MEMORY
    client.update(NAME, {"a": 1})
    stats = client.stats()
    assert (stats.twin_count, stats.uptime, stats.checkpoint_at) == (1, timedelta(seconds=2), None)
    assert client.checkpoint().twin_count == 1
    assert client.health() is twind.Health.SERVING
    with pytest.raises(twind.NotFound):
        client.health("no.Service")


def test_agent_and_deadline_are_sent(client, daemon):
    client.update(NAME, {"a": 1}, timeout=2.5)
    envelope = daemon.requests[-1][1]
    assert [(pair.key, pair.value) for pair in envelope.metadata] == [("twind-agent", "tester")]
    assert envelope.timeout_nano == 2_500_000_000
    client.get(NAME, timeout=float("inf"))
    assert daemon.requests[-1][1].timeout_nano == 0


def test_default_purpose(daemon):
    with twind.Client(daemon.path, purpose="sales") as client:
        client.update(NAME, {"a": 1})
        assert client.get(NAME).attribute("a").purpose == "sales"
        client.update(NAME, {"a": 2}, purpose="")
        assert client.get(NAME).attribute("a").purpose is None


def test_stubs(client):
    client.update(NAME, {"a": 1})
    reply = client.twins.get_twin(GetTwinRequest(name=NAME))
    assert reply.twin.attributes[0].value.int_value == 1


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda c: c.update(NAME, {"a": None}), TypeError, "use twind.remove"),
        (lambda c: c.update(NAME, {5: 1}), TypeError, "attribute name"),
        (lambda c: c.update(NAME, {}, expected_revision=1, must_not_exist=True), ValueError, "use expected_revision or must_not_exist, not both"),
        (lambda c: c.get(NAME, attributes="email"), TypeError, r"\['email'\]"),
        (lambda c: c.get_many(NAME), TypeError, "several names"),
        (lambda c: c.watch([]), ValueError, "empty"),
        (lambda c: c.pipeline(window=129), ValueError, "window is 129"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(client, daemon, call, error, says):
    with pytest.raises(error, match=says):
        call(client)
    assert daemon.requests == []
