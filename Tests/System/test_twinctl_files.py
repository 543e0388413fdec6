"""twinctl import and export: every kind of value, invalid rows, large files, repeated runs."""

from __future__ import annotations

import base64
import json
import random
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twind
from daemon import Daemon, environment
from twinctl import LOCAL, NAME, OK, REJECTED, TWINCTL, UNAVAILABLE, Twinctl

TWINS = ["--space", "acme", "--kind", "customer", "--id-column", "id"]

VALUES: dict[str, tuple[str, str]] = {
    "string": ("string", 'é"\\ \t\n😀 \u2028 \x01'),
    "empty": ("string", ""),
    "int_min": ("int", "-9223372036854775808"),
    "int_max": ("int", "9223372036854775807"),
    "int_odd": ("int", "9007199254740993"),
    "double": ("double", "0.1"),
    "double_whole": ("double", "3"),
    "double_tiny": ("double", "5e-324"),
    "double_zero": ("double", "-0.0"),
    "yes": ("bool", "true"),
    "no": ("bool", "false"),
    "bytes": ("bytes", base64.b64encode(bytes(range(256))).decode()),
    "nothing": ("bytes", ""),
    "time": ("timestamp", "1969-12-31T23:59:59.999999Z"),
    "list": ("list", '["a",1,1.0,true,{"bytes":"AAE="},{"timestamp":"2026-01-01T00:00:00.000001Z"}]'),
    "list_empty": ("list", "[]"),
    "json": ("json", '{"b": [1, 2.50], "a": 1e400}'),
    "json_lines": ("json", ' {\n "a":1}\n'),
}


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    return Twinctl(daemon.socket, directory)


def set_all(twinctl: Twinctl, name: str) -> None:
    twinctl("set", name, *[f"{attribute}:{kind}={text}" for attribute, (kind, text) in VALUES.items()],
            "--confidence", "0.25", "--evidence", "ticket:1")  # fmt: skip


def told(line: str) -> dict[str, Any]:
    """A twin without what an import makes anew: revision, times and agent."""
    twin = json.loads(line)
    for attribute in twin["attributes"].values():
        for made in ("valid_from", "recorded_at", "sequence", "agent"):
            del attribute[made]
    del twin["revision"]
    return twin


def test_export_and_import_of_every_kind(
    twinctl: Twinctl, daemon: Daemon, start: Callable[..., Daemon], directory: Path
) -> None:
    set_all(twinctl, NAME)
    set_all(twinctl, "acme/customer/Jos\u00e9")
    set_all(twinctl, "acme/customer/Jose\u0301")
    exported = twinctl("export")
    other = Twinctl(directory / "s2", directory)
    start(socket=other.socket, data=directory / "data2")
    assert "54 facts" in other("import", "-", stdin=exported)
    assert [told(line) for line in other("export").splitlines()] == [told(line) for line in exported.splitlines()]
    with twind.Client(daemon.socket) as one, twind.Client(other.socket) as two:
        for name in (NAME, "acme/customer/Jos\u00e9", "acme/customer/Jose\u0301"):
            first, second = one.get(name), two.get(name)
            assert {a: (v, type(v)) for a, v in first.items()} == {a: (v, type(v)) for a, v in second.items()}
    assert ", 0 facts, 3 rows already there" in other("import", "-", stdin=exported)


def test_export_to_a_file(twinctl: Twinctl, directory: Path) -> None:
    twinctl("set", NAME, "a=1")
    twinctl("set", "other/customer/1", "a=1")
    assert twinctl("export", "acme/", "--output", "out.ndjson").startswith("exported 1 twin to out.ndjson")
    assert [json.loads(line)["name"] for line in (directory / "out.ndjson").read_text().splitlines()] == [NAME]
    assert not (directory / "out.ndjson.partial").exists()
    assert twinctl.json("export", "-o", "out.ndjson")["twins"] == 2
    assert "no/such/x.partial" in twinctl.fails(LOCAL, "export", "-o", "no/such/x")


def test_valid_times_come_along_when_asked(
    twinctl: Twinctl, start: Callable[..., Daemon], directory: Path
) -> None:
    twinctl("set", NAME, "a=1", "--valid-from", "2020-01-01")
    exported = twinctl("export")
    other = Twinctl(directory / "s2", directory)
    start(socket=other.socket, data=directory / "data2")
    other("import", "-", "--valid-times", stdin=exported)
    assert other.json("get", NAME)["attributes"]["a"]["valid_from"] == "2020-01-01T00:00:00Z"


def test_csv(twinctl: Twinctl, directory: Path) -> None:
    (directory / "people.csv").write_bytes(
        b"\xef\xbb\xbfid,email,visits,note,seen\r\n"
        b'1,a@example.com,3,"hello, ""you""\r\nsecond line",2026-01-01\r\n'
        b"2,,4,,\r\n\r\n"
        b"1,b@example.com,,,\r\n"
    )
    text = twinctl("import", "people.csv", *TWINS, "--types", "visits:int,seen:timestamp", "--evidence", "file:people")
    assert text.startswith("3 rows in ") and text.endswith(", 6 facts\n")
    attributes = twinctl.json("get", "acme/customer/1")["attributes"]
    assert {a: (v["kind"], v["value"]) for a, v in attributes.items()} == {
        "email": ("string", "b@example.com"), "visits": ("int", 3), "note": ("string", 'hello, "you"\r\nsecond line'),
        "seen": ("timestamp", "2026-01-01T00:00:00Z"),
    }  # fmt: skip
    assert attributes["note"]["evidence"] == "file:people"
    assert list(twinctl.json("get", "acme/customer/2")["attributes"]) == ["visits"]
    assert not (directory / "people.csv.rejects").exists()


def test_other_delimiters(twinctl: Twinctl, directory: Path) -> None:
    (directory / "a.tsv").write_text("id\tx\n1\ta,b\n")
    twinctl("import", "a.tsv", *TWINS)
    twinctl("import", "-", *TWINS, "--delimiter", ";", stdin="id;y\n1;c\n")
    log = "  00001 19970101  1   11.77\n  00002 19970112  1   12.00\n"
    twinctl("import", "-", "--delimiter", "space", "--no-header", "--columns", "id,,n,z", *TWINS,
            "--types", "n:int,z:double", stdin=log)  # fmt: skip
    assert twinctl("list") == (
        "acme/customer/00001  3  n=1  z=11.77\nacme/customer/00002  3  n=1  z=12.0\nacme/customer/1      2  x=a,b  y=c\n"
    )


def test_ndjson(twinctl: Twinctl) -> None:
    row = '{"id":7,"s":"x","i":9223372036854775807,"d":2.0,"b":true,"n":null,"l":[1,"a"],"o":{"k": [1]},"t":"2026-01-01"}\n'
    assert twinctl.json("import", "-", *TWINS, "--types", "t:timestamp", stdin=row)["facts"] == 7
    attributes = twinctl.json("get", "acme/customer/7")["attributes"]
    assert {a: v["kind"] for a, v in attributes.items()} == {
        "s": "string", "i": "int", "d": "double", "b": "bool", "l": "list", "o": "json", "t": "timestamp",
    }  # fmt: skip
    assert attributes["i"]["value"] == 9223372036854775807


def test_wrong_rows_are_put_aside(twinctl: Twinctl, directory: Path) -> None:
    rows = [
        b"id,a,n", b"1,x,1", b"2,x,many", b",x,1", b"4,\xff,1", b"5,x", b'6,"x"y,1', b"7/8,x,1", b"9,ok,1",
        b"10," + b"x" * 70_000 + b",1", b"11,ok,2", b'12,"never closed,1', b"13,goes on,1",
    ]  # fmt: skip
    (directory / "bad.csv").write_bytes(b"\n".join(rows) + b"\n")
    ended = twinctl.run("import", "bad.csv", *TWINS, "--types", "n:int")
    assert ended.returncode == REJECTED and "8 rows rejected: see bad.csv.rejects" in ended.stdout
    rejects = {r["line"]: r for r in map(json.loads, (directory / "bad.csv.rejects").read_text().splitlines())}
    assert {line: reject["reason"] for line, reject in rejects.items() if line not in (8, 10)} == {
        3: 'n: "many" is not an int: write a 64-bit integer, for example 42',
        4: "id, the id of the twin, is empty",
        5: "field 2 is not UTF-8",
        6: "the row has 2 fields, but there are 3 columns",
        7: "field 2 has text after its closing quote",
        12: "the quote that opens on line 12 does not close: continuing at line 13",
    }
    assert "contains a slash" in rejects[8]["reason"] and "65536" in rejects[10]["reason"]
    assert rejects[3]["row"] == "2,x,many"
    assert twinctl("list", "--names").split() == [f"acme/customer/{n}" for n in (1, 11, 13, 9)]


def test_a_strict_import_stops_at_the_first_wrong_row(twinctl: Twinctl, directory: Path) -> None:
    rows = "".join(f"{i},x\n" for i in range(600))
    (directory / "bad.csv").write_text("id,a\n" + rows + "too,many,fields\n" + "700,x\n")
    ended = twinctl.run("import", "bad.csv", *TWINS, "--strict")
    assert (ended.returncode, ended.stderr) == (REJECTED, "twinctl: line 602: the row has 3 fields, but there are 2 columns\n")
    ended = twinctl.run("import", "bad.csv", *TWINS, "--strict", "--json")
    assert json.loads(ended.stderr) == {"error": "line 602: the row has 3 fields, but there are 2 columns"}
    assert len(twinctl("list", "--names").splitlines()) == 600
    assert not (directory / "bad.csv.rejects").exists()


def test_strict_where_the_daemon_refuses(twinctl: Twinctl) -> None:
    rows = "".join(f"{i:03},x\n" for i in range(100)) + "a/b,x\n" + "200,x\n"
    ended = twinctl.run("import", "-", "--format", "csv", *TWINS, "--strict", stdin="id,a\n" + rows)
    assert ended.returncode == REJECTED and "line 102: INVALID_ARGUMENT" in ended.stderr
    assert len(twinctl("list", "--names").splitlines()) == 100


@pytest.mark.parametrize(
    ("content", "arguments", "why"),
    [
        (b"", TWINS, "the file is empty"),
        (b"a,b\n1,2\n", TWINS, 'line 1: there is no column "id"'),
        (b"id,a,a\n", TWINS, 'line 1: the column "a" appears twice'),
        (b"\nid,First Name\n", TWINS, 'line 2: "First Name" is not a valid attribute name: use --map "First Name=first_name"'),
        (b"id,a\xff\n", TWINS, "line 1: field 2 is not UTF-8"),
        (b'id,"a\n1,2\n', TWINS, "line 1: the quote that opens on line 1 does not close"),
        ("id,a\n".encode("utf-16"), TWINS, "UTF-16"),
        (b"id,a\n", [*TWINS, "--types", "b:int"], 'there is no column "b" for --types'),
        (b"id,a\n", [*TWINS, "--types", "a:float"], "string, int, double"),
        (b"id,a\n", [*TWINS, "--columns", "id"], "--columns has 1 columns, but the header has 2"),
        (b"id,a\n", TWINS[:4], "--id-column together"),
        (b"id,a\n", [], "CSV needs --space"),
        (b"id,a\n", [*TWINS, "--batch-size", "257"], "use 1 to 256"),
        (b"id,a\n", [*TWINS, "--delimiter", "ab"], "not a delimiter"),
        (b"id,a\n1,2\n", [*TWINS, "--no-header"], "needs --columns"),
    ],
)
def test_files_that_cannot_be_imported(
    twinctl: Twinctl, directory: Path, content: bytes, arguments: list[str], why: str
) -> None:
    (directory / "x.csv").write_bytes(content)
    assert why in twinctl.fails(LOCAL, "import", "x.csv", *arguments)


def test_formats_and_paths(twinctl: Twinctl, directory: Path) -> None:
    (directory / "x.data").write_text("id,a\n1,2\n")
    assert "--format" in twinctl.fails(LOCAL, "import", "x.data", *TWINS)
    assert "No such file" in twinctl.fails(LOCAL, "import", "none.csv", *TWINS)
    assert "directory" in twinctl.fails(LOCAL, "import", ".", "--format", "csv", *TWINS)
    twinctl("import", "x.data", "--format", "csv", *TWINS)
    assert "rejects" in twinctl.fails(LOCAL, "import", "-", "--rejects", "no/such/file", stdin="wrong\n")


def test_the_same_twin_many_times(twinctl: Twinctl) -> None:
    """Later rows win, also where an earlier one stands in a batch that the daemon refuses."""
    chosen = random.Random(7)
    rows, last = [], {}
    for number in range(3_000):
        twin = chosen.randrange(40)
        bad = number % 97 == 0
        rows.append(f'{{"id":"{twin}{"/x" if bad else ""}","n":{number}}}\n')
        if not bad:
            last[str(twin)] = number
    ended = twinctl.run("import", "-", *TWINS, "--batch-size", "16", stdin="".join(rows))
    assert ended.returncode == REJECTED and "31 rows rejected" in ended.stdout
    twins = twinctl.lines("list", "--json")
    assert {t["name"].rpartition("/")[2]: t["attributes"]["n"]["value"] for t in twins} == last


def test_rows_larger_than_a_batch(twinctl: Twinctl) -> None:
    wide = {"id": "wide"} | {f"a{i}": i for i in range(512)}
    long = {"id": "long"} | {f"a{i}": "x" * 60_000 for i in range(16)}
    rows = "".join(json.dumps(row) + "\n" for row in [wide, long, wide | {"id": "wide2"}, long | {"id": "long2"}])
    assert twinctl.json("import", "-", *TWINS, stdin=rows)["facts"] == 2 * (512 + 16)
    assert len(twinctl.json("get", "acme/customer/wide")["attributes"]) == 512
    over = {"id": "over"} | {f"a{i}": i for i in range(513)}
    ended = twinctl.run("import", "-", *TWINS, stdin=json.dumps(over) + "\n")
    assert ended.returncode == REJECTED


def test_a_large_file_takes_little_memory(twinctl: Twinctl, directory: Path) -> None:
    path = directory / "large.csv"
    with path.open("w") as file:
        file.write("id,n,note\n")
        for number in range(200_000):
            file.write(f"{number % 1000},{number},{'x' * 200}\n")
    command = ["import", "large.csv", *TWINS, "--types", "n:int"]
    ended = subprocess.run(
        ["bash", "-c", 'ulimit -d 131072; exec "$@"', "limited", TWINCTL, *command],
        cwd=directory, capture_output=True, text=True, timeout=120, env=environment({"TWIND_SOCKET": str(twinctl.socket)}),
    )  # fmt: skip
    assert ended.returncode == OK, ended
    assert twinctl.json("get", "acme/customer/999")["attributes"]["n"]["value"] == 199_999


def test_an_import_whose_daemon_dies_can_be_finished(
    twinctl: Twinctl, daemon: Daemon, start: Callable[..., Daemon], directory: Path
) -> None:
    path = directory / "many.csv"
    path.write_text("id,n\n" + "".join(f"{i},{i}\n" for i in range(60_000)))
    killer = threading.Timer(0.15, daemon.process.send_signal, [signal.SIGKILL])
    killer.start()
    ended = twinctl.run("import", "many.csv", *TWINS, "--types", "n:int")
    killer.join()
    daemon.wait()
    assert ended.returncode == UNAVAILABLE and "run the import again to finish it" in ended.stderr
    start()
    assert twinctl.json("import", "many.csv", *TWINS, "--types", "n:int")["rejected"] == 0
    assert twinctl.json("stats")["twin_count"] == 60_000
    assert ", 0 facts, 60,000 rows already there (see --again)" in twinctl("import", "many.csv", *TWINS, "--types", "n:int")
