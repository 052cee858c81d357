# SPDX-License-Identifier: MIT
"""Waiting for what has been sent to be there for readers."""

from __future__ import annotations

from livelogd_daemon import Daemon, wait_until


def wait_for_newest(daemon: Daemon, n: int, timeout: float = 30.0) -> None:
    """Returns once the newest record has this `n`. An answer may be empty while retention outruns its files."""
    wait_until(lambda: [record.get("n") for record in daemon.recent(1)] == [n], timeout, f"record {n}")


def wait_for_records(daemon: Daemon, count: int, timeout: float = 30.0) -> None:
    """Returns once there are so many records for readers: a line that is in its file may not be announced yet."""
    wait_until(lambda: len(daemon.recent(100_000)) == count, timeout, f"{count} records")
