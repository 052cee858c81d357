# SPDX-License-Identifier: MIT
"""A limit on the size of files, which stands in for a full disk: it needs no privileges and can be lifted while the daemon
runs. It also holds for files in memory, so that what is held cannot be shown to readers before it is stored."""

from __future__ import annotations

import resource

from livelogd_daemon import Daemon

UNLIMITED = resource.RLIM_INFINITY
TOO_SMALL = 4096  # for a record, not for the daemon's messages and its other files


def record(n: int) -> dict[str, object]:
    """One that does not fit."""
    return {"timestamp": "2025-06-26T10:30:45.123456", "n": n, "message": "x" * 5000}


def limit_files(daemon: Daemon, size: int) -> None:
    """No file may grow past `size` bytes."""
    _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (size, hard))
