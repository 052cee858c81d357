# SPDX-License-Identifier: MIT
"""SIGKILL at random moments under load, with segments being sealed all the time: what was acknowledged as written, and what a
reader has seen, is there afterwards; a record is doubled at most where a sender could not know that it had arrived."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest
from accounting import check_accounting
from fault_daemon import FaultDaemon
from livelogd_daemon import wait_until
from oracle import History, own_events
from reader import Reader
from sender import Sender, sending, wait_for_acks

Tally = Callable[[str, int], None]


@pytest.mark.parametrize("sync", ["none", "always"])
def test_killed_again_and_again_under_load(sync: str, thorough: bool, tally: Tally) -> None:
    seed = int(os.environ.get("LIVELOGD_FAULTS_SEED", random.randrange(1 << 32)))
    print(f"LIVELOGD_FAULTS_SEED={seed}")
    chance = random.Random(seed)
    kills = 100 if thorough else 8
    history = History()
    with FaultDaemon(sync=sync, log_max_bytes=20_000, log_backup_count=1_000_000) as daemon:
        senders = [
            Sender(daemon, history, "a", "written", batch=1, pause=0.001),
            Sender(daemon, history, "b", "written", batch=40, window=400, pause=0.01),
            Sender(daemon, history, "c", "durable", batch=5, pause=0.005),
            Sender(daemon, history, "p", None, batch=10, pause=0.02),
        ]
        with Reader(daemon, history) as reader, sending(*senders):
            for _ in range(kills):
                wait_for_acks(senders[:3])
                time.sleep(chance.uniform(0.0, 0.15))
                daemon.kill()
                history.note_death()
                daemon.restart()
            for sender in senders:
                sender.stop()
            check_accounting(daemon)
            stored = history.check(daemon.log_dir)
            reader.check(stored)
        assert set(own_events(stored)) <= {"tail_cut", "ids_jumped"}, own_events(stored)
        lives = sum(len(sent.lives) > 1 for sent in history.sent.values())
        tally("random kills", kills)
        tally("records acknowledged around kills", len(history.acked_keys()))
        tally("records sent again after kills", lives)


def test_a_sender_that_reconnects_is_not_stored_twice(tally: Tally) -> None:
    """Connections break, the daemon does not: it remembers what it has of each client."""
    history = History()
    breaks = 0
    with FaultDaemon(log_max_bytes=50_000, log_backup_count=1_000_000) as daemon:
        with Reader(daemon, history) as reader:
            with Sender(daemon, history, "r", "written", batch=20, breaks_after=37) as sender:
                wait_until(lambda: sender.error or sender.connections > 30, 30, "it has connected many times")
                sender.stop()
            breaks = sender.connections - 1
            told = check_accounting(daemon)
            stored = history.check(daemon.log_dir)
            reader.check(stored)
        # The one life of the daemon allows each record once, so what was sent again has been recognised.
        assert told["stored"] == sender.produced == len(stored)
        tally("broken connections", breaks)
