"""Settings: options, TWIND_* variables and the configuration file; their precedence, and messages for invalid ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon import TWIND, Daemon, environment, refused

DEFAULTS = {
    "socket": "./twind.sock",
    "data-dir": "./twind-data",
    "dev": False,
    "durability": "journaled",
    "memory-limit": "1GiB",
    "buffer-limit": "512MiB",
    "exit-on-io-error": False,
    "allow-shared-data-dir": False,
    "checkpoint-interval": "30s",
    "socket-mode": "600",
    "connections-max": 1024,
    "busy-poll": "0",
    "log-level": "info",
}

# As option and variable, and as --print-config shows it.
SETTINGS = {
    "socket": ("x.sock", "x.sock"),
    "data-dir": ("x-data", "x-data"),
    "durability": ("synced", "synced"),
    "memory-limit": ("128MiB", "128MiB"),
    "buffer-limit": ("32MiB", "32MiB"),
    "checkpoint-interval": ("250ms", "250ms"),
    "socket-mode": ("660", "660"),
    "socket-group": ("1", "1"),
    "connections-max": ("77", 77),
    "reactors": ("3", 3),
    "busy-poll": ("50us", "50us"),
    "agents": ("1001=billing,1002=sales", "1001=billing,1002=sales"),
    "log-level": ("debug", "debug"),
}


def printed(directory: Path, *options: str, variables: dict[str, str] = {}) -> dict[str, Any]:
    """The settings in force."""
    ended = subprocess.run(
        [TWIND, *options, "--print-config"], cwd=directory, env=environment(variables), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    settings: dict[str, Any] = json.loads(ended.stdout)
    return settings


def variable(key: str) -> str:
    return "TWIND_" + key.upper().replace("-", "_")


def write_file(directory: Path, settings: object) -> str:
    path = directory / "settings.json"
    path.write_text(json.dumps(settings))
    return str(path)


def test_defaults(directory: Path) -> None:
    settings = printed(directory)
    assert {key: settings[key] for key in DEFAULTS} == DEFAULTS


def test_printing_the_settings_starts_nothing(directory: Path) -> None:
    printed(directory)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_as_option_variable_and_in_the_file(directory: Path, key: str) -> None:
    text, shown = SETTINGS[key]
    assert printed(directory, f"--{key}", text)[key] == shown
    assert printed(directory, variables={variable(key): text})[key] == shown
    assert printed(directory, "--config", write_file(directory, {key: shown}))[key] == shown


@pytest.mark.parametrize("key", ["dev", "exit-on-io-error", "allow-shared-data-dir"])
def test_a_flag_as_option_variable_and_in_the_file(directory: Path, key: str) -> None:
    assert printed(directory, f"--{key}")[key] is True
    assert printed(directory, variables={variable(key): "true"})[key] is True
    assert printed(directory, "--config", write_file(directory, {key: True}))[key] is True


def test_options_before_variables_before_the_file(directory: Path) -> None:
    file = write_file(directory, {"connections-max": 3, "reactors": 3, "checkpoint-interval": "3s"})
    variables = {"TWIND_CONNECTIONS_MAX": "2", "TWIND_REACTORS": "2"}
    settings = printed(directory, "--config", file, "--connections-max", "1", variables=variables)
    assert (settings["connections-max"], settings["reactors"], settings["checkpoint-interval"]) == (1, 2, "3s")


def test_the_file_may_be_named_by_a_variable(directory: Path) -> None:
    file = write_file(directory, {"reactors": 3})
    assert printed(directory, variables={"TWIND_CONFIG": file})["reactors"] == 3


def test_the_socket_is_in_the_runtime_directory_if_there_is_one(directory: Path) -> None:
    variables = {"XDG_RUNTIME_DIR": "/run/user/7"}
    assert printed(directory, variables=variables)["socket"] == "/run/user/7/twind.sock"
    assert printed(directory, variables=variables | {"TWIND_SOCKET": "/a"})["socket"] == "/a"


def test_an_empty_variable_is_not_set(directory: Path) -> None:
    variables = {"XDG_RUNTIME_DIR": "", "TWIND_SOCKET": "", "TWIND_DATA_DIR": ""}
    settings = printed(directory, variables=variables)
    assert (settings["socket"], settings["data-dir"]) == ("./twind.sock", "./twind-data")


def test_what_is_printed_is_a_configuration_file(directory: Path) -> None:
    options = [part for key, (text, _) in SETTINGS.items() for part in (f"--{key}", text)]
    first = printed(directory, *options, "--dev")
    assert printed(directory, "--config", write_file(directory, first)) == first


@pytest.mark.parametrize(
    "text, shown",
    [("250ms", "250ms"), ("1s", "1s"), ("1500ms", "1500ms"), ("60s", "60s"), ("5m", "300s"), ("2h", "7200s")],
)
def test_durations(directory: Path, text: str, shown: str) -> None:
    assert printed(directory, "--checkpoint-interval", text)["checkpoint-interval"] == shown


@pytest.mark.parametrize(
    "text, shown", [("8MiB", "8MiB"), ("16384KiB", "16MiB"), ("1GiB", "1GiB"), ("1024MiB", "1GiB")]
)
def test_a_memory_limit(directory: Path, text: str, shown: str) -> None:
    assert printed(directory, "--memory-limit", text)["memory-limit"] == shown


@pytest.mark.parametrize(
    "key, text",
    [
        *(("durability", text) for text in ("JOURNALED ", "fast", "2")),
        *(("memory-limit", text) for text in ("7MiB", "128", "1.5GiB", "-1GiB", "9" * 30 + "GiB", "8MB ", "0MiB")),
        *(("checkpoint-interval", text) for text in ("5", "s", "0s", "-1s", "1.5s", "5 s", "1d", "٣s", "9" * 30 + "s")),
        *(("socket-mode", text) for text in ("800", "rw", "7777777", "-1")),
        *(("connections-max", text) for text in ("0", "16385", "many", "-1", "9" * 30)),
        *(("reactors", text) for text in ("0", "65", "1.5")),
        *(("busy-poll", text) for text in ("50", "us", "2s", "-1us", "1.5us", "0us", "all")),
        *(("agents", text) for text in ("billing", "x=billing", "1001=", "1001=" + "a" * 129, "1=a=b\n", "1=a,1=b")),
        ("socket-group", "no-such-group"),
        ("log-level", "loud"),
    ],
)
def test_a_bad_value_names_its_setting(directory: Path, key: str, text: str) -> None:
    said = refused(directory, f"--{key}={text}", "--print-config")
    assert key in said and "--help" not in said
    assert key in refused(directory, "--print-config", variables={variable(key): text})
    assert key in refused(directory, "--config", write_file(directory, {key: text}), "--print-config")


@pytest.mark.parametrize(
    ("key", "text", "remedy"),
    [
        ("memory-limit", "1MiB", 'memory-limit is "1MiB": it must be at least 8MiB'),
        ("memory-limit", "much", "write an amount of memory such as 128MiB or 1GiB, at least 8MiB"),
        ("buffer-limit", "1MiB", 'buffer-limit is "1MiB": it must be at least 16MiB'),
        ("checkpoint-interval", "5", "write a duration such as 250ms, 30s or 5m"),
        ("durability", "fast", "use memory, journaled or synced"),
        ("socket-mode", "rw", "write octal permissions such as 600 or 660"),
        ("socket-group", "no-such-group", "there is no such group"),
        ("busy-poll", "2s", "a duration up to 1s such as 50us"),
        ("agents", "billing", "1001=billing,1002=sales"),
        ("log-level", "loud", "trace, debug, info"),
    ],
)
def test_a_bad_value_says_what_to_write(directory: Path, key: str, text: str, remedy: str) -> None:
    assert remedy in refused(directory, f"--{key}={text}", "--print-config")


def test_an_empty_value_is_none(directory: Path) -> None:
    assert printed(directory, variables={variable(key): "" for key in ("socket", "data-dir", "agents")}) == printed(
        directory
    )


@pytest.mark.parametrize(
    "key, value",
    [
        ("reactors", "3"),
        ("dev", "yes"),
        ("exit-on-io-error", "yes"),
        ("memory-limit", 134217728),
        ("socket", 5),
        ("agents", {}),
        ("checkpoint-interval", 30),
        ("socket-mode", 600),
    ],
)
def test_a_value_of_a_wrong_type_in_the_file(directory: Path, key: str, value: object) -> None:
    assert key in refused(directory, "--config", write_file(directory, {key: value}), "--print-config")


def test_an_unknown_variable_is_ignored_with_a_warning(start: Callable[..., Daemon]) -> None:
    daemon = start(variables={"TWIND_CHECKPOINT_INTERVALL": "5s"})
    assert "Warning: ignoring the variable TWIND_CHECKPOINT_INTERVALL" in daemon.logged()


def test_variables_that_kubernetes_sets(start: Callable[..., Daemon]) -> None:
    """For services that are called twind and twind-b."""
    daemon = start(
        variables={
            "TWIND_PORT": "tcp://10.0.0.1:80", "TWIND_PORT_80_TCP_ADDR": "10.0.0.1", "TWIND_SERVICE_HOST": "10.0.0.1",
            "TWIND_SERVICE_PORT": "80", "TWIND_B_SERVICE_HOST": "10.0.0.2", "TWIND_B_PORT": "tcp://10.0.0.2:80",
        }
    )  # fmt: skip
    assert "Warning" not in daemon.logged()


def test_an_unknown_key_in_the_file(directory: Path) -> None:
    error = refused(directory, "--config", write_file(directory, {"sokket": "x"}))
    assert "sokket" in error and "settings.json" in error
    assert all(key in error for key in SETTINGS)


def test_an_unknown_option(directory: Path) -> None:
    assert "--sokket" in refused(directory, "--sokket", "x")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"dev": }', '"dev"'])
def test_a_file_that_is_no_json_object(directory: Path, text: str) -> None:
    (directory / "bad.json").write_text(text)
    error = refused(directory, "--config", "bad.json")
    assert "bad.json" in error


def test_a_file_that_is_not_there(directory: Path) -> None:
    assert "nowhere.json" in refused(directory, "--config", "nowhere.json")


def test_help_and_version() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["--version"]):
        ended = subprocess.run([TWIND, *arguments], env=environment(), capture_output=True, text=True)
        assert ended.returncode == 0 and ended.stdout
