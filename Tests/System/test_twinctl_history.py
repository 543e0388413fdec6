"""twinctl with valid time and known time, and twinctl history."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from daemon import Daemon, environment, until
from twinctl import INVALID, LOCAL, NAME, NOT_FOUND, OK, TWINCTL, UNAVAILABLE, Twinctl


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    return Twinctl(daemon.socket, directory)


def plan(twinctl: Twinctl, *options: str) -> Any:
    return twinctl.json("get", NAME, "plan", *options)["attributes"].get("plan", {}).get("value")


def ago(**span: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(**span)).isoformat()


@pytest.fixture
def corrected(twinctl: Twinctl) -> Twinctl:
    """A plan that was corrected, and is to change; visits that were counted; then all was deleted and made anew."""
    twinctl("set", NAME, "plan=basic", "visits:int=3", "--agent", "sales", "--durability", "synced")
    twinctl("set", NAME, "plan=pro", "--agent", "crm", "--confidence", "0.75", "--evidence", "ticket:1")
    twinctl("increment", NAME, "visits=-2", "--agent", "crm", "--purpose", "support")
    twinctl("set", NAME, "plan=trial", "--valid-from", "2026-01-01", "--valid-to", "2026-02-01T00:00:00Z")
    twinctl("set", NAME, "plan=free", "--valid-from", "2025-12-01")
    twinctl("set", NAME, "plan=gold", "--valid-from", "+30d")
    twinctl("remove", NAME, "visits")
    twinctl("delete", NAME)
    twinctl("set", NAME, "plan=new")
    return twinctl


# Reads as of a time


def test_what_was_true(corrected: Twinctl) -> None:
    assert plan(corrected) == "new"
    assert plan(corrected, "--valid-at", "2026-01-15") == "trial"
    assert plan(corrected, "--valid-at", "2026-02-01") == "free"
    assert plan(corrected, "--valid-at", "2025-11-30T23:59:59Z") is None
    assert plan(corrected, "--valid-at", "now") == "new"


def test_what_was_understood(corrected: Twinctl) -> None:
    recorded = {fact["sequence"]: fact["recorded_at"] for fact in corrected.lines("history", NAME, "--json")}
    assert plan(corrected, "--known-at", recorded[1]) == "basic"
    assert plan(corrected, "--known-at", recorded[3]) == "pro"
    # Before the correction nobody knew of anything in January.
    assert plan(corrected, "--known-at", recorded[3], "--valid-at", "2026-01-15") is None
    assert plan(corrected, "--known-at", recorded[4], "--valid-at", "2026-01-15") == "trial"
    assert plan(corrected, "--known-at", recorded[6], "--valid-at", "+31d") == "gold"
    said = corrected.fails(NOT_FOUND, "get", NAME, "--known-at", recorded[8])
    time = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    assert re.search(rf"did not exist at valid_at {time}, as of known_at {re.escape(recorded[8])}", said), said
    assert "did not exist" in corrected.fails(NOT_FOUND, "get", NAME, "--known-at", "-1h")
    assert "in the future" in corrected.fails(INVALID, "get", NAME, "--known-at", "+1h")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["get", NAME, "--valid-at", "yesterday"], "-2h or +1d12h"),
        (["get", NAME, "--valid-at", "1970-01-01"], "a microsecond later"),
        (["get", NAME, "--known-at", "-2"], "is not a time"),
        (["get", NAME, "--known-at", "-2hh"], "is not a time"),
        (["get", NAME, "--known-at"], "--known-at"),
        (["get", NAME, "acme/customer/43", "--valid-at", "now"], "single twin"),
        (["history", NAME, "--since", "-1h", "--until", "-2h"], "before --until"),
        (["history"], "name"),
        (["set", NAME, "a=1", "--valid-from", "-1h", "--valid-to", "-2h"], "before --valid-to"),
        (["set", NAME, "a=1", "--durability", "eternal"], "durability"),
        (["import", "-", "--durability", "eternal"], "durability"),
    ],
)
def test_wrong_usage(twinctl: Twinctl, arguments: list[str], why: str) -> None:
    assert why in twinctl.fails(LOCAL, *arguments)


# Histories


def test_a_history_for_people(corrected: Twinctl) -> None:
    head, *lines = corrected("history", NAME).splitlines()
    assert head == f"{NAME}  10 facts up to sequence 9"
    commits, changes = told(lines)
    assert [commit[0] for commit in commits] == [str(n) for n in range(1, 10)]
    assert [commit[2] for commit in commits[:3]] == ["sales", "crm", "crm"]
    assert changes == {
        "1": [["plan", "string", "basic"], ["visits", "int", "3"]],
        "2": [["plan", "string", "basic → pro"]],
        "3": [["visits", "int", "3 → 1 (-2)"]],
        "4": [["plan", "string", "trial"], ["as of 2026-01-01T00:00:00+00:00 until 2026-02-01T00:00:00+00:00"]],
        "5": [["plan", "string", "free"], ["as of 2025-12-01T00:00:00+00:00, late"]],
        "6": [["plan", "string", "pro → gold"], changes["6"][1]],
        "7": [["visits", "int", "1 → removed"]],
        "8": [["-", "-", "twin deleted"]],
        "9": [["plan", "string", "new"]],
    }
    assert changes["6"][1][0].startswith("from 20")


def told(lines: list[str]) -> tuple[list[list[str]], dict[str, list[list[str]]]]:
    """The commits of a history, and what is below each."""
    commits: list[list[str]] = []
    changes: dict[str, list[list[str]]] = {}
    for line in lines:
        row = re.split(r" {2,}", line.strip())
        if re.match(r" {2}\S", line):
            commits.append(row)
            changes[row[0]] = []
        else:
            changes[commits[-1][0]].append(row)
    return commits, changes


def test_kinds_that_change(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "n:int=5")
    twinctl.run("set", NAME, "n=abc")
    _, changes = told(twinctl("history", NAME).splitlines()[1:])
    assert changes == {"1": [["n", "int", "5"]], "2": [["n", "int → string", "5 → abc"]]}


def test_what_a_correction_replaces(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "plan=basic", "--valid-from", "2026-01-01")
    twinctl("set", NAME, "plan=pro", "--valid-from", "2026-02-01")
    twinctl("set", NAME, "plan=trial", "--valid-from", "2026-01-10", "--valid-to", "2026-01-20")
    text = twinctl("history", NAME)
    assert "basic → pro" in text and "basic → trial" in text and "late" not in text
    at = twinctl("history", NAME, "plan", "--valid-at", "2026-01-15").splitlines()
    assert at[0] == f"{NAME}  2 facts up to sequence 3"
    _, changes = told(at[1:])
    assert [rows[0][2] for rows in changes.values()] == ["basic", "basic → trial"]


def test_the_long_form(corrected: Twinctl) -> None:
    _, changes = told(corrected("history", NAME, "--long").splitlines()[1:])
    assert changes["2"][1:] == [["confidence", "0.75"], ["evidence", "ticket:1"]]
    assert changes["3"][1:] == [["purpose", "support"]]


def test_attributes_and_times(corrected: Twinctl) -> None:
    facts = corrected.lines("history", NAME, "visits", "--json")
    assert [fact.get("attribute") for fact in facts] == ["visits", "visits", "visits", None]
    recorded = {fact["sequence"]: fact["recorded_at"] for fact in corrected.lines("history", NAME, "--json")}

    def sequences(*options: str) -> list[int]:
        return [fact["sequence"] for fact in corrected.lines("history", NAME, "--json", *options)]

    assert sequences("--since", recorded[7]) == [7, 8, 9]
    assert sequences("--until", recorded[2]) == [1, 1]
    assert sequences("--since", recorded[2], "--until", recorded[4]) == [2, 3]
    assert sequences("--since", "-1h") == [1, 1, *range(2, 10)] and sequences("--until", "-1h") == []
    assert sequences("--valid-at", "2026-01-15") == [4, 5]
    assert corrected("history", NAME, "--until", "-1h") == f"{NAME}  0 facts up to sequence 9\n"
    # What was there before is known all the same.
    assert "basic → pro" in corrected("history", NAME, "--since", recorded[2])


def test_facts_as_json(corrected: Twinctl) -> None:
    facts = corrected.lines("history", NAME, "--json")
    pro = next(fact for fact in facts if fact.get("value") == "pro")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", pro.pop("recorded_at"))
    pro.pop("valid_from")
    assert pro == {
        "sequence": 2, "ordinal": 0, "attribute": "plan", "kind": "string", "value": "pro", "agent": "crm",
        "confidence": 0.75, "evidence": "ticket:1",
    }  # fmt: skip
    trial = next(fact for fact in facts if fact.get("value") == "trial")
    assert (trial["valid_from"], trial["valid_to"]) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert [(fact["value"], fact["increment"]) for fact in facts if "increment" in fact] == [(1, -2)]
    assert [fact["sequence"] for fact in facts if fact.get("removed")] == [7]
    assert [fact["sequence"] for fact in facts if fact.get("deleted")] == [8]
    assert sum("value" in fact for fact in facts) == len(facts) - 2


def test_who_never_was(twinctl: Twinctl) -> None:
    assert "acme/customer/none" in twinctl.fails(NOT_FOUND, "history", "acme/customer/none")
    twinctl.fails(INVALID, "history", "Not/a/name")


def test_a_long_history(twinctl: Twinctl) -> None:
    rows = "".join(f'{{"id":"1","n":{n},"text":"{str(n % 10) * 5_000}"}}\n' for n in range(400))
    twinctl("import", "-", "--space", "a", "--kind", "k", "--id-column", "id", "--batch-size", "1", stdin=rows)
    facts = twinctl.lines("history", "a/k/1", "n", "--json")
    assert [fact["value"] for fact in facts] == list(range(400))
    assert len(twinctl("history", "a/k/1").splitlines()) == 1 + 400 + 800
    first = subprocess.run(
        ["bash", "-c", f"'{TWINCTL}' history a/k/1 --json | head -1"], capture_output=True, text=True, timeout=30,
        env=environment({"TWIND_SOCKET": str(twinctl.socket)}),
    )  # fmt: skip
    assert json.loads(first.stdout)["sequence"] == 1 and first.stderr == ""


def test_what_is_shown_cannot_steer_a_terminal(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=x\x1b[31m\ny")
    twinctl("set", NAME, "a=z")
    shown = twinctl("history", NAME, "--long")
    assert "\x1b" not in shown and len(shown.splitlines()) == 5 and r"x\u001b[31m\ny → z" in shown


def test_the_same_after_checkpoint_crash_and_stop(
    corrected: Twinctl, daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    def seen() -> tuple[str, str, Any]:
        return (
            corrected("history", NAME, "--long").partition("\n")[2],
            corrected("history", NAME, "--json"),
            plan(corrected, "--valid-at", "2026-01-15"),
        )

    before = seen()
    daemon.kill()
    second = start()
    assert seen() == before
    corrected("checkpoint")
    assert seen() == before
    second.stop()
    start()
    assert seen() == before


# Time alone


def test_values_begin_and_end_by_themselves(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "plan=basic")
    twinctl("set", NAME, "plan=offer", "--valid-to", "+2s")
    assert plan(twinctl) == "offer"
    until(lambda: plan(twinctl) == "basic", "the offer ends")
    twinctl("set", NAME, "plan=pro", "--valid-from", "+1s")
    assert plan(twinctl) == "basic"
    until(lambda: plan(twinctl) == "pro", "pro begins")
    assert twinctl.json("get", NAME)["revision"] == 3


# Writes, watches, operators


@pytest.mark.parametrize("level", ["memory", "journaled", "synced"])
def test_each_write_names_its_durability(twinctl: Twinctl, level: str) -> None:
    for command in (
        ["set", NAME, "a=1"], ["increment", NAME, "n=1"], ["remove", NAME, "a"], ["delete", NAME],
    ):  # fmt: skip
        assert twinctl.json(*command, "--durability", level)["durability"] == level.upper(), command
    row = '{"id":"1","a":1}\n'
    imported = twinctl.json(
        "import", "-", "--space", "a", "--kind", "k", "--id-column", "id", "--durability", level, stdin=row
    )
    assert imported["facts"] == 1


def test_a_watch_tells_of_other_times(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "plan=pro")
    twinctl("set", NAME, "plan=trial", "--valid-from", "2026-01-01", "--agent", "crm")
    twinctl("remove", NAME, "plan", "--valid-from", "+1d", "--agent", "crm")
    for json_option, expected in (
        ([], [r'2  \S+  \(plan=trial as of 2026-01-01T00:00:00\+00:00\)  by crm at \S+', r"3  \S+  \(-plan from \S+\)  by crm at .*"]),
        (["--json"], [r'.*"other_facts":\[\{"sequence":2,"attribute":"plan".*"value":"trial".*\}\]\}', r'.*"removed":true.*']),
    ):  # fmt: skip
        process = subprocess.Popen(
            [TWINCTL, "watch", "acme/", "--from-sequence", "1", *json_option], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=environment({"TWIND_SOCKET": str(twinctl.socket), "TZ": "UTC"}),
        )  # fmt: skip
        assert process.stdout
        for line in expected:
            assert re.fullmatch(line + "\n", seen := process.stdout.readline()), seen
        process.kill()
        process.wait()
        process.stdout.close()


def test_statistics_in_groups(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1", "--durability", "synced")
    text = twinctl("stats")
    groups = re.findall(r"^[A-Z]+$", text, re.M)
    assert groups == ["DAEMON", "TWINS", "MEMORY", "JOURNAL", "CHECKPOINT", "RECOVERY"]
    assert re.search(r"^  synced up to +1$", text, re.M)
    assert re.search(r"^  bytes of twins +\d+ B  \[-{24}\] 0 % of ", text, re.M)
    assert re.search(r"^  last +never$", text, re.M) and "running" not in text
    twinctl("checkpoint")
    text = twinctl("stats")
    assert re.search(r"^  facts in the database +1$", text, re.M) and re.search(r"^  up to sequence +1$", text, re.M)
    stats = twinctl.json("stats")
    assert stats["failure"] == "" and stats["journal_segment_count"] >= 1 and stats["synced_sequence"] == 1


def test_health_says_why(start: Callable[..., Daemon], directory: Path) -> None:
    """The journal meets a limit of the process on the size of files, which is an error of its write."""
    daemon = start()
    twinctl = Twinctl(daemon.socket, directory)
    twinctl("set", NAME, "a=1")
    # The journal's file is preallocated: what is written into it beyond the limit fails with EFBIG.
    subprocess.run(["prlimit", f"--pid={daemon.pid}", "--fsize=4096"], check=True)
    big = "x" * 60_000
    assert "UNAVAILABLE" in twinctl.fails(UNAVAILABLE, "set", NAME, f"b={big}")
    ended = until(lambda: (seen := twinctl.run("health")).returncode != OK and seen, "health notices")
    assert ended.returncode == UNAVAILABLE and re.match(r"NOT_SERVING: .*File too large", ended.stdout), ended
    ended = twinctl.run("health", "--json")
    status = json.loads(ended.stdout)
    assert status["status"] == "NOT_SERVING" and "File too large" in status["reason"]
    stats = twinctl("stats").splitlines()
    assert stats[0].startswith("writes are refused: ") and stats[0].endswith(status["reason"])
    assert twinctl.json("stats")["failure"] == status["reason"]
    assert plan(twinctl) is None
    daemon.kill()
