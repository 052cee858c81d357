# SPDX-License-Identifier: MIT
"""SIGKILL at every byte that is written, and at every call that changes a name or forces to the disk.

Each point is its own daemon on its own directory: it is killed there, started again without faults, takes records again, and
the log must be whole: nothing acknowledged or shown is lost, no id names two records, no line is torn.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from http.client import HTTPException

import pytest
from accounting import check_accounting
from fault_control import ANY_CALL, SEGMENT, TORN, Rule
from fault_daemon import FaultDaemon
from livelogd_daemon import wait_until
from oracle import History, keys_in_order, make_line
from sender import Broken, Connection
from sse_client import Closed, Stream

Tally = Callable[[str, int], None]
Arm = Callable[[FaultDaemon], Rule]

# Three records as short as they can be; where it is meant to rotate, no two of them fit into a segment.
LINES = [b'{"timestamp":"t","key":"r%d"}\n' % n for n in range(3)]
TOGETHER = sum(map(len, LINES))
ROTATING = len(LINES[0]) + 20


def send_all(daemon: FaultDaemon, history: History, at_once: bool) -> None:
    """Sends the three, and notes what is acknowledged until all are or the daemon dies."""
    for n, line in enumerate(LINES):
        history.note_sent(f"r{n}", line, history.life)
    noted = 0
    try:
        with Connection(daemon, "written") as connection:
            try:
                if at_once:
                    connection.send(b"".join(LINES))
                for n, line in enumerate(LINES):
                    if not at_once:
                        connection.send(line)
                    assert connection.wait_for_ack(n + 1), f"record {n} is not acknowledged"
            finally:
                while noted < connection.acked:
                    history.note_acked(f"r{noted}", "written")
                    noted += 1
    except Broken:
        pass


def watch(daemon: FaultDaemon, history: History, stream: Stream, until: int) -> None:
    """Notes what the stream shows, up to so many records or its end."""
    try:
        for event in (stream.record(10.0) for _ in range(until)):
            assert event.id is not None
            history.note_seen(event.id, event.data.encode())
    except (Closed, TimeoutError):
        pass


def at_byte(count: int, kinds: int = SEGMENT) -> Arm:
    return lambda daemon: daemon.faults.kill_at_byte(count, kinds=kinds)


def try_point(arm: Arm, at_once: bool, log_max_bytes: int) -> bool:
    """One crash. False if the daemon has lived through all of it: there are no more such points."""
    history = History()
    with FaultDaemon(faults=True, log_max_bytes=log_max_bytes, log_backup_count=100, sync="always") as daemon:
        with Stream(daemon) as stream:
            rule = arm(daemon)
            send_all(daemon, history, at_once)
            hit = rule.clear()
            if hit:
                daemon.died()
            watch(daemon, history, stream, len(LINES))
        if not hit:
            check_accounting(daemon)
            return False
        daemon.faults.heal()
        history.note_death()
        daemon.restart()
        goes_on(daemon, history)
        return True


def goes_on(daemon: FaultDaemon, history: History) -> list[str]:
    """The log is whole, and takes the next record as if nothing had been. Returns what was there before."""
    before = keys_in_order(history.check(daemon.log_dir))
    assert before == sorted(set(before)), before
    line = make_line("s")
    history.note_sent("s", line, history.life)
    with Connection(daemon, "written") as connection:
        connection.send(line)
        assert connection.wait_for_ack(1)
    history.note_acked("s", "written")
    wait_until(lambda: [r.get("key") for r in daemon.recent(1)] == ["s"], what="the next record")
    assert keys_in_order(history.check(daemon.log_dir)) == [*before, "s"]
    check_accounting(daemon)
    return before


def points(count: int, thorough: bool) -> range:
    """All of them, or an eighth, from a random one on. A test that fails names the point."""
    return range(count) if thorough else range(random.randrange(8), count, 8)


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "one batch"])
@pytest.mark.parametrize("log_max_bytes", [1 << 20, ROTATING], ids=["one segment", "rotating"])
def test_killed_at_every_byte(at_once: bool, log_max_bytes: int, thorough: bool, tally: Tally) -> None:
    chosen = points(TOGETHER + 1, thorough)
    for at in chosen:
        assert try_point(at_byte(at), at_once, log_max_bytes), at
    assert not try_point(at_byte(TOGETHER + 1), at_once, log_max_bytes)
    tally("crash points (bytes)", len(chosen))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "one batch"])
def test_killed_at_every_call_of_a_rotation(at_once: bool, after: bool, thorough: bool, tally: Tally) -> None:
    if not thorough and at_once == after:
        pytest.skip("left to LIVELOGD_FAULTS=all")
    crashes = 0
    while try_point(lambda daemon: daemon.faults.kill_at_call(ANY_CALL, crashes + 1, after=after), at_once, ROTATING):
        crashes += 1
        assert crashes < 500, "it never survives"
    assert crashes >= 10, "two rotations make more calls than that"
    tally("crash points (calls)", crashes)


# What a power cut or a crash may have left at the end of the newest segment.
TAILS = {"half a line": b'{"timestamp":"t","key":"to', "zeros": b"\0" * 40, "both": b'{"ti' + b"\0" * 9 + b"\n"}


def has_told(daemon: FaultDaemon) -> bool:
    try:
        return len(daemon.recent()) > len(LINES)
    except (OSError, HTTPException):
        return False  # it has just died


def try_repair(arm: Arm, tail: bytes) -> bool:
    """The daemon is killed while it repairs such an end. False if it has lived through the repair."""
    history = History()
    with FaultDaemon(faults=True) as daemon:
        send_all(daemon, history, at_once=True)
        wait_until(lambda: len(daemon.recent()) == len(LINES))
        daemon.kill()
        torn = daemon.segments()[-1]
        with open(torn, "ab") as file:
            file.write(tail)
        rule = arm(daemon)
        if daemon.start_may_die():
            # What the repair is told with, and the first sync, may still be to come.
            wait_until(lambda: rule.hits or has_told(daemon), what="the record that tells of it")
            if not rule.clear():
                return False
            daemon.died()
        daemon.faults.heal()
        history.note_death()
        daemon.restart()
        assert goes_on(daemon, history) == ["r0", "r1", "r2"]
        aside = daemon.log_dir / (torn.name + ".torn")
        assert tail in aside.read_bytes(), "what was cut off is not kept"
        return True


@pytest.mark.parametrize("tail", TAILS)
def test_killed_at_every_call_of_a_repair(tail: str, thorough: bool, tally: Tally) -> None:
    if not thorough and tail != "both":
        pytest.skip("left to LIVELOGD_FAULTS=all")
    crashes = 0
    while try_repair(lambda daemon: daemon.faults.kill_at_call(ANY_CALL, crashes + 1), TAILS[tail]):
        crashes += 1
        assert crashes < 500, "it never survives"
    assert crashes >= 8, "a repair makes more calls than that"
    tally("crash points (repair)", crashes)


def test_killed_at_every_byte_of_what_is_kept_aside(thorough: bool, tally: Tally) -> None:
    tail = TAILS["half a line"]
    chosen = points(len(tail) + 1, thorough)
    for at in chosen:
        assert try_repair(at_byte(at, TORN), tail), at
    tally("crash points (repair)", len(chosen))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_call_of_a_stop(after: bool, tally: Tally) -> None:
    crashes = 0
    while True:
        history = History()
        with FaultDaemon(faults=True, sync="none") as daemon:
            send_all(daemon, history, at_once=True)
            rule = daemon.faults.kill_at_call(ANY_CALL, crashes + 1, after=after)
            daemon.signal(signal.SIGTERM)
            assert daemon.process is not None
            code = daemon.process.wait(20)
            if not rule.hits:
                assert code == 0, code
                break
            assert code == -signal.SIGKILL, code
            daemon.kill()
            daemon.faults.heal()
            history.note_death()
            daemon.restart()
            assert goes_on(daemon, history) == ["r0", "r1", "r2"]
            crashes += 1
            assert crashes < 500, "it never survives"
    assert crashes >= 3, "a stop makes more calls than that"
    tally("crash points (stop)", crashes)
