"""The first ten minutes with twind, in Python. Start the daemon (`twind`), then run this: it takes a second.

Usage: python quickstart.py [socket]
"""

import sys
from datetime import datetime, timezone

import twind

NAME = "acme/customer/42"


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else None
    with twind.Client(path, agent="quickstart") as client:
        # A twin is made by its first write. Plain values set, twind.increment adds, twind.remove removes.
        commit = client.update(NAME, {"email": "ann@example.org", "visits": twind.increment(1), "phone": twind.remove})
        print(f"{NAME} is at revision {commit.revision}")

        # Names that are no Python names go in a mapping. A value may say how sure it is, and why.
        mood = twind.attribute("happy", confidence=0.9, evidence="ticket:4711")
        client.update(NAME, {"address.city": "Bern", "mood": mood, "last_seen": datetime.now(timezone.utc)})

        # A twin is a mapping; an attribute also knows where it came from.
        twin = client.get(NAME)
        print({name: twin[name] for name in ("email", "visits", "address.city")})
        mood_now = twin.attribute("mood")
        print(
            f"mood: {mood_now.value}, says {mood_now.agent} on {mood_now.evidence} at {mood_now.recorded_at:%H:%M:%S}"
        )

        # Read, decide, write: refused if somebody wrote in between.
        try:
            client.update(NAME, {"tier": "gold"}, expected_revision=twin.revision - 1)
        except twind.Aborted as error:
            print(f"refused: {error}")

        # Many calls at once.
        with client.pipeline() as p:
            for i in range(1000):
                p.update(f"acme/customer/{i}", {"seen": True})
        print(f"{sum(1 for _ in client.list('acme/customer/', names_only=True))} customers")

        # Watch: first what is there, then what changes, for ever.
        with client.watch([NAME]) as watch:
            watch.snapshot()
            client.update(NAME, {"visits": twind.increment(1)})
            change = next(watch)
            print(f"{change.name} changed: {dict(change)}")


if __name__ == "__main__":
    main()
