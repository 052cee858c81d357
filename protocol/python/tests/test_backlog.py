# SPDX-License-Identifier: MIT
"""Records that are made in the sender's thread: in order, bounded, and at once where the thread is not at work."""

from __future__ import annotations

import threading
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
