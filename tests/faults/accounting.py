# SPDX-License-Identifier: MIT
"""The daemon's own books: every line that came in went to exactly one place."""

from __future__ import annotations

from typing import Any

from livelogd_daemon import Daemon, wait_until

COUNTERS = ("lines", "stored", "malformed", "deduplicated", "dropped_by_configuration", "unfinished", "waiting", "own_records")


def counters(daemon: Daemon) -> dict[str, int]:
    """Of the daemon's life so far."""
    answer = daemon.get("/api/v1/logs/stats")
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.json()["daemon"]
    for name in COUNTERS:
        assert isinstance(told[name], int) and told[name] >= 0, (name, told)
    return {name: told[name] for name in COUNTERS}


def is_balanced(told: dict[str, int]) -> bool:
    gone = told["stored"] + told["deduplicated"] + told["dropped_by_configuration"] + told["unfinished"]
    return told["waiting"] == 0 and told["lines"] == gone


def check_accounting(daemon: Daemon, timeout: float = 20.0) -> dict[str, int]:
    """Once nothing is on its way any more the counters add up. Ends every test whose daemon is alive at its end."""
    told: dict[str, int] = {}

    def at_rest() -> bool:
        told.update(counters(daemon))
        return is_balanced(told)

    try:
        wait_until(at_rest, timeout)
    except AssertionError:
        raise AssertionError(f"the counters do not add up: {told}") from None
    return told
