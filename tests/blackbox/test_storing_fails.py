# SPDX-License-Identifier: MIT
"""When records cannot be written: the daemon stays up, says so, writes on once it can, and tells what it had to give up.

Here with a limit on the size of files (see file_limit.py); a disk that is really full is in tests/faults.
"""

from __future__ import annotations

import json

from file_limit import TOO_SMALL, UNLIMITED, limit_files, record
from livelogd_daemon import Daemon, wait_until
from waiting import wait_for_newest


def test_it_tells_waits_and_writes_on() -> None:
    with Daemon() as daemon:
        daemon.send([record(n) for n in range(3)])
        wait_for_newest(daemon, 2)
        assert daemon.get("/readyz").json() == {"status": "ready"}

        limit_files(daemon, TOO_SMALL)
        daemon.send([record(n) for n in range(3, 10)])
        refused = wait_until(lambda: (a := daemon.get("/readyz")).status == 503 and a, what="/readyz tells of the trouble")
        assert "File too large" in refused.json()["error"]
        assert daemon.get("/healthz").status == 200
        assert [r["n"] for r in daemon.recent()] == [0, 1, 2]

        limit_files(daemon, UNLIMITED)
        wait_until(lambda: daemon.get("/readyz").status == 200, what="storing works again")
        daemon.send([record(10)])
        wait_for_newest(daemon, 10)
        stored = [json.loads(line) for line in daemon.stored_lines()]
        assert [r["n"] for r in stored if "n" in r] == list(range(11))
        own = [r for r in stored if "n" not in r]
        assert [(r["type"], r["event"]) for r in own] == [("livelogd", "storing_recovered")]
        assert "File too large" in own[0]["reason"]
        assert own[0]["held_records"] == 7


def test_what_cannot_be_stored_at_the_stop_is_counted() -> None:
    with Daemon() as daemon:
        daemon.send([record(0)])
        wait_for_newest(daemon, 0)
        limit_files(daemon, TOO_SMALL)
        daemon.send([record(n) for n in range(1, 8)])
        wait_until(lambda: daemon.get("/readyz").status == 503, what="storing fails")
        told = daemon.stop(exit_code=74)
        assert "7 accepted records could not be stored" in told
        # Somebody might have seen one of them if storing had worked: ids jump.
        before = int(daemon.segments()[-1].name[5:25])
        daemon.restart()
        daemon.send([record(8)])
        wait_for_newest(daemon, 8)
        assert int(daemon.segments()[-1].name[5:25]) > before + 8
        assert [json.loads(line).get("n") for line in daemon.stored_lines() if b'"n":' in line] == [0, 8]
