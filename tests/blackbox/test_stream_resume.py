# SPDX-License-Identifier: MIT
"""Readers that come back, fall behind, or stop reading: nothing lost, nothing twice, nobody delayed."""

from __future__ import annotations

import random
import socket
import threading
import time
from types import TracebackType
from typing import Any

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import cpu_seconds, open_sockets, peak_rss_bytes
from sse_client import Closed, Event, Stream
from waiting import wait_for_newest

MIB = 1 << 20
# Small enough for a reader to be behind them soon.
SMALL_RING: dict[str, Any] = {"max_record_bytes": "64KiB", "ring_bytes": "128KiB"}


def id_of(event: Event) -> int:
    assert event.id is not None
    return event.id


class Pump:
    """Sends numbered records until told to stop, or so many of them."""

    def __init__(self, daemon: Daemon, size: int = 200, count: int | None = None, pause: float = 0.0) -> None:
        self._daemon, self._size, self._count, self._pause = daemon, size, count, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def _run(self) -> None:
        pad = b"x" * self._size
        with self._daemon.connect() as connection:
            while not self._stop.is_set() and (self._count is None or self.sent < self._count):
                many = 50 if self._count is None else min(50, self._count - self.sent)
                connection.sendall(
                    b"".join(b'{"timestamp":"t","n":%d,"p":"%s"}\n' % (self.sent + i, pad) for i in range(many))
                )
                self.sent += many
                if self._pause:
                    time.sleep(self._pause)

    def __enter__(self) -> "Pump":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        self._stop.set()
        return self.join()

    def join(self) -> int:
        self._thread.join()
        return self.sent


class Checked:
    """Takes events and insists that numbers and ids go up by one."""

    def __init__(self) -> None:
        self.last: Event | None = None
        self.count = 0

    def take(self, event: Event) -> None:
        assert event.name == "message", event
        if self.last is not None:
            assert id_of(event) == id_of(self.last) + 1, (self.last, event)
            assert event.json()["n"] == self.last.json()["n"] + 1
        self.last = event
        self.count += 1

    @property
    def n(self) -> int:
        return int(self.last.json()["n"]) if self.last else -1


@pytest.mark.parametrize("how", ["Last-Event-ID", "after"])
def test_reconnecting_while_segments_rotate(how: str) -> None:
    chance = random.Random(how)
    total = 12_000
    with Daemon(log_max_bytes=50_000, log_backup_count=1000, **SMALL_RING) as daemon:
        with Pump(daemon, 100, total, pause=0.002):
            checked = Checked()
            headers: dict[str, str] = {}
            query = "after=0"
            while checked.count < total:
                with Stream(daemon, query, headers) as stream:
                    for _ in range(min(chance.randrange(1, 700), total - checked.count)):
                        checked.take(stream.record())
                assert checked.last is not None
                if how == "after":
                    query = f"after={id_of(checked.last)}"
                else:
                    query, headers = "", {how: str(id_of(checked.last))}
        assert len(daemon.segments()) > 20
        assert checked.n == total - 1


def test_a_reader_far_behind_catches_up_while_new_records_come() -> None:
    with Daemon(log_max_bytes="1MiB", log_backup_count=1000, **SMALL_RING) as daemon:
        with Pump(daemon, 500, 20_000) as first:
            first.join()
        wait_until(lambda: len(daemon.stored_lines()) == 20_000)
        with Stream(daemon, "after=0") as stream, Pump(daemon, 500, pause=0.001) as second:
            checked = Checked()
            while checked.count < 20_000:
                checked.take(stream.record())
            # Through the files, the seam, and on into the ring.
            second_records = Checked()
            while second_records.count < 5_000:
                event = stream.record()
                assert id_of(event) == id_of(checked.last or event) + 1 + second_records.count
                second_records.take(event)
            sent = second.stop()
            while second_records.n < sent - 1:
                second_records.take(stream.record())
            assert stream.silent_for(0.1)


def test_readers_that_pause_again_and_again() -> None:
    """In and out of the ring: each pause is long enough for it to have moved on."""
    with Daemon(log_max_bytes="256KiB", log_backup_count=1000, **SMALL_RING) as daemon:
        with Stream(daemon, receive_buffer=8192) as stream, Pump(daemon, 300, 15_000, pause=0.002):
            checked = Checked()
            while checked.count < 15_000:
                checked.take(stream.record())
                if checked.count % 3000 == 0:
                    time.sleep(0.3)
            assert checked.n == 14_999


def test_a_resume_under_a_filter() -> None:
    with Daemon(log_max_bytes=50_000, log_backup_count=1000, **SMALL_RING) as daemon:
        daemon.send(
            [b'{"timestamp":"t","type":"%s","n":%d}' % (b"rare" if n % 97 == 0 else b"other", n) for n in range(9700)]
        )
        wait_for_newest(daemon, 9699)
        seen: list[int] = []
        query = "after=0"
        while len(seen) < 100:
            with Stream(daemon, f"{query}&type=rare") as stream:
                for event in stream.records(min(7, 100 - len(seen))):
                    seen.append(event.json()["n"])
                    query = f"after={event.id}"
        assert seen == list(range(0, 9700, 97))


def test_a_gap_is_told() -> None:
    # The files hold more than the ring, so that it is they who tell what is left.
    with Daemon(log_max_bytes=200_000, log_backup_count=2, **SMALL_RING) as daemon:
        with Stream(daemon) as stream:
            daemon.send([b'{"timestamp":"t","n":0}'])
            old = id_of(stream.record())
        with Pump(daemon, 1000, 2000) as pump:
            pump.join()
        wait_for_newest(daemon, 1999)
        wait_until(lambda: len(daemon.segments()) <= 3)
        oldest = int(daemon.segments()[0].name[5:25])
        with Stream(daemon, headers={"Last-Event-ID": str(old)}) as stream:
            gap = stream.next()
            assert gap.name == "gap" and gap.id == oldest - 1
            told = gap.json()
            assert set(told) == {"from", "to", "reason"} and (told["from"], told["to"]) == (old + 1, oldest - 1)
            assert isinstance(told["reason"], str) and told["reason"]
            checked = Checked()
            first = stream.record()
            assert id_of(first) == oldest
            checked.take(first)
            while checked.n < 1999:
                checked.take(stream.record())
        # Whoever asks for all that is kept misses nothing.
        with Stream(daemon, "after=0") as stream:
            assert stream.next().id == oldest


def test_a_reader_overtaken_by_retention_is_told_how_far() -> None:
    """Event for event the ids follow each other, or a gap says which are missing. Where the reader was in the middle of
    a record that is no more, the stream ends, and goes on when it comes back, as a browser does by itself."""
    with Daemon(log_max_bytes=100_000, log_backup_count=2, **SMALL_RING) as daemon:
        expected: int | None = None
        gaps = 0
        n = -1
        stream = Stream(daemon, receive_buffer=4096)
        with Pump(daemon, 1000, 20_000) as pump:
            pump.join()
        wait_for_newest(daemon, 19_999)
        while n < 19_999:
            try:
                event = stream.next()
            except Closed:
                assert expected is not None
                stream.close()
                stream = Stream(daemon, headers={"Last-Event-ID": str(expected - 1)})
                continue
            if event.name == "gap":
                told = event.json()
                assert expected is None or told["from"] == expected
                assert event.id == told["to"] >= told["from"]
                gaps += 1
            elif event.name == "message":
                assert expected is None or event.id == expected
                n = event.json()["n"]
            else:
                continue
            expected = id_of(event) + 1
        stream.close()
        assert gaps >= 1


def stuck_reader(daemon: Daemon, query: str = "") -> socket.socket:
    """A stream of which nobody reads anything."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", daemon.port))
    target = "/api/v1/logs/stream" + (f"?{query}" if query else "")
    one.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return one


def peak_with_stuck_readers(count: int) -> int:
    """The memory that 40 MB of records take on their way to one good reader, with others that take nothing."""
    with Daemon(log_max_bytes="64MiB", log_backup_count=10, max_record_bytes="1MiB", ring_bytes="8MiB") as daemon:
        # Some are live, some catching up from the files.
        stuck = [stuck_reader(daemon, "after=0" if n % 2 else "") for n in range(count)]
        with Stream(daemon) as stream, Pump(daemon, 1000, 40_000):
            checked = Checked()
            while checked.count < 40_000:
                checked.take(stream.record())
        for one in stuck:
            one.close()
        return peak_rss_bytes(daemon.pid)


@pytest.mark.memory
def test_stuck_readers_cost_no_memory_and_delay_nobody() -> None:
    alone, crowded = peak_with_stuck_readers(0), peak_with_stuck_readers(100)
    # Each may cost what a connection does, but nothing of what it has not taken.
    assert crowded - alone < 30 * MIB, f"{alone / MIB:.1f} and {crowded / MIB:.1f} MiB"
    assert crowded < 100 * MIB


def test_a_stuck_reader_is_closed_and_can_resume() -> None:
    with Daemon(stall_timeout="1s", log_max_bytes="64MiB", **SMALL_RING) as daemon:
        wait_until(lambda: open_sockets(daemon.pid) == 2, what="only those that listen")
        with Stream(daemon, receive_buffer=4096) as stream:
            with Pump(daemon, 1000, 20_000) as pump:
                pump.join()
            # The daemon has let go of it, with all that it had not taken.
            wait_until(lambda: open_sockets(daemon.pid) == 2, 20, "it is closed")
            # What had been sent before is whole as far as it goes.
            checked = Checked()
            with pytest.raises(Closed):
                while True:
                    checked.take(stream.record())
        assert checked.last is not None and checked.n < 19_999
        with Stream(daemon, headers={"Last-Event-ID": str(checked.last.id)}) as stream:
            while checked.n < 19_999:
                checked.take(stream.record())


@pytest.mark.memory
def test_idle_streams_cost_no_processor_time() -> None:
    with Daemon() as daemon:
        streams = [Stream(daemon) for _ in range(100)]
        started = cpu_seconds(daemon.pid)
        time.sleep(2)  # what is measured here is time going by
        assert cpu_seconds(daemon.pid) - started < 0.2
        for stream in streams:
            stream.close()
