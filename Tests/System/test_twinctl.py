"""twinctl from a shell: every command, its JSON, exit codes, and behaviour on a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon import REPOSITORY, Daemon, environment, until
from twinctl import CONFLICT, INVALID, LIMIT, LOCAL, NAME, NOT_FOUND, OK, TWINCTL, UNAVAILABLE, Twinctl

COMMANDS = [
    "get", "set", "increment", "remove", "delete", "list", "history", "watch", "import", "export", "stats", "health",
    "info", "checkpoint", "backup", "call", "proto",
]  # fmt: skip


@pytest.fixture
def twinctl(daemon: Daemon, directory: Path) -> Twinctl:
    return Twinctl(daemon.socket, directory)


class Watch:
    """A running `twinctl watch`."""

    def __init__(self, twinctl: Twinctl, *arguments: str) -> None:
        self.log = twinctl.directory / "watch.err"
        self.process = subprocess.Popen(
            [TWINCTL, "watch", *arguments], stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True,
            cwd=twinctl.directory, env=environment({"TWIND_SOCKET": str(twinctl.socket), "TZ": "UTC"}),
        )  # fmt: skip
        if "--snapshot" not in arguments:
            until(lambda: "watching from" in self.said(), "the watch begins")

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def said(self) -> str:
        return self.log.read_text()

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.fixture
def watch(twinctl: Twinctl) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []

    def start(*arguments: str) -> Watch:
        started.append(Watch(twinctl, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        assert one.process.stdout
        one.process.stdout.close()


# Help and usage


def test_help_documents_exit_codes_and_commands(twinctl: Twinctl) -> None:
    text = twinctl("--help")
    assert "EXIT CODES" in text and "9  import" in text
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", text, re.M), command


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_examples(twinctl: Twinctl, command: str) -> None:
    assert f"EXAMPLES\n  twinctl {command}" in twinctl(command, "--help")


def test_version(twinctl: Twinctl) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", twinctl("--version"))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["frobnicate"], "frobnicate"),
        (["get"], "name"),
        (["get", "email"], "space/kind/id"),
        (["get", NAME, "--timeout", "soon"], "250ms"),
        (["set", NAME], "attribute=value"),
        (["set", NAME, "email"], "has no '='"),
        (["set", NAME, "x:float=1"], "string, int, double"),
        (["set", NAME, "X=1"], "is not a valid attribute name"),
        (["set", NAME, "x:int=1.5"], "64-bit integer"),
        (["set", NAME, "x:bytes=@/does/not/exist"], "No such file"),
        (["set", NAME, "x=1", "--expect-revision", "1", "--must-not-exist"], "not both"),
        (["set", NAME, "x=1", "--confidence", "2"], "at most 1"),
        (["increment", NAME, "x=a"], "finite number"),
        (["increment", NAME, "x:string=1"], "int or a double"),
        (["list", "--limit", "0"], "at least 1"),
        (["watch", "acme/", "other/"], "one prefix"),
        (["watch", NAME, "acme/"], "one prefix"),
        (["watch", "--snapshot", "--from-sequence", "1"], "not both"),
    ],
)
def test_wrong_usage(twinctl: Twinctl, arguments: list[str], why: str) -> None:
    assert why in twinctl.fails(LOCAL, *arguments)


# Reads and writes


def test_set_and_get(twinctl: Twinctl) -> None:
    written = twinctl.json(
        "set", NAME, "email=ada@example.com", "visits:int=3", "--confidence", "0.9", "--evidence", "ticket:1",
        "--agent", "sales", "--purpose", "support",
    )  # fmt: skip
    assert written == {"name": NAME, "revision": 1, "sequence": 1, "fact_count": 2, "durability": "JOURNALED"}
    twin = twinctl.json("get", NAME)
    assert twin["name"] == NAME and twin["revision"] == 1
    email = twin["attributes"]["email"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", email.pop("recorded_at"))
    email.pop("valid_from")
    assert email == {
        "kind": "string", "value": "ada@example.com", "agent": "sales", "confidence": 0.9, "evidence": "ticket:1",
        "purpose": "support", "sequence": 1,
    }  # fmt: skip
    assert twin["attributes"]["visits"]["value"] == 3


def test_tables(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "email=ada@example.com", "visits:int=3", "--evidence", "ticket:1", "--agent", "sales")
    assert twinctl("get", NAME) == (
        f"{NAME}  revision 1\n"
        "  ATTRIBUTE  KIND    VALUE\n"
        "  email      string  ada@example.com\n"
        "  visits     int     3\n"
    )
    long = twinctl("get", NAME, "email", "--long")
    assert re.fullmatch(
        f"{NAME}  revision 1\n"
        "  ATTRIBUTE  KIND    VALUE\n"
        "  email      string  ada@example.com\n"
        "      agent     sales\n"
        r"      recorded  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00  sequence 1\n"
        "      evidence  ticket:1\n",
        long,
    )


def widths(text: str) -> set[int]:
    return {len(line) for line in text.splitlines()}


def test_tables_fit_80_columns(twinctl: Twinctl) -> None:
    long = "x" * 300
    twinctl("set", NAME, f"note={long}", "n:int=5", "--agent", "a" * 120, "--evidence", "e" * 128, "--confidence", "0.25",
            "--valid-from", "2020-01-01T00:00:00.123456Z", "--valid-to", "2030-01-01T00:00:00.123456Z")  # fmt: skip
    twinctl("set", NAME, f"note={long}y", "a_name_of_some_length.with_parts=z", "--purpose", "support")
    twinctl("increment", NAME, "visits=1000000000000")
    twinctl("increment", NAME, "visits=-5")
    twinctl("set", NAME, f"tags:list={json.dumps([long])}", f"profile:json={json.dumps({'a': long})}")
    for command in (["get", NAME], ["get", NAME, "--long"], ["history", NAME], ["history", NAME, "--long"]):
        text = twinctl(*command)
        assert max(widths(text)) == 80, text


def test_a_twin_that_shows_nothing_says_why(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "plan=pro", "--valid-from", "+30d")
    nothing = f"see twinctl history {NAME}\n"
    assert twinctl("get", NAME) == f"{NAME}  revision 1\n  no attributes at present: {nothing}"
    assert twinctl("get", NAME, "--long").endswith(f"  no attributes at present: {nothing}")
    twinctl("set", NAME, "a=1")
    assert twinctl("get", NAME, "b").endswith(f"  none of these attributes at present: {nothing}")
    assert "pro" in twinctl("get", NAME, "--valid-at", "+31d")
    assert twinctl.json("get", NAME, "b")["attributes"] == {}


def test_a_set_that_changes_a_kind_says_so(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "n:int=5", "a=x", "address.city=Bern")
    ended = twinctl.run("set", NAME, "n=abc", "a=y", "address=z")
    assert ended.returncode == OK and ended.stdout.endswith("3 facts, JOURNALED\n")
    assert ended.stderr == (
        "twinctl: the kind of n changes from int to string: write n:int=… to keep the kind\n"
    )
    ended = twinctl.run("set", NAME, "n:double=1", "--json")
    assert json.loads(ended.stderr)["warning"].startswith("the kind of n changes from string to double")
    # Nothing is said of what was not written.
    ended = twinctl.run("set", NAME, "n:int=1", "--must-not-exist")
    assert ended.returncode == CONFLICT and "kind" not in ended.stderr
    twinctl("set", NAME, "n:double=2", "new=1")
    twinctl("set", "acme/customer/new", "n=1")


def test_what_is_shown_cannot_steer_a_terminal(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "note=\x1b[2Jred\u009b31m\u202eabc\ntwo")
    for text in (twinctl("get", NAME), twinctl("list")):
        assert "\\u001b[2Jred\\u009b31m\\u{202e}abc\\ntwo" in text
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_several_twins_of_one_moment(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1", "b=2")
    twinctl("set", "acme/customer/43", "a=3")
    ended = twinctl.run("get", NAME, "acme/customer/none", "acme/customer/43", "a", "--json")
    first, missing, last = map(json.loads, ended.stdout.splitlines())
    assert ended.returncode == NOT_FOUND
    assert list(first["attributes"]) == ["a"] and last["attributes"]["a"]["value"] == "3"
    assert missing["name"] == "acme/customer/none" and missing["error"]["code"] == "NOT_FOUND"
    ended = twinctl.run("get", NAME, "acme/customer/none")
    assert ended.returncode == NOT_FOUND and "NOT_FOUND" in ended.stderr and NAME in ended.stdout


def test_more_twins_than_one_call_takes(twinctl: Twinctl) -> None:
    rows = "".join(f'{{"id":{i},"n":{i}}}\n' for i in range(300))
    twinctl("import", "-", "--space", "a", "--kind", "k", "--id-column", "id", stdin=rows)
    twins = twinctl.lines("get", *[f"a/k/{i}" for i in range(300)], "--json")
    assert [twin["attributes"]["n"]["value"] for twin in twins] == list(range(300))


def test_increment(twinctl: Twinctl) -> None:
    twinctl("increment", NAME, "visits=2", "spent=1.5", "credits=-3")
    twinctl("increment", NAME, "visits=1", "--idempotency-key", "k")
    twinctl("increment", NAME, "visits=1", "--idempotency-key", "k")
    attributes = twinctl.json("get", NAME)["attributes"]
    assert [(attributes[a]["kind"], attributes[a]["value"]) for a in ("visits", "spent", "credits")] == [
        ("int", 3), ("double", 1.5), ("int", -3),
    ]  # fmt: skip


def test_remove_and_delete(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1", "b=2")
    twinctl("remove", NAME, "a", "nothing")
    assert list(twinctl.json("get", NAME)["attributes"]) == ["b"]
    assert twinctl.json("delete", NAME)["revision"] == 3
    assert "does not exist" in twinctl.fails(NOT_FOUND, "delete", NAME)


def test_a_set_that_changes_nothing(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1")
    assert twinctl("set", NAME, "a=1") == f"{NAME}  revision 1  nothing changed\n"
    assert twinctl.json("set", NAME, "a=1")["fact_count"] == 0


def test_values_from_files_and_standard_input(twinctl: Twinctl, directory: Path) -> None:
    (directory / "photo").write_bytes(bytes(range(256)))
    twinctl("set", NAME, "photo:bytes=@photo", "profile:json=@-", "handle=@ada", stdin='{"a": [1]}\n')
    attributes = twinctl.json("get", NAME)["attributes"]
    assert attributes["photo"]["value"].startswith("AAECAwQF")
    assert attributes["profile"] | {"text": '{"a": [1]}\n'} == attributes["profile"]
    assert attributes["handle"]["value"] == "@ada"


# Exit codes


def test_conflicts(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1")
    assert "revision 1, not 7" in twinctl.fails(CONFLICT, "set", NAME, "a=2", "--expect-revision", "7")
    assert "exists" in twinctl.fails(CONFLICT, "set", NAME, "a=2", "--must-not-exist")
    assert "revision 1" in twinctl.fails(CONFLICT, "delete", NAME, "--expect-revision", "7")
    assert "increment" in twinctl.fails(CONFLICT, "increment", NAME, "a=1")
    twinctl("set", NAME, "a=2", "--expect-revision", "1")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (NOT_FOUND, ["get", "acme/customer/none"]),
        (INVALID, ["get", "Acme/customer/1"]),
        (INVALID, ["set", "acme/customer/1", "a=1", "--agent", "x" * 129]),
        (INVALID, ["watch", "--from-sequence", "999999"]),
        (LIMIT, ["set", "acme/customer/1", "a=" + "x" * 70_000]),
        (NOT_FOUND, ["health", "--service", "nothing"]),
    ],
)
def test_codes_of_the_daemons_errors(twinctl: Twinctl, code: int, arguments: list[str]) -> None:
    ended = twinctl.run(*arguments)
    assert ended.returncode == code and ended.stderr.splitlines()[-1].startswith("twinctl: "), ended


@pytest.mark.parametrize("command", [["get", NAME], ["stats"], ["health"], ["watch"], ["list"], ["import", "-"]])
def test_no_daemon(directory: Path, command: list[str]) -> None:
    said = Twinctl(directory / "none", directory).fails(
        UNAVAILABLE, *command, stdin='{"name":"a/b/c","attributes":{"x":{"kind":"int","value":1}}}\n'
    )
    assert "is the daemon running?" in said


def test_a_daemon_that_does_not_answer(twinctl: Twinctl, daemon: Daemon) -> None:
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        assert "DEADLINE_EXCEEDED" in twinctl.fails(UNAVAILABLE, "get", NAME, "--timeout", "100ms")
    finally:
        os.kill(daemon.pid, signal.SIGCONT)


def test_options_before_the_command(twinctl: Twinctl, directory: Path) -> None:
    socket = str(twinctl.socket)
    elsewhere = Twinctl(directory / "none", directory)
    elsewhere("--socket", socket, "set", NAME, "a=1")
    assert json.loads(elsewhere(f"--socket={socket}", "--json", "get", NAME))["name"] == NAME


# Lists and pipes


def test_list(twinctl: Twinctl) -> None:
    for number in range(3):
        twinctl("set", f"acme/customer/{number}", f"n:int={number}", "note=a b")
    twinctl("set", "other/customer/1", "n:int=9")
    assert twinctl("list", "acme/", "--names") == "".join(f"acme/customer/{n}\n" for n in range(3))
    assert twinctl("list", "acme/customer/1") == 'acme/customer/1  2  n=1  note="a b"\n'
    assert twinctl("list", "--limit", "1", "--attributes", "n") == "acme/customer/0  1  n=0\n"
    assert twinctl.lines("list", "--names", "--json")[3] == {"name": "other/customer/1", "revision": 4}
    assert [twin["attributes"]["n"]["value"] for twin in twinctl.lines("list", "--json")] == [0, 1, 2, 9]
    assert twinctl("list", "none/") == ""
    assert twinctl("list", "acme") == twinctl("list", "acme/customer") == twinctl("list", "acme/")
    assert twinctl("export", "acme") == twinctl("export", "acme/")


def test_a_command_that_is_misspelt(twinctl: Twinctl) -> None:
    assert "there is no command gte: did you mean get?" in twinctl.fails(LOCAL, "gte", NAME)
    assert "there is no command gett: did you mean get?" in twinctl.fails(LOCAL, "help", "gett")
    assert "there is no command xyz (see" in twinctl.fails(LOCAL, "xyz")
    assert "did you mean get?" in twinctl.fails(LOCAL, "--socket", "/no", "help", "gett")
    assert twinctl("--socket", "/no", "--json", "help", "get") == twinctl("help", "get")
    assert "ARGUMENTS" in twinctl("help", "get") and "SUBCOMMANDS" in twinctl("help")


def test_errors_for_programs(twinctl: Twinctl) -> None:
    ended = twinctl.run("get", "acme/customer/none", "--json")
    assert ended.returncode == NOT_FOUND and ended.stdout == ""
    told = json.loads(ended.stderr)
    assert told["code"] == "NOT_FOUND" and "acme/customer/none" in told["error"]
    ended = twinctl.run("list", "--limit", "0", "--json")
    assert ended.returncode == LOCAL and "--limit is 0" in json.loads(ended.stderr)["error"]


def test_list_of_many_pages(twinctl: Twinctl) -> None:
    rows = "".join(f'{{"id":"{i:05}","n":{i}}}\n' for i in range(2_500))
    twinctl("import", "-", "--space", "a", "--kind", "k", "--id-column", "id", stdin=rows)
    assert twinctl("list", "--names").splitlines() == [f"a/k/{i:05}" for i in range(2_500)]
    assert len(twinctl("list", "--names", "--limit", "1001").splitlines()) == 1001


def test_a_reader_that_has_enough(twinctl: Twinctl) -> None:
    rows = "".join(f'{{"id":{i},"note":"{"x" * 500}"}}\n' for i in range(2_000))
    twinctl("import", "-", "--space", "a", "--kind", "k", "--id-column", "id", stdin=rows)
    ended = subprocess.run(
        # Also under a parent that ignores the signal.
        ["bash", "-c", f"trap '' PIPE; '{TWINCTL}' list --json | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, timeout=30, env=environment({"TWIND_SOCKET": str(twinctl.socket)}),
    )  # fmt: skip
    first, status = ended.stdout.splitlines()
    assert json.loads(first)["name"] == "a/k/0" and int(status) == 128 + signal.SIGPIPE and ended.stderr == ""


def test_an_output_that_is_full(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1")
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [TWINCTL, "get", NAME, "--socket", twinctl.socket], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30
        )
    assert ended.returncode == LOCAL and "No space left" in ended.stderr


def on_terminal(twinctl: Twinctl, *arguments: str, **variables: str) -> str:
    """What a person sees: standard output and error are a terminal."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [TWINCTL, *arguments], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, cwd=twinctl.directory,
        env=environment({"TWIND_SOCKET": str(twinctl.socket), "TERM": "xterm", **variables}),
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    try:
        while piece := os.read(controller, 65536):
            seen += piece
    except OSError:
        pass  # the terminal's other end is closed
    os.close(controller)
    assert process.wait(30) == OK, seen
    return seen.decode()


def test_colours_only_where_they_are_wanted(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1")
    kept = {name: os.environ.pop(name) for name in ("NO_COLOR",) if name in os.environ}
    try:
        assert "\x1b[1m" in on_terminal(twinctl, "get", NAME)
        assert "\x1b" not in on_terminal(twinctl, "get", NAME, NO_COLOR="1")
        assert "\x1b" not in on_terminal(twinctl, "get", NAME, TERM="dumb")
        assert "\x1b" not in twinctl("get", NAME)
    finally:
        os.environ.update(kept)


# Watches


def test_watch(twinctl: Twinctl, watch: Callable[..., Watch]) -> None:
    twinctl("set", NAME, "old=1")
    seen = watch("acme/", "--json")
    twinctl("set", NAME, "a=1", "--agent", "sales")
    twinctl("set", "other/customer/1", "a=1")
    twinctl("remove", NAME, "a")
    twinctl("delete", NAME)
    first, second, third = (json.loads(seen.line()) for _ in range(3))
    assert (first["sequence"], first["name"], first["attributes"]["a"]["agent"]) == (2, NAME, "sales")
    assert (second["sequence"], second["removed"]) == (4, ["a"])
    assert (third["sequence"], third["deleted"]) == (5, True)
    assert seen.end() == OK


def test_watch_for_people(twinctl: Twinctl, watch: Callable[..., Watch]) -> None:
    seen = watch(NAME, "--attributes", "a")
    twinctl("set", NAME, "a=x y", "b=2", "--agent", "sales")
    twinctl("delete", NAME)
    assert re.fullmatch(rf'1  {NAME}  created  a="x y"  by sales at \S+\n', seen.line())
    assert seen.line() == f"2  {NAME}  deleted\n"
    assert seen.end(signal.SIGTERM) == OK


def test_watch_with_a_snapshot_or_from_a_sequence(twinctl: Twinctl, watch: Callable[..., Watch]) -> None:
    twinctl("set", NAME, "a=1")
    twinctl("set", NAME, "a=2")
    seen = watch("--prefix", "acme/customer/4", "--snapshot", "--json")
    twin, progress = json.loads(seen.line()), json.loads(seen.line())
    assert twin["snapshot"] and twin["attributes"]["a"]["value"] == "2" and progress == {"sequence": 2}
    assert json.loads(watch("--from-sequence", "1", "--json").line())["revision"] == 2


def test_a_watch_outlives_the_daemon(
    twinctl: Twinctl, watch: Callable[..., Watch], daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    twinctl("set", "acme/customer/before", "a=1")
    seen = watch("acme/", "--json")
    twinctl("set", NAME, "a=1")
    assert json.loads(seen.line())["sequence"] == 2
    daemon.stop()
    until(lambda: "waiting for the daemon" in seen.said(), "the watch notices")
    start()
    assert twinctl("health", "--wait") == "SERVING\n"
    twinctl("set", NAME, "a=2")
    while "a" not in (line := json.loads(seen.line())).get("attributes", {}):
        pass
    assert (line["name"], line["attributes"]["a"]["value"]) == (NAME, "2")
    assert seen.end() == OK


def test_a_watch_whose_daemon_forgot(
    twinctl: Twinctl, watch: Callable[..., Watch], daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    """It comes back with an older copy of its data: the watch shows twins that changed since as they are."""
    twinctl("set", "acme/customer/before", "a=1", "--durability", "synced")
    copy = daemon.directory / "copy"
    shutil.copytree(daemon.data, copy)
    seen = watch("acme/", "--json")
    twinctl("set", NAME, "lost=1")
    assert json.loads(seen.line())["sequence"] == 2
    daemon.kill()
    shutil.rmtree(daemon.data)
    copy.rename(daemon.data)
    start()
    until(lambda: "no longer has the changes after" in seen.said(), "the watch notices")
    twinctl("set", NAME, "a=2")
    lines = []
    while "a" not in (lines[-1].get("attributes", {}) if lines else {}):
        lines.append(json.loads(seen.line()))
    assert "acme/customer/before" not in [line.get("name") for line in lines]
    assert lines[-1]["name"] == NAME and seen.end() == OK


# Operators


def test_stats(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1")
    stats = twinctl.json("stats")
    assert stats["twin_count"] == 1 and stats["sequence"] == 1 and stats["checkpoint_error"] == ""
    assert stats["checkpoint_time"] is None
    assert re.search(r"^  twins +1$", twinctl("stats"), re.M)


def test_stats_again_and_again(twinctl: Twinctl) -> None:
    process = subprocess.Popen(
        [TWINCTL, "stats", "--watch", "20ms", "--json", "--socket", twinctl.socket], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    calls = [json.loads(process.stdout.readline())["call_count"] for _ in range(3)]
    process.kill()
    process.wait()
    process.stdout.close()
    assert calls[0] < calls[1] < calls[2]


def test_info(twinctl: Twinctl, daemon: Daemon) -> None:
    info = twinctl.json("info")
    assert info["socket"] == str(daemon.socket) and info["pid"] == daemon.pid
    assert info["limits"]["valueBytesMax"] == 65536
    text = twinctl("info")
    assert re.search(r"^valueBytesMax +65,536$", text, re.M) and str(daemon.socket) in text


def test_health(twinctl: Twinctl) -> None:
    assert twinctl("health") == "SERVING\n"
    assert twinctl.json("health", "--service", "twind.v1.TwinService") == {"status": "SERVING"}


def test_health_waits_for_a_daemon(directory: Path, start: Callable[..., Daemon]) -> None:
    process = subprocess.Popen(
        [TWINCTL, "health", "--wait", "--socket", directory / "s"], stdout=subprocess.PIPE, text=True
    )
    start()
    assert process.communicate(timeout=20)[0] == "SERVING\n" and process.returncode == OK


def test_health_waits_no_longer_than_it_may(directory: Path) -> None:
    assert "is the daemon running?" in Twinctl(directory / "none", directory).fails(
        UNAVAILABLE, "health", "--wait", "--timeout", "100ms"
    )


def test_checkpoint(twinctl: Twinctl) -> None:
    twinctl("set", NAME, "a=1")
    assert twinctl("checkpoint").startswith("1 twin written up to sequence 1 in ")
    again = twinctl.json("checkpoint")
    assert (again["twin_count"], again["sequence"]) == (0, 1) and again["duration_micros"] >= 0


def test_proto_writes_what_this_checkout_has(twinctl: Twinctl, directory: Path) -> None:
    out = directory / "new" / "proto"
    written = twinctl("proto", "--out", str(out)).split()
    names = [str(Path(path).relative_to(out)) for path in written]
    expected = directory / "expected"
    script = [sys.executable, "plugin/without_options.py", str(expected), *names]
    subprocess.run(script, cwd=REPOSITORY / "proto", check=True)
    protos = {path.relative_to(REPOSITORY / "proto") for path in (REPOSITORY / "proto").rglob("*.proto")}
    assert {Path(name) for name in names} == protos - {Path("twind/v1/options.proto"), Path("twind/store/v1/store.proto")}
    for name in names:
        text = (out / name).read_text()
        assert text == (expected / name).read_text() and "option (" not in text
    twinctl("proto", "--out", str(out))  # again, over what is there


def test_who_speaks_grpc_or_http_is_told(daemon: Daemon) -> None:
    for opening in [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]:
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(daemon.socket))
            stranger.sendall(opening)
            answer = b"".join(iter(lambda: stranger.recv(4096), b""))
            assert b"this socket speaks ttrpc, not gRPC or HTTP" in answer
    # In the log too, and not for each of them.
    until(lambda: "speaks ttrpc" in daemon.logged(), "the log says so")
    assert daemon.logged().count("speaks ttrpc") == 1
