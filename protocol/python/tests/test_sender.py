# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fake_daemon import FakeDaemon, eventually
from livelogd import Sender, default_sender, get_sender, log_event, set_default_sender

SOURCES = str(Path(__file__).resolve().parent.parent / "src")


def run_python(code: str, *arguments: str, timeout: float = 20) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=timeout, env=environment
    )


def test_a_record_arrives_as_a_compact_line(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    assert sender.send({"timestamp": "t", "level": "INFO", "n": 1})
    daemon.wait_for_lines(1)
    assert daemon.lines == [b'{"timestamp":"t","level":"INFO","n":1}']


def test_a_timestamp_is_added_in_front(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    sender.send({"message": "no time"})
    (record,) = daemon.wait_for_lines(1)
    assert list(record) == ["timestamp", "message"]


def test_ten_thousand_records_of_several_threads_keep_each_threads_order(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    writers, each = 5, 2000

    def write(writer: int) -> None:
        for number in range(each):
            assert sender.send({"timestamp": "t", "writer": writer, "number": number, "text": "x" * (number % 97)})

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(10)
    records = daemon.wait_for_lines(writers * each)
    assert len(records) == writers * each
    for writer in range(writers):
        assert [record["number"] for record in records if record["writer"] == writer] == list(range(each))
    stats = sender.stats()
    assert (stats.accepted, stats.sent, stats.dropped, stats.queued_bytes) == (writers * each, writers * each, 0, 0)
    assert stats.connections == 1 and stats.connected and stats.last_error is None


def test_the_daemon_may_come_later(daemon: FakeDaemon, sender: Sender) -> None:
    for number in range(50):
        assert sender.send({"number": number})
    eventually(lambda: sender.stats().last_error is not None)
    assert not sender.flush(0.05)
    daemon.start()
    assert sender.flush(5)
    assert [record["number"] for record in daemon.wait_for_lines(50)] == list(range(50))


def test_the_daemon_may_restart(daemon: FakeDaemon, sender: Sender) -> None:
    number = 0
    for round_ in range(4):
        daemon.start()
        assert sender.flush(5)
        for number in range(number, number + 10):
            sender.send({"number": number})
        assert sender.flush(5)
        daemon.wait_for_lines(number + 1)
        daemon.stop()
        number += 1
        sender.send({"number": number})  # while it is away
        eventually(lambda: not sender.stats().connected)
        number += 1
    daemon.start()
    assert sender.flush(5)
    daemon.wait_for_lines(number)
    assert [record["number"] for record in daemon.records()] == list(range(44))
    assert daemon.connections == 5


def test_a_line_cut_by_a_break_is_sent_again_whole(daemon: FakeDaemon) -> None:
    with Sender(daemon.path, ack="none") as sender:
        _break_in_the_middle_of_a_line(daemon, sender)


def _break_in_the_middle_of_a_line(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.reading.clear()
    daemon.start()
    count = 400
    for number in range(count):
        sender.send({"timestamp": "t", "number": number, "text": "x" * 5000})
    daemon.wait_for(lambda: daemon.connections == 1)
    eventually(lambda: sender.stats().sent > 0)
    time.sleep(0.1)  # the socket is full now and the write waits in the middle of a batch
    sent_at_break = sender.stats().sent
    assert sent_at_break < count
    daemon.stop()
    lines_before = len(daemon.lines)
    daemon.start()
    assert sender.flush(10)
    daemon.wait_for(lambda: bool(daemon.lines) and b'"number":399' in daemon.lines[-1])
    # records() parses every line: nothing is glued together.
    after = [record["number"] for record in daemon.records()[lines_before:]]
    before = [record["number"] for record in daemon.records()[:lines_before]]
    # What the kernel had taken whole is not sent again; the rest follows without a gap, from the cut line on.
    assert after == list(range(after[0], count))
    assert after[0] >= sent_at_break
    assert before == list(range(len(before)))
    # Lost at most what was in the socket's buffer.
    assert (after[0] - len(before)) * 5050 < 512 * 1024


def test_send_never_waits_for_a_daemon_that_does_not_read(daemon: FakeDaemon) -> None:
    daemon.reading.clear()
    daemon.start()
    with Sender(daemon.path, max_queue_bytes=200_000) as sender:
        slowest = 0.0
        taken = 0
        for number in range(3000):
            begin = time.perf_counter()
            taken += sender.send({"number": number, "text": "x" * 1000})
            slowest = max(slowest, time.perf_counter() - begin)
        assert slowest < 0.5
        stats = sender.stats()
        assert stats.dropped > 0 and stats.queued_bytes <= 200_000
        assert taken + stats.dropped == 3000
        daemon.reading.set()
        assert sender.flush(10)
        daemon.wait_for(lambda: bool(daemon.lines) and b"records_dropped" in daemon.lines[-1])
    records = daemon.records()
    assert sum(record["count"] for record in records if "count" in record) == stats.dropped
    assert sum(1 for record in records if "number" in record) == taken


def test_what_is_dropped_is_counted_and_told(daemon: FakeDaemon) -> None:
    begin = time.time()
    with Sender(daemon.path, max_queue_bytes=10_000) as sender:
        accepted = [number for number in range(500) if sender.send({"number": number, "text": "x" * 100})]
        assert 50 < len(accepted) < 100 and accepted == list(range(len(accepted)))  # the newest go
        assert sender.stats().dropped == 500 - len(accepted)
        daemon.start()
        assert sender.flush(5)
        records = daemon.wait_for_lines(len(accepted) + 1)
        sender.send({"number": "after"})
        records = daemon.wait_for_lines(len(accepted) + 2)
    assert [record["number"] for record in records[: len(accepted)]] == accepted
    told = records[len(accepted)]
    assert list(told) == [
        "timestamp", "level", "message", "module", "type", "event", "count", "first", "last", "pid",
    ]  # fmt: skip
    assert (told["level"], told["module"], told["type"], told["event"]) == (
        "WARNING", "livelogd", "livelogd", "records_dropped",
    )  # fmt: skip
    assert told["count"] == 500 - len(accepted)
    assert f"{told['count']} records were dropped" in told["message"]
    first, last = (datetime.fromisoformat(told[name]).timestamp() for name in ("first", "last"))
    assert begin - 1 <= first <= last <= time.time() + 1
    assert records[-1]["number"] == "after"


def test_one_record_larger_than_the_queue_is_dropped_and_told_alone(daemon: FakeDaemon) -> None:
    daemon.start()
    with Sender(daemon.path, max_queue_bytes=1000) as sender:
        assert not sender.send({"text": "x" * 2000})
        (told,) = daemon.wait_for_lines(1)
        assert told["event"] == "records_dropped" and told["count"] == 1
        assert told["message"].startswith("1 record was dropped")


def test_hostile_records_raise_nothing(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()

    class Hostile(dict):  # type: ignore[type-arg]
        def __contains__(self, key: object) -> bool:
            raise RuntimeError("no")

        def items(self) -> Any:
            raise RuntimeError("no")

        __iter__ = keys = __getitem__ = items  # type: ignore[assignment]

    for hostile in (Hostile(a=1), None, 7, [1], object(), "text"):
        sender.send(hostile)  # type: ignore[arg-type]
    for record in daemon.wait_for_lines(6):
        assert record["event"] == "record_unencodable"


def test_a_signal_handler_may_send_in_the_middle_of_a_send(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    hits = 0

    def on_alarm(*_: object) -> None:
        nonlocal hits
        hits += 1
        sender.send({"from": "handler"})
        sender.flush(0.001)

    previous = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        end = time.monotonic() + 1.0
        count = 0
        while time.monotonic() < end:
            sender.send({"from": "main"})
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert hits > 20
    sender.flush(10)
    stats = sender.stats()
    assert stats.sent == stats.accepted and stats.accepted + stats.dropped >= count + hits


def test_close_sends_what_is_queued(daemon: FakeDaemon) -> None:
    daemon.start()
    sender = Sender(daemon.path)
    for number in range(1000):
        sender.send({"number": number})
    assert sender.close(5)
    assert len(daemon.wait_for_lines(1000)) == 1000
    assert not sender.send({"number": "late"})
    assert sender.stats().dropped == 1
    assert sender.close(1)  # again


@pytest.mark.parametrize("why", ["absent", "not reading"])
def test_close_keeps_its_deadline(daemon: FakeDaemon, why: str) -> None:
    if why == "not reading":
        daemon.reading.clear()
        daemon.start()
    sender = Sender(daemon.path)
    for number in range(1000):
        sender.send({"number": number, "text": "x" * 1000})
    time.sleep(0.3)
    begin = time.monotonic()
    assert not sender.close(0.5)
    assert 0.4 < time.monotonic() - begin < 1.5
    assert not any(thread.name == "livelogd-sender" and thread is sender._thread for thread in threading.enumerate())
    assert sender.flush(1) is False


def test_a_sender_that_was_never_used_starts_no_thread(daemon: FakeDaemon) -> None:
    sender = Sender(daemon.path)
    assert sender._thread is None
    assert sender.flush(1) and sender.close(1)


def test_a_daemon_that_hangs_up_at_once_is_not_hammered(daemon: FakeDaemon, sender: Sender) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(daemon.path)
    listener.listen(16)
    taken = 0
    stop = threading.Event()

    def hang_up() -> None:
        nonlocal taken
        while not stop.is_set():
            try:
                listener.accept()[0].close()
            except OSError:
                return
            taken += 1

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        sender.send({"text": "x"})
        time.sleep(0.005)
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    assert 1 <= taken <= 12


# Fork


def test_a_forked_child_has_its_own_queue_and_connection(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    sender.send({"from": "parent", "n": 1})
    daemon.wait_for_lines(1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert sender.stats().accepted == 0 and not sender.stats().connected
            sender.send({"from": "child"})
            code = 0 if sender.flush(5) else 2
        finally:
            os._exit(code)
    sender.send({"from": "parent", "n": 2})
    assert sender.flush(5)
    assert os.waitpid(child, 0)[1] == 0
    records = daemon.wait_for_lines(3)
    assert sorted(str(record["from"]) for record in records) == ["child", "parent", "parent"]
    assert daemon.connections == 2
    sender.send({"from": "parent", "n": 3})  # the child's end did not touch the parent's connection
    daemon.wait_for_lines(4)
    assert daemon.connections == 2 and not daemon.torn


def test_fork_while_other_threads_send_and_the_daemon_is_away(daemon: FakeDaemon, sender: Sender) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            sender.send({"from": "parent"})

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(12):
            child = os.fork()
            if child == 0:
                try:
                    signal.alarm(10)  # a deadlock ends the child, not the test run
                    sender.send({"from": "child"})
                    code = 0 if sender.stats().accepted == 1 else 3
                except BaseException:
                    code = 4
                os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    daemon.start()
    assert sender.flush(20)
    assert {record["from"] for record in daemon.records() if "from" in record} == {"parent"}


# The end of the process


def test_a_script_that_ends_at_once_loses_nothing(daemon: FakeDaemon) -> None:
    daemon.start()
    code = "import sys, livelogd; [livelogd.get_sender(sys.argv[1]).send({'n': n}) for n in range(500)]"
    done = run_python(code, daemon.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [record["n"] for record in daemon.wait_for_lines(500)] == list(range(500))


def test_the_end_is_not_delayed_by_a_daemon_that_is_not_there(folder: Path) -> None:
    # With time enough to tell waiting from a slow machine.
    code = (
        "import sys, livelogd, livelogd.sender\n"
        "livelogd.sender._EXIT_SECONDS = 30.0\n"
        "livelogd.get_sender(sys.argv[1]).send({'n': 1})\n"
    )
    begin = time.monotonic()
    done = run_python(code, str(folder / "none.sock"), timeout=60)
    assert time.monotonic() - begin < 15
    assert done.returncode == 0
    assert done.stderr.startswith("livelogd: 1 record was not sent: ") and done.stderr.count("\n") == 1


def test_the_end_is_delayed_two_seconds_at_most_by_one_that_does_not_read(daemon: FakeDaemon) -> None:
    daemon.reading.clear()
    daemon.start()
    code = (
        "import sys, logging, livelogd\n"
        "h = livelogd.LiveLogHandler(socket=sys.argv[1])\n"
        "logging.getLogger().addHandler(h)\n"
        "for n in range(2000): logging.error('x' * 1000)\n"
        "import time; print(time.monotonic())\n"  # the end begins; the same clock in every process
    )
    done = run_python(code, daemon.path)
    assert 1.9 < time.monotonic() - float(done.stdout) < 4.5
    assert done.returncode == 0 and "the daemon is slow" in done.stderr


def test_sigpipe_does_not_end_a_process_that_wants_it(daemon: FakeDaemon) -> None:
    daemon.start()
    code = (
        "import signal, sys, livelogd\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "s = livelogd.Sender(sys.argv[1])\n"
        "s.send({'n': 1}); assert s.flush(5)\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "s.send({'n': 2}); assert s.flush(5); s.close()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, daemon.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": SOURCES},
    )  # fmt: skip
    assert process.stdin and process.stdout
    assert process.stdout.readline() == "ready\n"
    daemon.wait_for_lines(1)
    daemon.stop()
    daemon.start()
    process.stdin.write("go\n")
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
    assert [record["n"] for record in daemon.wait_for_lines(2)] == [1, 2]


# Shared senders and events


@pytest.fixture
def fresh_default() -> Iterator[None]:
    set_default_sender(None)
    yield
    set_default_sender(None)


def test_senders_are_shared_by_path(daemon: FakeDaemon, fresh_default: None) -> None:
    one = get_sender(daemon.path)
    assert get_sender(Path(daemon.path)) is one
    set_default_sender(one)
    assert default_sender() is one
    other = Sender(daemon.path)
    set_default_sender(other, replace=False)
    assert default_sender() is one
    one.close(0)
    assert get_sender(daemon.path) is not one
    set_default_sender(other, replace=False)  # a closed one counts as none
    assert default_sender() is other
    get_sender(daemon.path).close(0)


def test_an_event_has_its_shape_and_any_fields(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    assert log_event(
        "model_upload",
        "Model uploaded successfully: new-model.gguf",
        filename="new-model.gguf",
        file_size=4294967296,
        model_info={"name": "new-model.gguf", "size": "4.0 GB", "created": "2025-06-26T10:32:00"},
    )
    log_event("odd", "m", level="ERROR", message="mine", type="t", event_type="e", timestamp=0, self=1, args=[1])
    event, odd = daemon.wait_for_lines(2)
    assert list(event.items())[1:] == [
        ("level", "INFO"),
        ("message", "Model uploaded successfully: new-model.gguf"),
        ("module", "logger"),
        ("type", "custom_event"),
        ("event_type", "model_upload"),
        ("filename", "new-model.gguf"),
        ("file_size", 4294967296),
        ("model_info", {"name": "new-model.gguf", "size": "4.0 GB", "created": "2025-06-26T10:32:00"}),
    ]
    assert list(event)[0] == "timestamp"
    assert (odd["level"], odd["message"], odd["type"], odd["event_type"]) == ("ERROR", "m", "custom_event", "odd")
    assert (odd["message_"], odd["type_"], odd["event_type_"], odd["timestamp_"]) == ("mine", "t", "e", 0)
    assert odd["self"] == 1 and odd["args"] == [1]


# Acknowledgements


def test_a_record_counts_as_sent_when_it_is_acknowledged(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.storing.clear()
    daemon.start()
    sender.send({"n": 1})
    daemon.wait_for_lines(1)
    assert not sender.flush(0.1) and sender.stats().sent == 0 and sender.stats().queued_bytes > 0
    daemon.storing.set()
    sender.send({"n": 2})
    assert sender.flush(5) and sender.stats().sent == 2 and sender.stats().queued_bytes == 0
    assert daemon.hellos == [{"livelog": 1, "ack": "written", "client": daemon.hellos[0]["client"]}]


def test_a_break_neither_loses_nor_doubles(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    count = 0
    for _ in range(15):
        for _ in range(300):
            sender.send({"n": count, "text": "x" * (count % 700)})
            count += 1
        eventually(lambda: sender.stats().connected)
        time.sleep(0.002)  # somewhere in the middle
        daemon.hang_up()
    assert sender.flush(20)
    assert [record["n"] for record in daemon.wait_for_lines(count)] == list(range(count))
    assert len({hello["client"] for hello in daemon.hellos}) == 1 and len(daemon.hellos) > 5


def test_a_killed_daemon_gets_again_what_it_had_not_acknowledged(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    sender.send({"n": 0})
    assert sender.flush(5)
    daemon.storing.clear()
    for number in range(1, 6):
        sender.send({"n": number})
    daemon.wait_for_lines(6)
    daemon.stop()
    daemon.storing.set()
    daemon.start()
    assert sender.flush(5)
    assert [record["n"] for record in daemon.records()] == [0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    assert sender.stats().resent == 5


def test_the_kind_of_acknowledgement_can_be_chosen(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.start()
    for wished, given, expected in (("", None, "written"), ("durable", None, "durable"), ("none", "written", "written"),
                                    ("nonsense", None, "written"), ("durable", "none", "none")):  # fmt: skip
        monkeypatch.setenv("LIVELOGD_ACK", wished)
        before = len(daemon.hellos)
        with Sender(daemon.path, ack=given) as sender:
            assert sender.ack == expected
            sender.send({"n": 1})
            assert sender.flush(5)
        assert [hello["ack"] for hello in daemon.hellos[before:]] == ([] if expected == "none" else [expected])
    with pytest.raises(ValueError):
        Sender(daemon.path, ack="always")
    assert get_sender(daemon.path, ack="durable") is not get_sender(daemon.path, ack="written")
    for kind in ("durable", "written"):
        get_sender(daemon.path, ack=kind).close(1)


def test_a_stranger_that_answers_is_left(daemon: FakeDaemon, sender: Sender) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(daemon.path)
    listener.listen(1)
    sender.send({"n": 1})
    connection = listener.accept()[0]
    connection.recv(65536)
    connection.sendall(b"220 mail.example ready\r\n")
    eventually(lambda: sender.stats().last_error == "what answers there is no livelogd")
    assert connection.recv(65536) == b"" and sender.stats().queued_bytes > 0
    connection.close()
    listener.close()
    os.unlink(daemon.path)


def test_an_idle_sender_notices_that_the_daemon_has_gone(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    sender.send({"n": 1})
    assert sender.flush(5) and sender.stats().connected
    daemon.stop()
    eventually(lambda: not sender.stats().connected)


def test_a_child_of_multiprocessing_sends_what_it_has(daemon: FakeDaemon) -> None:
    daemon.start()
    for method in ("fork", "spawn"):
        with tempfile.TemporaryDirectory() as place:
            script = Path(place) / "children.py"
            script.write_text(
                "import sys, multiprocessing, livelogd\n"
                "def work(path, n):\n"
                "    livelogd.get_sender(path).send({'from': 'child', 'n': n})\n"
                "if __name__ == '__main__':\n"
                "    multiprocessing.set_start_method(sys.argv[2])\n"
                "    livelogd.get_sender(sys.argv[1]).send({'from': 'parent'})\n"
                "    children = [multiprocessing.Process(target=work, args=(sys.argv[1], n)) for n in range(3)]\n"
                "    [child.start() for child in children]; [child.join() for child in children]\n"
            )
            before = len(daemon.lines)
            done = subprocess.run(
                [sys.executable, str(script), daemon.path, method],
                capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": SOURCES},
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, "")
            told = daemon.wait_for_lines(before + 4)[before:]
            assert sorted(str(record["from"]) for record in told) == ["child"] * 3 + ["parent"]
