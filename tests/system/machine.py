# SPDX-License-Identifier: MIT
"""What the tests inside a machine share: commands, units, the installed daemon's HTTP socket and its files.

Everything here runs as root in a machine that machine.sh has booted, and nowhere else.
"""

from __future__ import annotations

import http.client
import json
import os
import pwd
import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVICE = "livelogd.service"
SOCKETS = ("livelogd.socket", "livelogd-http.socket")
INGEST = "/run/livelogd/ingest.sock"
HTTP = "/run/livelogd/http.sock"
LOGS = Path("/var/log/livelogd")
CONFIG = Path("/etc/livelogd/livelogd.toml")
TOKEN = Path("/etc/livelogd/token")
PACKAGES = Path("/src/build/deb")


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command; what it says is in the failure, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=120)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def systemctl(*arguments: str, check: bool = True) -> str:
    done = run("systemctl", *arguments, check=False)
    assert not check or done.returncode == 0, f"systemctl {' '.join(arguments)}: {done.stderr}\n{status()}"
    return done.stdout


def property_of(unit: str, name: str) -> str:
    return systemctl("show", "--value", f"--property={name}", unit).strip()


def main_pid() -> int:
    return int(property_of(SERVICE, "MainPID"))


def journal() -> str:
    """What the daemon has said since the machine was booted."""
    return run("journalctl", "--unit=livelogd.service", "--no-pager", "--output=cat").stdout


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{status()}"
        time.sleep(0.02)


def status() -> str:
    units = run("systemctl", "status", "--no-pager", "--lines=30", SERVICE, *SOCKETS, check=False)
    return units.stdout + units.stderr


def package(name: str) -> Path:
    """The package that has been built."""
    found = sorted(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"{PACKAGES} has {len(found)} packages {name}: run make deb"
    return found[0]


def lower_version(of: Path, folder: Path) -> Path:
    """A package with the same contents, but a lower version and another text in its configuration file."""
    tree = folder / "tree"
    run("dpkg-deb", "--raw-extract", str(of), str(tree))
    control = tree / "DEBIAN/control"
    text, changed = re.subn(r"^(Version: .*)$", r"\1~before", control.read_text(), flags=re.MULTILINE)
    assert changed == 1
    control.write_text(text)
    shipped = tree / "etc/livelogd/livelogd.toml"
    shipped.write_text("# As an older version had it.\n" + shipped.read_text())
    older = folder / "older.deb"
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(older))
    return older


class _UnixConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(HTTP)


def get(path: str, *, tcp: bool = False, token: bool = True) -> tuple[int, bytes]:
    """Status and body of a request over the Unix socket, or over TCP. With the token that the package has made."""
    connection: http.client.HTTPConnection
    connection = http.client.HTTPConnection("127.0.0.1", 5000, timeout=20) if tcp else _UnixConnection("localhost", timeout=20)
    headers = {"Authorization": f"Bearer {TOKEN.read_text().strip()}"} if token else {}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send(*records: Any) -> None:
    """Sends records over a connection of their own."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(60)
        connection.connect(INGEST)
        connection.sendall("".join(json.dumps(record) + "\n" for record in records).encode())


def stored() -> list[Any]:
    """All records in the log's files."""
    return [json.loads(line) for path in sorted(LOGS.glob("live-*.jsonl")) for line in path.read_bytes().splitlines()]


def wait_for_record(message: str, seconds: float = 10.0) -> None:
    wait_until(lambda: any(record.get("message") == message for record in stored()), seconds, f"the record {message!r}")


def as_user(name: str, *command: str) -> int:
    """The exit code of a command run as a user, with that user's groups."""
    return subprocess.run(
        ["setpriv", f"--reuid={name}", f"--regid={pwd.getpwnam(name).pw_gid}", "--init-groups", *command],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
    ).returncode  # fmt: skip


def may_connect(name: str, path: str) -> bool:
    """Whether a user may connect to a Unix socket."""
    program = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    return as_user(name, "/usr/bin/python3", "-c", program, path) == 0


def in_a_machine() -> bool:
    return os.environ.get("LIVELOGD_MACHINE") == "1"
