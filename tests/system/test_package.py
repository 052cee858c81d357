# SPDX-License-Identifier: MIT
"""Install, upgrade, remove and purge on a bare Debian 12: what is there afterwards, and what is not."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from pathlib import Path

import pytest
from machine import (
    CONFIG,
    HTTP,
    INGEST,
    LOGS,
    SERVICE,
    SOCKETS,
    TOKEN,
    get,
    lower_version,
    main_pid,
    package,
    property_of,
    run,
    send,
    stored,
    wait_for_record,
)

APT = ("apt-get", "--yes", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0")


def installed_version() -> str:
    return run("dpkg-query", "--show", "--showformat=${Version} ${db:Status-Status}", "livelogd", check=False).stdout


def owner_and_mode(path: str | Path) -> tuple[str, str, int]:
    there = os.stat(path)
    return pwd.getpwuid(there.st_uid).pw_name, grp.getgrgid(there.st_gid).gr_name, stat.S_IMODE(there.st_mode)


def is_up() -> bool:
    return property_of(SERVICE, "ActiveState") == "active" and get("/readyz")[0] == 200


# The tests of this file are one story, told in this order.


def test_an_older_version_is_installed(tmp_path: Path) -> None:
    assert not CONFIG.exists() and not LOGS.exists()
    run(*APT, "install", str(lower_version(package("livelogd"), tmp_path)))
    assert "~before installed" in installed_version()
    assert is_up()
    for unit in (SERVICE, *SOCKETS):
        assert property_of(unit, "UnitFileState") == "enabled"
    # The package's own opinion of its files.
    assert run("dpkg", "--verify", "livelogd").stdout == ""


def test_the_user_and_the_files_are_as_documented() -> None:
    user = pwd.getpwnam("livelogd")
    assert user.pw_uid < 1000 and user.pw_shell == "/usr/sbin/nologin"
    assert grp.getgrnam("livelogd-send").gr_gid < 1000
    assert owner_and_mode(LOGS) == ("livelogd", "livelogd", 0o750)
    assert owner_and_mode(next(LOGS.glob("live-*.jsonl"))) == ("livelogd", "livelogd", 0o640)
    assert owner_and_mode(CONFIG) == ("root", "root", 0o644)
    assert owner_and_mode(TOKEN) == ("root", "livelogd", 0o640)
    assert len(TOKEN.read_text()) == 65
    assert owner_and_mode("/run/livelogd") == ("root", "root", 0o755)
    assert owner_and_mode(INGEST) == ("root", "livelogd-send", 0o660)
    assert owner_and_mode(HTTP) == ("root", "livelogd", 0o660)


def test_every_file_is_in_the_documentation() -> None:
    text = Path("/src/docs/operations.md").read_text(encoding="utf-8")
    told = re.findall(r"`(/[^`\s]+)`", text)
    installed = run("dpkg-query", "--listfiles", "livelogd").stdout.split()
    files = [path for path in installed if not Path(path).is_dir()]
    missing = [path for path in files if not any(path == one or (one.endswith("/") and path.startswith(one)) for one in told)]
    assert len(files) > 10 and not missing


def test_what_comes_with_it_works() -> None:
    assert run("bash", "-n", "/usr/share/bash-completion/completions/livelogd").returncode == 0
    assert "sound" in run("livelogd", "--config", str(CONFIG), "--check-config").stdout


def test_an_upgrade_keeps_configuration_token_log_and_sockets() -> None:
    send({"message": "before the upgrade"})
    wait_for_record("before the upgrade")
    changed = CONFIG.read_text() + "log_backup_count = 7\n"
    CONFIG.write_text(changed)
    token, pid = TOKEN.read_text(), main_pid()
    sockets = [os.stat(path).st_ino for path in (INGEST, HTTP)]

    run(*APT, "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold", "install",
        str(package("livelogd")), str(package("python3-livelogd")))  # fmt: skip

    assert "before" not in installed_version() and is_up()
    assert main_pid() != pid, "the new program runs"
    assert CONFIG.read_text() == changed
    assert CONFIG.with_name("livelogd.toml.dpkg-dist").exists(), "the shipped one lies beside the administrator's"
    assert TOKEN.read_text() == token
    assert sockets == [os.stat(path).st_ino for path in (INGEST, HTTP)]
    assert [record for record in stored() if record.get("message") == "before the upgrade"]


def test_an_app_logs_through_the_installed_python_package() -> None:
    program = """
from livelogd import Sender
with Sender() as sender:
    assert sender.send({"message": "from python"})
    assert sender.flush(10)
"""
    run("/usr/bin/python3", "-c", program)
    wait_for_record("from python")


def test_what_an_administrator_has_disabled_stays_disabled() -> None:
    run("systemctl", "disable", "--now", *SOCKETS, SERVICE)
    run("dpkg", "--install", str(package("livelogd")))
    for unit in (SERVICE, *SOCKETS):
        assert property_of(unit, "UnitFileState") == "disabled"
    run("systemctl", "enable", "--now", SERVICE, *SOCKETS)
    assert is_up()


def test_removing_it_keeps_the_log_and_the_configuration() -> None:
    pid = main_pid()
    run(*APT, "remove", "livelogd")
    assert not Path(f"/proc/{pid}").exists()
    assert not os.path.exists(INGEST) and not os.path.exists(HTTP)
    assert not os.path.exists("/usr/bin/livelogd")
    assert CONFIG.exists() and TOKEN.exists()
    assert [record for record in stored() if record.get("message") == "before the upgrade"]
    with pytest.raises(OSError):
        send({"message": "nobody there"})


def test_installed_again_it_goes_on_with_the_same_log() -> None:
    token = TOKEN.read_text()
    run(*APT, "install", str(package("livelogd")))
    assert is_up() and TOKEN.read_text() == token
    send({"message": "in the same log"})
    wait_for_record("in the same log")
    assert [record for record in stored() if record.get("message") == "before the upgrade"]


def test_a_purge_leaves_nothing_but_the_user() -> None:
    run(*APT, "purge", "livelogd", "python3-livelogd")
    assert installed_version() == ""
    left = [path for path in ("/etc/livelogd", "/var/log/livelogd", "/usr/share/doc/livelogd", INGEST, HTTP) if os.path.exists(path)]
    left += [str(path) for path in Path("/etc/systemd").rglob("*livelogd*") if path.name != "livelogd-test.service"]
    left += [str(path) for path in Path("/var/lib/systemd").rglob("*livelogd*")]
    assert not left
    assert run("systemctl", "is-failed", SERVICE, *SOCKETS, check=False).stdout.split() == ["inactive"] * 3
    assert pwd.getpwnam("livelogd").pw_uid < 1000
