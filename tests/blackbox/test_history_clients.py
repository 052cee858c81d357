# SPDX-License-Identifier: MIT
"""What large answers and the clients that ask for them cost: bounded memory, no scan for nobody, no removed file held
for ever."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import cpu_seconds, peak_rss_bytes, reset_peak
from raw_http import RawConnection

MIB = 1 << 20
RECENT = "/api/v1/logs/recent"


def fill(daemon: Daemon, lines: Iterator[bytes] | list[bytes]) -> None:
    """Sends lines and waits until the last of them is there for readers."""
    last = b""
    with daemon.connect() as connection:
        for line in lines:
            connection.sendall(line + b"\n")
            last = line
    wait_until(lambda: daemon.get(RECENT + "?lines=1").body == b"[" + last + b"]\n", 30, "the last line")


def filler(count: int, size: int) -> Iterator[bytes]:
    """Records of text that no search finds in one step."""
    chance = random.Random(5)
    block = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz      0123456789", k=size + 1000))
    for n in range(count):
        start = chance.randrange(1000)
        yield f'{{"timestamp":"2025-06-26T10:30:45Z","n":{n},"p":"{block[start : start + size]}"}}'.encode()


@pytest.mark.memory
@pytest.mark.parametrize(
    "query", ["lines=100000", "lines=100000&ids=true&q=level:info", "lines=100000&elide=100000&format=ndjson"]
)
def test_a_large_answer_takes_little_memory(query: str) -> None:
    """120 MB in records of 3 MB, read to the end and to the byte."""
    with Daemon(log_max_bytes="10MiB", log_backup_count=1000, sync_interval="100ms") as daemon:
        lines = list(filler(40, 3 * MIB))
        fill(daemon, lines)
        time.sleep(0.5)  # what waits for the disk is in memory until then
        reset_peak(daemon.pid)
        before = peak_rss_bytes(daemon.pid)
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
        try:
            connection.request("GET", f"{RECENT}?{query}")
            answer = connection.getresponse()
            digest, size = hashlib.sha256(), 0
            while piece := answer.read(1 << 16):
                digest.update(piece)
                size += len(piece)
        finally:
            connection.close()
        grown = peak_rss_bytes(daemon.pid) - before
        if query == "lines=100000":
            assert digest.digest() == hashlib.sha256(b"[" + b",\n".join(lines) + b"]\n").digest()
        assert size > (40 * 100_000 if "elide" in query else sum(map(len, lines)))
        assert grown < 40 * MIB, f"{grown / MIB:.1f} MiB for an answer of {size / MIB:.1f} MiB"


@pytest.mark.memory
def test_a_client_that_goes_away_ends_its_scan() -> None:
    """Scans of clients that have gone would take as long as one that is waited for."""
    # Each of these looks at every character of every record, and finds nothing.
    terms = [("q", f"/[a-m][n-z][a-m ][0-9]{{{n + 4}}}[a-z]+x/") for n in range(12)]
    target = f"{RECENT}?{urlencode(terms)}"
    with Daemon(log_max_bytes="10MiB", log_backup_count=1000) as daemon:
        fill(daemon, filler(4000, 16_000))
        wait_until(lambda: idle(daemon.pid), 30, "it has nothing to do")
        start = cpu_seconds(daemon.pid)
        assert daemon.get(target, timeout=120).json() == []
        whole = cpu_seconds(daemon.pid) - start
        assert whole > 0.1, "too short to tell"

        start = cpu_seconds(daemon.pid)
        gone = 10
        for n in range(gone):
            client = socket.create_connection(("127.0.0.1", daemon.port))
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            time.sleep(min(0.02, whole / 20))
            client.close()
        wait_until(lambda: idle(daemon.pid), 120, "it has nothing to do any more")
        taken = cpu_seconds(daemon.pid) - start
        assert (
            taken < gone * whole / 2
        ), f"{taken:.2f} s for {gone} clients that left, {whole:.2f} s for one that waited"


def idle(pid: int) -> bool:
    before = cpu_seconds(pid)
    time.sleep(0.3)
    return cpu_seconds(pid) - before < 0.02


def removed_files(daemon: Daemon) -> list[str]:
    """Of the log, and still held open by the daemon."""
    links = []
    for descriptor in Path(f"/proc/{daemon.pid}/fd").iterdir():
        try:
            links.append(os.readlink(descriptor))
        except FileNotFoundError:
            continue  # closed since it was listed
    return [link for link in links if link.startswith(str(daemon.log_dir)) and link.endswith("(deleted)")]


@pytest.mark.parametrize("reads", [False, True], ids=["stops reading", "reads slowly"])
def test_a_slow_client_does_not_hold_removed_files(reads: bool) -> None:
    """It has `stall_timeout` from the moment at which retention removes what it needs, however it reads."""
    with Daemon(log_max_bytes="2MiB", log_backup_count=10, stall_timeout="2s") as daemon:
        fill(daemon, filler(1200, 16_000))
        client = RawConnection(daemon)
        client.socket.close()
        client.socket = socket.socket()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        client.socket.settimeout(10)
        with client:
            client.socket.connect(("127.0.0.1", daemon.port))
            client.send(f"GET {RECENT}?lines=100000 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            received = client.socket.recv(16_384)
            assert received.startswith(b"HTTP/1.1 200 ") and b"chunked" in received.lower()
            oldest = daemon.segments()[0]
            fill(daemon, filler(2500, 16_000))
            assert not oldest.exists()
            deadline = time.monotonic() + 2.0 + 6.0
            while removed_files(daemon):
                assert time.monotonic() < deadline, f"still held: {removed_files(daemon)}"
                if reads and client.socket.recv(8192) == b"":
                    reads = False
                time.sleep(0.05)
            # It can be seen that the answer is not whole: the last chunk is missing.
            tail = b""
            try:
                while piece := client.socket.recv(1 << 18):
                    tail = (tail + piece)[-7:]
            except ConnectionResetError:
                pass
            assert not tail.endswith(b"\r\n0\r\n\r\n")


def test_an_answer_is_whole_although_its_files_are_removed_meanwhile() -> None:
    """A client that reads well gets all that was there when it asked, or a break, never less in silence."""
    with Daemon(log_max_bytes=200_000, log_backup_count=20) as daemon:
        fill(daemon, filler(700, 6000))
        client = RawConnection(daemon)
        with client:
            client.send(f"GET {RECENT}?lines=100000&format=ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            daemon.send_bytes(b"\n".join(filler(2000, 6000)) + b"\n")
            try:
                answer = client.answer()
            except AssertionError:
                return  # cut off, and so seen
        assert answer is not None and answer.status == 200
        numbers = [int(line.partition(b'"n":')[2].partition(b",")[0]) for line in answer.body.splitlines()]
        steps = {(one, other) for one, other in zip(numbers, numbers[1:]) if other != one + 1}
        # The second filling may have begun when the request came.
        assert len(steps) <= 1 and all(other == 0 for _, other in steps)
