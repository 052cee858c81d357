# SPDX-License-Identifier: MIT
"""Somebody removes, renames or cuts the log's files under the daemon's feet.

It notices by the next sync, writes on into a new segment, and puts what had not been synced into a file again. What was
synced and then removed by hand is gone; a reader who has not seen it is told so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import check_accounting
from fault_daemon import FaultDaemon
from livelogd_daemon import wait_until
from oracle import History, keys_in_order, make_line, read_log
from reader import Reader
from sender import Sender, sending, wait_for_acks
from trouble import Batch

Tally = Callable[[str, int], None]
Harm = Callable[[FaultDaemon], object]


def active(daemon: FaultDaemon) -> Path:
    return daemon.segments()[-1]


def cut(daemon: FaultDaemon, share: float) -> None:
    path = active(daemon)
    os.truncate(path, int(path.stat().st_size * share))


HARM: dict[str, Harm] = {
    "directory removed": lambda daemon: shutil.rmtree(daemon.log_dir, ignore_errors=True),
    "directory renamed": lambda daemon: daemon.log_dir.rename(daemon.folder / "elsewhere"),
    "active file renamed": lambda daemon: active(daemon).rename(daemon.log_dir / "app.log.1"),
    "active file moved away": lambda daemon: active(daemon).rename(daemon.folder / "app.log.1"),
    "active file removed": lambda daemon: active(daemon).unlink(),
    "truncated": lambda daemon: cut(daemon, 0.0),
    "cut to half": lambda daemon: cut(daemon, 0.5),
}


def mend_what_was_cut(daemon: FaultDaemon) -> None:
    """The half line that a cut has left in the middle of the log is nobody's promise: it is taken out of the picture."""
    for path in daemon.segments():
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            path.write_bytes(content[: content.rfind(b"\n") + 1])


@pytest.mark.parametrize("harm", HARM)
def test_what_was_not_synced_comes_into_a_file_again(harm: str, tally: Tally) -> None:
    """All records are acknowledged as written, and not one of them has been synced yet when it happens."""
    history = History()
    with FaultDaemon(sync_interval="1s") as daemon, Reader(daemon, history) as reader:
        with Batch(daemon, history, "b", size=200) as batch:
            batch.send(100)
            batch.wait()
            HARM[harm](daemon)
            batch.send(5)
            batch.wait()
            wait_until(lambda: set(batch.keys) <= stored_keys(daemon), 15, "all records are in files again")
            batch.send(5)
            batch.wait()
            mend_what_was_cut(daemon)
            stored = history.check(daemon.log_dir)
            assert keys_in_order(stored) == batch.keys
            reader.check(stored)
            check_accounting(daemon)
            assert daemon.log_dir.joinpath("current").resolve() == active(daemon).resolve()
        daemon.restart()
        assert keys_in_order(history.check(daemon.log_dir)) == batch.keys
        tally("files taken away", 1)


def stored_keys(daemon: FaultDaemon) -> set[str]:
    try:
        return set(keys_in_order(read_log(daemon.log_dir)))
    except (AssertionError, FileNotFoundError):
        return set()  # a half line that has been left, a directory that is not there yet


@pytest.mark.parametrize("harm", HARM)
def test_under_load(harm: str, tally: Tally) -> None:
    """With segments being sealed all the time. From the next sync on all is as it should be; what had been acknowledged as
    durable before is the only thing that may have gone with the files."""
    history = History()
    with FaultDaemon(sync_interval="200ms", log_max_bytes=50_000, log_backup_count=100_000) as daemon:
        senders = [
            Sender(daemon, history, "w", "written", pause=0.005),
            Sender(daemon, history, "d", "durable", pause=0.01),
        ]
        with Reader(daemon, history) as reader, sending(*senders):
            wait_until(lambda: len(daemon.segments()) > 2, what="it has sealed segments")
            try:
                HARM[harm](daemon)
            except FileNotFoundError:
                pass  # it was quicker: a segment had just been made or sealed
            produced = {sender.name: sender.produced for sender in senders}
            wait_for_acks(senders, 200)
            for sender in senders:
                sender.stop()
            check_accounting(daemon)
            mend_what_was_cut(daemon)
            stored = read_log(daemon.log_dir)
            for record_id, line in stored.items():
                history.note_seen(record_id, line)
            # What was synced and then removed is gone, and which that was cannot be told from outside; but nothing that was
            # sent after that may be missing, although the daemon had yet to notice.
            lost = set(history.acked_keys()) - set(keys_in_order(stored))
            late = sorted(key for key in lost if int(key.split("-")[1]) >= produced[key.split("-")[0]])
            assert not late, f"sent after it happened, acknowledged, and not in a file: {late[:10]}"
            reader.wait_for(max(stored))
            check_streamed_once(reader, history)
        assert daemon.running
        tally("files taken away", 1)


def check_streamed_once(reader: Reader, history: History) -> None:
    """Every record that was sent, once and in the order of its sender; or a gap was told."""
    if reader.events("gap"):
        return
    keys = [keys_in_order({0: history.seen[i]}) for i in reader.ids]
    shown = [key for one in keys for key in one]
    assert sorted(shown) == sorted(history.sent), "not each record once"


def test_a_sealed_file_is_removed(tally: Tally) -> None:
    """What is in it is gone; a reader who wants it is told of the gap, and gets the rest."""
    history = History()
    # A small ring, so that readers need the files.
    with FaultDaemon(log_max_bytes=2000, log_backup_count=1000, max_record_bytes="1KiB", ring_bytes="2KiB") as daemon:
        with Batch(daemon, history, "b", size=200) as batch:
            batch.send(100)
            batch.wait()
            victim = daemon.segments()[3]
            gone = set(keys_in_order(read_log_of(victim)))
            victim.unlink()
            batch.send(20)
            batch.wait()
            check_accounting(daemon)
            found = [record["key"] for record in daemon.recent(100_000)]
            assert found == [key for key in batch.keys if key not in gone]
            assert daemon.get("/api/v1/logs/stats?hours=87600").json()["total_logs"] == len(found)
            with Reader(daemon, history) as reader:
                stored = read_log(daemon.log_dir)
                reader.check(stored)
            first = int(victim.name[5:25])
            gaps = [event.json() for event in reader.events("gap")]
            assert [(gap["from"], gap["to"]) for gap in gaps] == [(first, first + len(gone) - 1)], gaps
            assert daemon.get("/readyz").status == 200
        tally("files taken away", 1)


def read_log_of(path: Path) -> dict[int, bytes]:
    return dict(enumerate(path.read_bytes().splitlines()))


def test_everything_is_removed_again_and_again(thorough: bool, tally: Tally) -> None:
    """`rm -rf logs` every now and then, while records come in: each of them reaches readers, the daemon stays up."""
    history = History()
    rounds = 30 if thorough else 5
    with FaultDaemon(sync_interval="50ms", log_max_bytes=20_000, log_backup_count=100) as daemon:
        sender = Sender(daemon, history, "w", "written", pause=0.002)
        with Reader(daemon, history) as reader, sending(sender):
            for _ in range(rounds):
                wait_for_acks([sender], 100)
                shutil.rmtree(daemon.log_dir, ignore_errors=True)
                wait_until(lambda: sender.error or list(daemon.log_dir.glob("live-*.jsonl")), 15, "there are files again")
            sender.stop()
            check_accounting(daemon)
            last = make_line("last")
            history.note_sent("last", last, history.life)
            daemon.send([last])
            wait_until(lambda: any(line == last.rstrip() for line in daemon.stored_lines()), what="the next record is in a file")
            wait_until(lambda: daemon.recent(1)[0].get("key") == "last")
            assert reader.error is None, reader.error
        tally("files taken away", rounds)
