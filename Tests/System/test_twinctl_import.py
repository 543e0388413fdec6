"""twinctl import: real-world files, renamed columns, and importing a file twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import Daemon
from test_twinctl import on_terminal
from twinctl import LOCAL, OK, REJECTED, TWINCTL, Twinctl

TWINS = ["--space", "acme", "--kind", "customer", "--id-column", "id"]


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    return Twinctl(daemon.socket, directory)


def values(twinctl: Twinctl, identifier: str | int) -> dict[str, Any]:
    attributes = twinctl.json("get", f"acme/customer/{identifier}")["attributes"]
    return {name: attribute["value"] for name, attribute in attributes.items()}


def rejects(directory: Path, name: str = "x.csv.rejects") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / name).read_text().splitlines()]


# Files as they are found


def test_one_stray_quote_costs_one_line(twinctl: Twinctl, directory: Path) -> None:
    rows = [f"{number},note {number}" for number in range(200_000)]
    rows[1] = '1,"note 1'
    (directory / "x.csv").write_text("id,note\n" + "\n".join(rows) + "\n")
    ended = twinctl.run("import", "x.csv", *TWINS)
    why = "the quote that opens on line 3 does not close within 128 KiB: continuing at line 4"
    assert ended.returncode == REJECTED and ended.stderr == f"twinctl: line 3: {why}\n"
    assert ended.stdout.startswith("200,000 rows in ") and ", 199,999 facts, 1 row rejected" in ended.stdout
    assert rejects(directory) == [{"line": 3, "reason": why, "row": '1,"note 1'}]
    assert values(twinctl, 199_999) == {"note": "note 199999"} and twinctl.json("stats")["twin_count"] == 199_999


@pytest.mark.parametrize("stray", [[2], [2, 5], [3, 4], [2, 3, 4, 5, 6, 7, 8]])
def test_stray_quotes_among_quoted_fields(twinctl: Twinctl, directory: Path, stray: list[int]) -> None:
    """Whatever a quote is closed by, the rows without a wrong one are there."""
    rows = {line: f'{line},"note {line}"' for line in range(2, 9)}
    rows |= {line: f'{line},"note {line}' for line in stray}
    (directory / "x.csv").write_text("id,note\n" + "\n".join(rows.values()) + "\n")
    twinctl.run("import", "x.csv", *TWINS)
    assert [reject["line"] for reject in rejects(directory)] == stray
    listed = set(twinctl("list", "--names").split())
    assert listed == {f"acme/customer/{line}" for line in rows if line not in stray}


def test_blanks_around_fields(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text('id , name, note\n1 , Ann ,\t" a, ""b""\n c " \n2, "Ben", \n')
    twinctl("import", "x.csv", *TWINS, "--trim")
    assert values(twinctl, 1) == {"name": "Ann", "note": ' a, "b"\n c '} and values(twinctl, 2) == {"name": "Ben"}
    assert 'no column "id" for --id-column: did you mean "id "?' in twinctl.fails(LOCAL, "import", "x.csv", *TWINS)
    assert "--trim" in twinctl.fails(LOCAL, "import", "-", *TWINS, "--trim", "--format", "ndjson")


def test_empty_cells(twinctl: Twinctl, directory: Path) -> None:
    (directory / "full.csv").write_text("id,name,visits\n1,Ann,3\n")
    (directory / "x.csv").write_text("id,name,visits\n1,,\n")
    load = [*TWINS, "--types", "visits:int"]
    twinctl("import", "full.csv", *load)
    assert ", 0 facts\n" in twinctl("import", "x.csv", *load)
    assert values(twinctl, 1) == {"name": "Ann", "visits": 3}
    twinctl("import", "x.csv", *load, "--empty", "string")
    assert values(twinctl, 1) == {"name": "", "visits": 3}
    twinctl("import", "x.csv", *load, "--empty", "remove")
    assert values(twinctl, 1) == {}
    assert "'remove'" in twinctl.fails(LOCAL, "import", "x.csv", *load, "--empty", "null")


def test_columns_under_other_names(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("Client No,First Name,E-Mail,Notes\n7,Ann,ann@example.com,x\n")
    twins = [*TWINS[:4], "--id-column", "Client No"]
    said = twinctl.fails(LOCAL, "import", "x.csv", *twins)
    remedy = ["--map", "First Name=first_name", "--map", "E-Mail=e_mail"]
    assert '--map "First Name=first_name" --map "E-Mail=e_mail"' in said
    twinctl("import", "x.csv", *twins, *remedy, "--map", "Notes=")
    assert values(twinctl, 7) == {"first_name": "Ann", "e_mail": "ann@example.com"}
    row = '{"Client No":8,"First Name":"Ben","Notes":{"a":[1]},"plan":"pro"}\n'
    twinctl("import", "-", *twins, *remedy, "--map", "Notes=", stdin=row)
    assert values(twinctl, 8) == {"first_name": "Ben", "plan": "pro"}
    for wrong, why in [
        (["--map", "Frist Name=x", *remedy], 'no column "Frist Name" for --map: did you mean "First Name"?'),
        (["--map", "First Name=E", "--map", "E-Mail=e"], '"E" is not a valid attribute name'),
        (["--map", "First Name"], "write column=attribute"),
        ([*remedy, "--map", "Notes=first_name"], '"First Name" and "Notes" set the same attribute'),
    ]:
        assert why in twinctl.fails(LOCAL, "import", "x.csv", *twins, *wrong)


def test_times(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,seen,plan,since\n1,01.02.2026 10:30,pro,01.01.2026 00:00\n1,,basic,\n")
    options = [*TWINS, "--types", "seen:timestamp", "--time-format", "%d.%m.%Y %H:%M"]
    twinctl("import", "x.csv", *options, "--valid-from-column", "since")
    facts = [(f["attribute"], f["value"], f["valid_from"]) for f in twinctl.lines("history", "acme/customer/1", "--json")]
    assert facts[:2] == [
        ("plan", "pro", "2026-01-01T00:00:00Z"), ("seen", "2026-02-01T10:30:00Z", "2026-01-01T00:00:00Z"),
    ]  # fmt: skip
    assert facts[2][:2] == ("plan", "basic") and len(facts) == 3
    (directory / "u.csv").write_text("id,seen\n2,1772359200.5\n")
    twinctl("import", "u.csv", *TWINS, "--types", "seen:timestamp", "--time-format", "unix")
    assert values(twinctl, 2) == {"seen": "2026-03-01T10:00:00.500Z"}
    ended = twinctl.run("import", "x.csv", *options[:-2], "--rejects", "r")
    assert ended.returncode == REJECTED and "give the format with --time-format" in ended.stderr
    for wrong, why in [
        (["--time-format", "%H:%M"], "has no year"),
        (["--time-format", "%d.%m.%Q"], "is not a time format"),
        (["--valid-from-column", "form"], 'no column "form" for --valid-from-column'),
        (["--valid-from-column", "since", "--valid-from", "-2h"], "not both"),
    ]:
        assert why in twinctl.fails(LOCAL, "import", "x.csv", *options[:-2], *wrong)


def test_increments(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,spent,orders,plan\n1,2.5,1,pro\n2,1,,basic\n1,0.25,1,\n")
    load = ["x.csv", *TWINS, "--types", "spent:double", "--increment", "spent", "--increment", "orders"]
    twinctl("import", *load)
    assert values(twinctl, 1) == {"spent": 2.75, "orders": 2, "plan": "pro"}
    # The same file does not count twice, unless that is meant.
    assert ", 0 facts, 3 rows already there (see --again)\n" in twinctl("import", *load)
    assert values(twinctl, 1) == {"spent": 2.75, "orders": 2, "plan": "pro"}
    twinctl("import", *load, "--again")
    assert values(twinctl, 1) == {"spent": 5.5, "orders": 4, "plan": "pro"}
    twinctl("import", "-", *TWINS, "--increment", "orders", stdin='{"id":1,"orders":3}\n')
    assert values(twinctl, 1)["orders"] == 7
    for wrong, why in [
        (["--valid-from-column", "plan"], "without --valid-from-column"),
        (["--valid-from", "2026-01-01"], "without --valid-from"),
        (["--increment", "plan", "--types", "plan:string"], "an --increment must be an int or a double"),
        (["--increment", "order"], 'no column "order" for --increment: did you mean "orders"?'),
    ]:
        assert why in twinctl.fails(LOCAL, "import", "x.csv", *TWINS, "--increment", "orders", *wrong)


# What went wrong


def test_examples_of_wrong_rows(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,n\n" + "".join(f"{i},{i if i % 2 else 'many'}\n" for i in range(10)))
    ended = twinctl.run("import", "x.csv", *TWINS, "--types", "n:int")
    assert ended.returncode == REJECTED and "5 rows rejected: see x.csv.rejects" in ended.stdout
    why = 'n: "many" is not an int: write a 64-bit integer, for example 42'
    assert ended.stderr.splitlines() == [f"twinctl: line {line}: {why}" for line in (2, 4, 6)]
    ended = twinctl.run("import", "x.csv", *TWINS, "--types", "n:int", "--json")
    assert json.loads(ended.stdout)["examples"] == [{"line": line, "reason": why} for line in (2, 4, 6)]
    assert ended.stderr == ""


@pytest.mark.parametrize(("maximum", "last"), [(0, 1), (3, 7), (4, 9), (5, 999)])
def test_as_many_rejects_as_are_allowed(twinctl: Twinctl, directory: Path, maximum: int, last: int) -> None:
    """Rows up to the one that is too many are imported."""
    rows = "".join(f"{i},{'x' if i % 2 == 0 and i < 10 else i}\n" for i in range(1, 1000))
    (directory / "x.csv").write_text("id,n\n0,x\n" + rows)
    ended = twinctl.run("import", "x.csv", *TWINS, "--types", "n:int", "--max-rejects", str(maximum))
    assert ended.returncode == REJECTED
    stopped = maximum < 5
    assert len(rejects(directory)) == (maximum + 1 if stopped else 5)
    assert ("than --max-rejects allows" in ended.stderr) == stopped
    listed = {int(name.rpartition("/")[2]) for name in twinctl("list", "--names").split()}
    assert listed == {i for i in range(1, 1000) if (i % 2 or i >= 10) and i <= (2 * maximum if stopped else last)}


def test_max_rejects_of_the_daemon(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,n\n" + "".join(f"a/{i},1\n" for i in range(2_000)))
    ended = twinctl.run("import", "x.csv", *TWINS, "--max-rejects", "3", "--json")
    assert ended.returncode == REJECTED and json.loads(ended.stdout)["stopped"] is True
    assert "not both" in twinctl.fails(LOCAL, "import", "x.csv", *TWINS, "--max-rejects", "3", "--strict")
    assert "at least 0" in twinctl.fails(LOCAL, "import", "x.csv", *TWINS, "--max-rejects=-1")


def test_a_dry_run(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,name,n\n1,Ann,3\n2,Ben,many\n3,Cleo A,5\n4,,\n5,Dan,7\n6,Eve,1\n")
    load = ["x.csv", *TWINS, "--types", "n:int", "--increment", "n", "--dry-run"]
    # No daemon is asked.
    ended = Twinctl(directory / "none", directory).run("import", *load)
    lines = ended.stdout.splitlines()
    assert lines[:3] == [
        "acme/customer/1  name=Ann  n+3", 'acme/customer/3  name="Cleo A"  n+5', "acme/customer/5  name=Dan  n+7",
    ]  # fmt: skip
    assert ended.returncode == REJECTED and "nothing written: 8 changes to make, 1 row rejected" in lines[3]
    assert rejects(directory)[0]["line"] == 3 and twinctl("list") == ""
    told = json.loads(twinctl.run("import", *load, "--json").stdout)
    assert (told["dry_run"], told["rows"], told["changes"], told["rejected"]) == (True, 6, 8, 1)


# The same file twice


def import_of(twinctl: Twinctl, *arguments: str) -> tuple[int, int]:
    told = twinctl.json("import", *arguments)
    return told["facts"], told["unchanged"]


def test_a_file_that_is_imported_again_records_nothing(twinctl: Twinctl, directory: Path) -> None:
    """Rows of one twin with different values among them, and values that are not of the present."""
    rows = "".join(f"{i % 300},{i},{2000 + i % 20}-01-01\n" for i in range(2_000))
    (directory / "x.csv").write_text("id,n,since\n" + rows)
    load = ["x.csv", *TWINS, "--types", "n:int", "--valid-from-column", "since"]
    first = import_of(twinctl, *load)
    assert first == (2_000, 0)
    history = twinctl("history", "acme/customer/7", "--json")
    assert import_of(twinctl, *load) == (0, 2_000)
    assert twinctl("history", "acme/customer/7", "--json") == history
    # Under another name it is the same file; under another agent, or written otherwise, it is not.
    (directory / "x.csv").rename(directory / "y.csv")
    assert import_of(twinctl, "y.csv", *load[1:]) == (0, 2_000)
    assert import_of(twinctl, "y.csv", *load[1:], "--evidence", "file:y")[0] > 0
    with open(directory / "y.csv") as file:
        ended = subprocess.run(
            [TWINCTL, "import", "-", "--format", "csv", *load[1:], "--socket", twinctl.socket, "--json"],
            stdin=file, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert json.loads(ended.stdout)["facts"] == 0, ended


def test_again_after_a_restart_and_a_checkpoint(
    twinctl: Twinctl, daemon: Daemon, start: Callable[..., Daemon], directory: Path
) -> None:
    (directory / "x.csv").write_text("id,n\n" + "".join(f"{i},1\n" for i in range(1_000)))
    load = ["x.csv", *TWINS, "--increment", "n"]
    assert import_of(twinctl, *load) == (1_000, 0)
    daemon.kill()
    daemon = start()
    assert import_of(twinctl, *load) == (0, 1_000)
    daemon.stop()
    start()
    assert import_of(twinctl, *load) == (0, 1_000)
    assert values(twinctl, 7) == {"n": 1}


def test_a_file_that_changed_is_another_one(twinctl: Twinctl, directory: Path) -> None:
    path = directory / "x.csv"
    path.write_text("id,n\n1,1\n2,1\n")
    load = ["x.csv", *TWINS, "--increment", "n"]
    assert import_of(twinctl, *load) == (2, 0)
    path.write_text("id,n\n1,1\n2,1\n3,1\n")
    assert import_of(twinctl, *load) == (3, 0) and values(twinctl, 1) == {"n": 2}


def test_what_comes_through_a_pipe_counts_each_time(twinctl: Twinctl) -> None:
    for expected in (1, 2):
        twinctl("import", "-", *TWINS, "--increment", "n", stdin='{"id":1,"n":1}\n')
        assert values(twinctl, 1) == {"n": expected}


def test_rows_that_the_daemon_refuses_do_not_make_others_count_twice(twinctl: Twinctl, directory: Path) -> None:
    rows = "".join(f"{'a/' if i % 50 == 3 else ''}{i},1\n" for i in range(1_000))
    (directory / "x.csv").write_text("id,n\n" + rows)
    load = ["x.csv", *TWINS, "--increment", "n", "--json"]
    first, second = (json.loads(twinctl.run("import", *load).stdout) for _ in range(2))
    assert (first["facts"], first["unchanged"], first["rejected"]) == (980, 0, 20)
    assert (second["facts"], second["unchanged"], second["rejected"]) == (0, 980, 20)


def test_an_export_of_several_spaces(twinctl: Twinctl, directory: Path) -> None:
    """A write with a key is of one space."""
    for space in ("acme", "beta", "acme", "gamma"):
        twinctl("set", f"{space}/customer/1", "a=1")
        twinctl("set", f"{space}/customer/2", "a=1")
    twinctl("export", "-o", "x.ndjson")
    lines = (directory / "x.ndjson").read_text().splitlines()
    (directory / "x.ndjson").write_text("".join(line.replace('"1"', '"2"') + "\n" for line in lines[::2] + lines[1::2]))
    assert import_of(twinctl, "x.ndjson") == (6, 0)
    assert import_of(twinctl, "x.ndjson") == (0, 6)


def test_keys_that_wait_for_a_checkpoint(start: Callable[..., Daemon], directory: Path) -> None:
    """More keys than the daemon holds in little memory before a checkpoint has written them."""
    daemon = start("--memory-limit", "8MiB", "--checkpoint-interval", "1h")
    twinctl = Twinctl(daemon.socket, directory)
    (directory / "x.csv").write_text("id,n\n" + "".join(f"{i % 1000},1\n" for i in range(20_000)))
    load = ["x.csv", *TWINS, "--increment", "n", "--batch-size", "5"]
    assert import_of(twinctl, *load) == (20_000, 0)
    assert import_of(twinctl, *load) == (0, 20_000)
    assert values(twinctl, 7) == {"n": 20}


# On a terminal


def test_an_import_that_is_done_at_once_shows_no_progress(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,n\n1,1\n")
    seen = on_terminal(twinctl, "import", "x.csv", *TWINS)
    assert seen.startswith("1 row in ") and seen.count("\n") == 1 and "%" not in seen and "left" not in seen


def test_progress_of_a_long_import(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.csv").write_text("id,n\n" + "".join(f"{i % 5_000},{i}\n" for i in range(400_000)))
    seen = on_terminal(twinctl, "import", "x.csv", *TWINS)
    assert re.search(r"\[[#-]{24}\] \d+ %  [\d,]+ rows  [\d,]+/s  \S+ \S+ left", seen) and " 0 µs left" not in seen
    # Nothing of it stays.
    assert seen.rpartition("\x1b[K")[2].startswith("400,000 rows in ")


def test_a_fifo_as_a_file(twinctl: Twinctl, directory: Path) -> None:
    os.mkfifo(directory / "x.csv")
    writer = subprocess.Popen(["sh", "-c", "printf 'id,n\\n1,2\\n' > x.csv"], cwd=directory)
    twinctl("import", "x.csv", *TWINS)
    assert writer.wait(10) == OK and values(twinctl, 1) == {"n": "2"}
    with twind.Client(twinctl.socket) as client:
        assert client.get("acme/customer/1").revision == 1
