# SPDX-License-Identifier: MIT
"""The machine loses power under load: what was acknowledged as durable is there afterwards, and no id comes to name another record.

An ext4 file system in a file is cut off (EXT4_IOC_SHUTDOWN) from what has not been forced to the disk, mounted again with its
journal replayed, and the daemon starts there with the boot id of another boot.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import check_accounting
from disk import FLUSH_ALL, FLUSH_JOURNAL, FLUSH_NOTHING, PoweredDaemon
from fault_control import SYNC
from livelogd_daemon import wait_until
from oracle import History, keys_in_order, make_line, own_events
from reader import Reader
from sender import Connection, Sender, sending, wait_for_acks
from trouble import Batch

Tally = Callable[[str, int], None]

CUTS = {"all flushed": FLUSH_ALL, "journal flushed": FLUSH_JOURNAL, "nothing flushed": FLUSH_NOTHING}


@pytest.mark.parametrize("sync", ["always", "interval", "none"])
def test_durable_records_outlive_power_cuts(sync: str, thorough: bool, tally: Tally) -> None:
    seed = int(os.environ.get("LIVELOGD_FAULTS_SEED", random.randrange(1 << 32)))
    print(f"LIVELOGD_FAULTS_SEED={seed}")
    chance = random.Random(seed)
    history = History()
    rounds = 20 if thorough else 3
    with PoweredDaemon(sync=sync, sync_interval="50ms", log_max_bytes="128KiB", log_backup_count=1000) as daemon:
        durable = [Sender(daemon, history, f"d{n}", "durable", batch=1 + 4 * n, window=100) for n in range(2)]
        others = [Sender(daemon, history, "w", "written", pause=0.002), Sender(daemon, history, "p", None, pause=0.01)]
        with Reader(daemon, history) as reader, sending(*durable, *others):
            torn = 0
            for number in range(rounds):
                wait_for_acks(durable, 50)
                time.sleep(chance.uniform(0.0, 0.2))
                daemon.lose_power(list(CUTS.values())[number % 3])
                history.note_death()
                daemon.restart()
                torn += "bytes that are no record" in daemon.stderr
            for sender in durable + others:
                sender.stop()
            check_accounting(daemon)
            stored = history.check(daemon.log_dir, survives="durable", seen_survive=False)
            reader.check(stored, lost=True)
        assert len(history.acked_keys("durable")) > rounds * 100
        tally("power cuts", rounds)
        tally("torn ends after power cuts", torn)


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_not_forced_to_the_disk_may_go_but_its_ids_do_not_come_back(cut: str, tally: Tally) -> None:
    """Nothing is synced but a first record: what readers saw after it may be lost, also as a tail of zeros."""
    history = History()
    with PoweredDaemon(sync="none") as daemon:
        with Connection(daemon, "durable") as connection:
            line = make_line("safe")
            history.note_sent("safe", line, history.life)
            connection.send(line)
            assert connection.wait_for_ack(1), "no sync for a sender that waits for it"
            history.note_acked("safe", "durable")
        with Reader(daemon, history) as reader:
            with Connection(daemon, "written") as connection:
                for n in range(500):
                    line = make_line(f"n{n}", 200)
                    history.note_sent(f"n{n}", line, history.life)
                    connection.send(line)
                assert connection.wait_for_ack(500)
            wait_until(lambda: len(reader.ids) == 501, what="the stream shows them")
            highest = reader.ids[-1]
            daemon.lose_power(CUTS[cut])
            history.note_death()
            daemon.restart()
            last = make_line("last")
            history.note_sent("last", last, history.life)
            with Connection(daemon, "durable") as connection:
                connection.send(last)
                assert connection.wait_for_ack(1)
            history.note_acked("last", "durable")
            stored = history.check(daemon.log_dir, survives="durable", seen_survive=False)
            assert max(stored) > highest
            assert "ids_jumped" in own_events(stored)
            check_accounting(daemon)
            reader.check(stored, lost=True)
        tally("power cuts", 1)


def force_to_the_disk(path: Path) -> None:
    """What the system may have done of itself by then, in the middle of a segment."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


@pytest.mark.parametrize("cut", ["journal flushed", "nothing flushed"])
def test_sealed_segments_that_had_not_been_forced_to_the_disk(cut: str, tally: Tally) -> None:
    """Syncing is behind by several segments: not only the newest of them may end within a line, or in zeros."""
    history = History()
    with PoweredDaemon(faults=True, sync="none", log_max_bytes=9_000, log_backup_count=1000) as daemon:
        with Batch(daemon, history, "safe", "durable") as safe:
            safe.send(3)
            safe.wait()
        daemon.faults.slow(SYNC, 60.0)
        with Batch(daemon, history, "b", size=200) as batch:
            batch.send(60)
            batch.wait()
            force_to_the_disk(daemon.segments()[-1])
            batch.send(60)
            batch.wait()
        daemon.lose_power(CUTS[cut])
        daemon.faults.heal()
        history.note_death()
        daemon.restart()
        history.check(daemon.log_dir, survives="durable", seen_survive=False)
        with Batch(daemon, history, "c", "durable") as batch:
            batch.send(3)
            batch.wait()
        stored = history.check(daemon.log_dir, survives="durable", seen_survive=False)
        with Reader(daemon, history) as reader:
            reader.check(stored)
        assert [r["key"] for r in daemon.recent(1000) if "key" in r] == keys_in_order(stored)
        check_accounting(daemon)
    tally("power cuts", 1)


def test_a_daemon_that_is_cut_off_stays_up() -> None:
    """The disk is gone, the daemon is not: it says so, acknowledges nothing any more, and holds what comes in."""
    history = History()
    with PoweredDaemon(sync="always") as daemon, Reader(daemon, history) as reader:
        with Connection(daemon, "durable") as connection:
            for n in range(2):
                line = make_line(f"n{n}")
                history.note_sent(f"n{n}", line, history.life)
                connection.send(line)
                if n == 0:
                    assert connection.wait_for_ack(1)
                    history.note_acked("n0", "durable")
                    daemon.cut_off(FLUSH_NOTHING)
            wait_until(lambda: daemon.get("/readyz").status == 503, what="/readyz tells of it")
            assert not connection.wait_for_ack(2, 0.5), "acknowledged without a disk"
            wait_until(lambda: len(reader.ids) == 2, what="the stream shows what is held")
        daemon.lose_power(FLUSH_NOTHING)
        history.note_death()
        daemon.restart()
        history.check(daemon.log_dir, survives="durable", seen_survive=False)
        check_accounting(daemon)
