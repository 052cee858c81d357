# SPDX-License-Identifier: MIT
"""Records that try to be more than data on their way to readers, and readers that name odd places."""

from __future__ import annotations

import json
import socket

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import open_sockets
from raw_http import RawConnection, get
from sse_client import Stream
from waiting import wait_for_records

LOGS = "/api/v1/logs"

# --- breaking out of an event --------------------------------------------------------------------------------------

ESCAPES = [
    "a\nb", "a\r\nb", "a\rb", "a\n\nid: 1\ndata: {}\n\n", "\n\nevent: bye\ndata: {}\n\n", "data: x", "id: 99\nretry: 1", "\u2028", "a\u2029b", "\x85", "\x0b\x0c", "\x00",
    "\ufeff", "\ufeffdata: x\n\n", "</script>", "\u202e", "\x1b]0;x\x07", "\ud83d\ude00", ": comment\n", "\n:\n\n",
]  # fmt: skip


def test_nothing_breaks_out_of_an_event(daemon: Daemon) -> None:
    """Line ends of every kind, escaped and, where JSON allows them, as they are, in values and in keys; in white space
    between tokens too, where a bare CR is legal JSON and an end of line to an event stream."""
    sent = []
    for text in ESCAPES:
        sent.append(json.dumps({"timestamp": "t", text: {text: [text]}}).encode())
        if not any(character < " " for character in text) and "\ud83d" not in text:
            sent.append(json.dumps({"timestamp": "t", text: text}, ensure_ascii=False).encode())
    sent += [b'{\r"timestamp":\r"t"\r,"a"\r:[\r1,\r\r2]}', b'{"timestamp":"t"\r\r}']
    sent += [b'\r{"timestamp":"t"}\r\r\r', b'\t{"timestamp"\t:"t","b":1}']
    # No records, but told in records that quote them.
    broken = [b"data: {}\r\rid: 7", b"\r\rid: 7\r\rdata: {}", b"event: bye", b'{"a":"\r"}']
    broken += [b"x\x00y\x1b[2J", b"\xe2\x80\xa8 x", b"\xff\r\xfe"]
    expected = [json.loads(line) for line in sent]

    with Stream(daemon) as live:
        daemon.send([*sent, *broken])
        count = len(sent) + len(broken)
        wait_for_records(daemon, count)
        with Stream(daemon, "after=0") as replayed:
            for stream in (live, replayed):
                events = stream.records(count)
                assert [json.loads(event.data) for event in events[: len(sent)]] == expected
                assert [event.json()["type"] for event in events[len(sent) :]] == ["malformed"] * len(broken)
                ids = [event.id for event in events]
                assert None not in ids and ids == list(range(ids[0] or 0, (ids[0] or 0) + count))
                assert stream.silent_for(0.3), "no record more than were sent"
    assert [json.loads(event.data) for event in events[: len(sent)]] == daemon.recent(1000)[: len(sent)]


def test_a_record_cannot_pass_for_another_event(daemon: Daemon) -> None:
    with Stream(daemon) as stream:
        daemon.send([{"event": "bye", "id": 5, "data": "x", "retry": 1, "livelogd_id": 7, "type": "ping"}, {"n": 2}])
        first, second = stream.records(2)
        assert first.name == "message" and first.json()["id"] == 5 and stream.retry == 2000
        assert first.id is not None and second.id == first.id + 1


# --- terminals and browsers ----------------------------------------------------------------------------------------


def test_no_raw_control_character_reaches_a_terminal(daemon: Daemon) -> None:
    """A terminal obeys ESC and its like. JSON has no raw ones, so nobody can store any: what holds one is told with
    them escaped. What was sent escaped stays escaped. (DEL and U+0080 to U+009F are legal in JSON, and are as sent.)"""
    steering = [chr(code) for code in range(0x20) if code != 0x0A]
    daemon.send([b'{"timestamp":"t","message":"x%sy"}' % one.encode() for one in steering])
    daemon.send([b"\x1b[2J\x1b]0;owned\x07", json.dumps({"message": "".join(steering)})])
    raw, escaped = "\x7f \x9b31m \u202e".encode(), rb"\u007f\u009b31m\u202e"
    daemon.send([b'{"timestamp":"t","message":"%s"}' % one for one in (raw, escaped)])
    count = len(steering) + 4
    wait_for_records(daemon, count)
    with Stream(daemon, "after=0") as stream:
        streamed = b"".join(event.raw for event in stream.records(count))
    recent = daemon.get(f"{LOGS}/recent?lines=1000").body
    files = b"".join(path.read_bytes() for path in daemon.segments())
    errors = daemon.get(f"{LOGS}/recent?lines=%1b%5b2J%07").body + daemon.get(f"{LOGS}/recent?%1b%5b2J=1").body
    for seen in (streamed, recent, files, errors):
        assert not [byte for byte in seen if byte < 0x20 and byte != 0x0A]
    for seen in (streamed, recent, files):
        assert raw in seen and escaped in seen
    assert b"\x1b" not in daemon.stderr.encode()


MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def test_markup_is_never_served_as_markup(daemon: Daemon) -> None:
    fields = ["timestamp", "level", "message", "module", "type", "request_id", "method", "endpoint", "url"]
    fields += ["error_type", "status_code", "__proto__", MARKUP]
    daemon.send([{**dict.fromkeys(fields, MARKUP), "exception": {"type": MARKUP}}, MARKUP])
    for kind in ("request", "response"):
        daemon.send({"type": kind, "method": MARKUP, "endpoint": MARKUP, "level": "ERROR", "status_code": 500})
    wait_for_records(daemon, 4)
    asked = MARKUP.replace(" ", "+")
    for path in ("recent", "stats", f"recent?type={asked}", f"recent?{asked}=1", f"stats?hours={asked}"):
        answer = get(daemon, f"{LOGS}/{path}")
        assert answer.headers["content-type"] == "application/json", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert b"<script" in answer.body, path
        answer.json()
    for target in (f"/{asked}", f"{LOGS}/%3Cscript%3E"):
        answer = get(daemon, target)
        assert answer.status == 404 and answer.headers["content-type"] == "application/json"
        assert b"<" not in answer.body
    assert MARKUP.encode() not in get(daemon, f"{LOGS}?x={asked}").body


# --- odd places ----------------------------------------------------------------------------------------------------

PLACES = {
    "nothing": (b"", 200), "blanks": (b"   ", 200), "a word": (b"x", 400), "NaN": (b"NaN", 400), "minus": (b"-1", 400), "plus": (b"+1", 400),
    "broken": (b"1.5", 400), "an exponent": (b"1e3", 400), "hexadecimal": (b"0x10", 400), "2^53": (b"9007199254740992", 400), "2^64": (b"18446744073709551616", 400),
    "a thousand digits": (b"1" * 1000, 400), "zeros and a word": (b"0" * 1000 + b"x", 400), "two": (b"1 2", 400), "two with a comma": (b"1,2", 400),
    "other digits": ("٥".encode(), 400), "no UTF-8": (b"\xff\xfe", 400), "an escape": (b"%00", 400), "NUL": (b"1\0", 400), "of another log": (b"live-5:7", 400),
}  # fmt: skip


@pytest.mark.parametrize("value, status", [pytest.param(*pair, id=name) for name, pair in PLACES.items()])
def test_places_that_are_none(daemon: Daemon, value: bytes, status: int) -> None:
    daemon.send([{"n": 0}])
    wait_for_records(daemon, 1)
    with RawConnection(daemon) as connection:
        head = f"GET {LOGS}/stream HTTP/1.1\r\nHost: localhost\r\n".encode()
        connection.send(head + b"Last-Event-ID: " + value + b"\r\n\r\n")
        if status != 200:
            answer = connection.answer()
            assert answer is not None and answer.status == status and answer.json()["error"]
            return
        answer = connection.answer(to_head=True)
        assert answer is not None and answer.status == 200
        daemon.send([{"n": 1}])
        received = b""
        while b'"n":1}' not in received:
            received += connection.socket.recv(4096) or pytest.fail("the stream ended")
        assert b'"n":0}' not in received, "as without the header: live only"


@pytest.mark.parametrize("where", ["header", "parameter"])
@pytest.mark.parametrize("ahead", [1, 1000, 10**9, None], ids=["by one", "by a thousand", "by far", "2^53 - 1"])
def test_a_place_that_is_still_to_come(daemon: Daemon, where: str, ahead: int | None) -> None:
    """Nobody can have seen it: the stream begins at the live end instead of waiting until ids have grown that far."""
    daemon.send([{"n": n} for n in range(3)])
    wait_for_records(daemon, 3)
    with Stream(daemon, "after=0") as stream:
        newest = stream.records(3)[-1].id
    assert newest is not None
    place = 2**53 - 1 if ahead is None else newest + ahead
    query, headers = (f"after={place}", {}) if where == "parameter" else ("", {"Last-Event-ID": str(place)})
    with Stream(daemon, query, headers) as stream:
        assert stream.status == 200
        daemon.send([{"n": 3}])
        event = stream.record()
        assert event.json()["n"] == 3 and event.id == newest + 1


def test_places_before_the_log(daemon: Daemon) -> None:
    daemon.send([{"n": n} for n in range(3)])
    wait_for_records(daemon, 3)
    for place in ("0", "1", "00000000000000000001", "1000000000000"):
        with Stream(daemon, headers={"Last-Event-ID": place}) as stream:
            assert [event.json()["n"] for event in stream.records(3)] == [0, 1, 2]
            gaps = [event.json() for event in stream.named if event.name == "gap"]
            assert len(gaps) == (0 if place == "0" else 1)


# --- many readers that leave ---------------------------------------------------------------------------------------


def test_a_storm_of_streams(daemon: Daemon) -> None:
    """A thousand at once, some behind, all torn down together while records come: their sockets are given back."""
    wait_until(lambda: open_sockets(daemon.pid) == 2, what="only those that listen")
    daemon.send([{"n": n, "p": "x" * 500} for n in range(1000)])
    wait_for_records(daemon, 1000)
    readers = []
    for number in range(1000):
        connection = RawConnection(daemon)
        query = ("", "?after=0", "?replay=10", "?type=never")[number % 4]
        connection.send(f"GET {LOGS}/stream{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        readers.append(connection.socket)
    with Stream(daemon, "type=steady") as steady:
        for n, reader in enumerate(readers):
            if n % 10 == 0:
                daemon.send([{"type": "steady", "n": n}])
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            reader.close()
        assert [event.json()["n"] for event in steady.records(100, 60)] == list(range(0, 1000, 10))
        wait_until(lambda: open_sockets(daemon.pid) == 3, 30, "their sockets are given back")
