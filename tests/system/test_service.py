# SPDX-License-Identifier: MIT
"""The installed daemon under a real systemd: what the units promise."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from load import Outcome, Plain, loads
from machine import (
    CONFIG,
    HTTP,
    INGEST,
    LOGS,
    SERVICE,
    SOCKETS,
    TOKEN,
    as_user,
    get,
    journal,
    lower_version,
    main_pid,
    may_connect,
    package,
    property_of,
    run,
    send,
    status,
    stored,
    systemctl,
    wait_for_record,
    wait_until,
)

MANY = os.environ.get("LIVELOGD_SYSTEM") == "all"


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    run("dpkg", "--install", str(package("livelogd")), str(package("python3-livelogd")))


@pytest.fixture(autouse=True)
def _started() -> Iterator[None]:
    """Each test begins with a daemon that runs, whatever the one before has done."""
    systemctl("reset-failed", SERVICE, *SOCKETS, check=False)
    systemctl("start", SERVICE)
    yield


def is_active(unit: str = SERVICE) -> bool:
    return property_of(unit, "ActiveState") == "active"


def test_it_is_up_with_its_sockets_and_says_how_it_is() -> None:
    assert is_active()
    assert property_of(SERVICE, "SubState") == "running"
    for unit in SOCKETS:
        assert property_of(unit, "SubState") == "running"
    for unit in (SERVICE, *SOCKETS):
        assert property_of(unit, "UnitFileState") == "enabled"
    assert property_of(SERVICE, "StatusText"), "no status line"
    assert get("/readyz")[0] == 200
    assert get("/healthz", tcp=True)[0] == 200
    assert get("/api/v1/logs/recent?lines=1")[0] == 200
    assert not [line for line in journal().splitlines() if "error" in line.lower()]


def test_messages_have_their_priority_in_the_journal() -> None:
    told = run("journalctl", "--unit=livelogd.service", "--output=json", "--no-pager").stdout
    assert "<6>" not in told and "<5>" not in told, "prefixes that the journal did not take off"
    with CONFIG.open("a", encoding="utf-8") as file:
        file.write("no_such_option = 1\n")
    try:
        run("systemctl", "reload", SERVICE, check=False)
        errors = ["journalctl", "--unit=livelogd.service", "--priority=warning", "--output=cat", "--no-pager"]
        wait_until(lambda: "no_such_option" in run(*errors).stdout, 10, "a message of at least the level warning")
    finally:
        CONFIG.write_text(CONFIG.read_text().replace("no_such_option = 1\n", ""))


def test_it_is_who_it_should_be_and_can_do_no_more() -> None:
    pid = main_pid()
    facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert facts["Uid"].split() == [facts["Uid"].split()[0]] * 4 != ["0"] * 4
    assert facts["CapEff"].strip("0") == facts["CapBnd"].strip("0") == ""
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
    mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    assert all("ro" in mount[5].split(",") for mount in mounts if mount[4] == "/")
    assert any("rw" in mount[5].split(",") for mount in mounts if mount[4] == str(LOGS))


def test_who_may_send_read_and_see_the_files() -> None:
    for name, group in (("sends", "livelogd-send"), ("reads", "livelogd")):
        run("useradd", "--system", "--no-create-home", "--groups", group, name)
    assert may_connect("sends", INGEST) and not may_connect("sends", HTTP)
    assert may_connect("reads", HTTP) and not may_connect("reads", INGEST)
    assert not may_connect("nobody", INGEST) and not may_connect("nobody", HTTP)
    segment = str(next(LOGS.glob("live-*.jsonl")))
    assert as_user("reads", "cat", segment) == 0
    assert as_user("sends", "cat", segment) != 0
    assert as_user("reads", "cat", str(TOKEN)) == 0
    assert as_user("sends", "cat", str(TOKEN)) != 0 and as_user("nobody", "cat", str(TOKEN)) != 0
    folder = os.stat("/run/livelogd")
    assert folder.st_uid == 0 and stat.S_IMODE(folder.st_mode) == 0o755, "clients trust no other folder"


def test_the_token_is_asked_for_over_tcp() -> None:
    if "auth_token_file" not in CONFIG.read_text():
        pytest.skip("this version has no sign-in")
    assert get("/api/v1/logs/recent", tcp=True, token=False)[0] == 401
    assert get("/api/v1/logs/recent", tcp=True)[0] == 200
    assert get("/healthz", tcp=True, token=False)[0] == 200


def test_a_reload_takes_over_what_it_can_and_keeps_the_rest() -> None:
    pid, before = main_pid(), CONFIG.read_text()
    try:
        CONFIG.write_text(before + 'log_api_calls = false\n')
        systemctl("reload", SERVICE)
        send({"type": "request", "message": "dropped by configuration"}, {"message": "after the reload"})
        wait_for_record("after the reload")
        assert not [record for record in stored() if record.get("message") == "dropped by configuration"]

        CONFIG.write_text(before + "log_max_bytes = [broken\n")
        run("systemctl", "reload", SERVICE, check=False)
        wait_until(lambda: "livelogd.toml" in journal(), 10, "a message that names the file")
        assert is_active() and main_pid() == pid
        send({"message": "after the broken reload"})
        wait_for_record("after the broken reload")
    finally:
        CONFIG.write_text(before)
        systemctl("reload", SERVICE)
    assert main_pid() == pid


def test_the_sandbox_does_not_hide_the_boot_id() -> None:
    # A container has its own over the kernel's, which a confined service sees: some id is what counts.
    known = json.loads((LOGS / ".state").read_text())["boot_id"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", known), "each crash would be taken for a power cut"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_after_a_crash_it_is_back_and_nobody_is_refused(number: signal.Signals) -> None:
    pid = main_pid()
    os.kill(pid, number)
    # At once, while there is no daemon: the record waits in the socket.
    send({"message": f"sent after {number.name}"})
    wait_for_record(f"sent after {number.name}")
    assert main_pid() not in (0, pid)


def test_a_daemon_that_hangs_is_replaced() -> None:
    folder = Path("/run/systemd/system/livelogd.service.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "watchdog.conf").write_text("[Service]\nWatchdogSec=1\n")
    try:
        systemctl("daemon-reload")
        systemctl("restart", SERVICE)
        time.sleep(2.5)
        pid = main_pid()
        assert "watchdog" not in journal().lower(), "a healthy daemon was taken for a hanging one"
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: main_pid() not in (0, pid) and is_active(), 10, "the watchdog's work")
        assert int(property_of(SERVICE, "NRestarts")) == 1
    finally:
        (folder / "watchdog.conf").unlink()
        systemctl("daemon-reload")
        systemctl("restart", SERVICE)
    send({"message": "after the watchdog"})
    wait_for_record("after the watchdog")


def test_a_connection_starts_a_daemon_that_was_stopped() -> None:
    systemctl("stop", SERVICE)
    assert not is_active()
    send({"message": "starts it"})
    wait_for_record("starts it")
    assert is_active()

    systemctl("stop", SERVICE)
    assert get("/readyz", tcp=True)[0] == 200
    assert is_active()


def test_stopped_with_its_sockets_it_stays_stopped() -> None:
    systemctl("stop", *SOCKETS, SERVICE)
    with pytest.raises(OSError):
        send({"message": "nobody there"})
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 5000), timeout=5)
    assert not is_active()
    systemctl("start", SERVICE)
    assert all(is_active(unit) for unit in SOCKETS), "the service brings its sockets"


def test_a_configuration_that_cannot_be_used_stops_the_start_and_is_told() -> None:
    before = CONFIG.read_text()
    try:
        CONFIG.write_text(before + "no_such_key = 1\n")
        assert run("systemctl", "restart", SERVICE, check=False).returncode != 0
        assert property_of(SERVICE, "ExecMainStatus") == "78"
        assert property_of(SERVICE, "NRestarts") == "0"
        assert "no_such_key" in journal()
        send({"message": "sent to a socket without a daemon"})
    finally:
        CONFIG.write_text(before)
    # As docs/operations.md has it. Somebody's connection has started it again and again meanwhile: so the reset.
    systemctl("reset-failed", SERVICE, *SOCKETS)
    systemctl("start", SERVICE)
    send({"message": "after the cure"})
    wait_for_record("after the cure")


def under_load(times: int, trouble: str, versions: list[str]) -> dict[str, Outcome]:
    """Restarts the daemon, or installs another version, so many times while all kinds of senders send."""
    senders = loads(1000, trouble)
    for sender in senders:
        sender.start()
    for number in range(times):
        time.sleep(0.1)
        systemctl("reset-failed", SERVICE)
        if trouble == "restart":
            systemctl("restart", SERVICE)
        else:
            run("dpkg", "--force-downgrade", "--force-confold", "--install", versions[number % len(versions)])
    time.sleep(0.1)
    for sender in senders:
        sender.end()
    # All that was sent is on its way to the files; how long the last takes nobody promises.
    last = -1
    while len(records := stored()) != last:
        last = len(records)
        time.sleep(0.5)
    return {sender.name: sender.outcome(records) for sender in senders}


@pytest.mark.parametrize("trouble, times", [("restart", 100 if MANY else 5), ("upgrade", 10 if MANY else 2)])
def test_nothing_is_lost_while_it_is_restarted(trouble: str, times: int, tmp_path: Path) -> None:
    """Who asks for acknowledgements loses nothing, and neither do those who send again what they could not write."""
    with CONFIG.open("a", encoding="utf-8") as file:
        file.write('log_max_bytes = "1GiB"\n')
    systemctl("restart", SERVICE)
    sockets = [property_of(unit, "ActiveEnterTimestampMonotonic") for unit in SOCKETS]
    versions = [str(lower_version(package("livelogd"), tmp_path)), str(package("livelogd"))] if trouble == "upgrade" else []
    try:
        outcomes = under_load(times, trouble, versions)
    finally:
        CONFIG.write_text(CONFIG.read_text().replace('log_max_bytes = "1GiB"\n', ""))
    for name, outcome in outcomes.items():
        print(f"{times} x {trouble}, {name}: {outcome.sent} sent, {outcome.lost} lost, {outcome.doubled} doubled")
        assert outcome.sent > 50
        assert outcome.doubled == 0, (name, outcome)
        assert outcome.lost <= (20 * times if name == Plain.name else 0), (name, outcome)
    assert sockets == [property_of(unit, "ActiveEnterTimestampMonotonic") for unit in SOCKETS], "a socket was closed"


@pytest.mark.skipif(not MANY, reason="a measurement: LIVELOGD_SYSTEM=all")
def test_an_idle_daemon_costs_little() -> None:
    systemctl("restart", SERVICE)
    time.sleep(10)  # what the tests before have left is summed up first
    pid = main_pid()

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(20)
    used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / 20
    rollup = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    resident, proportional = (int(rollup[name].split()[0]) / 1024 for name in ("Rss", "Pss"))
    print(f"idle: {resident:.1f} MiB resident, {proportional:.1f} MiB proportional, {used:.2%} of a core\n{status()}")
    assert resident < 64 and used < 0.02
