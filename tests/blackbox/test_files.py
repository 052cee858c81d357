# SPDX-License-Identifier: MIT
"""The log directory: names, modes, rotation, retention, and what is found there after every kind of end."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import stat
import threading
import time
from pathlib import Path

import pytest
from livelogd_daemon import Daemon, run_livelogd, wait_until
from sse_client import Closed, Stream
from waiting import wait_for_newest

NAME = re.compile(r"live-(\d{20})\.jsonl")


def first_id(segment: Path) -> int:
    found = NAME.fullmatch(segment.name)
    assert found, segment.name
    return int(found.group(1))


def record(n: int, size: int = 100) -> bytes:
    """A record that takes exactly `size` bytes of a segment, its LF included."""
    line = b'{"timestamp":"t","n":%d,"p":"' % n
    return line + b"x" * (size - len(line) - 3) + b'"}\n'


def numbers(daemon: Daemon) -> list[int]:
    """Of the records that were sent; the daemon's own have none."""
    return [one["n"] for one in map(json.loads, daemon.stored_lines()) if one.get("type") != "livelogd"]


def every_record(daemon: Daemon, count: int) -> dict[int, str]:
    """The first `count` records that the stream has to offer from the beginning, by id; the daemon's own left out."""
    found: dict[int, str] = {}
    with Stream(daemon, "after=0") as stream:
        while len(found) < count:
            event = stream.record()
            if event.id is not None and event.json().get("type") != "livelogd":
                found[event.id] = event.data
    return found


# --- names and modes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_names_modes_and_the_link(umask: int) -> None:
    before = time.time_ns() // 1000
    previous = os.umask(umask)
    try:
        daemon = Daemon(log_max_bytes=1000).start()
    finally:
        os.umask(previous)
    with daemon:
        daemon.send([record(n) for n in range(25)])
        wait_for_newest(daemon, 24)
        segments = daemon.segments()
        assert len(segments) == 3
        # A fresh log begins at the clock's microseconds; the rest follows from the numbers of lines.
        assert before <= first_id(segments[0]) <= time.time_ns() // 1000
        assert [first_id(one) - first_id(segments[0]) for one in segments] == [0, 10, 20]
        assert stat.S_IMODE(daemon.log_dir.stat().st_mode) == 0o750
        assert [stat.S_IMODE(one.stat().st_mode) for one in segments] == [0o640] * 3
        current = daemon.log_dir / "current"
        assert os.readlink(current) == segments[-1].name
        assert stat.S_IMODE(daemon.socket_path.stat().st_mode) == 0o660
        # Nothing else that a glob over the folder would take for a log.
        visible = {one.name for one in daemon.log_dir.iterdir() if not one.name.startswith(".")}
        assert visible == {one.name for one in segments} | {"current"}


def test_socket_mode() -> None:
    with Daemon(socket_mode="0600") as daemon:
        assert stat.S_IMODE(daemon.socket_path.stat().st_mode) == 0o600


def test_ids_are_first_id_and_line_number() -> None:
    with Daemon(log_max_bytes=2000) as daemon:
        daemon.send([record(n, 100 + n % 7) for n in range(90)])
        wait_for_newest(daemon, 89)
        by_id = every_record(daemon, 90)
        for segment in daemon.segments():
            for number, line in enumerate(segment.read_text().splitlines()):
                assert by_id[first_id(segment) + number] == line


# --- rotation and retention ---------------------------------------------------------------------------------------


def test_a_segment_is_sealed_at_the_byte() -> None:
    with Daemon(log_max_bytes=1000, log_backup_count=1000) as daemon:
        # Ten of these fill a segment exactly.
        daemon.send([record(n, 100) for n in range(30)])
        wait_for_newest(daemon, 29)
        assert [one.stat().st_size for one in daemon.segments()] == [1000, 1000, 1000]
        # One more byte would not have fitted.
        daemon.send([record(n, 100) for n in range(9)] + [record(9, 101), record(10, 100)])
        wait_for_newest(daemon, 10)
        assert [one.stat().st_size for one in daemon.segments()] == [1000, 1000, 1000, 900, 201]


def test_a_larger_record_gets_a_segment_of_its_own() -> None:
    with Daemon(log_max_bytes=1000) as daemon:
        daemon.send([record(0), record(1, 5000), record(2), record(3, 1000), record(4, 1001), record(5)])
        wait_for_newest(daemon, 5)
        assert [one.stat().st_size for one in daemon.segments()] == [100, 5000, 100, 1000, 1001, 100]
        assert numbers(daemon) == [0, 1, 2, 3, 4, 5]


def test_sizes_of_any_length_rotate_as_late_as_possible() -> None:
    with Daemon(log_max_bytes=5000, log_backup_count=1000) as daemon:
        daemon.send([record(n, 60 + n * 37 % 900) for n in range(400)])
        wait_for_newest(daemon, 399)
        for one, following in itertools.pairwise(daemon.segments()):
            size = one.stat().st_size
            assert size <= 5000 < size + len(following.read_bytes().split(b"\n")[0]) + 1
        assert numbers(daemon) == list(range(400))


def test_retention_counts_segments_and_their_bytes() -> None:
    count, limit = 3, 1000
    with Daemon(log_max_bytes=limit, log_backup_count=count) as daemon:
        for n in range(20):
            daemon.send([record(10 * n + i) for i in range(10)])
        wait_for_newest(daemon, 199)
        # Full segments: as many as were asked for, and the active one.
        wait_until(lambda: len(daemon.segments()) == count + 1)
        assert numbers(daemon) == list(range(160, 200))
        # Small segments, each ended early by a large record, do not push history out.
        daemon.send([line for n in range(200, 212, 2) for line in (record(n), record(n + 1, 1001))])
        wait_for_newest(daemon, 211)

        def settled() -> bool:
            sealed = [one.stat().st_size for one in daemon.segments()[:-1]]
            # None could be removed, and the last one that was had to be.
            return not (len(sealed) > count and sum(sealed) > count * limit)

        wait_until(settled)
        sealed = [one.stat().st_size for one in daemon.segments()[:-1]]
        assert len(sealed) > count, sealed
        assert sum(sealed) > count * limit - 1001


def test_backup_count_zero_keeps_the_active_segment() -> None:
    with Daemon(log_max_bytes=1000, log_backup_count=0) as daemon:
        daemon.send([record(n) for n in range(95)])
        wait_for_newest(daemon, 94)
        wait_until(lambda: len(daemon.segments()) == 1)
        assert numbers(daemon) == [90, 91, 92, 93, 94]


# --- going on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sync", ["none", "interval", "always"])
def test_a_restart_goes_on_with_the_next_id(sync: str) -> None:
    with Daemon(sync=sync, log_max_bytes=1000) as daemon:
        daemon.send([record(n) for n in range(25)])
        wait_for_newest(daemon, 24)
        before = every_record(daemon, 25)
        daemon.restart()
        daemon.send([record(n) for n in range(25, 50)])
        wait_for_newest(daemon, 49)
        after = every_record(daemon, 50)
        assert {name: after[name] for name in before} == before
        assert sorted(after) == list(range(min(before), min(before) + 50))
        assert [one.stat().st_size for one in daemon.segments()] == [1000] * 5


def test_restarts_without_records_leave_nothing_behind(daemon: Daemon) -> None:
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)
    before = [(one.name, one.read_bytes()) for one in daemon.segments()]
    for _ in range(3):
        daemon.restart()
    assert [(one.name, one.read_bytes()) for one in daemon.segments()] == before


def test_an_emptied_directory_brings_no_id_back(daemon: Daemon) -> None:
    daemon.send([record(n) for n in range(5)])
    wait_for_newest(daemon, 4)
    last = max(every_record(daemon, 5))
    daemon.stop()
    shutil.rmtree(daemon.log_dir)
    daemon.restart()
    daemon.send([record(7)])
    wait_for_newest(daemon, 7)
    assert min(every_record(daemon, 1)) > last


def test_kill_9_under_load_keeps_every_id_that_was_seen() -> None:
    """What a reader has seen is there after a kill, under the same id, and ids go on above it."""
    with Daemon(log_max_bytes=20_000, log_backup_count=10_000) as daemon:
        seen: dict[int, str] = {}
        for turn in range(5):
            stop = threading.Event()

            def pump() -> None:
                try:
                    with daemon.connect() as connection:
                        for n in itertools.count():
                            if stop.is_set():
                                return
                            connection.sendall(b"".join(record(1000 * n + i, 80 + i * 13) for i in range(20)))
                except OSError:
                    return  # the daemon is gone

            sender = threading.Thread(target=pump)
            with Stream(daemon) as stream:
                sender.start()
                got = stream.records(200 + 300 * turn)
                daemon.kill()
                try:
                    while True:
                        got.append(stream.record())
                except Closed:
                    pass
            stop.set()
            sender.join()
            for event in got:
                assert event.id is not None and event.id not in seen
                seen[event.id] = event.data
            daemon.restart()
            lines = daemon.stored_lines()
            for line in lines:
                json.loads(line)
            assert all(one.read_bytes()[-1:] in (b"\n", b"") for one in daemon.segments())
        # A kill in the middle of a write leaves a torn line, which the daemon tells in a record of its own.
        kept = every_record(daemon, sum(json.loads(line).get("type") != "livelogd" for line in lines))
        assert {name: kept[name] for name in seen} == seen
        assert sorted(kept) == list(kept)


TAILS = {
    "half a record": b'{"timestamp":"t","n":5,"p":"xx',
    "zeros": b"\0" * 4096,
    "half a record and zeros": b'{"timestamp":"t","n":5' + b"\0" * 512,
    "much": b"y" * 3_000_000,
}


@pytest.mark.parametrize("tail", [pytest.param(one, id=name) for name, one in TAILS.items()])
def test_a_torn_tail_is_cut_off_kept_aside_and_told(daemon: Daemon, tail: bytes) -> None:
    daemon.send([record(n) for n in range(5)])
    wait_for_newest(daemon, 4)
    before = every_record(daemon, 5)
    daemon.kill()
    (segment,) = daemon.segments()
    whole = segment.read_bytes()
    segment.write_bytes(whole + tail)
    daemon.restart()
    # The first thing after it is the daemon's own record of what it did.
    wait_until(lambda: len(daemon.stored_lines()) == 6)
    assert segment.read_bytes().startswith(whole + b'{"timestamp":')
    told = json.loads(daemon.stored_lines()[5])
    assert told["type"] == "livelogd" and told["event"] and str(len(tail)) in json.dumps(told)
    torn = [one for one in daemon.log_dir.iterdir() if one.name.endswith(".torn")]
    assert [one.read_bytes() for one in torn] == [tail]
    assert stat.S_IMODE(torn[0].stat().st_mode) == 0o640
    assert torn[0].name in daemon.stderr and str(len(tail)) in daemon.stderr
    assert numbers(daemon) == [0, 1, 2, 3, 4]
    daemon.send([record(5)])
    wait_for_newest(daemon, 5)
    after = every_record(daemon, 6)
    assert {name: after[name] for name in before} == before
    assert max(after) > max(before)


def test_a_broken_last_line_is_no_record(daemon: Daemon) -> None:
    """It ends as lines do, but nothing in it is one: cut off or skipped, it is never shown, and its id never used again."""
    daemon.send([record(n) for n in range(5)])
    wait_for_newest(daemon, 4)
    before = every_record(daemon, 5)
    daemon.kill()
    with open(daemon.segments()[-1], "ab") as segment:
        segment.write(b"\0" * 100 + b"\n")
    daemon.restart()
    daemon.send([record(5)])
    wait_for_newest(daemon, 5)
    after = every_record(daemon, 6)
    assert {name: after[name] for name in before} == before
    assert [json.loads(after[name])["n"] for name in sorted(after)] == [0, 1, 2, 3, 4, 5]


def test_a_second_torn_tail_does_not_overwrite_the_first(daemon: Daemon) -> None:
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)
    for tail in (b"first", b"second"):
        daemon.kill()
        with open(daemon.segments()[-1], "ab") as segment:
            segment.write(tail)
        daemon.restart()
    kept = [one.read_bytes() for one in daemon.log_dir.iterdir() if one.name.endswith(".torn")]
    assert b"".join(sorted(kept)) == b"firstsecond"


def test_a_log_that_holds_only_a_torn_record(daemon: Daemon) -> None:
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)
    daemon.kill()
    segment = daemon.segments()[-1]
    segment.write_bytes(b'{"timestamp":"t","n"')
    daemon.restart()
    assert numbers(daemon) == []
    daemon.send([record(1)])
    wait_for_newest(daemon, 1)
    assert numbers(daemon) == [1]


@pytest.mark.parametrize("garbage", [b"x", b"\0", b"{", b"\xff"])
def test_a_broken_line_in_the_middle_keeps_its_id(daemon: Daemon, garbage: bytes) -> None:
    daemon.send([record(n) for n in range(9)])
    wait_for_newest(daemon, 8)
    before = every_record(daemon, 9)
    daemon.stop()
    (segment,) = daemon.segments()
    data = bytearray(segment.read_bytes())
    data[400:499] = garbage * 99
    segment.write_bytes(data)
    daemon.restart()
    broken = min(before) + 4
    assert [one["n"] for one in daemon.recent()] == [0, 1, 2, 3, 5, 6, 7, 8]
    after = every_record(daemon, 8)
    assert after == {name: line for name, line in before.items() if name != broken}
    assert daemon.get("/api/v1/logs/stats?hours=87600").json()["total_logs"] == 8
    with Stream(daemon, f"after={broken - 1}") as stream:
        assert stream.record().id == broken + 1


# --- who else is there --------------------------------------------------------------------------------------------


def flags(daemon: Daemon, **other: object) -> list[str]:
    options = {"listen": "127.0.0.1:0", "log_dir": daemon.log_dir, "socket": daemon.folder / "other.sock", **other}
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


def test_a_second_daemon_on_the_directory_is_refused(daemon: Daemon) -> None:
    second = run_livelogd(*flags(daemon))
    assert second.returncode == 69
    assert str(daemon.log_dir) in second.stderr
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)


def test_a_second_daemon_on_the_socket_is_refused(daemon: Daemon) -> None:
    second = run_livelogd(*flags(daemon, log_dir=daemon.folder / "other", socket=daemon.socket_path))
    assert second.returncode == 69
    assert str(daemon.socket_path) in second.stderr
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)


def test_a_second_daemon_on_the_port_is_refused(daemon: Daemon) -> None:
    second = run_livelogd(*flags(daemon, log_dir=daemon.folder / "other", listen=f"127.0.0.1:{daemon.port}"))
    assert second.returncode == 69
    assert str(daemon.port) in second.stderr
    assert daemon.get("/healthz").status == 200


def test_the_directory_of_a_killed_daemon_is_free_at_once(daemon: Daemon) -> None:
    for _ in range(3):
        daemon.kill()
        daemon.restart()
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)


def test_what_is_no_socket_is_left_alone(daemon: Daemon) -> None:
    precious = daemon.folder / "precious.txt"
    precious.write_text("keep me")
    link = daemon.folder / "link"
    link.symlink_to(precious)
    for path in (precious, link, daemon.folder):
        refused = run_livelogd(*flags(daemon, log_dir=daemon.folder / "other", socket=path))
        assert refused.returncode in (69, 78), refused.stderr
        assert str(path) in refused.stderr
    assert precious.read_text() == "keep me" and link.is_symlink()


def test_a_socket_path_that_is_too_long_is_a_configuration_error(daemon: Daemon) -> None:
    refused = run_livelogd(*flags(daemon, log_dir=daemon.folder / "other", socket=daemon.folder / ("x" * 120)))
    assert refused.returncode == 78
    assert "107" in refused.stderr


def test_a_directory_that_cannot_be_made_is_told(daemon: Daemon) -> None:
    (daemon.folder / "file").write_text("")
    refused = run_livelogd(*flags(daemon, log_dir=daemon.folder / "file" / "logs"))
    assert refused.returncode == 74
    assert str(daemon.folder / "file" / "logs") in refused.stderr
