# SPDX-License-Identifier: MIT
"""How many records are lost or doubled while the daemon is restarted, or killed, under load.

    python3 benchmarks/restarts.py [--restarts 100] [--kills 20] [--rate 2000]

Threads log numbered records through one sender for each kind of acknowledgement, without a pause, while the real daemon is stopped and
started again. Afterwards every record is looked for in the daemon's files. $LIVELOGD_BIN, else build/release/livelogd, is
what is tried.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parents[2] / "tests" / "support")]

from livelogd import Sender, SenderStats  # noqa: E402
from livelogd_daemon import Daemon, wait_until  # noqa: E402

_RETENTION = {"log_max_bytes": 1 << 20, "log_backup_count": 100_000}


class Outcome(NamedTuple):
    """What became of the records."""

    written: int
    lost: int
    doubled: int
    out_of_order: int
    resent: int
    dropped: int
    connections: int


class Load:
    """Threads that log through a sender until they are told to stop."""

    def __init__(self, sender: Sender, name: str, rate: float, threads: int = 2) -> None:
        self.sender = sender
        self.name = name
        self.counts = [0] * threads
        self._rate = rate / threads
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, thread: int) -> None:
        rng = random.Random(thread)
        begun = time.monotonic()
        while not self._stop.is_set():
            record = {"level": "INFO", "load": self.name, "thread": thread, "n": self.counts[thread]}
            if self.sender.send({**record, "x": "y" * rng.randrange(300)}):
                self.counts[thread] += 1
            ahead = self.counts[thread] / self._rate - (time.monotonic() - begun)
            if ahead > 0.002:
                time.sleep(ahead)


def outcome_of(daemon: Daemon, load: Load) -> Outcome:
    """Looks for the records of a load that has stopped and been flushed."""
    seen: dict[int, list[int]] = {thread: [] for thread in range(len(load.counts))}
    for line in daemon.stored_lines():
        record = json.loads(line)
        if record.get("load") == load.name:
            seen[record["thread"]].append(record["n"])
    lost = doubled = out_of_order = 0
    for thread, numbers in seen.items():
        times = Counter(numbers)
        lost += sum(1 for number in range(load.counts[thread]) if number not in times)
        doubled += sum(count - 1 for count in times.values())
        first_seen = list(dict.fromkeys(numbers))
        out_of_order += sum(1 for a, b in zip(first_seen, first_seen[1:]) if b < a)
    stats = load.sender.stats()
    return Outcome(
        sum(load.counts), lost, doubled, out_of_order, stats.resent, stats.dropped, stats.connections
    )  # fmt: skip


@contextmanager
def under_load(daemon: Daemon, rate: float) -> Iterator[list[Load]]:
    """Loads with each kind of acknowledgement; at the end all is flushed and the senders are closed."""
    loads = [Load(Sender(daemon.socket_path, ack=ack), ack, rate) for ack in ("written", "durable")]
    for load in loads:
        load.start()
    try:
        yield loads
    finally:
        for load in loads:
            load.stop()
        for load in loads:
            assert load.sender.flush(30), load.sender.stats()
            load.sender.close()


def _is_at_work(load: Load, before: SenderStats) -> bool:
    now = load.sender.stats()
    return now.connected and now.sent > before.sent


def trouble(kind: str, times: int, rate: float, seed: int = 0) -> dict[str, Outcome]:
    """Restarts (kind "restart") or kills a daemon so many times under load. Returns the outcome for each kind of
    acknowledgement."""
    rng = random.Random(seed)
    options: dict[str, Any] = dict(_RETENTION)
    with Daemon(**options) as daemon:
        with under_load(daemon, rate) as loads:
            for _ in range(times):
                # Each life of the daemon has connections, and ends at any moment after the first acknowledgement.
                before = [load.sender.stats() for load in loads]
                wait_until(lambda: all(map(_is_at_work, loads, before)), 20, "the senders are at work")
                time.sleep(rng.uniform(0.0, 0.15))
                if kind == "kill":
                    daemon.kill()
                daemon.restart()
        return {load.name: outcome_of(daemon, load) for load in loads}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2000, help="records a second for each kind of acknowledgement")
    options = parser.parse_args()
    for kind, times in (("restart", options.restarts), ("kill", options.kills)):
        for ack, outcome in trouble(kind, times, options.rate).items():
            told = " ".join(f"{name}={value}" for name, value in outcome._asdict().items())
            print(f"{times} {kind}s, ack {ack}: {told}", flush=True)


if __name__ == "__main__":
    main()
