"""Idempotency keys: they are kept for their time whatever other clients do. And what makes two requests the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import twind
from daemon import Daemon

NAME = "acme/customer/1"
# More than fit in memory at this limit: version 0.1 forgot the oldest of all agents.
MEMORY = ("--memory-limit", "64MiB")
KEYS = 33_000


def write_keyed(client: twind.Client, count: int) -> None:
    with client.pipeline() as calls:
        for number in range(count):
            calls.update(f"acme/order/{number % 100}", {"n": number}, idempotency_key=f"order-{number}")


@pytest.mark.seconds(300)
@pytest.mark.parametrize("ending", ["none", "stop", "kill"])
def test_another_agents_keys_push_none_out(start: Callable[..., Daemon], ending: str) -> None:
    daemon = start(*MEMORY)
    with daemon.client(agent="a") as a, daemon.client(agent="b") as b:
        first = a.update(NAME, {"visits": twind.increment(1)}, idempotency_key="k")
        write_keyed(b, KEYS)
        assert a.update(NAME, {"visits": twind.increment(1)}, idempotency_key="k") == first
        a.checkpoint()
        assert a.update(NAME, {"visits": twind.increment(1)}, idempotency_key="k") == first
        assert a.get(NAME)["visits"] == 1
    if ending == "none":
        return
    if ending == "stop":
        daemon.stop()
    else:
        daemon.kill()
    with start(*MEMORY).client(agent="a") as a:
        assert a.update(NAME, {"visits": twind.increment(1)}, idempotency_key="k") == first
        assert a.get(NAME)["visits"] == 1


def test_the_same_in_other_words_is_the_same(client: twind.Client) -> None:
    first = client.update(NAME, {"a": twind.increment(1), "b": 2}, idempotency_key="k")
    turned = client.update(NAME, {"b": 2, "a": twind.increment(1)}, idempotency_key="k")
    assert turned == first
    synced = client.update(
        NAME, {"a": twind.increment(1), "b": 2}, idempotency_key="k", durability=twind.Durability.SYNCED
    )
    assert (synced.sequence, synced.revision, synced.durability) == (
        first.sequence, first.revision, twind.Durability.SYNCED,
    )  # fmt: skip
    assert client.get(NAME)["a"] == 1
    with pytest.raises(twind.InvalidArgument):
        client.update(NAME, {"a": twind.increment(1), "b": 3}, idempotency_key="k")


def test_the_bounds_are_stated(start: Callable[..., Daemon]) -> None:
    with start(*MEMORY).client() as client:
        limits = client.server_info().limits
        assert limits["idempotencyKeysPerAgentMax"] == 1 << 20
        assert limits["idempotencyAgeMicrosMax"] == 24 * 3600 * 10**6
        assert limits["idempotencyUnwrittenBytesMax"] == 2 << 20
        assert limits["idempotencyKeyBytesMax"] == 64
