# SPDX-License-Identifier: MIT
"""Waiting for what has been sent to be there for readers."""

from __future__ import annotations

from collections.abc import Iterable

from livelogd_daemon import Daemon, Record, wait_until


def wait_for_newest(daemon: Daemon, n: int, timeout: float = 30.0) -> None:
    """Returns once the newest record has this `n`. An answer may be empty while retention outruns its files."""
    wait_until(lambda: [record.get("n") for record in daemon.recent(1)] == [n], timeout, f"record {n}")


def wait_for_records(daemon: Daemon, count: int, timeout: float = 30.0) -> None:
    """Returns once there are so many records for readers: a line that is in its file may not be announced yet."""
    wait_until(lambda: len(daemon.recent(100_000)) == count, timeout, f"{count} records")


def whole_lines(daemon: Daemon) -> int:
    """How many lines are in the files, without one that is being written."""
    return sum(path.read_bytes().count(b"\n") for path in daemon.segments())


def send_and_wait(daemon: Daemon, lines: Iterable[Record], timeout: float = 60.0) -> None:
    """Returns once these lines are in the files; nobody else may send."""
    known = list(lines)
    before = whole_lines(daemon)
    daemon.send(known)
    wait_until(lambda: whole_lines(daemon) == before + len(known), timeout, "the lines in the files")
