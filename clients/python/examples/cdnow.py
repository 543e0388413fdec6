"""69,659 real purchases become 23,570 customer twins, and two agents meet on one of them.

The CDNOW log is what the customers of a record shop bought from 1997 on. Each purchase is one update of
shop/customer/<id>: it increments `orders`, `discs` and `revenue_cents`, and sets `last_purchase` (and the first one
`first_purchase`). Then the totals are compared with the file, and a morning and an afternoon agent use one twin.

It can be run again, also after it was cut short, and counts nothing twice: a twin with n orders must hold exactly the
sums of the customer's first n purchases in the file. If it does, the import goes on behind them; if it does not, the
five attributes are removed first and the customer is imported anew. What else the twin holds stays.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import twind

WHEEL = "Lifetimes==0.11.3"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
ROWS = 69_659
CUSTOMERS = 23_570

PREFIX = "shop/customer/"
ATTRIBUTES = ("orders", "discs", "revenue_cents", "first_purchase", "last_purchase")


@dataclass(frozen=True)
class Purchase:
    line: int
    customer: str
    date: datetime
    discs: int
    cents: int


@dataclass(frozen=True)
class Totals:
    """What a number of purchases adds up to."""

    orders: int = 0
    discs: int = 0
    revenue_cents: int = 0
    first_purchase: datetime | None = None
    last_purchase: datetime | None = None

    def plus(self, purchase: Purchase) -> Totals:
        return Totals(
            self.orders + 1,
            self.discs + purchase.discs,
            self.revenue_cents + purchase.cents,
            self.first_purchase or purchase.date,
            purchase.date,
        )


def main() -> int:
    arguments = parse_arguments()
    try:
        path = arguments.file or download()
        log = read_log(path)
        if arguments.file is None:
            check_download(log)
        with twind.Client(arguments.socket, agent="cdnow-import", timeout=30) as client:
            if not arguments.verify_only:
                load(client, log, arguments.window)
            right = verify(client, log)
        if right and not arguments.verify_only:
            tell_the_story(arguments.socket, log)
    except (twind.TwindError, OSError, ValueError) as error:
        print(f"cdnow.py: {error}", file=sys.stderr)
        return 1
    return 0 if right else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--socket", help="the daemon's socket (default: as for every client)")
    parser.add_argument("--file", type=Path, help=f"the log, instead of the one in PyPI's {WHEEL}")
    parser.add_argument("--verify-only", action="store_true", help="compare what the daemon holds, write nothing")
    parser.add_argument("--window", type=int, default=64, help="updates under way at once, 1 to 128 (default: 64)")
    return parser.parse_args()


# The log.


def download() -> Path:
    """The log out of the wheel, kept for the next time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twind"
    log = cache / Path(MEMBER).name
    if log.exists():
        return log
    cache.mkdir(parents=True, exist_ok=True)
    print(f"Downloading {WHEEL} …")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), WHEEL]
    if subprocess.run(command, check=False).returncode != 0:
        raise ValueError(f"pip could not download {WHEEL}: get {MEMBER} another way and name it with --file")
    wheel = next(cache.glob("[Ll]ifetimes-0.11.3*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        unfinished = log.with_suffix(".part")
        unfinished.write_bytes(archive.read(MEMBER))
        unfinished.rename(log)
    wheel.unlink()
    return log


def read_log(path: Path) -> dict[str, list[Purchase]]:
    """Purchases by customer, in the file's order."""
    log: dict[str, list[Purchase]] = {}
    with open(path, encoding="ascii") as file:
        for line, text in enumerate(file, start=1):
            fields = text.split()
            if not fields or not fields[0].isdigit():
                continue  # the header
            purchase = parse_purchase(path, line, fields)
            log.setdefault(purchase.customer, []).append(purchase)
    if not log:
        raise ValueError(f"{path} holds no purchases: lines of customer, date, discs and dollars are expected")
    return log


def parse_purchase(path: Path, line: int, fields: list[str]) -> Purchase:
    try:
        customer, date, discs, dollars = fields
        cents = Decimal(dollars) * 100
        day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=timezone.utc)
        if cents != int(cents):
            raise ValueError(f"{dollars} has fractions of a cent")
        return Purchase(line, customer, day, int(discs), int(cents))
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{path}, line {line}: {' '.join(fields)!r} is no purchase: {error}") from error


def check_download(log: dict[str, list[Purchase]]) -> None:
    rows = sum(len(purchases) for purchases in log.values())
    if (rows, len(log)) != (ROWS, CUSTOMERS):
        raise ValueError(f"the log has {rows:,} rows of {len(log):,} customers, not {ROWS:,} of {CUSTOMERS:,}")


# The import.


def load(client: twind.Client, log: dict[str, list[Purchase]], window: int) -> None:
    held = {twin.name: totals_of(twin) for twin in all_twins(client)}
    left: list[Purchase] = []
    first: set[int] = set()
    wrong: list[str] = []
    for customer, purchases in log.items():
        done = count_held(held.get(PREFIX + customer, Totals()), purchases)
        if done is None:
            wrong.append(PREFIX + customer)
        if not done:
            first.add(purchases[0].line)
        left += purchases[done or 0 :]
    rows = sum(len(purchases) for purchases in log.values())
    if len(left) < rows:
        print(f"{rows - len(left):,} purchases are in their twins already.")
    if wrong:
        print(f"Twins that hold the sums of no beginning of the log, and are imported anew: {len(wrong):,}.")
    start = time.monotonic()
    with client.pipeline(window=window) as p:
        for name in wrong:
            p.update(name, dict.fromkeys(ATTRIBUTES, twind.remove))
        for purchase in with_progress(left):
            p.update(PREFIX + purchase.customer, changes(purchase, purchase.line in first))
    seconds = time.monotonic() - start
    if left:
        rate = len(left) / seconds
        print(f"Imported {len(left):,} purchases one by one in {seconds:.1f} s: {rate:,.0f} rows per second.")


def changes(purchase: Purchase, is_first: bool) -> dict[str, twind.ChangeLike]:
    date = twind.attribute(purchase.date, evidence=f"CDNOW_master.txt:{purchase.line}")
    update: dict[str, twind.ChangeLike] = {
        "orders": twind.increment(1),
        "discs": twind.increment(purchase.discs),
        "revenue_cents": twind.increment(purchase.cents),
        "last_purchase": date,
    }
    if is_first:
        update["first_purchase"] = date
    return update


def count_held(held: Totals, purchases: list[Purchase]) -> int | None:
    """How many of the purchases, from the first on, make up what the twin holds; None = it is no such sum."""
    sums = Totals()
    for purchase in purchases[: held.orders]:
        sums = sums.plus(purchase)
    return sums.orders if sums == held else None


def with_progress(purchases: list[Purchase]) -> Iterator[Purchase]:
    """The purchases, with a progress bar if somebody looks at it."""
    shown = sys.stderr.isatty()
    start = time.monotonic()
    for i, purchase in enumerate(purchases):
        if shown and i % 1000 == 999:
            share = i / len(purchases)
            rate = i / (time.monotonic() - start)
            bar = "█" * round(30 * share) + "·" * (30 - round(30 * share))
            left = (len(purchases) - i) / rate
            sys.stderr.write(f"\r{bar} {100 * share:3.0f} %  {rate:,.0f} rows/s  {left:.0f} s left ")
        yield purchase
    if shown:
        sys.stderr.write("\r\033[K")


# The check.


def all_twins(client: twind.Client) -> Iterator[twind.Twin]:
    return client.list(PREFIX, attributes=ATTRIBUTES, page_size=1000)


def totals_of(twin: twind.Twin) -> Totals:
    return Totals(
        number(twin, "orders"), number(twin, "discs"), number(twin, "revenue_cents"),
        moment(twin, "first_purchase"), moment(twin, "last_purchase"),
    )  # fmt: skip


def number(twin: twind.Twin, name: str) -> int:
    value = twin.get(name, 0)
    return value if isinstance(value, int) else -1


def moment(twin: twind.Twin, name: str) -> datetime | None:
    value = twin.get(name)
    return value if isinstance(value, datetime) else None


def verify(client: twind.Client, log: dict[str, list[Purchase]]) -> bool:
    """Compares customer by customer and in total, and prints a table."""
    held = {twin.name: totals_of(twin) for twin in all_twins(client)}
    wanted = {}
    for customer, purchases in log.items():
        sums = Totals()
        for purchase in purchases:
            sums = sums.plus(purchase)
        wanted[PREFIX + customer] = sums
    print(f"{'':12}{'in the file':>16}{'in the twins':>16}")
    for label, file, twins in zip(
        ("customers", "purchases", "discs", "dollars"), grand_total(wanted), grand_total(held)
    ):
        print(f"{label:12}{file:>16,}{twins:>16,}{'' if file == twins else '   differ'}")
    different = sum(held.get(name) != sums for name, sums in wanted.items()) + len(held.keys() - wanted.keys())
    if different:
        print(f"Twins that differ from the file: {different:,}. Run without --verify-only to set them right.")
    else:
        print("Every twin holds exactly what the file says, to the cent.")
    return different == 0


def grand_total(customers: dict[str, Totals]) -> tuple[int, int, int, Decimal]:
    each: Iterable[Totals] = customers.values()
    cents = sum(totals.revenue_cents for totals in each)
    orders, discs = sum(totals.orders for totals in each), sum(totals.discs for totals in each)
    return len(customers), orders, discs, Decimal(cents) / 100


# The story.


def tell_the_story(socket: str | None, log: dict[str, list[Purchase]]) -> None:
    best = max(log, key=lambda customer: sum(purchase.cents for purchase in log[customer]))
    name = PREFIX + best
    with (
        twind.Client(socket, agent="support-agent", purpose="support") as support,
        twind.Client(socket, agent="sales-agent", purpose="sales") as sales,
    ):
        morning = support_in_the_morning(support, name)
        sales_in_the_afternoon(sales, name)
        try:
            support.update(name, {"issue.status": "closed"}, expected_revision=morning.revision)
        except twind.Aborted as error:
            last = error.conflict.last_agent if error.conflict else "another agent"
            print(f"Support writes on what it saw in the morning, and is refused: {last} has written since.")


def support_in_the_morning(support: twind.Client, name: str) -> twind.Commit:
    twin = support.get(name)
    totals = totals_of(twin)
    print(f"\nIn the morning a support agent gets a complaint of {name} and reads the twin:")
    print(f"  {totals.orders} orders, {totals.discs} discs, ${totals.revenue_cents / 100:,.2f}", end="")
    print(f", from {totals.first_purchase:%d %B %Y} to {totals.last_purchase:%d %B %Y}.")
    ticket = "ticket:4711"
    commit = support.update(
        name,
        {
            "mood": twind.attribute("annoyed", confidence=0.8, evidence=ticket),
            "contact.preferred": twind.attribute("email", evidence=ticket),
            "issue.status": twind.attribute("open: a disc came scratched, a new one is on its way", evidence=ticket),
        },
    )
    print("  It learns three things from the talk, and writes them down.")
    return commit


def sales_in_the_afternoon(sales: twind.Client, name: str) -> None:
    twin = sales.get(name, attributes=["mood", "contact", "issue", "orders"])
    print("In the afternoon a sales agent, who was told nothing, reads the same twin:")
    for attribute in map(twin.attribute, ("mood", "contact.preferred", "issue.status")):
        sure = f", {attribute.confidence:.0%} sure" if attribute.confidence else ""
        print(f"  {attribute.name} = {attribute.value!r}")
        print(f"    says {attribute.agent} at {attribute.recorded_at:%H:%M:%S} UTC on {attribute.evidence}{sure}")
    offer = "an apology and a voucher, by email"
    decision: dict[str, twind.ChangeLike] = {
        "offer.next": twind.attribute(offer, evidence="mood, issue.status"),
        "offer.count": twind.increment(1),
    }
    sales.update(name, decision, expected_revision=twin.revision)
    print(f"  So it does not call to sell, and offers {offer}.")


if __name__ == "__main__":
    sys.exit(main())
