"""Arguments that no request can carry: errors that name them, before anything is sent."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from decimal import Decimal

import pytest

import twind
import twind.aio

NAME = "acme/customer/42"
NO_TEXT = [
    (7, TypeError, "must be a str, not int: 7"),
    (None, TypeError, "must be a str, not NoneType: None"),
    (b"a/b/c", TypeError, "must be a str, not bytes: b'a/b/c'"),
    ("a/b/c\0", ValueError, r"contains a NUL character: 'a/b/c\x00'"),
    ("a/b/\ud800", ValueError, r"contains half of a surrogate pair, which is not valid text: 'a/b/\ud800'"),
]
TEXTS = {
    "name": [
        lambda c, text: c.get(text),
        lambda c, text: c.update(text, {"a": 1}),
        lambda c, text: c.update_many([twind.Update(text, {"a": 1})]),
        lambda c, text: c.delete(text),
    ],
    "an attribute name": [lambda c, text: c.update(NAME, {text: 1})],
    "a name in attributes": [lambda c, text: c.get(NAME, attributes=["a", text])],
}
OPTIONAL_TEXTS = {
    "purpose": [
        lambda c, text: c.get(NAME, purpose=text),
        lambda c, text: c.update(NAME, {}, purpose=text),
        lambda c, text: c.delete(NAME, purpose=text),
    ],
    "idempotency_key": [lambda c, text: c.update_many([], idempotency_key=text)],
    "the evidence of attribute 'a'": [lambda c, text: c.update(NAME, {"a": twind.attribute(1, evidence=text)})],
}
CASES = [(what, call, *wrong) for what, calls in TEXTS.items() for call in calls for wrong in NO_TEXT] + [
    (what, call, *wrong) for what, calls in OPTIONAL_TEXTS.items() for call in calls for wrong in NO_TEXT if wrong[0]
]


@pytest.mark.parametrize(("what", "call", "value", "error", "says"), CASES)
def test_texts_in_every_client_and_pipeline(daemon, what, call, value, error, says):
    async def asynchronous(piped):
        async with twind.aio.Client(daemon.path) as client:
            await call(client.pipeline() if piped else client, value)

    def blocking(piped):
        with twind.Client(daemon.path) as client:
            call(client.pipeline() if piped else client, value)

    for run in (lambda p: asyncio.run(asynchronous(p)), blocking):
        for piped in (False, True):
            with pytest.raises(error) as caught:
                run(piped)
            assert str(caught.value).startswith(f"{what} {says}")
    assert daemon.requests == []


@pytest.mark.parametrize(("value", "error", "says"), NO_TEXT)
def test_texts_of_calls_without_a_pipeline(daemon, value, error, says):
    async def first(items):
        async for item in items:
            return item

    blocking, other = twind.Client(daemon.path), twind.aio.Client(daemon.path)
    calls = [
        lambda: blocking.get_if_newer(value, 1),
        lambda: blocking.get_many([NAME, value]),
        lambda: next(blocking.list(value)),
        lambda: next(blocking.facts(value)),
        lambda: blocking.watch([value]),
        lambda: blocking.health(value),
        lambda: asyncio.run(other.get_if_newer(value, 1)),
        lambda: asyncio.run(other.get_many([NAME, value])),
        lambda: asyncio.run(first(other.list(value))),
        lambda: asyncio.run(first(other.facts(value))),
        lambda: other.watch([value]),
    ]
    for call in calls:
        with pytest.raises(error) as caught:
            call()
        assert says in str(caught.value)
    assert daemon.requests == []


@pytest.mark.parametrize("kind", [twind.Client, twind.aio.Client])
def test_texts_of_a_client(daemon, kind):
    for source in (7, None, b"a/b/c"):
        with pytest.raises(TypeError, match="watch takes a prefix as a str, or a list of names, not"):
            kind(daemon.path).watch(source)
    with pytest.raises(TypeError, match="^agent must be a str, not int: 7"):
        kind(daemon.path, agent=7)
    with pytest.raises(ValueError, match="^agent contains a NUL"):
        kind(daemon.path, agent="a\0")
    with pytest.raises(ValueError, match=r"^the socket path 'a\\x00' contains a NUL"):
        kind("a\0")
    with pytest.raises(ValueError, match=r"^the socket path 'a\\ud800' contains half of a surrogate"):
        kind("a\ud800")


def test_confidence_is_a_number():
    for wrong in ("0.5", b"1", True):
        with pytest.raises(TypeError, match="^confidence must be a number above 0 and at most 1, not "):
            twind.attribute(1, confidence=wrong)


LONG = [1e300, math.inf, 10**400, 2**63, 2.0**63 / 1e9, Decimal("1e30")]


@pytest.mark.parametrize("timeout", LONG)
def test_a_long_timeout_is_none_too_long(daemon, timeout):
    with twind.Client(daemon.path, timeout=timeout, connect_timeout=timeout) as client:
        client.update(NAME, {"a": 1})
        assert client.get(NAME, timeout=timeout) == {"a": 1}
        assert [twin.name for twin in client.list("acme/", timeout=timeout)] == [NAME]
        with client.pipeline() as pipeline:
            assert pipeline.get(NAME, timeout=timeout).result() == {"a": 1}
        with client.watch(NAME, timeout=timeout, reconnect_timeout=timeout) as watch:
            assert next(watch) == {"a": 1}

    async def asynchronous():
        async with twind.aio.Client(daemon.path, timeout=timeout, connect_timeout=timeout) as client:
            assert await client.get(NAME, timeout=timeout) == {"a": 1}
            async with client.pipeline() as pipeline:
                pending = await pipeline.get(NAME, timeout=timeout)
                assert await pending == {"a": 1}
            async with client.watch(NAME, timeout=timeout, reconnect_timeout=timeout) as watch:
                assert await watch.__anext__() == {"a": 1}

    asyncio.run(asynchronous())


@pytest.mark.parametrize(
    ("timeout", "error"),
    [("1", TypeError), (b"1", TypeError), (True, TypeError), (timedelta(1), TypeError), (math.nan, ValueError)],
)
def test_a_timeout_is_a_number_of_seconds(daemon, timeout, error):
    blocking, other = twind.Client(daemon.path), twind.aio.Client(daemon.path)

    async def piped():
        await other.pipeline().get(NAME, timeout=timeout)

    calls = [
        lambda: twind.Client(daemon.path, timeout=timeout),
        lambda: twind.aio.Client(daemon.path, timeout=timeout),
        lambda: blocking.get(NAME, timeout=timeout),
        lambda: blocking.pipeline().get(NAME, timeout=timeout),
        lambda: next(blocking.facts(NAME, timeout=timeout)),
        lambda: blocking.watch(NAME, timeout=timeout),
        lambda: asyncio.run(other.get(NAME, timeout=timeout)),
        lambda: asyncio.run(piped()),
        lambda: other.watch(NAME, timeout=timeout),
    ]
    for call in calls:
        with pytest.raises(error, match="^timeout (must be|is) "):
            call()
    for kind in (twind.Client, twind.aio.Client):
        with pytest.raises(error, match="^connect_timeout (must be|is) "):
            kind(daemon.path, connect_timeout=timeout)
        with pytest.raises(error, match="^reconnect_timeout (must be|is) "):
            kind(daemon.path).watch(NAME, reconnect_timeout=timeout)
    assert daemon.accepted == 0
