# SPDX-License-Identifier: MIT
"""Options by flag, environment and file; what is refused, with which words and exit code."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from livelogd_daemon import Daemon, binary, run_livelogd, wait_until
from waiting import wait_for_records

# Every option with its default, as an operator reads them in the documentation.
DEFAULTS: dict[str, Any] = {
    "log_dir": "./logs",
    "log_max_bytes": "10MiB",
    "log_backup_count": 5,
    "log_total_bytes": 0,
    "log_max_age": 0,
    "log_compress": False,
    "log_api_calls": True,
    "log_bodies": "full",
    "log_body_bytes": "4KiB",
    "redact_secrets": True,
    "redact_secrets_except": [],
    "socket": "",
    "socket_mode": "0660",
    "socket_group": "",
    "max_record_bytes": "16MiB",
    "max_ingest_connections": 256,
    "ingest_buffer_bytes": "64MiB",
    "sync": "interval",
    "sync_interval": "1s",
    "unwritten_max_bytes": "64MiB",
    "orphan_after": "10min",
    "listen": ["127.0.0.1:5000"],
    "allowed_hosts": [],
    "cors_allowed_origins": [],
    "allow_unauthenticated": False,
    "auth_token_file": "",
    "auth_unix_sockets": True,
    "session_ttl": "7d",
    "session_idle_timeout": "1d",
    "trusted_proxies": ["loopback", "unix"],
    "max_http_connections": 2048,
    "stall_timeout": "1min",
    "header_limit": "8KiB",
    "header_timeout": "10s",
    "ring_bytes": "32MiB",
    "summaries": True,
    "timezone": "",
    "threads": 1,
    "scan_threads": 2,
}
REDACTED = (
    "authorization, proxy-authorization, cookie, set-cookie, x-api-key, api_key, apikey, password, passwd, secret, "
    "client_secret, token, access_token, refresh_token, id_token, private_key, credentials"
)


def printed(*arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The configuration in force, as --print-config tells it."""
    done = run_livelogd(*arguments, "--print-config", environment=environment)
    assert done.returncode == 0, done.stderr
    return tomllib.loads(done.stdout)


def refused(code: int, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """What is said about a configuration that cannot be started with: with --check-config and by the start itself."""
    checked = run_livelogd("--check-config", *arguments, environment=environment)
    started = run_livelogd(*arguments, environment=environment, timeout=10)
    assert (checked.returncode, started.returncode) == (code, code), (checked, started)
    assert checked.stderr == started.stderr and checked.stdout == ""
    assert checked.stderr.startswith("livelogd: error: ") and checked.stderr.count("\n") == 1, checked.stderr
    return checked.stderr


# --- where a value comes from -------------------------------------------------------------------------------------


def test_defaults() -> None:
    told = printed()
    assert sorted(told.pop("redact_keys")) == sorted(REDACTED.split(", "))
    assert told == DEFAULTS


def test_print_config_round_trips(tmp_path: Path) -> None:
    arguments = [
        "--log-dir",
        'a "b" \\c',
        "--log-max-bytes=12345",
        "--listen=127.0.0.1:0",
        "--listen=unix:/x/y",
        "--stall-timeout=90s",
    ]
    arguments += [
        "--redact-keys=a,b",
        "--allowed-hosts=x.example",
        "--log-api-calls=false",
        "--socket-mode=600",
        "--timezone=Asia/Tokyo",
    ]
    first = run_livelogd(*arguments, "--print-config")
    file = tmp_path / "livelogd.toml"
    file.write_text(first.stdout)
    again = run_livelogd("--config", str(file), "--print-config")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    told = tomllib.loads(first.stdout)
    assert (
        told["log_dir"] == 'a "b" \\c'
        and told["listen"] == ["127.0.0.1:0", "unix:/x/y"]
        and told["redact_keys"] == ["a", "b"]
    )
    assert told["log_api_calls"] is False and told["log_max_bytes"] in (12345, "12345", "12345B")
    # Each option is explained where it stands.
    assert len(re.findall(r"^# .+\n(?:# .+\n)*\w+ = ", first.stdout, re.MULTILINE)) == len(told)


EXAMPLES = {
    "log_max_bytes": ("1MiB", "2MiB", "3MiB"),
    "log_backup_count": ("1", "2", "3"),
    "log_api_calls": ("true", "false", "true"),
    "listen": ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"),
    "redact_keys": ("a", "b", "c"),
    "sync": ("none", "always", "interval"),
    "sync_interval": ("1s", "2s", "3s"),
    "timezone": ("UTC", "Europe/Paris", "Asia/Tokyo"),
    "log_bodies": ("truncated", "off", "full"),
    "redact_secrets_except": ("jwt", "bearer", "url_token"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_flag_beats_a_variable_beats_the_file(tmp_path: Path, name: str) -> None:
    in_file, in_environment, as_flag = EXAMPLES[name]
    file = tmp_path / "livelogd.toml"
    file.write_text(f"{name} = {in_file if in_file in ('true', 'false') or in_file.isdigit() else repr(in_file)}\n")
    flag = f"--{name.replace('_', '-')}={as_flag}"
    environment = {f"LIVELOGD_{name.upper()}": in_environment}
    config = ["--config", str(file)]

    def value(told: dict[str, Any]) -> str:
        one = told[name]
        one = one[0] if isinstance(one, list) else one
        return str(one).lower() if isinstance(one, bool) else str(one)

    assert value(printed(*config)) == in_file
    assert value(printed(*config, environment=environment)) == in_environment
    assert value(printed(*config, flag, environment=environment)) == as_flag
    assert value(printed(flag)) == as_flag


def test_the_file_is_what_the_daemon_runs_with(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text('log_max_bytes = 1000 # bytes\nredact_keys = ["phone"]\nlog_api_calls = false\n')
    with Daemon(config=file) as daemon:
        daemon.send(
            [
                {"timestamp": "t", "phone": "1", "p": "x" * 800},
                {"timestamp": "t", "n": 2, "p": "x" * 800},
                {"type": "request"},
            ]
        )
        wait_for_records(daemon, 2)
        assert len(daemon.segments()) == 2
        assert daemon.recent()[0]["phone"] == "[REDACTED]"
        assert daemon.get("/api/v1/logs/stats").status == 503


def test_lists() -> None:
    for arguments in (
        ["--allowed-hosts=a.example,b.example"],
        ["--allowed-hosts=a.example", "--allowed-hosts=b.example"],
    ):
        assert printed(*arguments)["allowed_hosts"] == ["a.example", "b.example"]
    assert printed(environment={"LIVELOGD_ALLOWED_HOSTS": "a.example, b.example"})["allowed_hosts"] == [
        "a.example",
        "b.example",
    ]


@pytest.mark.parametrize(
    "text, value",
    [
        ("4194304", "4MiB"),
        ("4096KiB", "4MiB"),
        ("4 MiB", "4MiB"),
        ("2GiB", "2GiB"),
        ("3MB", "3MB"),
        ("1000001", "1000001B"),
    ],
)
def test_sizes(text: str, value: str) -> None:
    told = printed(f"--log-max-bytes={text}")["log_max_bytes"]
    assert str(told) in (value, value.removesuffix("B"))


@pytest.mark.parametrize(
    "text, value",
    [("60", "1min"), ("90s", "90s"), ("1500ms", "1500ms"), ("2min", "2min"), ("120m", "2h"), ("1h", "1h")],
)
def test_durations(text: str, value: str) -> None:
    assert printed(f"--stall-timeout={text}")["stall_timeout"] == value


# --- what is refused ----------------------------------------------------------------------------------------------

BAD_VALUES = {
    "log_max_bytes": ["", "x", "10 apples", "-1", "0", "1.5MiB", "99999999999GiB", "MiB"],
    "log_backup_count": ["", "x", "-1", "1.5"],
    "log_api_calls": ["x", "1", "yes"],
    "socket_mode": ["", "999", "rw", "07777"],
    "sync": ["", "sometimes"],
    "sync_interval": ["", "x", "-1s", "5 weeks"],
    "max_ingest_connections": ["0", "x"],
    "max_http_connections": ["0", "x"],
    "threads": ["0", "-1", "x"],
    "max_record_bytes": ["0", "x"],
    "listen": ["", "5000", "localhost:x", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "unix:", "unix:" + "x" * 200],
    "auth_unix_sockets": ["x", "1"],
    "session_ttl": ["", "x", "0s", "7w"],
    "session_idle_timeout": ["0s"],
    "trusted_proxies": ["localhost", "10.0.0.0/33", "*"],
    "timezone": ["Mars/Olympus", "../../etc/passwd"],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in BAD_VALUES.items() for value in values])
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, name: str, value: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(f'# a comment\nlog_dir = "x"\n\n{name} = "{value}"\n')
    told = refused(78, "--config", str(file))
    assert name in told
    # Where the value alone is wrong, the line is known. An address or zone is checked with all others.
    if name not in ("listen", "timezone", "trusted_proxies"):
        assert f"{file}:4" in told
    told = refused(78, environment={f"LIVELOGD_{name.upper()}": value})
    assert name.upper() in told.upper()
    flag = f"--{name.replace('_', '-')}"
    done = run_livelogd(f"{flag}={value}", "--check-config")
    assert done.returncode in (64, 78) and (flag in done.stderr or name in done.stderr), done


def test_the_wrong_kind_of_value(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    for text in (
        'log_dir = ["a", "b"]',
        "log_max_bytes = 1.5",
        "[log_dir]\nx = 1",
        "listen = [[1]]",
        "log_api_calls = 1979-05-27",
    ):
        file.write_text(text + "\n")
        told = refused(78, "--config", str(file))
        assert f"{file}:1" in told and text.strip("[").split()[0].rstrip("]") in told, told


@pytest.mark.parametrize(
    "given, meant",
    [("log_dirr", "log_dir"), ("log_max_byte", "log_max_bytes"), ("ringbytes", "ring_bytes"), ("log-dir", "log_dir")],
)
def test_an_unknown_key(tmp_path: Path, given: str, meant: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(f'\n{given} = "1"\n')
    told = refused(78, "--config", str(file))
    assert f"{file}:2" in told and given in told and f"did you mean {meant}" in told


def test_an_unknown_key_that_is_like_no_other(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("nothing_of_the_kind = 1\n")
    told = refused(78, "--config", str(file))
    assert "nothing_of_the_kind" in told and "did you mean" not in told


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('log_dir = "a"\nlog_max_bytes = = 5\n')
    assert f"{file}:2" in refused(78, "--config", str(file))
    assert str(tmp_path / "none.toml") in refused(78, "--config", str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    "arguments", [["--nothing"], ["stray"], ["--log-dir"], ["--log-max-bytes=1", "--log-max-bytes=2"]]
)
def test_a_command_line_that_cannot_be_understood(arguments: list[str]) -> None:
    assert "--help" in refused(64, *arguments)


def test_a_ring_that_is_too_small() -> None:
    told = refused(78, "--ring-bytes=1MiB", "--max-record-bytes=1MiB")
    assert "ring_bytes" in told and "max_record_bytes" in told


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:5000", "10.0.0.1:80"])
def test_other_machines_are_let_in_only_on_a_clear_word(address: str) -> None:
    told = refused(78, f"--listen={address}")
    assert "listen" in told and "allow_unauthenticated" in told
    done = run_livelogd(f"--listen={address}", "--allow-unauthenticated", "--check-config")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "127.9.9.9:1", "unix:/x/y.sock", "localhost:0"])
def test_this_machine_needs_none(address: str) -> None:
    done = run_livelogd(f"--listen={address}", "--check-config")
    assert done.returncode == 0, done.stderr


def test_a_group_that_does_not_exist() -> None:
    assert "socket_group" in refused(78, "--socket-group=no-such-group-here")


# --- what else it says --------------------------------------------------------------------------------------------


def test_version() -> None:
    done = run_livelogd("--version")
    assert done.returncode == 0 and re.match(r"livelogd \d+\.\d+\.\d+\b", done.stdout) and done.stderr == ""


def test_help_names_every_option() -> None:
    done = run_livelogd("--help")
    assert done.returncode == 0 and done.stderr == ""
    for name in [*DEFAULTS, "redact_keys", "config", "check_config", "print_config", "version", "help"]:
        assert re.search(rf"(?<![\w-])--{name.replace('_', '-')}(?![\w-])", done.stdout), name


def test_checking_touches_nothing(tmp_path: Path) -> None:
    for action in ("--check-config", "--print-config", "--version", "--help"):
        done = run_livelogd(action, "--log-dir", str(tmp_path / "logs"), "--socket", str(tmp_path / "s"), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert list(tmp_path.iterdir()) == []


def test_variables_of_others_are_ignored() -> None:
    # LIVELOGD_SOCKET is one of ours; the clients read it too.
    assert printed(environment={"LIVELOGD_SOCKET": "/x/y"})["socket"] == "/x/y"
    assert printed(environment={"LOG_DIR": "/x", "SOCKET": "/x"}) == printed()


def test_the_default_place_of_the_socket() -> None:
    """For whom /run/livelogd cannot be made it is below $XDG_RUNTIME_DIR; without that it has to be named."""
    with tempfile.TemporaryDirectory(prefix="livelogd-", dir="/tmp") as name:
        folder = Path(name)
        # Root could make /run/livelogd, and this is not the place to do that: somebody else runs it then.
        user: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        program = shutil.copy(binary(), folder / "livelogd")
        runtime = folder / "run"
        runtime.mkdir()
        if user:
            for one in (folder, runtime):
                os.chown(one, 65534, 65534)
        command = [program, "--listen=127.0.0.1:0", f"--log-dir={folder}/logs"]
        path = {"PATH": "/usr/bin:/bin"}
        daemon = subprocess.Popen(command, env={**path, "XDG_RUNTIME_DIR": str(runtime)}, **user)
        try:
            wait_until((runtime / "livelogd/ingest.sock").is_socket, 20)
            assert stat.S_IMODE((runtime / "livelogd").stat().st_mode) == 0o700
        finally:
            daemon.terminate()
            assert daemon.wait(20) == 0
        done = subprocess.run(command, env=path, capture_output=True, text=True, timeout=20, check=False, **user)
        assert done.returncode == 78 and "socket" in done.stderr, done
