"""GetTwin, BatchGetTwins and ListTwins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

import twind
from daemon import Daemon
from frames import HEALTH, INVALID_ARGUMENT, NOT_FOUND, OK, RESOURCE_EXHAUSTED, RawConnection, field, fields, request

NAME = "acme/customer/1"
NFC, NFD = "acme/customer/Jos\u00e9", "acme/customer/Jose\u0301"

BAD_NAMES = [
    "", "acme", "acme/customer", "acme/customer/", "/customer/1", "acme//1", "Acme/customer/1", "acme/Customer/1",
    "1acme/customer/1", "acme/cust_omer/1", "acme/customer/1/2", "acme/customer/a\1b", "acme/customer/a\nb",
    "acme/customer/\x7f", "acme/customer/\u0085", "acme/customer/" + "x" * 201, "acme/customer/" + "é" * 101,
    "a" * 64 + "/customer/1", "acme/" + "k" * 64 + "/1", "-acme/customer/1", "acme/customer/1/",
]  # fmt: skip


def test_a_mask_covers_what_is_below_a_name(client: twind.Client) -> None:
    client.update(
        NAME, {"address": 1, "address.city": 2, "address.city.code": 3, "address_2": 4, "addresses": 5, "b": 6}
    )
    assert list(client.get(NAME, attributes=["address"])) == ["address", "address.city", "address.city.code"]
    assert list(client.get(NAME, attributes=["address.city", "b"])) == ["address.city", "address.city.code", "b"]
    assert list(client.get(NAME, attributes=["nothing"])) == []
    assert len(client.get(NAME)) == 6


@pytest.mark.parametrize("name", ["", "A", "a..b", ".a", "a.", "1a", "a-b", "a" * 128, "a" * 64, "é", "a\1"])
def test_a_mask_with_a_bad_name(client: twind.Client, name: str) -> None:
    client.update(NAME, {"a": 1})
    with pytest.raises(twind.InvalidArgument):
        client.get(NAME, attributes=[name])


def test_attributes_are_in_byte_order(client: twind.Client) -> None:
    names = ["b", "a.b", "a", "a_b", "a1", "ab", "a.b.c"]
    client.update(NAME, {name: 1 for name in names})
    assert list(client.get(NAME)) == sorted(names)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name(client: twind.Client, name: str) -> None:
    for call in (
        client.get,
        client.delete,
        lambda name: client.update(name, {"a": 1}),
        lambda name: next(client.watch([name])),
    ):
        with pytest.raises(twind.InvalidArgument):
            call(name)


def test_the_longest_name(client: twind.Client) -> None:
    name = f"{'s' * 63}/{'k' * 63}/{'i' * 200}"
    client.update(name, {"a": 1})
    assert client.get(name).name == name


def test_both_spellings_of_a_letter_are_two_twins(client: twind.Client) -> None:
    client.update(NFC, {"a": "composed"})
    with pytest.raises(twind.NotFound):
        client.get(NFD)
    client.update(NFD, {"a": "decomposed"})
    assert (client.get(NFC)["a"], client.get(NFD)["a"]) == ("composed", "decomposed")
    assert list(client.get_many([NFC, NFD])) == [NFC, NFD]
    assert [twin.name for twin in client.list()] == sorted([NFC, NFD], key=str.encode)
    client.delete(NFC)
    assert client.get(NFD)["a"] == "decomposed"


def test_if_newer_than_revision(client: twind.Client) -> None:
    first = client.update(NAME, {"a": 1}).revision
    assert client.get_if_newer(NAME, first) is None
    # It was never issued: what it names is not from here.
    assert client.get_if_newer(NAME, first + 1) is not None
    second = client.update(NAME, {"a": 2}).revision
    newer = client.get_if_newer(NAME, first)
    assert newer is not None and newer.revision == second
    with pytest.raises(twind.NotFound):
        client.get_if_newer("acme/customer/nobody", 1)


def test_min_sequence_waits_for_a_write(daemon: Daemon, client: twind.Client) -> None:
    sequence = client.update(NAME, {"a": 1}).sequence

    def write() -> None:
        with daemon.client() as other:
            other.update(NAME, {"a": 2})

    writer = threading.Timer(0.1, write)
    writer.start()
    assert client.get(NAME, min_sequence=sequence + 1)["a"] == 2
    writer.join()


@pytest.mark.parametrize("sequence", [2, 1 << 63, (1 << 64) - 1])
def test_min_sequence_waits_at_most_a_second(client: twind.Client, sequence: int) -> None:
    client.update(NAME, {"a": 1})
    before = time.monotonic()
    with pytest.raises(twind.OutOfRange) as raised:
        client.get(NAME, min_sequence=sequence)
    assert time.monotonic() - before < 1.5
    assert raised.value.resume and raised.value.resume.head_sequence == 1


def test_a_deadline_ends_the_wait(client: twind.Client) -> None:
    client.update(NAME, {"a": 1})
    before = time.monotonic()
    with pytest.raises(twind.DeadlineExceeded):
        client.get(NAME, min_sequence=5, timeout=0.1)
    assert time.monotonic() - before < 0.5


def test_a_batch_keeps_the_order_and_names_what_is_missing(raw: RawConnection, client: twind.Client) -> None:
    for i in range(3):
        client.update(f"acme/customer/{i}", {"a": i})
    names = [f"acme/customer/{i}" for i in (2, 9, 0, 1, 8)]
    raw.send(request(1, "BatchGetTwins", b"".join(field(1, name) for name in names)))
    response = fields(raw.answer(1).payload)
    results = [fields(result) for result in response[1] if isinstance(result, bytes)]
    assert [result[1][0] for result in results] == [name.encode() for name in names]
    codes = [fields(result[3][0])[1][0] if 3 in result else OK for result in results]  # type: ignore[arg-type]
    assert codes == [OK, NOT_FOUND, OK, OK, NOT_FOUND]
    assert response[2] == [3]


def test_a_batch_of_256_and_no_more(raw: RawConnection) -> None:
    names = b"".join(field(1, f"acme/customer/{i}") for i in range(256))
    raw.send(request(1, "BatchGetTwins", names) + request(3, "BatchGetTwins", names + field(1, "acme/customer/256")))
    assert raw.answer(1).code == OK
    assert raw.answer(3).code in (INVALID_ARGUMENT, RESOURCE_EXHAUSTED)


def test_a_batch_names_a_twin_once(raw: RawConnection) -> None:
    raw.send(request(1, "BatchGetTwins", field(1, NAME) + field(1, "acme/customer/2") + field(1, NAME)))
    answer = raw.answer(1)
    assert answer.code == INVALID_ARGUMENT and NAME in answer.message


def test_a_batch_reply_that_is_full_says_what_is_left(raw: RawConnection, client: twind.Client) -> None:
    """3.5 MiB of twins; the rest is RESOURCE_EXHAUSTED one by one, and the client asks again."""
    names = [f"acme/customer/{i}" for i in range(8)]
    for name in names:
        for part in range(4):
            client.update(name, {f"a{part}{i}": "x" * 60_000 for i in range(4)})
    raw.send(request(1, "BatchGetTwins", b"".join(field(1, name) for name in names)))
    answer = raw.answer(1)
    assert len(answer.data) < 4 << 20
    results = [fields(result) for result in fields(answer.payload)[1] if isinstance(result, bytes)]
    codes = [fields(result[3][0])[1][0] if 3 in result else OK for result in results]  # type: ignore[arg-type]
    assert codes == [OK] * codes.count(OK) + [RESOURCE_EXHAUSTED] * codes.count(RESOURCE_EXHAUSTED)
    assert len(codes) == 8 and 3 <= codes.count(OK) < 8
    assert [len(twin) for twin in client.get_many(names).values()] == [16] * 8


@pytest.mark.parametrize(
    "prefix, count",
    [("", 6), ("acme/", 4), ("acme/customer/", 3), ("acme/customer/1", 2), ("zzz/", 0), ("acme/customer/12", 1)],
)
def test_list_by_prefix(client: twind.Client, prefix: str, count: int) -> None:
    for name in (
        "acme/customer/1",
        "acme/customer/12",
        "acme/customer/2",
        "acme/account/1",
        "acme-2/customer/1",
        "b/c/d",
    ):
        client.update(name, {"a": 1})
    names = [twin.name for twin in client.list(prefix)]
    assert len(names) == count and names == sorted(names) and all(name.startswith(prefix) for name in names)


@pytest.mark.parametrize("prefix", ["acme", "acme/cust", "Acme/", "acme//", "acme/customer/1/", "acme/customer/\1"])
def test_a_prefix_that_is_none(client: twind.Client, prefix: str) -> None:
    client.update(NAME, {"a": 1})
    with pytest.raises(twind.InvalidArgument):
        list(client.list(prefix))


def test_list_names_only_and_masked(client: twind.Client) -> None:
    client.update(NAME, {"a": 1, "b": 2})
    assert [dict(twin) for twin in client.list(names_only=True)] == [{}]
    assert [dict(twin) for twin in client.list(attributes=["b"])] == [{"b": 2}]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_pages_across_writes(client: twind.Client, size: int) -> None:
    """Twins that are there all the time come exactly once, whatever is written between the pages."""
    stable = [f"acme/customer/{i:03}" for i in range(0, 60, 2)]
    for name in stable:
        client.update(name, {"a": 1})
    found = []
    for index, twin in enumerate(client.list(page_size=size)):
        found.append(twin.name)
        client.update(f"acme/customer/{index * 2 + 1:03}", {"a": 1})
        client.update(stable[index % 30], {"b": index})
        if index % 3 == 0 and index:
            client.delete(f"acme/customer/{index * 2 - 1:03}")
    assert found == sorted(set(found))
    assert set(stable) <= set(found)


@pytest.mark.parametrize("size, code", [(-1, INVALID_ARGUMENT), (1001, INVALID_ARGUMENT), (1000, OK), (0, OK)])
def test_page_sizes(raw: RawConnection, size: int, code: int) -> None:
    raw.send(request(1, "ListTwins", field(2, size)))
    assert raw.answer(1).code == code


@pytest.mark.parametrize("token", ["x", "acme/customer/1", "\u00e9", "A" * 400])
def test_a_page_token_that_is_none(raw: RawConnection, token: str) -> None:
    raw.send(request(1, "ListTwins", field(1, "zzz/") + field(3, token)))
    answer = raw.answer(1)
    assert answer.code == INVALID_ARGUMENT and "page_token" in answer.message


def test_a_page_token_of_another_prefix(raw: RawConnection, client: twind.Client) -> None:
    for i in range(3):
        client.update(f"acme/customer/{i}", {"a": 1})
    raw.send(request(1, "ListTwins", field(1, "acme/") + field(2, 1)))
    token = fields(raw.answer(1).payload)[2][0]
    assert isinstance(token, bytes)
    raw.send(request(3, "ListTwins", field(1, "other/") + field(3, token)))
    assert raw.answer(3).code == INVALID_ARGUMENT


@pytest.mark.parametrize("purpose", ["support", "a", "a_b-c9", "x" * 63])
def test_purposes(client: twind.Client, purpose: str) -> None:
    client.update(NAME, {"a": 1}, purpose=purpose)
    assert client.get(NAME, purpose=purpose).attribute("a").purpose == purpose


@pytest.mark.parametrize("purpose", ["A", "1a", "_a", "a b", "é", "x" * 64, "a\1", "-"])
def test_a_purpose_out_of_grammar(client: twind.Client, purpose: str) -> None:
    client.update(NAME, {"a": 1})
    calls: list[Callable[[], object]] = [
        lambda: client.get(NAME, purpose=purpose),
        lambda: client.get_many([NAME], purpose=purpose),
        lambda: client.update(NAME, {"a": 2}, purpose=purpose),
        lambda: client.update_many([twind.Update(NAME, {"a": 2})], purpose=purpose),
        lambda: client.delete(NAME, purpose=purpose),
        lambda: list(client.list(purpose=purpose)),
        lambda: next(client.watch(purpose=purpose)),
    ]
    for call in calls:
        with pytest.raises(twind.InvalidArgument):
            call()
    assert client.get(NAME)["a"] == 1


def test_health(client: twind.Client, raw: RawConnection) -> None:
    for service in ("", "twind.v1.TwinService", "twind.v1.AdminService"):
        assert client.health(service) == twind.Health.SERVING
    with pytest.raises(twind.NotFound):
        client.health("twind.v1.Nothing")


def test_health_watch_tells_of_the_end(daemon: Daemon) -> None:
    with RawConnection(daemon.socket) as raw:
        raw.send(request(1, "Watch", b"", 1, HEALTH) + request(3, "Watch", field(1, "nothing"), 1, HEALTH))
        statuses = {
            raw_frame.stream: fields(raw_frame.data)[1] for raw_frame in (raw.receive(), raw.receive()) if raw_frame
        }
        assert statuses == {1: [twind.Health.SERVING], 3: [twind.Health.SERVICE_UNKNOWN]}
        daemon.process.terminate()
        assert fields(raw.answer(1).data)[1] == [twind.Health.NOT_SERVING]
    assert daemon.wait() == 0
