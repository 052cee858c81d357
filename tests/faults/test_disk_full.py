# SPDX-License-Identifier: MIT
"""A disk that is really full, out of inodes, or read-only: nothing is lost, readers see everything meanwhile, senders wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import check_accounting, counters
from disk import TmpfsDaemon
from livelogd_daemon import wait_until
from oracle import History, keys_in_order, own_events
from reader import Reader
from trouble import Batch, found_by_recent, of_state, recovered_records, wait_until_failing, wait_until_recovered

Tally = Callable[[str, int], None]

HELD = 256 << 10  # unwritten_max_bytes


@pytest.mark.parametrize("pages", [0, 1, 5])
def test_full_and_room_again(pages: int, tally: Tally) -> None:
    history = History()
    with TmpfsDaemon(size=3 << 20, unwritten_max_bytes=HELD) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b", size=1000) as batch:
            batch.send(10)
            batch.wait()
            daemon.fill(leave=pages * 4096)
            batch.send(40)
            wait_until_failing(daemon, reader, "No space left on device")
            assert batch.acked_within(0.3) < 50, "acknowledged without being in a file"

            # Held in memory: with ids, for streams and queries.
            wait_until(lambda: len(reader.ids) == 50, what="the stream shows what is held")
            assert found_by_recent(daemon, batch.keys)
            stats = daemon.get("/api/v1/logs/stats?hours=87600").json()
            assert stats["total_logs"] == 50
            assert counters(daemon)["waiting"] > 0

            # Until there is too much of it.
            taken = batch.flood(8 << 20)
            assert HELD < taken < HELD + (1 << 20), "it took in more than it may hold and the socket buffers"
            assert daemon.get("/healthz").status == 200

            daemon.make_room()
            batch.finish()
            batch.wait()
            wait_until_recovered(daemon, reader)
            stored = history.check(daemon.log_dir)
            assert keys_in_order(stored) == batch.keys, "not in the order in which they were sent"
            assert own_events(stored) == ["storing_recovered"]
            reader.check(stored)
            check_accounting(daemon)
        tally("full disks", 1)


def test_full_again_and_again(thorough: bool, tally: Tally) -> None:
    """Short writes at other places each time: no two records are glued together."""
    history = History()
    rounds = 40 if thorough else 6
    with TmpfsDaemon(size=2 << 20, log_max_bytes=30_000, log_backup_count=1000) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b", size=333) as batch:
            for number in range(rounds):
                batch.send(1 + number)
                batch.wait()
                daemon.fill(leave=(number % 3) * 4096)
                batch.send(50)
                wait_until_failing(daemon)
                daemon.make_room()
                batch.wait()
            wait_until_recovered(daemon, reader)
            stored = history.check(daemon.log_dir)
            assert keys_in_order(stored) == batch.keys
            reader.check(stored)
            check_accounting(daemon)
        tally("full disks", rounds)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_it_ends_while_the_disk_is_full(how: str, tally: Tally) -> None:
    """What was only held is gone with it, and was never acknowledged; its ids do not come back."""
    history = History()
    with TmpfsDaemon(size=2 << 20) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b", size=1000) as batch:
            batch.send(10)
            batch.wait()
            daemon.fill()
            batch.send(40)
            wait_until_failing(daemon, reader)
            wait_until(lambda: len(reader.ids) == 50, what="the stream shows what is held")
            if how == "killed":
                daemon.kill()
            else:
                said = daemon.stop(exit_code=74)
                assert "could not be stored" in said
            batch.note()
        highest = reader.ids[-1]
        history.note_death()
        daemon.restart()  # still full
        history.check(daemon.log_dir, seen_survive=False)
        with Batch(daemon, history, "c", size=1000) as batch:
            batch.send(10)
            wait_until(lambda: reader.ids[-1] > highest and len(reader.ids) >= 60, what="the next records are shown")
            daemon.make_room()
            batch.wait()
            stored = history.check(daemon.log_dir, seen_survive=False)
            assert max(stored) > highest
            reader.check(stored, lost=True)
            check_accounting(daemon)
        tally("full disks", 1)


def test_out_of_inodes(tally: Tally) -> None:
    """No new segment can be made: the old one grows over its limit, and nobody has to wait."""
    history = History()
    with TmpfsDaemon(size=4 << 20, inodes=64, log_max_bytes=10_000, log_backup_count=100) as daemon:
        with Reader(daemon, history) as reader, Batch(daemon, history, "b", size=1000) as batch:
            batch.send(25)
            batch.wait()
            taken: list[Path] = []
            try:
                while True:
                    taken.append(daemon.disk_seen / f"taken-{len(taken)}")
                    os.close(os.open(taken[-1], os.O_CREAT | os.O_WRONLY))
            except OSError:
                taken.pop()
            segments = len(daemon.segments())
            batch.send(50)
            batch.wait()
            assert len(daemon.segments()) == segments
            history.check(daemon.log_dir)
            for path in taken:
                path.unlink()
            for _ in range(3):
                batch.send(12)
                batch.wait()
            assert len(daemon.segments()) > segments, "it does not begin new segments again"
            stored = history.check(daemon.log_dir)
            assert keys_in_order(stored) == batch.keys
            reader.check(stored)
            check_accounting(daemon)
        tally("disks out of inodes", 1)


def test_the_directory_becomes_read_only(tally: Tally) -> None:
    """New names cannot be made; what is open can be written. As soon as it can be done, it goes on as before."""
    history = History()
    with TmpfsDaemon(log_max_bytes=10_000, log_backup_count=100) as daemon:
        with Reader(daemon, history) as reader, Batch(daemon, history, "b", size=1000) as batch:
            batch.send(15)
            batch.wait()
            daemon.mounts.do_or_skip("mount", "--bind", daemon.disk, daemon.disk)
            daemon.mounts.do_or_skip("mount", "-o", "remount,bind,ro", daemon.disk)
            batch.send(40)
            wait_until(lambda: len(reader.ids) >= 55, what="the stream shows them")
            assert found_by_recent(daemon, batch.keys)
            assert daemon.get("/healthz").status == 200
            daemon.mounts.unmount(daemon.disk)
            batch.send(40)
            batch.wait()
            wait_until(lambda: daemon.get("/readyz").status == 200, what="/readyz is content")
            stored = history.check(daemon.log_dir)
            assert keys_in_order(stored) == batch.keys
            reader.check(stored)
            check_accounting(daemon)
        tally("read-only directories", 1)


def test_a_short_trouble_is_told_once() -> None:
    """One record and one pair of events for one trouble, however many tries it took; with how many records it was about."""
    history = History()
    with TmpfsDaemon() as daemon, Reader(daemon, history) as reader, Batch(daemon, history, "b", size=5000) as batch:
        batch.send()
        batch.wait()
        daemon.fill()
        batch.send(7)
        wait_until_failing(daemon, reader)
        assert batch.acked_within(1.0) < 8
        daemon.make_room()
        batch.wait()
        wait_until_recovered(daemon, reader)
        (told,) = recovered_records(daemon)
        assert told["held_records"] == 7, told
        assert len(of_state(reader, "ok")) == 1
        assert daemon.stderr.count("No space left on device") == 1, daemon.stderr
        reader.check(history.check(daemon.log_dir))
        check_accounting(daemon)
