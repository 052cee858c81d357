# SPDX-License-Identifier: MIT
"""System calls that fail at an exact byte or call, for a while or for good: the daemon stays up, nothing acknowledged is lost,
no line is torn, and every id keeps its record."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import check_accounting
from fault_control import (
    ANY_FILE,
    CREATE,
    CURRENT,
    DIRECTORY,
    MKDIR,
    RENAME,
    SEGMENT,
    STATE,
    SYMLINK,
    SYNC,
    TRUNCATE,
    UNLINK,
    WRITE,
    Faults,
    Rule,
)
from fault_daemon import FaultDaemon
from livelogd_daemon import wait_until
from oracle import History, keys_in_order, make_line, own_events
from reader import Reader
from trouble import Batch, found_by_recent, wait_until_failing, wait_until_recovered

Tally = Callable[[str, int], None]


def finish(daemon: FaultDaemon, history: History, reader: Reader, *batches: Batch) -> list[str]:
    """All is healed: everything is there, once, in order. Returns what the daemon has told of itself."""
    for batch in batches:
        batch.send(3)
        batch.wait()
    check_accounting(daemon)
    wait_until(lambda: daemon.get("/readyz").status == 200, what="/readyz is content")
    stored = history.check(daemon.log_dir)
    found = keys_in_order(stored)
    for batch in batches:
        assert [key for key in found if key in set(batch.keys)] == batch.keys
    reader.check(stored)
    return own_events(stored)


# --- writing ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT], ids=lambda e: errno.errorcode[e])
def test_writing_fails_at_every_byte(error: int, thorough: bool, tally: Tally) -> None:
    history = History()
    length = 3 * len(make_line("b0"))
    points = range(0, length, 1 if thorough else 31)
    with FaultDaemon(faults=True) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b") as batch:
            for at in points:
                rule = daemon.faults.room(at, error)
                batch.send(3)
                wait_until(lambda: rule.hits, what=f"a write fails at byte {at}")
                held = batch.keys
                wait_until(lambda: reader.error or found_by_recent(daemon, held), what="what is held is found")
                assert batch.acked_within(0.0) < batch.sent
                rule.clear()
                batch.wait()
            assert "storing_recovered" in finish(daemon, history, reader, batch)
        tally(f"writes that failed ({errno.errorcode[error]})", len(points))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=lambda e: errno.errorcode[e])
def test_all_writing_fails_for_a_while(error: int, tally: Tally) -> None:
    history = History()
    with FaultDaemon(faults=True, log_max_bytes=5000, log_backup_count=1000) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "w", size=300) as written, Batch(daemon, history, "d", "durable", size=300) as durable:
            for batch in (written, durable):
                batch.send(5)
                batch.wait()
            rule = daemon.faults.fail(WRITE, error, kinds=ANY_FILE)
            for _ in range(10):
                written.send(5)
                durable.send(2)
                time.sleep(0.02)
            wait_until_failing(daemon, reader, os.strerror(error))
            wait_until(lambda: len(reader.ids) == 80, what="the stream shows what is held")
            assert written.acked_within(0.0) == durable.acked_within(0.0) == 5
            rule.clear()
            written.wait()
            durable.wait()
            wait_until_recovered(daemon, reader)
            assert finish(daemon, history, reader, written, durable) == ["storing_recovered"]
        tally(f"writes that failed ({errno.errorcode[error]})", rule.hits)


def test_a_single_failed_write_is_mended(tally: Tally) -> None:
    history = History()
    with FaultDaemon(faults=True) as daemon, Reader(daemon, history) as reader, Batch(daemon, history, "b") as batch:
        for _ in range(3):
            rule = daemon.faults.fail(WRITE, errno.EIO, times=1)
            batch.send(4)
            batch.wait()
            assert rule.hits == 1
            rule.clear()
            wait_until_recovered(daemon)
        finish(daemon, history, reader, batch)
    tally("writes that failed (EIO)", 3)


def test_a_fragment_that_cannot_be_cut_off_at_once(tally: Tally) -> None:
    """After a short write ftruncate fails too, a few times."""
    history = History()
    with FaultDaemon(faults=True) as daemon, Reader(daemon, history) as reader, Batch(daemon, history, "b") as batch:
        batch.send(3)
        batch.wait()
        cut = daemon.faults.fail(TRUNCATE, errno.EIO, times=4)
        room = daemon.faults.room(30)
        batch.send(3)
        wait_until(lambda: room.hits, what="a short write")
        time.sleep(0.5)
        room.clear()
        batch.wait()
        assert cut.hits > 0
        daemon.faults.heal()
        finish(daemon, history, reader, batch)
    tally("ftruncate calls that failed", cut.hits)


# --- forcing to the disk ------------------------------------------------------------------------------------------------


def ids_by_segment(log_dir: Path) -> dict[int, int]:
    """First id of each segment, and how many records it has."""
    return {int(path.name[5:25]): path.read_bytes().count(b"\n") for path in sorted(log_dir.glob("live-*.jsonl"))}


@pytest.mark.parametrize("sync", ["always", "interval", "none"])
def test_a_failed_sync_is_final_for_its_file(sync: str, tally: Tally) -> None:
    """The file is cut back to what had been synced, and what had not goes into a new one, with the ids it had."""
    history = History()
    with FaultDaemon(faults=True, sync=sync, sync_interval="50ms") as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "d", "durable") as durable:
            durable.send(5)
            durable.wait()
            rule = daemon.faults.fail(SYNC, errno.EIO, times=1)
            durable.send(3)
            durable.wait()
            assert rule.hits == 1
            (first, synced), (second, *_) = list(ids_by_segment(daemon.log_dir).items())[:2]
            assert synced == 5 and second == first + 5, ids_by_segment(daemon.log_dir)
            wait_until_recovered(daemon)
            assert finish(daemon, history, reader, durable) == ["storing_recovered"]
        tally("syncs that failed", rule.hits)


@pytest.mark.parametrize("kinds", [SEGMENT, SEGMENT | DIRECTORY], ids=["files", "files and directory"])
@pytest.mark.parametrize("log_max_bytes", ["1MiB", 700], ids=["one segment", "rotating"])
@pytest.mark.parametrize("times", [1, 3, -1], ids=["once", "thrice", "for a while"])
def test_syncing_fails_from_the_kth_call_on(log_max_bytes: object, times: int, kinds: int, thorough: bool, tally: Tally) -> None:
    if not thorough and times == 3:
        pytest.skip("left to LIVELOGD_FAULTS=all")
    history = History()
    hits = 0
    with FaultDaemon(
        faults=True, sync="always", log_max_bytes=log_max_bytes, log_backup_count=1_000_000
    ) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "w") as written, Batch(daemon, history, "d", "durable") as durable:
            for first in range(1, 13 if thorough else 4):
                rule = daemon.faults.fail(SYNC, errno.EIO, first=first, times=times, kinds=kinds)
                for _ in range(12):
                    written.send(2)
                    durable.send(2)
                    if times < 0:
                        time.sleep(0.01)
                    else:
                        durable.wait()
                wait_until(lambda: rule.hits, what="a sync fails")
                if times < 0:
                    assert durable.acked_within(0.1) < durable.sent, "acknowledged as durable, but nothing was synced"
                    wait_until_failing(daemon, reader, os.strerror(errno.EIO))
                rule.clear()
                hits += rule.hits
                durable.wait()
                written.wait()
            finish(daemon, history, reader, written, durable)
        tally("syncs that failed", hits)


@pytest.mark.parametrize("log_max_bytes", ["1MiB", 700], ids=["one segment", "rotating"])
def test_a_slow_disk_holds_up_only_those_who_wait_for_it(log_max_bytes: object, tally: Tally) -> None:
    history = History()
    with FaultDaemon(
        faults=True, sync="always", log_max_bytes=log_max_bytes, log_backup_count=1000
    ) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "w") as written, Batch(daemon, history, "d", "durable") as durable:
            rule = daemon.faults.slow(SYNC, 60.0, kinds=SEGMENT | DIRECTORY)
            durable.send(3)
            wait_until(lambda: rule.hits, what="a sync begins")
            for _ in range(10):
                written.send(2)
                written.wait()
            wait_until(lambda: len(reader.ids) == 23, what="the stream shows all")
            assert durable.acked_within(0.0) == 0, "acknowledged as durable before the sync was done"
            assert rule.hits == 1, "others than the sync thread wait for the disk"
            rule.clear()
            durable.wait()
            assert finish(daemon, history, reader, written, durable) == []
        tally("slow syncs", rule.hits)


# --- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENOSPC, errno.EACCES], ids=lambda e: errno.errorcode[e])
def test_no_new_segment_can_be_made(error: int, tally: Tally) -> None:
    """The old one grows over its limit; with the first chance it is sealed."""
    history = History()
    with FaultDaemon(faults=True, log_max_bytes=2000, log_backup_count=1000) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b", size=150) as batch:
            batch.send(20)
            batch.wait()
            before = len(daemon.segments())
            rule = daemon.faults.fail(CREATE, error, kinds=ANY_FILE)
            batch.send(50)
            batch.wait()
            assert rule.hits and len(daemon.segments()) == before
            rule.clear()
            batch.send(5)
            batch.wait()
            assert len(daemon.segments()) > before
            finish(daemon, history, reader, batch)
        tally("open calls that failed", rule.hits)


def test_neither_the_old_file_nor_a_new_one(tally: Tally) -> None:
    """Writing fails with EIO, so another file is wanted, and cannot be made either."""
    history = History()
    with FaultDaemon(faults=True) as daemon, Reader(daemon, history) as reader, Batch(daemon, history, "b") as batch:
        batch.send(3)
        batch.wait()
        create = daemon.faults.fail(CREATE, errno.EMFILE)
        room = daemon.faults.room(100, errno.EIO)
        batch.send(10)
        wait_until_failing(daemon, reader)
        wait_until(lambda: len(reader.ids) == 13, what="the stream shows what is held")
        create.clear()
        assert batch.acked_within(0.5) < 13
        room.clear()
        batch.wait()
        wait_until_recovered(daemon, reader)
        finish(daemon, history, reader, batch)
    tally("open calls that failed", create.hits)


@pytest.mark.parametrize("ops, kinds", [(RENAME, STATE), (RENAME | SYMLINK, CURRENT), (RENAME | SYMLINK | MKDIR, ANY_FILE)])
def test_helper_files_cannot_be_replaced(ops: int, kinds: int, tally: Tally) -> None:
    """`current` and `.state` are conveniences: records are stored all the same, and a restart finds its way."""
    history = History()
    with FaultDaemon(faults=True, log_max_bytes=1000, log_backup_count=1000) as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b", size=150) as batch:
            rule = daemon.faults.fail(ops, errno.EIO, kinds=kinds)
            for _ in range(5):
                batch.send(10)
                batch.wait()
            assert rule.hits
            daemon.kill()
        history.note_death()
        rule.clear()
        daemon.restart()
        with Batch(daemon, history, "c", size=150) as batch:
            finish(daemon, history, reader, batch)
        assert os.readlink(daemon.log_dir / "current") == daemon.segments()[-1].name
        tally("rename and symlink calls that failed", rule.hits)


def test_old_segments_cannot_be_removed(tally: Tally) -> None:
    """The log grows over what is to be kept, from the oldest segment on without a hole, until it can be done."""
    history = History()
    with FaultDaemon(faults=True, log_max_bytes=1000, log_backup_count=2) as daemon:
        with Batch(daemon, history, "b", size=150) as batch:
            rule: Rule = daemon.faults.fail(UNLINK, errno.EPERM)
            batch.send(100)
            batch.wait()
            check_accounting(daemon)
            assert rule.hits
            assert keys_in_order(history.check(daemon.log_dir)) == batch.keys
            rule.clear()
            batch.send(20)
            batch.wait()
            wait_until(lambda: len(daemon.segments()) == 3, what="old segments are removed")
            history.check(daemon.log_dir, retention=True)
            check_accounting(daemon)
        tally("unlink calls that failed", rule.hits)


# --- all of them, one after another -------------------------------------------------------------------------------------


def disturb(faults: Faults, ops: int, nth: int) -> Rule:
    return faults.fail(ops, errno.EIO, first=nth, times=1, kinds=ANY_FILE)


@pytest.mark.parametrize(
    "ops",
    [CREATE, WRITE, SYNC, RENAME, UNLINK, SYMLINK],
    ids=["open", "write", "sync", "rename", "unlink", "symlink"],
)
def test_the_kth_call_fails_once(ops: int, thorough: bool, tally: Tally) -> None:
    """Whichever call it is that fails once, in a life with rotation and retention: nothing is lost."""
    hits = 0
    for nth in range(1, 41 if thorough else 7):
        history = History()
        with FaultDaemon(faults=True, sync="always", log_max_bytes=400, log_backup_count=1_000) as daemon:
            with Reader(daemon, history) as reader, Batch(daemon, history, "d", "durable") as batch:
                rule = disturb(daemon.faults, ops, nth)
                for _ in range(10):
                    batch.send(2)
                    batch.wait()
                rule.clear()
                hits += rule.hits
                finish(daemon, history, reader, batch)
                # It must find its way after that, too.
                daemon.kill()
                history.note_death()
                daemon.restart()
                history.check(daemon.log_dir)
                check_accounting(daemon)
    assert hits > 0 or ops == UNLINK
    tally("calls that failed once", hits)
