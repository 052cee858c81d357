# SPDX-License-Identifier: MIT
"""The ingest socket: framing, what is stored of what was sent, redaction. Limits are in test_ingest_limits.py."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from livelogd_daemon import Daemon, wait_until
from sse_client import Stream

STAMP = '"timestamp":"2025-06-26T10:30:45.123456"'


def stored(daemon: Daemon, count: int) -> list[bytes]:
    """The stored lines, once there are `count` of them."""
    wait_until(lambda: len(daemon.stored_lines()) >= count, what=f"{count} stored lines")
    lines = daemon.stored_lines()
    assert len(lines) == count, lines
    return lines


def line(text: str) -> bytes:
    """A record with a timestamp and whatever else."""
    return ("{" + STAMP + "," + text + "}").encode()


# --- framing ------------------------------------------------------------------------------------------------------


def test_bytes_one_at_a_time(daemon: Daemon) -> None:
    sent = [line('"message":"ä 1"'), line('"message":"2"')]
    with daemon.connect() as connection:
        for byte in b"\n".join(sent) + b"\n":
            connection.send(bytes([byte]))
        # Both are there while the connection is still open.
        assert stored(daemon, 2) == sent


def test_a_record_is_taken_as_soon_as_its_line_ends(daemon: Daemon) -> None:
    with daemon.connect() as connection:
        connection.sendall(line('"n":1') + b"\n" + line('"n":2')[:-1])
        assert stored(daemon, 1) == [line('"n":1')]
        connection.sendall(b"}\n")
        assert stored(daemon, 2)[1] == line('"n":2')


def test_cr_and_empty_lines_are_ignored(daemon: Daemon) -> None:
    daemon.send_bytes(b"\n\r\n" + line('"n":1') + b"\r\n\n\n\r\n" + line('"n":2') + b"\n\r\n")
    assert stored(daemon, 2) == [line('"n":1'), line('"n":2')]


def test_a_last_line_without_lf_counts_when_the_peer_closes(daemon: Daemon) -> None:
    daemon.send_bytes(line('"n":1') + b"\n" + line('"n":2'))
    assert stored(daemon, 2) == [line('"n":1'), line('"n":2')]


def test_half_a_line_and_a_hang_up(daemon: Daemon) -> None:
    daemon.send_bytes(line('"n":1') + b"\n" + b'{"message":"cut o')
    lines = stored(daemon, 2)
    told = json.loads(lines[1])
    assert told["type"] == "malformed"
    assert told["raw"] == '{"message":"cut o'
    assert told["raw_bytes"] == 17


def test_a_half_closed_connection_is_not_a_lost_one(daemon: Daemon) -> None:
    with daemon.connect() as connection:
        connection.sendall(line('"n":1') + b"\n" + line('"n":2'))
        connection.shutdown(socket.SHUT_WR)
        assert stored(daemon, 2) == [line('"n":1'), line('"n":2')]
        # Nothing is ever written to a sender that has not asked for it.
        connection.settimeout(5)
        assert connection.recv(1) == b""


def test_lines_of_two_senders_are_never_mixed(daemon: Daemon) -> None:
    a, b = line('"who":"a"') + b"\n", line('"who":"b"') + b"\n"
    with daemon.connect() as one, daemon.connect() as other:
        for i in range(max(len(a), len(b))):
            one.send(a[i : i + 1])
            other.send(b[i : i + 1])
        assert sorted(stored(daemon, 2)) == [a.strip(), b.strip()]


def test_many_senders(daemon: Daemon) -> None:
    senders, each = 16, 400

    def send(number: int) -> None:
        chance = random.Random(number)
        data = b"".join(
            line(f'"sender":{number},"n":{n},"pad":"{"x" * chance.randrange(300)}"') + b"\n" for n in range(each)
        )
        with daemon.connect() as connection:
            while data:
                cut = chance.randrange(1, 5000)
                connection.sendall(data[:cut])
                data = data[cut:]

    threads = [threading.Thread(target=send, args=[number]) for number in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = [json.loads(one) for one in stored(daemon, senders * each)]
    for number in range(senders):
        assert [record["n"] for record in records if record["sender"] == number] == list(range(each))


# --- what is stored -----------------------------------------------------------------------------------------------

AS_SENT = {
    "a long integer": (line('"file_size":4294967296'),) * 2,
    "a number no double holds": (line('"n":1e400,"m":-1E-400'),) * 2,
    "trailing zeros": (line('"price":0.10,"one":1.0,"e":0e888'),) * 2,
    "thirty digits": (line('"n":123456789012345678901234567890'),) * 2,
    "minus zero": (line('"n":-0'),) * 2,
    "duplicate keys": (line('"a":1,"a":2,"a":1'),) * 2,
    "key order and unknown fields": (line('"z":1,"y":{"x":[]},"a":null,"":true'),) * 2,
    "escapes": (line(r'"s":"\u00e9\/\\\"\b\f\n\r\t\ud83d\ude00\u0000"'),) * 2,
    "raw UTF-8": (line('"s":"é😀\u2028\u007f"'),) * 2,
    "white space inside strings": (line('"a  b":" c\\t d  "'),) * 2,
    "spaces outside": (
        b'{ "timestamp" : "t" , "a" : [ 1 , { "b" : "c d" } , null ] }',
        b'{"timestamp":"t","a":[1,{"b":"c d"},null]}',
    ),
    "tabs outside": (b'\t{\t"timestamp":\t"t"\t}\t', b'{"timestamp":"t"}'),
    "CR outside": (b'{\r"timestamp":"t",\r\r"a":\r1\r}', b'{"timestamp":"t","a":1}'),
    "python's separators": (b'{"timestamp": "t", "level": "ERROR"}', b'{"timestamp":"t","level":"ERROR"}'),
    "nested 128 deep": (line('"a":' + "[" * 127 + "]" * 127),) * 2,
    "a timestamp that is none": (b'{"timestamp":null,"a":1}',) * 2,
    "a timestamp further back": (b'{"a":1,"timestamp":"t"}',) * 2,
}


@pytest.fixture(scope="module")
def long_lived() -> Any:
    """One daemon for tests that look only at the newest records."""
    with Daemon() as daemon:
        yield daemon


@pytest.mark.parametrize("sent, kept", [pytest.param(*pair, id=name) for name, pair in AS_SENT.items()])
def test_stored_and_streamed_as_sent(long_lived: Daemon, sent: bytes, kept: bytes) -> None:
    with Stream(long_lived) as stream:
        long_lived.send_bytes(sent + b"\n")
        event = stream.record()
        assert event.data.encode() == kept
    assert long_lived.stored_lines()[-1] == kept
    answer = long_lived.get("/api/v1/logs/recent?lines=1").body
    assert answer.strip().removeprefix(b"[").removesuffix(b"]").strip() == kept


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"])
def test_a_missing_timestamp_is_put_in_front(zone: str) -> None:
    from zoneinfo import ZoneInfo

    with Daemon(timezone=zone) as daemon:
        before = datetime.now(ZoneInfo(zone)) - timedelta(milliseconds=1)
        daemon.send([b'{"message": "no time", "a": {"timestamp": "not mine"}}', b"{}"])
        lines = [one.decode() for one in stored(daemon, 2)]
        after = datetime.now(ZoneInfo(zone)) + timedelta(milliseconds=1)
    pattern = r'\{"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:[+-]\d\d:\d\d|Z))"(.*)\}'
    for text, rest in zip(lines, [',"message":"no time","a":{"timestamp":"not mine"}', ""], strict=True):
        found = re.fullmatch(pattern, text)
        assert found and found.group(2) == rest, text
        told = datetime.fromisoformat(found.group(1))
        assert before <= told <= after
        assert told.utcoffset() == before.utcoffset()


# --- redaction ----------------------------------------------------------------------------------------------------

HIDDEN = '"[REDACTED]"'
REDACTED = [
    ('"password":"hunter2"', f'"password":{HIDDEN}'),
    ('"Authorization":"Bearer hunter2"', f'"Authorization":{HIDDEN}'),
    ('"X-API-Key":"hunter2"', f'"X-API-Key":{HIDDEN}'),
    ('"api-key":"hunter2","api_key":"hunter2","APIKEY":"hunter2"', f'"api-key":{HIDDEN},"api_key":{HIDDEN},"APIKEY":{HIDDEN}'),
    ('"pass\\u0077ord":"hunter2"', f'"pass\\u0077ord":{HIDDEN}'),
    ('"token":12345', f'"token":{HIDDEN}'),
    ('"secret":{"a":["hunter2"]}', f'"secret":{HIDDEN}'),
    ('"cookie":["hunter2",{"b":"hunter2"}],"z":1', f'"cookie":{HIDDEN},"z":1'),
    ('"a":[{"b":{"Set-Cookie":"hunter2"}}]', f'"a":[{{"b":{{"Set-Cookie":{HIDDEN}}}}}]'),
    ('"password":"hunter2","password":"hunter2"', f'"password":{HIDDEN},"password":{HIDDEN}'),
    ('"password" : "a\\"hunter2" , "n" : 1', f'"password":{HIDDEN},"n":1'),
    ('"private_key":null,"credentials":true,"id_token":""', f'"private_key":{HIDDEN},"credentials":{HIDDEN},"id_token":{HIDDEN}'),
    ('"proxy-authorization":"x","passwd":"x","client_secret":"x","access_token":"x","refresh-token":"x"',
     f'"proxy-authorization":{HIDDEN},"passwd":{HIDDEN},"client_secret":{HIDDEN},"access_token":{HIDDEN},"refresh-token":{HIDDEN}'),
    # by form
    ('"url":"http:\\/\\/me:hunter2@host\\/?token=hunter2\\u0026n=1"', '"url":"http:\\/\\/me:[REDACTED]@host\\/?token=[REDACTED]\\u0026n=1"'),
    ('"args":["-H","Authorization: Bearer hunter2"],"form":"password=hunter2"', '"args":["-H","Authorization: Bearer [REDACTED]"],"form":"password=[REDACTED]"'),
    ('"by_key":{"AKIAIOSFODNN7EXAMPLE":1}', '"by_key":{"[REDACTED]":1}'),
]  # fmt: skip
UNTOUCHED = [
    '"max_tokens":512,"prompt_tokens":3,"completion_tokens":4,"total_tokens":7',
    '"tokens":1,"token_count":2,"password_hint":"x","my_secret":"y","cookies":"z"',
    '"message":"the password hunter2, password = hunter2","key":"secret"',
    '"message":"Bearer tokens, sk-learn, max_tokens=512","url":"http://localhost:5000/x?key=name&page=2"',
]


@pytest.mark.parametrize("sent, kept", REDACTED + [(text, text) for text in UNTOUCHED])
def test_redaction(long_lived: Daemon, sent: str, kept: str) -> None:
    with Stream(long_lived) as stream:
        long_lived.send([line(sent)])
        assert stream.record().data.encode() == line(kept)
    assert long_lived.stored_lines()[-1] == line(kept)
    assert long_lived.recent(1) == [json.loads(line(kept))]


def test_redacted_keys_can_be_chosen() -> None:
    with Daemon(redact_keys=["user_prompt", "Phone"]) as daemon:
        daemon.send([line('"USER-PROMPT":"x","phone":1,"password":"kept"')])
        assert stored(daemon, 1) == [line(f'"USER-PROMPT":{HIDDEN},"phone":{HIDDEN},"password":"kept"')]


# --- what is no record --------------------------------------------------------------------------------------------

# line, and the bytes of it before the place where reading stops
MALFORMED = {
    "no JSON": (b"hello", 0),
    "an array": (b'[{"a":1}]', 0),
    "a string": (b'"a"', 0),
    "a number": (b"42", 0),
    "null": (b"null", 0),
    "cut off": (b'{"a":1', 6),
    "cut off in a string": (b'{"a":"b', 7),
    "trailing comma": (b'{"a":1,}', 7),
    "no value": (b'{"a":}', 5),
    "no colon": (b'{"a" 1}', 5),
    "a key without quotes": (b"{a:1}", 1),
    "single quotes": (b"{'a':1}", 1),
    "two objects": (b'{"a":1}{"b":2}', 7),
    "something after it": (b'{"a":1} x', 8),
    "NaN": (b'{"a":NaN}', 5),
    "Infinity": (b'{"a":Infinity}', 5),
    "a leading zero": (b'{"a":012}', 6),
    "a plus sign": (b'{"a":+1}', 5),
    "a comment": (b'{"a":1/*b*/}', 6),
    "a tab in a string": (b'{"a":"b\tc"}', 7),
    "an unknown escape": (b'{"a":"\\x41"}', 6),
    "invalid UTF-8": (b'{"a":"\xff"}', 6),
    "overlong UTF-8": (b'{"a":"\xc0\xaf"}', 6),
    "a surrogate in UTF-8": (b'{"a":"\xed\xa0\x80"}', None),
    "NUL": (b'{"a":\x00}', 5),
    "nested 129 deep": (b'{"a":' + b"[" * 128 + b"]" * 128 + b"}", 132),
    "a hundred thousand brackets": (b"[" * 100_000, 0),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', 0),
}


@pytest.mark.parametrize("sent, at", [pytest.param(*pair, id=name) for name, pair in MALFORMED.items()])
def test_a_malformed_line_becomes_a_record(long_lived: Daemon, sent: bytes, at: int | None) -> None:
    with Stream(long_lived) as stream:
        long_lived.send([sent, line('"the next":"is fine"')])
        told, following = stream.record(), stream.record()
    assert following.data.encode() == line('"the next":"is fine"')
    assert told.data.encode() == long_lived.stored_lines()[-2]
    record = told.json()
    assert list(record) == ["timestamp", "level", "message", "module", "type", "raw", "raw_bytes"]
    assert record["level"] == "WARNING" and record["module"] == "livelogd" and record["type"] == "malformed"
    assert datetime.fromisoformat(record["timestamp"]).utcoffset() is not None
    place = re.search(r"\bat byte (\d+)$", record["message"])
    assert place and (at is None or int(place.group(1)) == at), record["message"]
    assert record["raw_bytes"] == len(sent)
    raw = record["raw"]
    assert len(raw.encode()) <= 4096
    if b"\xff" in sent or b"\xc0" in sent or b"\xed" in sent:
        assert "\ufffd" in raw and raw.startswith('{"a":"') and raw.endswith('"}')
    else:
        assert raw == sent[:4096].decode()


def test_a_quoted_line_is_cut_between_characters(long_lived: Daemon) -> None:
    for shift in range(4):
        sent = b"x" * shift + "😀".encode() * 2000
        before = len(long_lived.stored_lines())
        long_lived.send([sent])
        wait_until(lambda: len(long_lived.stored_lines()) == before + 1)
        record = json.loads(long_lived.stored_lines()[-1])
        assert record["raw_bytes"] == len(sent)
        assert sent.decode().startswith(record["raw"]) and 4092 < len(record["raw"].encode()) <= 4096


@pytest.mark.parametrize(
    "sent",
    [
        b'{"password":"hunter2"',
        b'{"a":1,"Authorization":"Bearer hunter2",}',
        b"api-key=hunter2",
        b"{'token': 'hunter2'}",
        b'{"pass\\u0077ord":"hunter2"',
        b'{"cookie":"hunter2\xff"}',
    ],
)
def test_a_malformed_line_with_a_credential_is_withheld(long_lived: Daemon, sent: bytes) -> None:
    before = len(long_lived.stored_lines())
    long_lived.send([sent])
    wait_until(lambda: len(long_lived.stored_lines()) == before + 1)
    stored_line = long_lived.stored_lines()[-1]
    record = json.loads(stored_line)
    assert record["type"] == "malformed"
    assert record["raw"] == "" and record["raw_withheld"] is True and record["raw_bytes"] == len(sent)
    assert b"hunter2" not in stored_line


# --- API calls left out -------------------------------------------------------------------------------------------


def test_log_api_calls_false() -> None:
    with Daemon(log_api_calls=False) as daemon:
        daemon.send(
            [
                line('"type":"request","n":1'),
                line('"type":"response","n":2,"status_code":500'),
                line('"type":"custom_event","n":3'),
                line('"type":"re\\u0071uest","n":4'),
                line('"level":"ERROR","n":5'),
            ]
        )
        assert [json.loads(one)["n"] for one in stored(daemon, 2)] == [3, 5]
        assert [record["n"] for record in daemon.recent(type="errors")] == [5]
        assert [record["n"] for record in daemon.recent(type="custom_event")] == [3]
        for path in (
            "stats",
            "stats?hours=6",
            "recent?type=api",
            "recent?type=request",
            "recent?type=errors&type=response",
            "stream?type=api",
            "stream?type=response",
        ):
            answer = daemon.get(f"/api/v1/logs/{path}")
            assert answer.status == 503, path
            assert answer.headers["Content-Type"].startswith("application/json")
            told = answer.json()
            assert told["error"] == "Logger not available"
            assert "log_api_calls" in json.dumps(told), "it tells how to turn it on"
        with Stream(daemon, "after=0") as stream:
            assert [event.json()["n"] for event in stream.records(2)] == [3, 5]
