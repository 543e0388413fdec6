"""Fills a store with some of everything, for tests that open it with a later version of twind.

    python fill.py SOCKET FILE

Use the Python client of the version that serves the socket. Kill the daemon (do not stop it); its data directory is the
store. FILE has what a reader sees in it, one twin per line. Make the archive with

    tar -c --sparse -C DATA-DIR . | xz -9e > 0.1.tar.xz
"""

import json
import sys
from datetime import datetime, timedelta, timezone

import twind

path, out = sys.argv[1:]
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


crm, bot = twind.Client(path, agent="crm"), twind.Client(path, agent="bot")
for i in range(40):
    crm.update(f"acme/customer/{i}", {"email": f"c{i}@example.com", "orders": i}, purpose="sales")
    bot.update(f"acme/customer/{i}", {"mood": twind.attribute("calm", confidence=0.5, evidence=f"chat:{i}")})
values = {
    "string": "é\u2028", "int": -(2**63), "double": 0.1, "bool": False, "bytes": b"\x00\xff",
    "time": datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=timezone.utc), "list": ["a", 1, True],
    "json": {"a": [1, {"b": None}]}, "empty": "",
}  # fmt: skip
crm.update("acme/values/1", values)
bot.update("acme/customer/1", {"plan": twind.attribute("basic", valid_from=day(0))})
bot.update("acme/customer/1", {"plan": twind.attribute("pro", valid_from=day(10), valid_to=day(20))})
bot.update("acme/customer/1", {"plan": twind.attribute("gold", valid_from=day(20_000))})
bot.update("acme/customer/1", {"mood": twind.remove})
bot.update("acme/customer/1", {"mood": twind.attribute("angry", valid_from=day(-10))})
crm.delete("acme/customer/2")
crm.delete("acme/customer/3")
crm.update("acme/customer/3", {"email": "again@example.com"})
crm.update("acme/customer/4", {"orders": twind.increment(5)}, idempotency_key="order-1")
crm.checkpoint()
# From here on everything is in the journal only.
crm.update("acme/customer/5", {"orders": twind.increment(7)}, idempotency_key="order-2", durability=twind.Durability.SYNCED)
crm.update_many([twind.Update(f"globex/customer/{i}", {"n": i, "note": twind.attribute("x", valid_to=day(30_000))}) for i in range(20)])
crm.delete("globex/customer/7")
bot.update("acme/customer/1", {"tier": twind.attribute("silver", valid_from=day(5))})
bot.update("acme/customer/6", {"email": twind.remove})

with open(out, "w") as file:
    for name in sorted({twin.name for twin in crm.list()} | {"acme/customer/2", "globex/customer/7"}):
        try:
            twin = crm.get(name)
            now = {a: [str(twin.attribute(a).value), twin.attribute(a).agent, twin.attribute(a).sequence] for a in twin}
            revision = twin.revision
        except twind.NotFound:
            now, revision = None, 0
        facts = [
            [
                f.attribute, str(f.value), f.removed, f.deleted, f.sequence, f.agent, str(f.recorded_at),
                str(f.valid_from), str(f.valid_to), f.confidence, f.evidence, f.purpose,
            ]
            for f in crm.facts(name)
        ]  # fmt: skip
        file.write(json.dumps({"name": name, "revision": revision, "now": now, "facts": facts}) + "\n")
