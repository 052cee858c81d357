# SPDX-License-Identifier: MIT
"""Start, reload, stop: what a service manager and an operator rely on."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import open_descriptors
from sse_client import Stream
from waiting import wait_for_newest

# What is promised; a sanitizer build may take longer, see the fixture module.
STOP_LIMIT = 5.0


def line(n: int) -> bytes:
    return b'{"timestamp":"t","n":%d}\n' % n


def numbers(daemon: Daemon) -> list[int]:
    return [json.loads(one)["n"] for one in daemon.stored_lines()]


# --- stop ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_daemon_stops_at_once(daemon: Daemon, number: int) -> None:
    started = time.monotonic()
    daemon.signal(number)
    said = daemon.wait()
    assert time.monotonic() - started < 2
    assert "livelogd: info: stopping" in said
    assert not daemon.socket_path.exists(), "a clean stop takes its socket away"


@pytest.mark.parametrize("sync", ["none", "interval", "always"])
def test_what_had_reached_the_sockets_is_stored(sync: str) -> None:
    """The daemon is held still while its senders fill their sockets; then it is told to stop."""
    with Daemon(sync=sync) as daemon:
        connections = [daemon.connect() for _ in range(20)]
        # Each has been accepted once its first record is there.
        for n, connection in enumerate(connections):
            connection.sendall(line(n))
        wait_until(lambda: len(daemon.stored_lines()) == 20)
        daemon.signal(signal.SIGSTOP)
        sent = 20
        for connection in connections:
            connection.setblocking(False)
            try:
                while True:
                    # Whole lines only: a datagram's worth fits or does not.
                    connection.send(line(sent))
                    sent += 1
            except BlockingIOError:
                pass
        assert sent > 1000
        daemon.signal(signal.SIGTERM)
        daemon.signal(signal.SIGCONT)
        started = time.monotonic()
        daemon.wait()
        assert time.monotonic() - started < STOP_LIMIT
        assert sorted(numbers(daemon)) == list(range(sent))
        for connection in connections:
            connection.close()


def test_plain_senders_know_what_has_been_taken() -> None:
    """Without acknowledgements too: what they could write before their first failure is stored, in whatever moment the
    stop comes."""

    def send(connection: socket.socket, base: int, written: list[int]) -> None:
        try:
            for n in range(base, base + 1_000_000):
                connection.sendall(line(n))
                written.append(n)
        except OSError:
            connection.close()

    written: list[int] = []
    with Daemon(log_max_bytes="1GiB") as daemon:
        for start in range(3):
            senders = []
            for i in range(8):
                base = (start * 8 + i) * 1_000_000
                senders.append(threading.Thread(target=send, args=(daemon.connect(), base, written)))
                senders[-1].start()
            wait_until(lambda: len(daemon.stored_lines()) > 0)
            daemon.signal(signal.SIGTERM)
            daemon.wait()
            for sender in senders:
                sender.join()
            daemon.restart()
        stored = [json.loads(one).get("n") for one in daemon.stored_lines()]
        assert set(written) <= set(stored), len(set(written) - set(stored))


def test_connections_that_were_waiting_to_be_accepted_count_too(daemon: Daemon) -> None:
    daemon.signal(signal.SIGSTOP)
    connections = [daemon.connect() for _ in range(10)]
    for n, connection in enumerate(connections):
        connection.sendall(line(n))
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGCONT)
    daemon.wait()
    assert sorted(numbers(daemon)) == list(range(10))
    for connection in connections:
        connection.close()


def test_a_sender_that_never_ends_does_not_hold_the_stop_up(daemon: Daemon) -> None:
    """Bytes keep coming, and half a line stays open: what came before the signal counts, and the rest has to go."""
    half = daemon.connect()
    half.sendall(b'{"timestamp":"t","n":')
    endless = daemon.connect()
    endless.setblocking(False)
    endless.send(line(0))
    wait_until(lambda: len(daemon.stored_lines()) == 1)
    started = time.monotonic()
    daemon.signal(signal.SIGTERM)
    try:
        while daemon.running:
            try:
                endless.send(line(1))
            except BlockingIOError:
                time.sleep(0.001)
            assert time.monotonic() - started < 20
    except OSError:
        pass
    daemon.wait()
    assert time.monotonic() - started < STOP_LIMIT
    for one in daemon.stored_lines():
        json.loads(one)
    half.close()
    endless.close()


def test_streams_do_not_hold_the_stop_up() -> None:
    with Daemon(log_max_bytes="64MiB", max_record_bytes="64KiB", ring_bytes="128KiB") as daemon:
        daemon.send([b'{"timestamp":"t","n":%d,"p":"%s"}' % (n, b"x" * 1000) for n in range(10_000)])
        wait_for_newest(daemon, 9_999)
        stuck = []
        for path in ("stream?after=0", "stream", "recent?lines=100000"):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", daemon.port))
            one.sendall(f"GET /api/v1/logs/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            stuck.append(one)
        half_a_request = socket.create_connection(("127.0.0.1", daemon.port))
        half_a_request.sendall(b"GET /healthz HT")
        streams = [Stream(daemon) for _ in range(50)]
        started = time.monotonic()
        daemon.stop()
        assert time.monotonic() - started < STOP_LIMIT
        for stream in streams:
            assert stream.event("bye").id is not None
            stream.close()
        for one in [*stuck, half_a_request]:
            one.close()


def test_while_stopping_nobody_new_is_let_in(daemon: Daemon) -> None:
    daemon.stop()
    with pytest.raises(OSError):
        daemon.connect()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", daemon.port), 2)


def test_stop_and_start_again_and_again(daemon: Daemon) -> None:
    for n in range(10):
        daemon.send_bytes(line(n))
        daemon.restart()
    assert numbers(daemon) == list(range(10))


# --- reload -------------------------------------------------------------------------------------------------------


def reload(daemon: Daemon) -> None:
    told = daemon.stderr.count("configuration")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.stderr.count("configuration") > told)


def test_reload(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text("")
    with Daemon(config=file, socket_mode=None) as daemon, Stream(daemon) as stream:
        daemon.send([{"timestamp": "t", "phone": "1", "password": "2"}, {"timestamp": "t", "type": "request"}])
        assert stream.record().json() == {"timestamp": "t", "phone": "1", "password": "[REDACTED]"}
        assert stream.record().json()["type"] == "request"

        file.write_text(
            'redact_keys = ["phone"]\nlog_api_calls = false\nlog_max_bytes = 1000\nallowed_hosts = ["x.example"]\n'
        )
        reload(daemon)
        daemon.send([{"timestamp": "t", "type": "request"}, {"timestamp": "t", "phone": "1", "password": "2"}])
        # The stream has not been cut, and goes on with what the new rules leave.
        assert stream.record().json() == {"timestamp": "t", "phone": "[REDACTED]", "password": "2"}
        assert daemon.get("/api/v1/logs/stats").status == 503
        assert daemon.get("/healthz", headers={"Host": "x.example"}).status == 200
        daemon.send([{"timestamp": "t", "p": "x" * 600} for _ in range(3)])
        wait_until(lambda: len(daemon.segments()) > 1)

        file.write_text("")
        reload(daemon)
        daemon.send([{"timestamp": "t", "type": "request"}])
        wait_until(lambda: daemon.recent(1)[0].get("type") == "request")
        assert daemon.get("/api/v1/logs/stats").status == 200
        assert daemon.get("/healthz", headers={"Host": "x.example"}).status == 403


def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text('redact_keys = ["phone"]\n')
    with Daemon(config=file) as daemon:
        file.write_text('redact_keys = ["name"]\nlog_max_byte = 5\n')
        reload(daemon)
        assert f"{file}:2" in daemon.stderr and "did you mean log_max_bytes" in daemon.stderr
        daemon.send([{"timestamp": "t", "phone": "1", "name": "2"}])
        wait_until(lambda: daemon.recent() == [{"timestamp": "t", "phone": "[REDACTED]", "name": "2"}])


def test_what_needs_a_restart_is_told(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text("")
    with Daemon(config=file) as daemon:
        file.write_text("threads = 3\nscan_threads = 5\n")
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: re.search(r"restart: .*threads.*scan_threads", daemon.stderr))
        assert daemon.get("/healthz").status == 200


def test_many_reloads_under_load_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text("")
    with Daemon(config=file) as daemon, daemon.connect() as connection:
        before = open_descriptors(daemon.pid)
        for n in range(2000):
            connection.sendall(line(n))
            if n % 4 == 0:
                daemon.signal(signal.SIGHUP)
        wait_until(lambda: len(daemon.stored_lines()) == 2000)
        assert numbers(daemon) == list(range(2000))
        assert open_descriptors(daemon.pid) <= before + 2


def test_reloads_during_a_stop_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text("")
    with Daemon(config=file) as daemon, daemon.connect() as connection:
        connection.sendall(line(1))
        wait_until(lambda: len(daemon.stored_lines()) == 1)
        stream = Stream(daemon)  # its end takes a moment
        file.write_text('[[alert]]\nname = "any"\ntype = "errors"\nthreshold = 1\nwindow = "1min"\n')
        daemon.signal(signal.SIGTERM)
        process = daemon.process
        assert process is not None
        while process.poll() is None:
            process.send_signal(signal.SIGHUP)
        stream.close()
        # Once it has let go of the signal, the last one has its default effect.
        assert process.returncode in (0, -signal.SIGHUP), daemon.stderr
        assert "configuration reloaded" not in daemon.stderr.partition("info: stopping")[2]


# --- start --------------------------------------------------------------------------------------------------------


def test_it_tells_where_it_listens() -> None:
    with Daemon(listen=["127.0.0.1:0", "127.0.0.1:0"]) as daemon:
        told = re.findall(
            r"^livelogd: info: listening on (http://127\.0\.0\.1:\d+/api/v1/logs)$", daemon.stderr, re.MULTILINE
        )
        assert len(set(told)) == 2


def test_healthy_and_ready(daemon: Daemon) -> None:
    for path in ("/healthz", "/readyz"):
        answer = daemon.get(path)
        assert answer.status == 200 and isinstance(answer.json(), dict)


def test_more_than_one_thread() -> None:
    with Daemon(threads=4, scan_threads=4) as daemon:
        streams = [Stream(daemon) for _ in range(20)]
        connections = [daemon.connect() for _ in range(8)]
        for n in range(400):
            connections[n % 8].sendall(line(n))
        seen = [[event.raw for event in stream.records(400)] for stream in streams]
        assert all(one == seen[0] for one in seen)
        assert len(daemon.recent(1000)) == 400
        for stream in streams:
            stream.close()
        for connection in connections:
            connection.close()


@pytest.mark.memory
def test_idle_memory() -> None:
    with Daemon() as daemon:
        assert daemon.rss_bytes() < 12 << 20, f"{daemon.rss_bytes() / (1 << 20):.1f} MiB"


@pytest.mark.memory
def test_start_time() -> None:
    """The best of several, as other programs share the machine: from exec to taking a connection on both sockets."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        with Daemon():
            times.append(time.monotonic() - began)
    assert min(times) < 0.15, times


def test_the_working_directory_does_not_matter_once_started(tmp_path: Path) -> None:
    # ./logs is what it is where the daemon was started.
    with Daemon(log_dir="./here") as daemon:
        daemon.send_bytes(line(1))
        wait_until(lambda: daemon.recent())
        assert len(list((daemon.folder / "here").glob("live-*.jsonl"))) == 1
        assert not os.path.exists("here") or Path("here").resolve() != daemon.folder / "here"
