# SPDX-License-Identifier: MIT
"""Streams are told when records cannot be stored, and when they can again; it changes nothing of where they stand.

A limit on the size of files stands in for a full disk, as in test_storing_fails.py.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

from file_limit import TOO_SMALL, UNLIMITED, limit_files, record
from livelogd_daemon import Daemon, wait_until
from sse_client import Event, Stream

def status_of(event: Event) -> Any:
    assert event.name == "status" and event.id is None
    # Nothing but these two lines: what the client resumes from stays what it is.
    assert event.raw == b"event: status\ndata: " + event.data.encode() + b"\n\n"
    return event.json()


def failing(event: Event) -> datetime.datetime:
    """Checks what is told while storing fails, and returns since when."""
    told = status_of(event)
    assert set(told) == {"storing", "reason", "since"} and told["storing"] == "failing"
    assert "File too large" in told["reason"]
    since = datetime.datetime.fromisoformat(told["since"].replace("Z", "+00:00"))
    assert since.tzinfo is not None
    return since


class Follower:
    """A stream whose records have to follow each other, whatever stands between them."""

    def __init__(self, daemon: Daemon, query: str = "", **more: Any) -> None:
        self.stream = Stream(daemon, query, **more)
        self.numbers: list[int] = []
        self._last: int | None = None

    def status(self) -> Event:
        """The next event that is no record and no ping."""
        deadline = time.monotonic() + 30
        while True:
            event = self.stream.next(max(0.0, deadline - time.monotonic()))
            if event.name == "message":
                self._take(event)
            elif event.name != "ping":
                return event

    def read_to(self, n: int) -> None:
        deadline = time.monotonic() + 30
        while not self.numbers or self.numbers[-1] < n:
            event = self.stream.next(max(0.0, deadline - time.monotonic()))
            if event.name == "message":
                self._take(event)
            else:
                assert event.name == "ping", event

    def _take(self, event: Event) -> None:
        assert event.id is not None and (self._last is None or event.id == self._last + 1)
        self._last = event.id
        if "n" in event.json():  # the daemon may tell of the failure in a record of its own
            self.numbers.append(event.json()["n"])


def test_every_stream_is_told_and_keeps_its_place() -> None:
    with Daemon() as daemon:
        early, resumed = Follower(daemon), Follower(daemon, "after=0")
        rare = Stream(daemon, "type=rare")
        daemon.send([record(n) for n in range(3)])
        for follower in (early, resumed):
            follower.read_to(2)

        began = datetime.datetime.now(datetime.timezone.utc)
        limit_files(daemon, TOO_SMALL)
        daemon.send([record(n) for n in range(3, 10)])
        since = failing(early.status())
        assert abs((since - began).total_seconds()) < 30
        assert failing(resumed.status()) == since
        assert failing(rare.event("status")) == since
        # Who comes now hears it first of all.
        late, catching_up = Follower(daemon), Follower(daemon, "after=0")
        for stream in (late.stream, catching_up.stream):
            assert failing(stream.next()) == since

        limit_files(daemon, UNLIMITED)
        for follower in (early, resumed, late, catching_up):
            assert status_of(follower.status()) == {"storing": "ok"}
        assert status_of(rare.event("status")) == {"storing": "ok"}
        wait_until(lambda: daemon.get("/readyz").status == 200, 30, "it is ready again")
        # That is over: a new stream has nothing to hear of it.
        after = Follower(daemon, "after=0")
        daemon.send([record(10)])
        for follower in (early, resumed, after, catching_up):
            follower.read_to(10)
            assert follower.numbers == list(range(11))
        late.read_to(10)
        assert late.numbers == list(range(late.numbers[0], 11))


def test_a_slow_client_is_told_between_two_records() -> None:
    """It does not read until long after, so that a record is half out when there is something to tell."""
    with Daemon(max_record_bytes="64KiB", ring_bytes="128KiB") as daemon:
        slow = Follower(daemon, receive_buffer=4096)
        watching = Stream(daemon)
        count = 2_000
        daemon.send([record(n) for n in range(count)])
        wait_until(lambda: [r["n"] for r in daemon.recent(1)] == [count - 1], 30, "all is stored")
        limit_files(daemon, TOO_SMALL)
        daemon.send([record(count)])
        failing(watching.event("status", 30))
        failing(slow.status())
        assert slow.numbers[-1] < count - 1, "it has not waited for the end of what is to be caught up"
        limit_files(daemon, UNLIMITED)
        assert status_of(slow.status()) == {"storing": "ok"}
        slow.read_to(count)
        assert slow.numbers == list(range(count + 1))


def test_of_what_has_passed_only_the_newest_is_told() -> None:
    """A client that takes nothing meanwhile need not hear of every failure."""
    with Daemon() as daemon:
        slow = Follower(daemon, receive_buffer=4096)
        watching = Follower(daemon)
        daemon.send([record(n) for n in range(2_000)])
        watching.read_to(1_999)  # by then the other one's socket is full
        n = 2_000
        for _ in range(3):
            limit_files(daemon, TOO_SMALL)
            daemon.send([record(n)])
            n += 1
            failing(watching.status())
            limit_files(daemon, UNLIMITED)
            assert status_of(watching.status()) == {"storing": "ok"}
        assert status_of(slow.status()) == {"storing": "ok"}
        slow.read_to(n - 1)
        assert slow.numbers == list(range(n))
        try:
            while True:
                assert slow.stream.next(0.3).name != "status"
        except TimeoutError:
            pass
