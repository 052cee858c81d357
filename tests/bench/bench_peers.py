# SPDX-License-Identifier: MIT
"""What the benchmark starts: the daemon, the bare programs, the loads; and its own small HTTP client."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from livelogd_daemon import SOURCE_ROOT, Daemon, wait_until  # noqa: E402

PROGRAMS = SOURCE_ROOT / "build/release/tests/bench"
MIB = 1 << 20

# Nothing of what is sent may be removed before it has been counted.
KEEP_ALL = {"log_backup_count": 100_000}


@dataclasses.dataclass
class Peer:
    """A program that takes records at a Unix socket and writes *.jsonl into a folder."""

    name: str
    pid: int
    socket: Path
    folder: Path
    port: int = 0
    daemon: Daemon | None = None


@contextlib.contextmanager
def daemon(log_dir: Path | None = None, **options: Any) -> Iterator[Peer]:
    """livelogd on a folder of its own, or on one that stays."""
    if log_dir is not None:
        options["log_dir"] = log_dir
    with Daemon(**{**KEEP_ALL, **options}) as running:
        yield Peer("livelogd", running.pid, running.socket_path, running.log_dir, running.port, running)


@contextlib.contextmanager
def bare(program: str) -> Iterator[Peer]:
    """bare_sink or bare_fanout."""
    folder = Path(tempfile.mkdtemp(prefix="livelogd-bench-", dir="/tmp"))
    files = folder / "logs"
    files.mkdir()
    at = folder / "in.sock"
    command = [PROGRAMS / program, f"--socket={at}", f"--folder={files}"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                wait_until(at.exists, what=f"{program} listens")
                port = 0
                if program == "bare_fanout":
                    assert process.stdout
                    port = int(process.stdout.readline())
                yield Peer(program, process.pid, at, files, port)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(program: str, *words: str, **options: Any) -> dict[str, Any]:
    """Runs a program of the benchmark: `a_b=1` becomes --a-b=1; True a flag alone; None and False nothing."""
    command = [str(PROGRAMS / program), *words]
    for name, value in options.items():
        if value is None or value is False:
            continue
        flag = "--" + name.replace("_", "-")
        command.append(flag if value is True else f"{flag}={value}")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def send(peer: Peer, file: Path, **options: Any) -> dict[str, Any]:
    result = run("send_records", file=file, socket=peer.socket, folder=peer.folder, pid=peer.pid, **options)
    if result["lost"] or not result["same"]:
        raise RuntimeError(f"{peer.name} has lost or changed records: {result}")
    return result


def stream(peer: Peer, file: Path, **options: Any) -> dict[str, Any]:
    result = run("stream_load", file=file, socket=peer.socket, port=peer.port, pid=peer.pid, **options)
    if result["missing"] or result["disorder"]:
        raise RuntimeError(f"events of {peer.name} are missing or out of order: {result}")
    return result


class HttpConnection:
    """One kept connection, so that a request costs as little as can be."""

    def __init__(self, port: int, timeout: float = 120.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb", buffering=1 << 18)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def get(self, path: str) -> bytes:
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status = self._file.readline()
        length = None
        chunked = False
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            chunked = chunked or (name.lower() == b"transfer-encoding" and b"chunked" in value)
        body = self._chunks() if chunked else self._file.read(length or 0)
        if b" 200 " not in status:
            raise RuntimeError(f"{path}: {status!r} {body[:200]!r}")
        return body

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self._file.readline(), 16):
            whole += self._file.read(size)
            self._file.readline()
        self._file.readline()
        return whole


def times_of(peer: Peer, path: str, runs: int, warm_up: str = "") -> list[float]:
    """Seconds of each of `runs` requests after a first one, for the same unless `warm_up` is another path."""
    connection = HttpConnection(peer.port)
    try:
        connection.get(warm_up or path)
        seconds = []
        for _ in range(runs):
            begun = time.perf_counter()
            connection.get(path)
            seconds.append(time.perf_counter() - begun)
        return seconds
    finally:
        connection.close()


def memory_mib(pid: int, field: str) -> float:
    """VmRSS or VmHWM (the peak) of a process, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {field} of process {pid}")


def shell_seconds(command: list[str] | str, runs: int = 1) -> float:
    """The best of `runs`."""
    best = float("inf")
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, shell=isinstance(command, str), stdout=subprocess.DEVNULL, check=True)
        best = min(best, time.perf_counter() - begun)
    return best


def machine() -> str:
    """What the figures are of."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {os.uname().release}"
