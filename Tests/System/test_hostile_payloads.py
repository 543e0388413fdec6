"""Well-formed frames with invalid or expensive protobuf: refused at once on their stream; the connection still
works."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest

from daemon import Daemon
from frames import (
    INVALID_ARGUMENT,
    OK,
    REQUEST,
    RESOURCE_EXHAUSTED,
    TWINS,
    RawConnection,
    envelope,
    field,
    frame,
    get,
    request,
    varint,
)

NAME = "acme/customer/1"
KIB = 1024
MIB = 1024 * KIB


@pytest.fixture
def raw(daemon: Daemon) -> Iterator[RawConnection]:
    """Serves, is not much larger, and is quick to answer, after whatever the test sent."""
    with daemon.client() as client:
        client.update(NAME, {"a": 1})
    with RawConnection(daemon.socket) as connection:
        yield connection
        connection.send(get(0x7FFFFFFF, NAME))
        assert connection.answer(0x7FFFFFFF).code == OK
    assert daemon.resident_bytes < 400 * MIB


def answered(raw: RawConnection, stream: int, method: str, payload: bytes, seconds: float = 1.0) -> int:
    """The status code, which must come soon."""
    raw.send(request(stream, method, payload))
    before = time.monotonic()
    code = raw.answer(stream).code
    assert time.monotonic() - before < seconds
    return code


def nested(number: int, depth: int, core: bytes = b"") -> bytes:
    for _ in range(depth):
        core = field(number, core)
    return core


def repeated(data: bytes, size: int) -> bytes:
    return data * (size // len(data))


REFUSALS = (INVALID_ARGUMENT, RESOURCE_EXHAUSTED)


@pytest.mark.parametrize("number", [1, 2, 15, 500])
@pytest.mark.parametrize("depth", [17, 100, 5000])
def test_deep_nesting(raw: RawConnection, number: int, depth: int) -> None:
    """In known fields and in fields that no message has. Unknown ones are not looked into."""
    code = answered(raw, 1, "UpdateTwin", field(1, NAME) + nested(number, depth))
    assert code in REFUSALS or (code == OK and number in (15, 500))


def test_deep_groups(raw: RawConnection) -> None:
    """Groups are as old as they are recursive."""
    start, end = varint(15 << 3 | 3), varint(15 << 3 | 4)
    for payload in (start * 50_000, start * 50_000 + end * 50_000, end, start + end):
        assert answered(raw, 1 + 2 * len(payload), "GetTwin", field(1, NAME) + payload) in (OK, *REFUSALS)


def test_repeated_singular_messages(raw: RawConnection) -> None:
    """protobuf-c merges them in quadratic time."""
    value = field(2, field(2, 1))
    change = field(2, field(1, "a") + repeated(value, 200 * KIB))
    assert answered(raw, 1, "UpdateTwin", field(1, NAME) + change) == INVALID_ARGUMENT
    assert answered(raw, 3, "UpdateTwin", field(1, NAME) + field(2, field(1, "a") + value * 2)) == INVALID_ARGUMENT
    many = field(1, field(1, NAME) + field(2, field(1, "a") + repeated(value, 900 * KIB)))
    assert answered(raw, 5, "BatchUpdateTwins", many) == INVALID_ARGUMENT


@pytest.mark.parametrize(
    "method, tiny",
    [
        ("UpdateTwin", field(2, b"")),
        ("UpdateTwin", field(2, field(1, "a"))),
        ("UpdateTwin", varint(99 << 3) + b"\0"),
        ("UpdateTwin", field(99, b"")),
        ("GetTwin", field(2, b"")),
        ("GetTwin", field(4, 1)),
        ("GetTwin", field(1, NAME)),
        ("BatchGetTwins", field(1, b"")),
        ("BatchUpdateTwins", field(1, b"")),
        ("BatchUpdateTwins", field(1, field(2, b""))),
        ("ListTwins", field(4, "a")),
        ("ListTwins", field(77, 7)),
    ],
)
def test_floods_of_tiny_fields(daemon: Daemon, raw: RawConnection, method: str, tiny: bytes) -> None:
    before = daemon.resident_bytes
    limit = MIB if method.startswith("Batch") else 256 * KIB
    for stream in (1, 3, 5):
        assert answered(raw, stream, method, repeated(tiny, limit - KIB)) in (OK, *REFUSALS)
    assert daemon.resident_bytes - before < 64 * MIB


def test_a_request_above_its_methods_limit(raw: RawConnection) -> None:
    assert answered(raw, 1, "GetTwin", field(1, NAME) + field(99, b"\0" * (256 * KIB))) == RESOURCE_EXHAUSTED
    assert answered(raw, 3, "GetTwin", field(1, NAME) + field(99, b"\0" * (4 * MIB - 200))) == RESOURCE_EXHAUSTED
    assert answered(raw, 5, "BatchGetTwins", field(1, NAME) + field(99, b"\0" * (1 * MIB))) == RESOURCE_EXHAUSTED
    assert answered(raw, 7, "BatchGetTwins", field(1, NAME) + field(99, b"\0" * (1 * MIB - 200))) == OK


BAD_TEXTS = [
    b"\xff",
    b"\xc3",
    b"\xc0\xaf",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"a\0b",
    b"\0",
    b"\x80",
    b"\xe0\x80\xaf",
]


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_texts_that_are_no_utf8(raw: RawConnection, text: bytes) -> None:
    """Surrogates, overlong forms, cut sequences and NUL, wherever a text may stand."""
    name = b"acme/customer/" + text
    value = field(2, field(2, 1))
    payloads = [
        ("GetTwin", field(1, name)),
        ("GetTwin", field(1, NAME) + field(2, text)),
        ("GetTwin", field(1, NAME) + field(3, text)),
        ("BatchGetTwins", field(1, name)),
        ("ListTwins", field(1, name)),
        ("UpdateTwin", field(1, name) + field(2, field(1, "a") + value)),
        ("UpdateTwin", field(1, NAME) + field(2, field(1, text) + value)),
        ("UpdateTwin", field(1, NAME) + field(2, field(1, "a") + field(2, field(1, text)))),
        ("UpdateTwin", field(1, NAME) + field(2, field(1, "a") + field(2, field(8, b'"' + text + b'"')))),
        ("UpdateTwin", field(1, NAME) + field(2, field(1, "a") + field(2, field(7, field(1, field(1, text)))))),
        ("UpdateTwin", field(1, NAME) + field(2, field(1, "a") + value + field(8, text))),
        ("UpdateTwin", field(1, NAME) + field(2, field(1, "a") + value) + field(5, text)),
    ]
    for index, (method, payload) in enumerate(payloads):
        assert answered(raw, 2 * index + 1, method, payload) == INVALID_ARGUMENT, (method, payload)


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_envelopes_that_are_no_utf8(raw: RawConnection, text: bytes) -> None:
    pair = field(5, field(1, b"twind-agent") + field(2, text))
    bodies = [
        field(1, text) + field(2, "GetTwin"),
        field(1, TWINS) + field(2, text),
        field(1, TWINS) + field(2, "GetTwin") + field(3, field(1, NAME)) + pair,
        field(1, TWINS) + field(2, "GetTwin") + field(3, field(1, NAME)) + field(5, field(1, text)),
    ]
    for index, body in enumerate(bodies):
        raw.send(frame(2 * index + 1, REQUEST, 0, body))
        assert raw.answer(2 * index + 1).code == INVALID_ARGUMENT


def test_bytes_may_hold_anything(daemon: Daemon, raw: RawConnection) -> None:
    value = field(5, b"".join(BAD_TEXTS))
    assert answered(raw, 1, "UpdateTwin", field(1, NAME) + field(2, field(1, "a") + field(2, value))) == OK
    with daemon.client() as client:
        assert client.get(NAME)["a"] == b"".join(BAD_TEXTS)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x0a", id="a tag and no more"),
        pytest.param(b"\x0a\x05abc", id="shorter than its length"),
        pytest.param(b"\x0a\xff\xff\xff\xff\x0f", id="a length of 4 GiB"),
        pytest.param(b"\x0a" + b"\xff" * 9 + b"\x01", id="a length of 2^64"),
        pytest.param(b"\x0a" + b"\xff" * 10 + b"\x01", id="a length of 11 bytes"),
        pytest.param(b"\x80" * 20, id="a tag without an end"),
        pytest.param(b"\x00\x00", id="field 0"),
        pytest.param(b"\x0e\x00", id="wire type 6"),
        pytest.param(b"\x0f\x00", id="wire type 7"),
        pytest.param(b"\x08\x01", id="a number where a text belongs"),
        pytest.param(b"\x0d\x01\x02\x03", id="a cut fixed32"),
        pytest.param(b"\x09\x01\x02\x03", id="a cut fixed64"),
        pytest.param(field(1, NAME) + b"\x22\x01x", id="a text where a number belongs"),
        pytest.param(field(1, NAME) + b"\x20" + b"\x80" * 9 + b"\x02", id="a number of more than 64 bits"),
        pytest.param(field(1, NAME) + b"\xff" * 5 + b"\x7f\x00", id="a field number of more than 29 bits"),
    ],
)
def test_malformed_messages(raw: RawConnection, payload: bytes) -> None:
    """Refused, or read as every protobuf reader would; as a payload and as an envelope."""
    code = answered(raw, 1, "GetTwin", payload)
    assert code in REFUSALS or (code == OK and payload.startswith(field(1, NAME)))
    raw.send(frame(3, REQUEST, 0, payload))
    assert raw.answer(3).code != OK


@pytest.mark.parametrize("cut", range(1, 60, 3))
def test_messages_cut_anywhere(raw: RawConnection, cut: int) -> None:
    payload = (
        field(1, NAME) + field(2, field(1, "a") + field(2, field(1, "text")) + field(8, "evidence")) + field(5, "key")
    )
    code = answered(raw, 1, "UpdateTwin", payload[: len(payload) * cut // 60])
    assert code in (OK, INVALID_ARGUMENT)
    whole = envelope(TWINS, "GetTwin", field(1, NAME), 10**12, {"twind-agent": "someone"})
    raw.send(frame(3, REQUEST, 0, whole[: len(whole) * cut // 60]))
    raw.answer(3)


def test_empty_messages(raw: RawConnection) -> None:
    for index, method in enumerate(
        ("GetTwin", "BatchGetTwins", "UpdateTwin", "BatchUpdateTwins", "DeleteTwin", "ListTwins")
    ):
        assert answered(raw, 2 * index + 1, method, b"") in (OK, INVALID_ARGUMENT)
    raw.send(frame(101, REQUEST))
    assert raw.answer(101).code != OK


def test_unknown_fields_are_passed_over(raw: RawConnection) -> None:
    """As a newer client would send."""
    unknown = (
        field(1000, 5)
        + field(1001, "x")
        + varint(1002 << 3 | 5)
        + b"1234"
        + varint(1003 << 3 | 1)
        + struct.pack("<d", 1.5)
    )
    assert answered(raw, 1, "GetTwin", unknown + field(1, NAME) + unknown) == OK
    raw.send(frame(3, REQUEST, 0, unknown + envelope(TWINS, "GetTwin", field(1, NAME)) + unknown))
    assert raw.answer(3).code == OK


def test_json_that_costs_much(raw: RawConnection) -> None:
    texts = [
        "[" * 30_000,
        '{"a":' * 10_000,
        "1" * 60_000,
        "-" * 60_000,
        '"' + "\\u00" * 10_000,
        "[" + "0," * 30_000 + "0]",
    ]
    for index, text in enumerate(texts):
        change = field(2, field(1, "a") + field(2, field(8, text)))
        assert answered(raw, 2 * index + 1, "UpdateTwin", field(1, NAME) + change) in (OK, INVALID_ARGUMENT)


def test_page_tokens_made_up(raw: RawConnection) -> None:
    for index, token in enumerate(("A" * 100_000, "/" * 300, "acme/customer/" + "x" * 300, "\u2028")):
        assert answered(raw, 2 * index + 1, "ListTwins", field(3, token)) == INVALID_ARGUMENT
