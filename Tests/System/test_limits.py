"""Limits of twins and requests: the maximum is accepted, one more is refused, and the error names the limit."""

from __future__ import annotations

import re

import pytest

import twind
from daemon import REPOSITORY
from frames import (
    DATA, INVALID_ARGUMENT, OK, REMOTE_CLOSED, REQUEST, RESOURCE_EXHAUSTED, TWINS, RawConnection, envelope, field, frame,
)  # fmt: skip
from twind._generated.twind.v1 import twin_service_pb2 as messages

NAME = "acme/customer/1"
REFUSED = (twind.InvalidArgument, twind.ResourceExhausted, twind.FailedPrecondition)


def refused(limit: str, maximum: int, call: object, *arguments: object, **options: object) -> None:
    with pytest.raises(REFUSED) as raised:
        call(*arguments, **options)  # type: ignore[operator]
    text, detail = str(raised.value), raised.value.limit
    assert str(maximum) in text.replace(",", "") or limit in text, text
    assert detail and (detail.limit, detail.maximum) == (limit, maximum) and detail.actual > maximum


def test_the_limits_can_be_asked_for(client: twind.Client) -> None:
    limits = client.server_info().limits
    expected = {
        "valueBytesMax": 64 << 10, "attributesPerTwinMax": 512, "twinBytesMax": 1 << 20, "evidenceBytesMax": 128,
        "agentBytesMax": 128, "idempotencyKeyBytesMax": 64, "metadataPairsMax": 16, "metadataBytesMax": 4096,
        "batchTwinsMax": 256, "changesMax": 1000, "connectionsMax": 1024, "streamsPerConnectionMax": 128,
    }  # fmt: skip
    assert {name: limits[name] for name in expected} == expected


def test_every_limit_that_an_error_names_can_be_asked_for(client: twind.Client) -> None:
    """As they stand in the messages, and in what is added to them."""
    named = {}
    for layer in ("TTRPC", "TwinCore", "TwinStore", "TwinService"):
        for path in (REPOSITORY / "Sources" / layer).rglob("*.swift"):
            if path.parent.name == "Client":
                continue
            for text in re.findall(r'"(?:[^"\\\n]|\\.)*"', path.read_text()):
                text = re.sub(r"\\\((?:[^()]|\([^()]*\))*\)", "…", text)  # what is interpolated
                named |= dict.fromkeys(re.findall(r"(?<=[(\"])[a-z]\w+Max(?=[ ,)\"])", text), f"{path.name}: {text}")
    assert {"jsonDepthMax", "frameBytesMax", "workersQueueMax", "watchLagCommitsMax", "journalBytesMax"} <= set(named)
    limits = client.server_info().limits
    unknown = {limit: where for limit, where in named.items() if limit not in limits}
    assert not unknown, list(unknown.items())


def test_a_value(client: twind.Client) -> None:
    """64 KiB encoded: tag, length of three bytes, text."""
    client.update(NAME, {"a": "x" * ((64 << 10) - 4)})
    refused("valueBytesMax", 64 << 10, client.update, NAME, {"a": "x" * ((64 << 10) - 3)})
    refused("valueBytesMax", 64 << 10, client.update, NAME, {"b": ["x" * 1000] * 70})
    assert list(client.get(NAME)) == ["a"]


def test_attributes_of_a_twin(client: twind.Client) -> None:
    client.update(NAME, {f"a{i}": 1 for i in range(512)})
    refused("attributesPerTwinMax", 512, client.update, NAME, {"one_more": 1})
    client.update(NAME, {"a0": twind.remove, "one_more": 1})
    assert len(client.get(NAME)) == 512
    refused("attributesPerTwinMax", 512, client.update, "acme/customer/2", {f"a{i}": 1 for i in range(513)})


def test_bytes_of_a_twin(client: twind.Client) -> None:
    for i in range(16):
        client.update(NAME, {f"a{i}": "x" * 65_000})
    refused("twinBytesMax", 1 << 20, client.update, NAME, {"more": "x" * 10_000})
    client.update(NAME, {"more": "x" * 5_000})
    client.update(NAME, {"a0": "small"})
    client.update(NAME, {"more": "x" * 60_000})


def test_lists_of_the_smallest_items(client: twind.Client) -> None:
    """A value of 64 KiB may hold 16,000 numbers; the request is what any serialiser writes."""
    for count in (100, 1_000, 16_000):
        client.update(NAME, {"numbers": [1] * count})
        assert client.get(NAME)["numbers"] == [1] * count


def test_a_commit_of_the_smallest_changes(client: twind.Client) -> None:
    batch = [twind.Update(f"acme/customer/{i}", {f"a{j}": j for j in range(500)}) for i in range(2)]
    assert client.update_many(batch).fact_count == 1000


def test_evidence(client: twind.Client) -> None:
    client.update(NAME, {"a": twind.attribute(1, evidence="x" * 128)})
    refused("evidenceBytesMax", 128, client.update, NAME, {"a": twind.attribute(1, evidence="x" * 129)})
    refused("evidenceBytesMax", 128, client.update, NAME, {"a": twind.attribute(1, evidence="é" * 65)})


def test_the_agent(client: twind.Client) -> None:
    with twind.Client(client.path, agent="x" * 128) as agent:
        agent.update(NAME, {"a": 1})
    with twind.Client(client.path, agent="x" * 129) as agent:
        refused("agentBytesMax", 128, agent.update, NAME, {"a": 2})


def test_an_idempotency_key(client: twind.Client) -> None:
    client.update(NAME, {"a": 1}, idempotency_key="x" * 64)
    for call in (client.update, client.delete):
        refused("idempotencyKeyBytesMax", 64, call, NAME, idempotency_key="x" * 65)
    refused("idempotencyKeyBytesMax", 64, client.update_many, [twind.Update(NAME, {"a": 2})], idempotency_key="x" * 65)


def test_changes_of_a_commit(client: twind.Client) -> None:
    removals = {f"a{i}": twind.remove for i in range(1001)}
    refused("changesMax", 1000, client.update, NAME, removals)
    batch = [twind.Update(f"acme/customer/{i}", {f"a{j}": 1 for j in range(250)}) for i in range(4)]
    client.update_many(batch)
    refused("changesMax", 1000, client.update_many, [*batch, twind.Update("acme/customer/9", {"a": 1})])


def test_twins_of_a_batch(client: twind.Client) -> None:
    refused(
        "batchTwinsMax", 256, client.update_many, [twind.Update(f"acme/customer/{i}", {"a": 1}) for i in range(257)]
    )


def test_twins_of_a_watch(client: twind.Client) -> None:
    with client.watch([f"acme/customer/{i}" for i in range(256)]) as watch:
        assert watch.snapshot() == []
    refused("watchNamesMax", 256, lambda: next(client.watch([f"acme/customer/{i}" for i in range(257)])))


def test_a_request(client: twind.Client) -> None:
    """256 KiB for an update, 1 MiB for a batch."""

    def parts(count: int) -> dict[str, str]:
        return {f"a{i}": "x" * 60_000 for i in range(count)}

    client.update(NAME, parts(4))
    refused("UpdateTwin.requestBytesMax", 256 << 10, client.update, NAME, parts(5))
    client.update_many([twind.Update("acme/customer/2", parts(15))])
    batch = [twind.Update("acme/customer/3", parts(9)), twind.Update("acme/customer/4", parts(9))]
    refused("BatchUpdateTwins.requestBytesMax", 1 << 20, client.update_many, batch)
    limits = client.server_info().limits
    assert limits["UpdateTwin.requestBytesMax"] == 256 << 10 and limits["BatchUpdateTwins.requestBytesMax"] == 1 << 20


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_levels_of_json(client: twind.Client) -> None:
    client.update(NAME, {"a": twind.Json(nested(64))})
    refused("jsonDepthMax", 64, client.update, NAME, {"a": twind.Json(nested(65))})


def test_calls_of_a_connection(raw: RawConnection) -> None:
    request = envelope(TWINS, "WatchTwins", messages.WatchTwinsRequest(prefix="acme/").SerializeToString())
    for stream in range(1, 2 * 129, 2):
        raw.send(frame(stream, REQUEST, REMOTE_CLOSED, request))
    while (answer := raw.receive()) and answer.stream != 257:
        assert answer.kind == DATA
    assert answer and answer.code == RESOURCE_EXHAUSTED and "128 streams" in answer.message
    assert b"twind.v1.LimitDetail" in answer.data and b"streamsPerConnectionMax" in answer.data


def test_a_page(client: twind.Client) -> None:
    refused("listPageMax", 1000, lambda: list(client.list(page_size=1001)))


def test_a_twin_that_a_watch_names_twice(client: twind.Client) -> None:
    with pytest.raises(twind.InvalidArgument, match="acme/customer/1.*appears twice"):
        client.watch([NAME, "acme/customer/2", NAME]).snapshot()


@pytest.mark.parametrize(
    "metadata, codes",
    [
        ({f"k{i}": "v" for i in range(16)}, {OK}),
        ({f"k{i}": "v" for i in range(17)}, {INVALID_ARGUMENT, RESOURCE_EXHAUSTED}),
        ({"k": "v" * 4095}, {OK}),
        ({"k": "v" * 4096}, {INVALID_ARGUMENT, RESOURCE_EXHAUSTED}),
        ({f"k{i:02}": "v" * 253 for i in range(16)}, {OK}),
        ({f"k{i:02}": "v" * 254 for i in range(16)}, {INVALID_ARGUMENT, RESOURCE_EXHAUSTED}),
    ],
)
def test_metadata(raw: RawConnection, metadata: dict[str, str], codes: set[int]) -> None:
    raw.send(frame(1, REQUEST, 0, envelope(TWINS, "ListTwins", metadata=metadata)))
    answer = raw.answer(1)
    assert answer.code in codes
    if answer.code:
        assert "metadata" in answer.message
        assert b"twind.v1.LimitDetail" in answer.data
    raw.send(frame(3, REQUEST, 0, envelope(TWINS, "ListTwins", field(2, 1))))
    assert raw.answer(3).code == OK
