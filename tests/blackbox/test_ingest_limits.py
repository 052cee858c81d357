# SPDX-License-Identifier: MIT
"""The ingest socket under pressure: huge lines, many connections, a disk that is slower than the senders."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import peak_rss_bytes, reset_peak
from sse_client import Stream

MIB = 1 << 20


def line(n: int) -> bytes:
    return b'{"timestamp":"t","n":%d}\n' % n


def numbers(daemon: Daemon) -> list[int]:
    return [record["n"] for record in map(json.loads, daemon.stored_lines()) if "n" in record]


def test_a_line_over_the_limit_is_told_and_the_next_one_taken() -> None:
    with Daemon(max_record_bytes="64KiB") as daemon:
        head = b'{"timestamp":"t","s":"'
        just_fits = head + b"x" * (64 * 1024 - len(head) - 2) + b'"}'
        assert len(just_fits) == 64 * 1024
        too_long = head + b"x" * (64 * 1024 - len(head) - 1) + b'"}'
        daemon.send([just_fits, just_fits + b"\r\n", too_long, line(1)])
        wait_until(lambda: numbers(daemon) == [1])
        lines = daemon.stored_lines()
        assert lines[0] == lines[1] == just_fits
        told = json.loads(lines[2])
        assert told["type"] == "malformed" and told["raw_bytes"] == 64 * 1024 + 1
        assert told["raw"].encode() == too_long[: len(told["raw"])] and 4000 < len(told["raw"]) <= 4096
        assert len(lines) == 4


@pytest.mark.memory
def test_a_gigabyte_without_newline_costs_no_memory() -> None:
    with Daemon() as daemon:
        daemon.send([line(0)])
        wait_until(lambda: numbers(daemon) == [0])
        before = daemon.rss_bytes()
        reset_peak(daemon.pid)
        block = b"x" * MIB
        with daemon.connect() as connection:
            for _ in range(1024):
                connection.sendall(block)
            # Others are served meanwhile.
            daemon.send([line(1)])
            wait_until(lambda: numbers(daemon) == [0, 1])
            connection.sendall(b"\n" + line(2))
            wait_until(lambda: numbers(daemon) == [0, 1, 2], 30)
        # One line may be held up to max_record_bytes (16 MiB) before it is given up.
        assert peak_rss_bytes(daemon.pid) - before < 40 * MIB
        told = [record for record in map(json.loads, daemon.stored_lines()) if record.get("type") == "malformed"]
        assert [record["raw_bytes"] for record in told] == [1024 * MIB]
        assert told[0]["raw"] == "x" * 4096


def test_connections_over_the_limit_wait_and_lose_nothing() -> None:
    with Daemon(max_ingest_connections=3) as daemon:
        held = [daemon.connect() for _ in range(3)]
        for n, connection in enumerate(held):
            connection.sendall(line(n))
        wait_until(lambda: sorted(numbers(daemon)) == [0, 1, 2])
        with daemon.connect() as waiting:
            waiting.sendall(line(3))
            # Those that are in still work while it waits.
            held[0].sendall(line(4))
            wait_until(lambda: 4 in numbers(daemon))
            assert 3 not in numbers(daemon)
            held.pop().close()
            wait_until(lambda: sorted(numbers(daemon)) == [0, 1, 2, 3, 4])
        for connection in held:
            connection.close()


def test_a_flooder_does_not_keep_others_waiting() -> None:
    with Daemon(log_max_bytes="64MiB") as daemon:
        stop = threading.Event()
        block = b'{"timestamp":"t","flood":"%s"}\n' % (b"x" * 200) * 1000

        def flood() -> None:
            with daemon.connect() as connection:
                while not stop.is_set():
                    connection.sendall(block)

        flooders = [threading.Thread(target=flood) for _ in range(2)]
        for thread in flooders:
            thread.start()
        try:
            with Stream(daemon, "type=honest") as stream, daemon.connect() as honest:
                worst = 0.0
                for n in range(50):
                    started = time.monotonic()
                    honest.sendall(b'{"timestamp":"t","type":"honest","n":%d}\n' % n)
                    assert stream.record().json()["n"] == n
                    worst = max(worst, time.monotonic() - started)
        finally:
            stop.set()
            for thread in flooders:
                thread.join()
        # A turn of a flooder, not its whole flood. Generous, as the flooders' own work shares the processors.
        assert worst < 2.0


@pytest.mark.memory
def test_a_slow_disk_holds_the_senders_up_and_loses_nothing() -> None:
    """Every write to the log is delayed from outside: the daemon stops reading, its memory stays bounded."""
    with Daemon(log_max_bytes="1GiB") as daemon:
        daemon.send([line(0)])
        wait_until(lambda: numbers(daemon) == [0])
        (segment,) = daemon.segments()
        slow = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(daemon.pid), "-P", str(segment)]
            + ["-e", "inject=write,writev,pwrite64,pwritev,pwritev2:delay_enter=500ms"],
            stderr=subprocess.PIPE,
        )
        try:
            wait_until(lambda: "TracerPid:\t0" not in open(f"/proc/{daemon.pid}/status").read() or slow.poll())
            if slow.poll() is not None:
                assert slow.stderr
                pytest.skip(f"strace may not attach here: {slow.stderr.read().decode().strip()}")
            before = daemon.rss_bytes()
            reset_peak(daemon.pid)
            pad = b"x" * 1000
            records = 400_000  # 400 MB
            sent = 0
            with daemon.connect() as connection:
                connection.setblocking(False)
                waiting = b""
                stuck_since = None
                # Until the socket has taken nothing for 2 s: at least three writes' worth of delay.
                while stuck_since is None or time.monotonic() - stuck_since < 2.0:
                    if not waiting and sent < records:
                        waiting = b"".join(
                            b'{"timestamp":"t","n":%d,"p":"%s"}\n' % (n, pad) for n in range(sent + 1, sent + 101)
                        )
                        sent += 100
                    try:
                        waiting = waiting[connection.send(waiting) :]
                        stuck_since = None
                    except BlockingIOError:
                        stuck_since = stuck_since or time.monotonic()
                        time.sleep(0.01)
                    if sent >= records:
                        pytest.fail("the daemon took everything: it does not hold its senders up")
                assert peak_rss_bytes(daemon.pid) - before < 200 * MIB
                slow.terminate()
                slow.wait()
                connection.setblocking(True)
                connection.sendall(waiting)
        finally:
            slow.terminate()
            slow.wait()
        wait_until(lambda: len(daemon.stored_lines()) == sent + 1, 60)
        assert numbers(daemon) == list(range(sent + 1))


def test_half_lines_share_a_budget() -> None:
    """Many connections with half a line each: together they may hold ingest_buffer_bytes, and work goes on."""
    with Daemon(
        max_record_bytes="1MiB", ring_bytes="2MiB", ingest_buffer_bytes="2MiB", log_max_bytes="64MiB"
    ) as daemon:
        connections = [daemon.connect() for _ in range(8)]
        half = b'{"timestamp":"t","p":"' + b"x" * (900 * 1024)
        threads = [threading.Thread(target=connection.sendall, args=[half]) for connection in connections]
        for thread in threads:
            thread.start()
        # A sender with whole lines gets through whatever the others do.
        daemon.send([line(1)])
        wait_until(lambda: 1 in numbers(daemon))
        ends = [
            threading.Thread(target=finish, args=[connection, thread])
            for connection, thread in zip(connections, threads)
        ]
        for thread in ends:
            thread.start()
        for thread in ends:
            thread.join(60)
        # Whichever were let in became records; none is lost, at worst one is told as given up.
        wait_until(lambda: len(daemon.stored_lines()) == 9, 45)


def finish(connection: socket.socket, sending: threading.Thread) -> None:
    """Ends the line that is being sent."""
    sending.join()
    connection.sendall(b'"}\n')
    connection.close()
