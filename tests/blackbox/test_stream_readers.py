# SPDX-License-Identifier: MIT
"""Crowds of readers: slow ones, stuck ones, ones that vanish. Nobody loses or repeats anything that is kept, what is not
kept is told to the id, and those who read well notice nothing of the others.

LIVELOGD_FAULTS=all takes the numbers that a large installation has.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest
from sanitized import is_sanitized
from livelogd_daemon import Daemon, wait_until
from proc import open_descriptors, open_sockets, peak_rss_bytes, reset_peak
from reader_crowd import Reader, Script, allow_descriptors, read_until
from sse_client import Closed, Stream

MIB = 1 << 20
ALL = os.environ.get("LIVELOGD_FAULTS") == "all"
HONEST, STUCK = (800, 200) if ALL else (120, 30)

# What the daemon may take beside the ring and the cache for catching up: so much a session, and a fixed cost for records
# on their way to the disk and for what the allocator keeps.
CACHE_BYTES = 8 * MIB
SESSION_BYTES = 64 << 10
FIXED_BYTES = 4 * MIB


class ThrottledReader(threading.Thread):
    """Reads a stream more slowly than records come, until it is let go; comes back when the daemon has closed it in the
    middle of a record that is no longer kept. Every id is received or covered by a gap, once, in order."""

    def __init__(self, daemon: Daemon, first_id: int, last_id: int, every: int) -> None:
        super().__init__()
        self._daemon, self._first_id, self._last_id, self._every = daemon, first_id, last_id, every
        self.hurry = threading.Event()
        self.received: list[int] = []
        self.gaps: list[tuple[int, int]] = []
        self.error: BaseException | None = None
        self._position = first_id - 1

    def run(self) -> None:
        try:
            while self._position < self._last_id:
                with Stream(
                    self._daemon, headers={"Last-Event-ID": str(self._position)}, receive_buffer=4096
                ) as stream:
                    self._follow(stream)
        except BaseException as error:  # told by the test's own thread
            self.error = error

    def _follow(self, stream: Stream) -> None:
        deadline = time.monotonic() + 120
        while self._position < self._last_id:
            try:
                event = stream.next(max(0.0, deadline - time.monotonic()))
            except Closed:
                return
            if event.name == "gap":
                told = event.json()
                assert told["from"] == self._position + 1, (self._position, event)
                assert event.id == told["to"] >= told["from"]
                self.gaps.append((told["from"], told["to"]))
                self._position = told["to"]
            elif event.name == "message":
                assert event.id == self._position + 1, (self._position, event)
                assert event.json()["n"] == event.id - self._first_id
                self.received.append(event.id)
                self._position = event.id
                if len(self.received) % self._every == 0 and not self.hurry.is_set():
                    time.sleep(0.01)


@pytest.mark.parametrize("kept", ["all", "little"])
def test_slow_readers_while_segments_go(kept: str) -> None:
    total = 20_000 if ALL else 8_000
    # A ring of a few records, and segments of a few dozen.
    small: dict[str, Any] = {"max_record_bytes": 4096, "ring_bytes": 8192, "log_max_bytes": 60_000}
    with Daemon(**small, log_backup_count=100_000 if kept == "all" else 3) as daemon:
        script = Script(daemon, total, 900)
        readers = [ThrottledReader(daemon, script.first_id, script.last_id, every) for every in (5, 20, 60, 200)]
        for reader in readers:
            reader.start()
        script.send(daemon, total // 50, lambda part: time.sleep(0.01))
        wait_until(lambda: [r["n"] for r in daemon.recent(1)] == [total - 1], 30, "all is stored")
        for reader in readers:
            reader.hurry.set()
        for reader in readers:
            reader.join()
            if reader.error is not None:
                raise reader.error
        for reader in readers:
            told = [id for low, high in reader.gaps for id in range(low, high + 1)]
            assert sorted(reader.received + told) == list(range(script.first_id, script.last_id + 1))
        if kept == "all":
            assert not any(reader.gaps for reader in readers)
        else:
            assert readers[0].gaps and readers[0].received


def test_a_crowd_of_which_some_never_read() -> None:
    allow_descriptors(8192)
    ring = 2 * MIB
    # Long enough for the honest ones to get their turn on a busy machine, which reads for all of them in one thread.
    stall = "20s" if ALL else "5s"
    # Without bounds it would show: so much more than what the daemon may take, or than a socket's buffers hold.
    count = 10_000 if ALL else 25_000
    parts = count // 100
    # What waits to be synced is kept in memory as well (at most 16 MiB), which has nothing to do with readers.
    with Daemon(
        max_record_bytes="64KiB", ring_bytes=ring, log_max_bytes="64MiB", stall_timeout=stall, sync="none"
    ) as daemon:
        script = Script(daemon, count, 1_000)
        wait_until(lambda: open_sockets(daemon.pid) == 2, what="only those that listen are open")
        alone = daemon.rss_bytes()
        reset_peak(daemon.pid)
        honest = [Reader(daemon, script) for _ in range(HONEST)]
        stuck = [Reader(daemon, script, receive_buffer=4096) for _ in range(STUCK)]
        read_until(honest + stuck, lambda reader: reader.begun)
        assert open_sockets(daemon.pid) == 2 + HONEST + STUCK

        def follow(part: int) -> None:
            read_until(honest, lambda reader: reader.last_id >= script.first_id + part * 90)

        script.send(daemon, parts, follow)
        read_until(honest, lambda reader: reader.complete)

        # Those who take nothing are let go; nobody else is.
        wait_until(lambda: open_sockets(daemon.pid) == 2 + HONEST, 60, "the stuck ones are closed")
        peak = peak_rss_bytes(daemon.pid)
        if not is_sanitized():
            allowed = alone + ring + CACHE_BYTES + (HONEST + STUCK) * SESSION_BYTES + FIXED_BYTES
            assert peak <= allowed, f"{alone / MIB:.1f} MiB alone, at most {peak / MIB:.1f}, allowed {allowed / MIB:.1f}"

        # What they had been sent is whole as far as it goes, and they can go on behind it.
        read_until(stuck, lambda reader: reader.closed)
        assert all(reader.last_id < script.last_id for reader in stuck)
        resumed = [Reader(daemon, script, last_id=reader.last_id) for reader in stuck]
        read_until(resumed, lambda reader: reader.complete)
        assert not any(b"gap" in event for reader in honest + resumed for event in reader.named)
        for reader in honest + stuck + resumed:
            reader.close()
        wait_until(lambda: open_sockets(daemon.pid) == 2, what="all are gone")


def test_storms_of_readers_that_vanish() -> None:
    allow_descriptors(8192)
    crowd, rounds = (1_000, 20) if ALL else (300, 6)
    with Daemon(max_record_bytes="64KiB", ring_bytes="1MiB", log_max_bytes="16MiB") as daemon:
        script = Script(daemon, 1_000 * rounds, 300)
        wait_until(lambda: open_sockets(daemon.pid) == 2, what="only those that listen are open")
        base_line = open_descriptors(daemon.pid)
        staying = [Reader(daemon, script) for _ in range(5)]
        read_until(staying, lambda reader: reader.begun)

        vanishing: list[Reader] = []

        def storm(part: int) -> None:
            """A crowd comes, some of it to catch up; half of it has just connected, the rest is in the middle of what it is
            being sent when all of it is gone without a word."""
            if part % 3 == 0:
                begun = [Reader(daemon, script, script.first_id if n % 2 else None, 4096) for n in range(crowd // 2)]
                read_until(begun, lambda reader: reader.begun)
                vanishing.extend(begun)
            elif part % 3 == 1:
                vanishing.extend(Reader(daemon, script) for _ in range(crowd - crowd // 2))
                for reader in vanishing:
                    reader.close(reset=True)
                vanishing.clear()
            reached = script.first_id + (len(script.lines) - 1) * part // (3 * rounds)
            read_until(staying, lambda reader: reader.last_id >= reached)

        script.send(daemon, 3 * rounds, storm)
        read_until(staying, lambda reader: reader.complete)
        assert not any(b"gap" in event for reader in staying for event in reader.named)
        # Not "==": before, something of the start may still have been open.
        wait_until(lambda: open_descriptors(daemon.pid) <= base_line + len(staying), 30, "what they had open is closed")
        for reader in staying:
            reader.close()
        wait_until(lambda: open_descriptors(daemon.pid) <= base_line, what="nothing is left open")
