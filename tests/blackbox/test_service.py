# SPDX-License-Identifier: MIT
"""What a service manager relies on: sockets that it passes, being told how the daemon is, priorities of messages."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from livelogd_daemon import binary, clean_environment, wait_until

FIRST_PASSED = 3


class ServiceManager:
    """As much of a service manager as it takes: holds the sockets, starts the daemon, hears what it tells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.ingest = self._listen(folder / "ingest.sock")
        self.http = self._listen(folder / "http.sock")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.process: subprocess.Popen[str] | None = None
        self._ear = threading.Thread(target=self._hear, daemon=True)
        self._ear.start()

    @staticmethod
    def _listen(path: Path) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(str(path))
        made.listen(64)
        return made

    def _hear(self) -> None:
        while True:
            message = self.notify.recv(4096).decode()
            if not message:
                return
            self.told += message.split("\n")

    def start(self, names: str = "http:ingest", **variables: str) -> None:
        """Starts the daemon as systemd does: descriptors from 3 on, LISTEN_PID the daemon's own."""
        script = (
            f"exec {FIRST_PASSED}<&{self.http.fileno()} {FIRST_PASSED + 1}<&{self.ingest.fileno()}; "
            'LISTEN_PID=$$ exec "$0" "$@"'
        )
        environment = clean_environment(
            {"LISTEN_FDS": "2", "LISTEN_FDNAMES": names, "NOTIFY_SOCKET": str(self.folder / "notify"), **variables}
        )
        for fd in (self.http, self.ingest):
            os.set_inheritable(fd.fileno(), True)
        self.process = subprocess.Popen(
            ["bash", "-c", script, str(binary()), f"--log-dir={self.folder / 'logs'}"],
            env=environment,
            close_fds=False,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_ready(self) -> None:
        wait_until(lambda: "READY=1" in self.told, 30, "READY=1")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends the daemon; its exit code and what it has said."""
        assert self.process is not None
        self.process.send_signal(number)
        said = self.process.communicate(timeout=20)[1]
        self.told.clear()
        return self.process.returncode, said

    def send(self, line: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sender:
            sender.connect(str(self.folder / "ingest.sock"))
            sender.sendall(line)

    def stored(self) -> list[bytes]:
        return [line for file in sorted((self.folder / "logs").glob("*.jsonl")) for line in file.read_bytes().splitlines()]

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(self.folder / "notify"))
        self._ear.join(5)
        for one in (self.ingest, self.http, self.notify):
            one.close()


@pytest.fixture
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceManager]:
    made = ServiceManager(tmp_path_factory.mktemp("s"))
    yield made
    made.close()


def get(manager: ServiceManager, path: str) -> str:
    return subprocess.run(
        ["curl", "-sS", "--max-time", "10", "--unix-socket", str(manager.folder / "http.sock"), f"http://localhost{path}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_records_sent_while_nobody_runs_arrive(manager: ServiceManager) -> None:
    """They wait in the socket that the service manager holds: before the first start, and over a restart."""
    manager.send(b'{"n":1}\n')
    manager.start()
    wait_until(lambda: len(manager.stored()) == 1)
    manager.wait_ready()
    assert '"n":1' in get(manager, "/api/v1/logs/recent")
    assert manager.end()[0] == 0
    assert (manager.folder / "ingest.sock").exists(), "a socket that was passed is not the daemon's to take away"
    manager.send(b'{"n":2}\n')
    manager.start()
    wait_until(lambda: len(manager.stored()) == 2)
    code, said = manager.end()
    assert code == 0
    assert f"taking records on unix:{manager.folder}/ingest.sock" in said
    assert f"listening on unix:{manager.folder}/http.sock" in said
    assert "127.0.0.1" not in said, "the default address is not taken where sockets are passed"


def test_it_tells_how_it_is(manager: ServiceManager) -> None:
    manager.start(WATCHDOG_USEC="200000")
    manager.wait_ready()
    wait_until(lambda: manager.told.count("WATCHDOG=1") >= 3, what="signs of life")
    manager.send(b'{"n":1}\n')
    wait_until(lambda: any(t.startswith("STATUS=storing; 1 record ") for t in manager.told), what="the status line")
    assert manager.process is not None
    manager.process.send_signal(signal.SIGHUP)
    wait_until(lambda: manager.told.count("READY=1") == 2, what="the end of the reload")
    again = len(manager.told) - 1 - manager.told[::-1].index("READY=1")
    assert "RELOADING=1" in manager.told[:again]
    assert any(t.startswith("MONOTONIC_USEC=") for t in manager.told[:again])
    manager.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "STOPPING=1" in manager.told, what="the stop")


def test_a_daemon_that_hangs_gives_no_sign_of_life(manager: ServiceManager) -> None:
    manager.start(WATCHDOG_USEC="200000")
    manager.wait_ready()
    wait_until(lambda: "WATCHDOG=1" in manager.told)
    assert manager.process is not None
    manager.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(0.1)  # what it had sent before
        manager.told.clear()
        time.sleep(0.6)
        assert "WATCHDOG=1" not in manager.told
    finally:
        manager.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "WATCHDOG=1" in manager.told, what="signs of life after it goes on")


def test_a_socket_with_another_name_is_refused(manager: ServiceManager) -> None:
    manager.start(names="http:livelogd.socket")
    assert manager.process is not None
    said = manager.process.communicate(timeout=20)[1]
    assert manager.process.returncode == 78
    assert "'livelogd.socket'" in said and "FileDescriptorName=" in said


def test_messages_have_priorities_in_the_journal(tmp_path: Path) -> None:
    """Where stderr is what JOURNAL_STREAM says, and only there."""

    def said(is_journal: bool) -> str:
        reading, writing = os.pipe()
        there = os.fstat(writing)
        stream = f"{there.st_dev}:{there.st_ino + (0 if is_journal else 1)}"
        process = subprocess.run(
            [str(binary()), "--ring-bytes=1"],
            env=clean_environment({"JOURNAL_STREAM": stream}),
            cwd=tmp_path,
            stderr=writing,
            timeout=30,
            check=False,
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        assert process.returncode == 78
        return text

    assert said(is_journal=True).startswith("<3>ring_bytes")
    assert said(is_journal=False).startswith("livelogd: error: ring_bytes")
