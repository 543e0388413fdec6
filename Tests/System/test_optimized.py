"""Bugs that only an optimized build has. (Swift's unit tests run unoptimized.)"""

import twind


def test_the_same_again_makes_no_fact(client: twind.Client) -> None:
    change = {"mood": twind.attribute("calm", confidence=0.5, evidence="ticket:1")}
    assert [client.update("acme/customer/same", change).fact_count for _ in range(3)] == [1, 0, 0]


def test_doubles_add_up(client: twind.Client) -> None:
    for _ in range(3):
        client.update("acme/customer/sum", {"score": twind.increment(0.5)})
    assert client.get("acme/customer/sum")["score"] == 1.5
