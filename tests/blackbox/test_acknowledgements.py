# SPDX-License-Identifier: MIT
"""Senders that ask to be told what has become of their lines, and the accounts of every line sent."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import pytest
from livelogd_daemon import SOURCE_ROOT, Daemon, to_line, wait_until
from proc import peak_rss_bytes, reset_peak

KIB = 1 << 10
MIB = 1 << 20
PATIENCE = 30.0


def record(n: int) -> dict[str, Any]:
    return {"timestamp": "2025-06-26T10:30:45.123456", "n": n}


class Sender:
    """A connection that begins with a hello; answers are read when asked for."""

    def __init__(self, daemon: Daemon, hello: Mapping[str, Any] | None = None) -> None:
        self.socket = daemon.connect()
        self.socket.settimeout(PATIENCE)
        self._answers = self.socket.makefile("rb")
        self.send({"livelog": 1, **(hello or {})})

    def send(self, *lines: Mapping[str, Any] | str | bytes) -> None:
        self.socket.sendall(b"".join(map(to_line, lines)))

    def answer(self) -> dict[str, Any] | None:
        """The next one; None once the daemon has closed."""
        try:
            line = self._answers.readline()
        except ConnectionResetError:  # it has closed without having read everything
            return None
        assert line == b"" or line.endswith(b"\n"), line
        return json.loads(line) if line else None

    def answers_up_to_ack(self, last: int) -> list[dict[str, Any]]:
        """All that come until this line is acknowledged; acks must rise and never go beyond."""
        got: list[dict[str, Any]] = []
        acked = 0
        while acked < last:
            answer = self.answer()
            assert answer is not None, got
            if "ack" in answer:
                assert acked < answer["ack"] <= last, (got, answer)
                acked = answer["ack"]
            got.append(answer)
        return got

    def rest(self) -> list[dict[str, Any]]:
        """Says that nothing more comes, and reads to the end."""
        self.socket.shutdown(socket.SHUT_WR)
        return list(iter(self.answer, None))

    def close(self) -> None:
        self._answers.close()
        self.socket.close()

    def __enter__(self) -> "Sender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def accounts(daemon: Daemon) -> dict[str, int]:
    sums = daemon.get("/api/v1/logs/stats?response_times=0").json()["daemon"]
    assert isinstance(sums, dict)
    return sums


def check_accounts(daemon: Daemon, **expected: int) -> None:
    """Once nothing is on its way every line is accounted for, and the files hold what is said to be stored."""

    def settled() -> dict[str, int] | None:
        sums = accounts(daemon)
        return sums if sums["lines"] == expected["lines"] and sums["waiting"] == 0 else None

    sums = wait_until(settled, PATIENCE, f"{expected['lines']} lines: {accounts(daemon)}")
    parts = ("stored", "deduplicated", "dropped_by_configuration", "unfinished")
    assert sums["lines"] == sum(sums[part] for part in parts), sums
    assert sums["malformed"] <= sums["stored"]
    others = {name: 0 for name in (*parts, "malformed", "own_records")}
    assert sums == {"waiting": 0, **others, **expected}
    assert len(daemon.stored_lines()) == sums["stored"] + sums["own_records"]


def stored_numbers(daemon: Daemon) -> list[int]:
    return [one["n"] for one in map(json.loads, daemon.stored_lines()) if "n" in one]


@pytest.mark.parametrize("level", ["written", "durable"])
@pytest.mark.parametrize("sync", ["none", "interval"])
def test_lines_are_acknowledged(level: str, sync: str) -> None:
    with Daemon(sync=sync) as daemon:
        with Sender(daemon, {"ack": level}) as sender:
            assert sender.answer() == {"have": 0}
            for n in range(1, 21):
                sender.send(record(n))
                assert sender.answer() == {"ack": n}
                assert stored_numbers(daemon)[-1] == n
            sender.send(*map(record, range(21, 3001)))
            assert all(set(answer) == {"ack"} for answer in sender.answers_up_to_ack(3000)[1:])
            assert sender.rest() == []
        assert stored_numbers(daemon) == list(range(1, 3001))
        check_accounts(daemon, lines=3000, stored=3000)


def test_without_a_hello_nothing_is_ever_written(daemon: Daemon) -> None:
    with daemon.connect() as connection:
        # No hellos: another key; not the first line.
        connection.sendall(to_line({"livelog": 1, "n": 1}) + to_line({"livelog": 1}) + b"oops\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(PATIENCE)
        assert connection.recv(100) == b""
    check_accounts(daemon, lines=3, stored=3, malformed=1)


def test_what_is_sent_again_after_a_broken_connection_is_stored_once(daemon: Daemon) -> None:
    me = {"client": "one process"}
    with Sender(daemon, me) as sender:
        assert sender.answer() == {"have": 0}
        sender.send(*map(record, range(1, 8)))
        sender.answers_up_to_ack(7)
    # It has read none of the acks, say, and begins from 3.
    with Sender(daemon, {**me, "next": 3}) as sender:
        assert sender.answer() == {"have": 7}
        sender.send(*map(record, range(3, 11)))
        sender.answers_up_to_ack(10)
    # Or asks first, and goes on after `have`.
    with Sender(daemon, me) as sender:
        assert sender.answer() == {"have": 10}
        assert sender.answer() == {"ack": 10}
        sender.send(record(11))
        assert sender.answer() == {"ack": 11}
    assert stored_numbers(daemon) == list(range(1, 12))
    check_accounts(daemon, lines=16, stored=11, deduplicated=5)


def test_an_old_connection_and_its_successor_at_the_same_time(daemon: Daemon) -> None:
    me = {"client": "c"}
    with Sender(daemon, me) as old, Sender(daemon, me) as new:
        assert old.answer() == new.answer() == {"have": 0}
        old.send(record(1), record(2))
        old.answers_up_to_ack(2)
        new.send(record(1), record(2), record(3))
        new.answers_up_to_ack(3)
        old.send(record(3), record(4))
        old.answers_up_to_ack(4)
    assert stored_numbers(daemon) == [1, 2, 3, 4]
    check_accounts(daemon, lines=7, stored=4, deduplicated=3)


def test_connections_of_one_client_that_race() -> None:
    """Each brings all lines: whichever is ahead, every line is stored once, and in order."""
    count = 100_000
    with Daemon(threads=3) as daemon:
        senders = [Sender(daemon, {"client": "c"}) for _ in range(3)]
        for sender in senders:
            assert sender.answer() == {"have": 0}

        # In one go, so that the daemon's threads have turns of them in hand at the same time.
        lines = b"".join(to_line(record(n)) for n in range(1, count + 1))
        threads = [threading.Thread(target=sender.socket.sendall, args=[lines]) for sender in senders]
        for thread in threads:
            thread.start()
        for sender in senders:
            sender.answers_up_to_ack(count)
        for thread in threads:
            thread.join()
        for sender in senders:
            assert sender.rest() == []
            sender.close()
        assert stored_numbers(daemon) == list(range(1, count + 1))
        check_accounts(daemon, lines=3 * count, stored=count, deduplicated=2 * count)


def test_clients_are_counted_apart_and_so_are_nameless_connections(daemon: Daemon) -> None:
    hellos: list[dict[str, Any]] = [{"client": "a"}, {"client": "b"}, {}, {}]
    senders = [Sender(daemon, hello) for hello in hellos]
    for round_ in range(1, 6):
        for i, sender in enumerate(senders):
            sender.send(record(round_ * 10 + i))
    for sender in senders:
        assert sender.answer() == {"have": 0}
        sender.answers_up_to_ack(5)
        assert sender.rest() == []
        sender.close()
    assert sorted(stored_numbers(daemon)) == sorted(n * 10 + i for n in range(1, 6) for i in range(4))
    check_accounts(daemon, lines=20, stored=20)


def test_malformed_lines_are_told_by_number(daemon: Daemon) -> None:
    with Sender(daemon) as sender:
        sender.send(record(1), "oops", "", "   ", record(3), '{"a":tru}', record(5))
        told = [answer for answer in sender.answers_up_to_ack(5) if "malformed" in answer]
    assert [answer["malformed"] for answer in told] == [2, 4]
    assert told[0]["error"] == "not a JSON object, at byte 0"
    assert told[1]["error"].endswith(", at byte 8")
    check_accounts(daemon, lines=5, stored=5, malformed=2)


def test_a_sender_that_does_not_read_is_told_of_malformed_lines_in_sum(daemon: Daemon) -> None:
    with Sender(daemon) as sender:
        sent = 0
        # Until what is told fills its socket; then the rest has to be told as counts.
        for turn in range(40):
            sender.send(*["x"] * 100)
            sent += 100
            wait_until(lambda: accounts(daemon)["stored"] == sent, PATIENCE)
        answers = sender.rest()
    assert answers[0] == {"have": 0} and answers[-1] == {"ack": sent}
    by_number = [answer["malformed"] for answer in answers if "error" in answer]
    sums = [answer for answer in answers if "more" in answer]
    assert by_number == sorted(set(by_number))
    assert sums and len(by_number) + sum(answer["more"] for answer in sums) == sent
    check_accounts(daemon, lines=sent, stored=sent, malformed=sent)


@pytest.mark.memory
def test_a_sender_that_never_reads_harms_only_itself() -> None:
    # Summaries are made when a burst is over, whenever that is.
    with Daemon(
        max_record_bytes=64 * KIB, ring_bytes=MIB, unwritten_max_bytes=MIB, log_max_bytes=4 * MIB, summaries=False
    ) as daemon:
        block = b"".join(to_line(record(n)) for n in range(1000))
        trouble = b"x\n" * 1000

        def work(rounds: int) -> None:
            """Another sender at full speed."""
            with Sender(daemon) as sender:
                answers: list[dict[str, Any]] = []
                reading = threading.Thread(target=lambda: answers.extend(iter(sender.answer, None)))
                reading.start()
                for _ in range(rounds):
                    sender.socket.sendall(block)
                sender.socket.shutdown(socket.SHUT_WR)
                reading.join()
                assert answers[-1] == {"ack": rounds * 1000}

        with Sender(daemon) as deaf:

            def pester(rounds: int) -> None:
                for _ in range(rounds):
                    deaf.socket.sendall(trouble)

            # What grows once has grown then, and what the deaf one is told fills its socket.
            work(200)
            pester(400)
            wait_until(lambda: accounts(daemon)["malformed"] == 400_000, PATIENCE)
            reset_peak(daemon.pid)
            before = daemon.rss_bytes()
            pestering = threading.Thread(target=pester, args=[600])
            pestering.start()
            work(200)
            pestering.join()
            # It has been read from all the time.
            wait_until(lambda: accounts(daemon)["stored"] == 1_400_000, PATIENCE)
            # To remember that many lines would take tens of MiB.
            assert peak_rss_bytes(daemon.pid) - before < 8 * MIB
        sums = accounts(daemon)
        assert sums["lines"] == sums["stored"] == 1_400_000 and sums["malformed"] == 1_000_000


@pytest.mark.parametrize(
    ("hello", "word"),
    [
        ({"client": "c", "next": 2}, "next"),
        ({"next": 2}, "next"),
        ({"next": 0}, "next"),
        ({"livelog": 2}, "livelog"),
        ({"ack": "stored"}, "ack"),
        ({"client": ""}, "client"),
    ],
)
def test_a_hello_that_cannot_be_is_answered_with_the_reason(daemon: Daemon, hello: dict[str, Any], word: str) -> None:
    with Sender(daemon, hello) as sender:
        answer = sender.answer()
        assert answer is not None and set(answer) == {"error"} and f'"{word}"' in answer["error"]
        assert sender.answer() is None
    # The cure that it names.
    with Sender(daemon, {"client": "c"}) as sender:
        assert sender.answer() == {"have": 0}
        sender.send(record(1))
        assert sender.answer() == {"ack": 1}
    check_accounts(daemon, lines=1, stored=1)


def test_records_behind_a_refused_hello_are_not_taken(daemon: Daemon) -> None:
    with daemon.connect() as connection:
        connection.sendall(to_line({"livelog": 1, "next": 9}) + to_line(record(1)))
        connection.settimeout(PATIENCE)
        told = connection.recv(1000)
    assert b"say hello without" in told
    check_accounts(daemon, lines=0)


@pytest.mark.parametrize("way", ["close", "half close"])
def test_half_a_line_at_the_end_is_left_to_be_sent_again(daemon: Daemon, way: str) -> None:
    me = {"client": "c"}
    with Sender(daemon, me) as sender:
        sender.socket.sendall(to_line(record(1)) + b'{"timestamp":"t",')
        assert sender.answers_up_to_ack(1) == [{"have": 0}, {"ack": 1}]
        if way == "half close":
            assert sender.rest() == []
    with Sender(daemon, me) as sender:
        assert sender.answer() == {"have": 1}
        sender.send(record(2))
        sender.answers_up_to_ack(2)
    assert stored_numbers(daemon) == [1, 2]
    check_accounts(daemon, lines=3, stored=2, unfinished=1)


def test_a_sender_that_has_said_all_is_told_all_before_the_daemon_closes(daemon: Daemon) -> None:
    count = 20_000
    with Sender(daemon, {"ack": "durable"}) as sender:
        sender.send(*map(record, range(count)))
        answers = sender.rest()
        assert answers[0] == {"have": 0} and answers[-1] == {"ack": count}
    check_accounts(daemon, lines=count, stored=count)


def test_dropped_api_calls_are_acknowledged_too(daemon: Daemon) -> None:
    config = daemon.folder / "livelogd.toml"
    config.write_text("log_api_calls = false\n")
    daemon.restart(config=config)
    with Sender(daemon) as sender:
        sender.send({"type": "request"}, record(1), {"type": "response"})
        assert sender.answers_up_to_ack(3)[-1] == {"ack": 3}
    # Statistics are not answered while API calls are not logged.
    config.write_text("log_api_calls = true\n")
    daemon.signal(1)
    wait_until(lambda: daemon.get("/api/v1/logs/stats").status == 200)
    check_accounts(daemon, lines=3, stored=1, dropped_by_configuration=2)


def test_a_stop_acknowledges_what_has_been_stored_and_no_half_line(daemon: Daemon) -> None:
    with Sender(daemon, {"ack": "durable"}) as sender:
        sender.send(*map(record, range(1, 1001)))
        sender.socket.sendall(b'{"half":')
        said = daemon.stop()
        answers = list(iter(sender.answer, None))
    assert "error" not in said
    # What had reached its socket is stored and acknowledged; the rest is left to be sent again.
    assert answers[-1] == {"ack": 1000}
    assert stored_numbers(daemon) == list(range(1, 1001))
    assert len(daemon.stored_lines()) == 1000


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restarted_daemon_knows_no_client(daemon: Daemon, end: str) -> None:
    me = {"client": "c"}
    with Sender(daemon, me) as sender:
        sender.send(record(1), record(2))
        sender.answers_up_to_ack(2)
        daemon.stop() if end == "stop" else daemon.kill()
        assert sender.answer() is None
    daemon.restart()
    with Sender(daemon, {**me, "next": 3}) as sender:
        answer = sender.answer()
        assert answer is not None and 'say hello without "next"' in answer["error"]
    # Whose acks have come sends only what is new, whose have not sends it again: it is there twice, never lost.
    with Sender(daemon, me) as sender:
        assert sender.answer() == {"have": 0}
        sender.send(record(2), record(3))
        sender.answers_up_to_ack(2)
    assert stored_numbers(daemon) == [1, 2, 2, 3]
    assert accounts(daemon)["lines"] == accounts(daemon)["stored"] == 2


def test_what_is_acknowledged_survives_a_kill() -> None:
    with Daemon() as daemon:
        acked = 0
        for round_ in range(3):
            with Sender(daemon, {"client": f"c{round_}"}) as sender:
                assert sender.answer() == {"have": 0}
                first = round_ * 100_000
                stop = threading.Event()

                def flood() -> None:
                    n = first
                    try:
                        while not stop.is_set():
                            sender.send(*map(record, range(n + 1, n + 101)))
                            n += 100
                    except OSError:
                        pass  # it was killed

                flooding = threading.Thread(target=flood)
                flooding.start()
                for _ in range(20):
                    answer = sender.answer()
                    assert answer is not None
                    acked = answer["ack"]
                daemon.kill()
                stop.set()
                flooding.join()
            kept = [n - first for n in stored_numbers(daemon) if n > first]
            assert kept[:acked] == list(range(1, acked + 1))
            daemon.restart()


def documented_command() -> str:
    text = (SOURCE_ROOT / "docs/ingest-protocol.md").read_text(encoding="utf-8")
    found = re.search(r"""^ {4}(printf .*"livelog":1.*)$""", text, re.MULTILINE)
    assert found
    return found.group(1)


def test_the_documented_command(daemon: Daemon) -> None:
    done = subprocess.run(
        ["sh", "-c", documented_command()],
        env={**os.environ, "LIVELOGD_SOCKET": str(daemon.socket_path)},
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.decode().splitlines() == [
        '{"have":0}',
        '{"malformed":2,"error":"not a JSON object, at byte 0"}',
        '{"ack":2}',
    ]
    assert len(daemon.stored_lines()) == 2
    check_accounts(daemon, lines=2, stored=2, malformed=1)
