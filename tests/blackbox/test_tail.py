# SPDX-License-Identifier: MIT
"""`tail -F logs/current` follows the log over rotations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from livelogd_daemon import Daemon, wait_until
from waiting import wait_for_newest


def test_tail_follows_the_link(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    # Room for a few records in a segment. tail looks at the name once a second: so does the test, segment by segment.
    with Daemon(log_max_bytes=400, log_backup_count=100) as daemon, seen.open("wb") as out:
        daemon.send([{"n": 0}])
        wait_for_newest(daemon, 0)
        tail = subprocess.Popen(
            ["tail", "-n", "+1", "-s", "0.1", "-F", str(daemon.log_dir / "current")], stdout=out, stderr=subprocess.DEVNULL
        )
        try:
            for n in range(1, 20):
                daemon.send([{"n": n, "pad": "x" * 60}])
                wait_until(lambda: f'"n":{n},'.encode() in seen.read_bytes(), what=f"tail shows record {n}")
        finally:
            tail.terminate()
            tail.wait()
        assert len(daemon.segments()) > 2
    numbers = [json.loads(line)["n"] for line in seen.read_text().splitlines()]
    assert numbers == list(range(20))
