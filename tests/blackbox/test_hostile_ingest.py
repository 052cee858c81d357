# SPDX-License-Identifier: MIT
"""Senders that mean harm or are broken: noise, broken UTF-8, depth, lines without end, storms of connections."""

from __future__ import annotations

import json
import random
import socket
import threading
import time

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import open_descriptors, peak_rss_bytes, reset_peak
from sse_client import Stream
from waiting import wait_for_records

MIB = 1 << 20
FINE = b'{"timestamp":"t","n":1}'


def told(daemon: Daemon, count: int) -> list[dict[str, object]]:
    """The stored records, once there are `count`: every line is JSON, one object."""
    wait_until(lambda: len(daemon.stored_lines()) >= count, 30, f"{count} records")
    lines = daemon.stored_lines()
    assert len(lines) == count
    records = [json.loads(line.decode("utf-8", "strict")) for line in lines]
    assert all(isinstance(record, dict) and "timestamp" in record for record in records)
    return records


# --- what is no record --------------------------------------------------------------------------------------------


def test_half_lines_of_two_senders_that_hang_up(daemon: Daemon) -> None:
    """Sent in turns, a byte of the one and a byte of the other: neither is glued to the other's, nor to the next."""
    whole = b'{"timestamp":"t","who":"%s","n":1}\n'
    halves = [whole % b"one" + b'{"timestamp":"t","who":"one","n', whole % b"two" + b'{"timestamp":"t","who":"tw']
    with daemon.connect() as one, daemon.connect() as two:
        for at in range(max(map(len, halves))):
            one.send(halves[0][at : at + 1])
            two.send(halves[1][at : at + 1])
    records = told(daemon, 4)
    assert sorted(str(record["who"]) for record in records if "who" in record) == ["one", "two"]
    raws = sorted(str(record["raw"]).encode() for record in records if record.get("type") == "malformed")
    assert raws == sorted(half.split(b"\n")[1] for half in halves)
    daemon.send([FINE])
    assert told(daemon, 5)[4] == json.loads(FINE)


def test_noise(daemon: Daemon) -> None:
    """Any bytes: a record for each line that is not blank, and the sender after it is served as if nothing had been."""
    chance = random.Random(1)
    noise = b"".join(chance.randbytes(chance.randrange(2000)) for _ in range(300))
    lines = [line for line in noise.split(b"\n") if line.strip(b" \t\r")]
    with daemon.connect() as connection:
        rest = noise + b"\n" + FINE + b"\n"
        while rest:
            cut = chance.randrange(1, 3000)
            connection.sendall(rest[:cut])
            rest = rest[cut:]
    records = told(daemon, len(lines) + 1)
    assert records.pop() == json.loads(FINE)
    for record, line in zip(records, lines, strict=True):
        assert record["type"] == "malformed"
        assert record["raw_bytes"] == len(line) - line.endswith(b"\r")


# Sequences from the tables of the Unicode standard: lone continuations, cut off, overlong, surrogates, beyond the end.
BROKEN_UTF8 = [
    b"\x80", b"\xbf\xbf", b"\xc0", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xc2A", b"\xe0\x80\xaf", b"\xe0\xa0", b"\xe2\x82", b"\xe2\x82A",
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x80\x80\xaf", b"\xf0\x9f\x98", b"\xf0\x9f\x98A", b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff\xfe", b"\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA", "é".encode("latin-1"), "日本".encode("shift_jis"),
    "né".encode("utf-16-le"),
]  # fmt: skip


def test_broken_utf8_is_replaced_as_others_replace_it(daemon: Daemon) -> None:
    sent = [b'{"timestamp":"t","s":"<%s>"}' % broken for broken in BROKEN_UTF8]
    daemon.send(sent)
    for record, line in zip(told(daemon, len(sent)), sent, strict=True):
        assert record["type"] == "malformed"
        assert record["raw"] == line.decode("utf-8", "replace")


DEEP = {
    "arrays": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "arrays that do not end": b'{"a":' + b"[" * 100_000,
    "objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "objects that do not end": b'{"a":' * 100_000,
    "both in turn": b'{"a":[' * 50_000,
    "ends without beginnings": b'{"a":' + b"]" * 100_000 + b"}",
    "a level too deep at the very end": b'{"a":[' + b"[]," * 100_000 + b"[" * 127 + b"]" * 128 + b"}",
}


def test_depth(daemon: Daemon) -> None:
    """Refused by counting: neither the stack nor the time runs out. What is read back is not read deeper either."""
    daemon.send([*DEEP.values(), FINE])
    *records, last = told(daemon, len(DEEP) + 1)
    assert last == json.loads(FINE)
    for record, line in zip(records, DEEP.values(), strict=True):
        assert record["type"] == "malformed" and record["raw_bytes"] == len(line)
    wait_for_records(daemon, len(DEEP) + 1)
    assert daemon.get("/api/v1/logs/stats").status == 200


def test_what_is_valid_but_wide(daemon: Daemon) -> None:
    """Many members, many elements, long keys, the same key again and again."""
    wide = [
        b'{"timestamp":"t","a":[' + b"{}," * 200_000 + b"0]}",
        b'{"timestamp":"t",' + b",".join(b'"k%d":%d' % (n, n) for n in range(100_000)) + b"}",
        b'{"timestamp":"t",' + b",".join([b'"type":"x"'] * 100_000) + b"}",
        b'{"timestamp":"t","' + b"k" * MIB + b'":"' + b"\\u0000" * 100_000 + b'"}',
        b'{"timestamp":"t","n":' + b"9" * MIB + b',"m":1e' + b"9" * 1000 + b"}",
    ]
    daemon.send(wide)
    wait_until(lambda: len(daemon.stored_lines()) == len(wide), 30)
    assert daemon.stored_lines() == wide
    # A number of a million digits is more than Python's parser takes; the daemon passes it as it is.
    answer = daemon.get("/api/v1/logs/recent")
    assert answer.status == 200 and answer.body.count(b"\n{") + answer.body.count(b"[{") >= len(wide)
    assert daemon.get("/api/v1/logs/stats").json()["total_logs"] == len(wide)


def test_fields_of_the_wrong_kind_do_not_break_readers(daemon: Daemon) -> None:
    odd = ["null", "true", "[]", "{}", '""', "-0", "1e400", "-1e400", "0." + "0" * 400 + "1", "9" * 400, '"\\u0000"', '"9999-12-31T23:59:60Z"', '"\\ud83d\\ude00"', "253402300800"]  # fmt: skip
    fields = ["timestamp", "level", "message", "module", "type", "request_id", "method", "endpoint", "status_code", "duration_ms", "error_type", "exception", "error", "response_body"]  # fmt: skip
    usual = '"timestamp":"t","type":"response","level":"ERROR"'
    sent = [f'{{{usual},"{field}":{value}}}' for field in fields for value in odd]
    sent += ["{" + ",".join(f'"{field}":{value}' for field in fields) + "}" for value in odd]
    daemon.send([one.encode() for one in sent])
    wait_for_records(daemon, len(sent))
    for query in ("", "?hours=87600", "?type=errors", "?type=response&response_times=100000"):
        answer = daemon.get(f"/api/v1/logs/stats{query}")
        assert answer.status == 200
        stats = json.loads(answer.body, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert stats["error_summary"]["total_errors"] == sum(stats["error_summary"]["error_types"].values())
    with Stream(daemon, "after=0") as stream:
        assert [event.data for event in stream.records(len(sent))] == [line.decode() for line in daemon.stored_lines()]


# --- memory -------------------------------------------------------------------------------------------------------


@pytest.mark.memory
def test_lines_without_end_from_many_senders_cost_no_memory() -> None:
    """Not only one: eight at once, of different kinds, 200 MB together; some end, some hang up in the middle."""
    with Daemon(max_record_bytes="1MiB", ring_bytes="4MiB", ingest_buffer_bytes="8MiB") as daemon:
        daemon.send([FINE])
        told(daemon, 1)
        before = daemon.rss_bytes()
        reset_peak(daemon.pid)
        blocks = [byte * MIB for byte in (b"x", b"[", b"\0", b"\xff", b" ", b'"', b"\r")] + [b'{"a":' * (MIB // 5)]

        def send(number: int) -> None:
            with daemon.connect() as connection:
                connection.sendall(b'{"timestamp":"t","s":"')
                for _ in range(25):
                    connection.sendall(blocks[number])
                if number % 2:
                    connection.sendall(b"\n" + FINE + b"\n")

        threads = [threading.Thread(target=send, args=[number]) for number in range(len(blocks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = told(daemon, 1 + len(blocks) + len(blocks) // 2)
        assert peak_rss_bytes(daemon.pid) - before < 60 * MIB
        lengths = [int(str(record["raw_bytes"])) for record in records if record.get("type") == "malformed"]
        assert len(lengths) == len(blocks) and min(lengths) > 24 * MIB
        assert records.count(json.loads(FINE)) == 1 + len(blocks) // 2


# --- many, and slow ones among them -------------------------------------------------------------------------------


def test_a_storm_of_connections(daemon: Daemon) -> None:
    """Thousands come and go, some with a record, some with half of one, some with nothing; each record is there."""
    daemon.send([FINE])
    told(daemon, 1)
    at_rest = open_descriptors(daemon.pid)

    def storm(number: int) -> None:
        for n in range(1000):
            with daemon.connect() as connection:
                if n % 4 == 0:
                    connection.sendall(b'{"timestamp":"t","storm":%d,"n":%d}\n' % (number, n))
                elif n % 4 == 1:
                    connection.sendall(b'{"half')

    threads = [threading.Thread(target=storm, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    records = told(daemon, 1 + 4 * 500)
    for number in range(4):
        mine = sorted(int(str(record["n"])) for record in records if record.get("storm") == number)
        assert mine == list(range(0, 1000, 4))
    assert sum(record.get("type") == "malformed" for record in records) == 4 * 250
    wait_until(lambda: open_descriptors(daemon.pid) <= at_rest, 20, "their descriptors are given back")


def test_a_slow_honest_sender_among_flooders() -> None:
    """One writes a byte at a time while others write all they can: its records come, and soon after their last byte.
    What the flooders send is left out after it was read, so that neither the disk nor retention has a part in it."""
    with Daemon(log_api_calls=False) as daemon:
        stop = threading.Event()
        block = b'{"timestamp":"t","type":"request","flood":"%s"}\n' % (b"x" * 100) * 2000

        def flood() -> None:
            with daemon.connect() as connection:
                while not stop.is_set():
                    connection.sendall(block)

        flooders = [threading.Thread(target=flood) for _ in range(3)]
        for thread in flooders:
            thread.start()
        worst = 0.0
        try:
            with Stream(daemon) as stream, daemon.connect() as honest:
                for n in range(10):
                    for byte in b'{"timestamp":"t","n":%d}' % n:
                        honest.send(bytes([byte]))
                        time.sleep(0.002)
                    started = time.monotonic()
                    honest.send(b"\n")
                    assert stream.record(30).json()["n"] == n
                    worst = max(worst, time.monotonic() - started)
        finally:
            stop.set()
            for thread in flooders:
                thread.join()
        assert worst < 5.0


def test_senders_that_never_read_and_reset(daemon: Daemon) -> None:
    """Shut in either direction, or torn down with bytes on the way: only their own unfinished line is in question."""
    for _ in range(50):
        with daemon.connect() as connection:
            connection.shutdown(socket.SHUT_RD)
            connection.sendall(FINE + b"\n")
    for _ in range(50):
        with daemon.connect() as connection:
            connection.sendall(FINE + b"\n")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert told(daemon, 100) == [json.loads(FINE)] * 100
