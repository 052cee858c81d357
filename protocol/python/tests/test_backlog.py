# SPDX-License-Identifier: MIT
"""Records that are made in the sender's thread: in order, bounded, and at once where the thread is not at work."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import pytest

import livelogd.sender
from fake_daemon import FakeDaemon, eventually
from livelogd import Sender


def connected(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    sender.send({"n": "first"})
    assert sender.flush(5)


def test_made_in_the_senders_thread_and_in_order(daemon: FakeDaemon, sender: Sender) -> None:
    connected(daemon, sender)
    makers = []

    def make(number: int) -> dict[str, Any]:
        makers.append(threading.current_thread().name)
        return {"n": number}

    for number in range(0, 100, 2):
        assert sender.send_later(lambda number=number: make(number), 1000)  # type: ignore[misc]
        assert sender.send({"n": number + 1})
    assert sender.flush(5)
    assert [record["n"] for record in daemon.records()][1:] == list(range(100))
    assert set(makers) == {"livelogd-sender"}
    stats = sender.stats()
    assert (stats.accepted, stats.sent, stats.queued_bytes, sender._unmade_bytes) == (101, 101, 0, 0)


def test_made_at_once_while_there_is_no_connection(daemon: FakeDaemon, sender: Sender) -> None:
    makers = []

    def make() -> dict[str, Any]:
        makers.append(threading.current_thread())
        return {"n": 1}

    assert sender.send_later(make, 10**6)
    assert makers == [threading.current_thread()]
    assert sender.stats().queued_bytes < 100  # that of the line


def test_made_at_once_when_much_waits_to_be_made(
    daemon: FakeDaemon, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelogd.sender, "_MOST_UNMADE_BYTES", 2500)
    connected(daemon, sender)
    makers = []
    release = threading.Event()

    def make(number: int) -> dict[str, Any]:
        makers.append((number, threading.current_thread() is threading.main_thread()))
        release.wait(10)
        return {"n": number}

    assert sender.send_later(lambda: make(0), 1000)
    eventually(lambda: bool(makers))  # the thread is busy with it
    assert sender.send_later(lambda: make(1), 1000)
    release.set()
    eventually(lambda: len(makers) > 0)
    assert sender.flush(5)
    release.clear()
    timer = threading.Timer(0.05, release.set)
    assert sender.send_later(lambda: make(2), 1000)
    timer.start()
    assert sender.send_later(lambda: make(3), 2000)  # more than may wait
    assert sender.flush(5)
    assert dict(makers) == {0: False, 1: False, 2: False, 3: True}
    assert sorted(record["n"] for record in daemon.records()[1:]) == [0, 1, 2, 3]


def test_a_record_that_cannot_be_made_stops_nothing(daemon: FakeDaemon, sender: Sender) -> None:
    connected(daemon, sender)

    def make() -> dict[str, Any]:
        raise LookupError("against the rules")

    assert sender.send_later(make, 100)
    assert sender.send({"n": 2})
    assert sender.flush(5)
    told, after = daemon.records()[1:]
    assert told["event"] == "record_unencodable" and after["n"] == 2


# What must not be forgotten while nothing else happens


def test_what_was_not_acknowledged_is_sent_again_by_itself(daemon: FakeDaemon, sender: Sender) -> None:
    connected(daemon, sender)
    daemon.storing.clear()
    sender.send({"n": 1})
    daemon.wait_for_lines(2)
    daemon.stop()
    eventually(lambda: sender.stats().last_error is not None and "no socket" in str(sender.stats().last_error))
    daemon.storing.set()
    daemon.start()
    daemon.wait_for_lines(3)  # and nobody has sent or flushed anything
    assert [record["n"] for record in daemon.records()] == ["first", 1, 1]


@pytest.mark.parametrize("ack", ["written", "none"])
def test_a_record_that_comes_just_before_the_thread_sleeps_is_sent(daemon: FakeDaemon, ack: str) -> None:
    late: list[dict[str, Any]] = []

    class Sly(Sender):
        def _write(self, connection: Any) -> bool:
            written = super()._write(connection)
            if late:
                self.send(late.pop())
            return written

    with Sly(daemon.path, ack=ack) as sender:
        connected(daemon, sender)
        for number in range(5):
            late.append({"n": [number, "late"]})
            sender.send({"n": [number, "in time"]})
            daemon.wait_for_lines(3 + 2 * number, 3)


def test_dropped_records_are_told_when_the_daemon_stores_again(daemon: FakeDaemon) -> None:
    daemon.storing.clear()
    daemon.start()
    with Sender(daemon.path, max_queue_bytes=10_000) as sender:
        taken = sum(sender.send({"n": number, "text": "x" * 100}) for number in range(100))
        eventually(lambda: len(daemon.lines) == taken)
        assert sender.stats().dropped == 100 - taken > 0
        daemon.storing.set()
        daemon.hang_up()  # so that it acknowledges
        daemon.wait_for(lambda: b"records_dropped" in daemon.lines[-1], 5)


@pytest.mark.parametrize("ack", ["written", "none"])
@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_events_ends_with_everything_sent(daemon: FakeDaemon, ack: str, seed: int) -> None:
    """Whatever the daemon does meanwhile: when it stores again, all of it is there, though nobody flushes."""
    rng = random.Random(seed)
    count = 0
    running = False
    with Sender(daemon.path, ack=ack) as sender:
        for _ in range(60):
            event = rng.random()
            if event < 0.5:
                for _ in range(rng.randrange(1, 30)):
                    record = {"n": count, "text": "x" * rng.choice((0, 10, 20_000))}
                    later = rng.random() < 0.5
                    taken = sender.send_later(lambda record=record: record, 500) if later else sender.send(record)  # type: ignore[misc]
                    assert taken
                    count += 1
            elif event < 0.6 and ack == "written":  # without acknowledgements a break may lose something
                if running:
                    daemon.stop()
                else:
                    daemon.start()
                running = not running
            elif event < 0.7 and ack == "written":
                daemon.hang_up()
            elif event < 0.8:
                daemon.storing.clear() if rng.random() < 0.5 else daemon.storing.set()
            elif event < 0.9:
                daemon.reading.clear() if rng.random() < 0.5 else daemon.reading.set()
            else:
                time.sleep(rng.uniform(0, 0.02))
        if not running:
            daemon.start()
        daemon.reading.set()
        daemon.storing.set()
        if ack == "written":
            daemon.hang_up()  # this one acknowledges only what it reads, or is told of anew
        wanted = set(range(count))
        daemon.wait_for(lambda: wanted <= {json.loads(line)["n"] for line in daemon.lines}, 15)
        eventually(lambda: sender.stats().queued_bytes == 0, 10)
        stats = sender.stats()
    assert (stats.accepted, stats.sent, stats.dropped) == (count, count, 0)
    assert list(dict.fromkeys(record["n"] for record in daemon.records())) == list(range(count))
