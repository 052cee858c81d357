# SPDX-License-Identifier: MIT
"""What has been: pages of the log in both directions while it grows and is cut back, single records, elided ones."""

from __future__ import annotations

import base64
import json
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from livelogd_daemon import Answer, Daemon, wait_until
from random_log import BERLIN, RandomLog
from reference_elide import elided
from reference_filter import Filter
from reference_log import Entry, read_log
from sse_client import Stream
from waiting import send_and_wait

RECENT = "/api/v1/logs/recent"
SEEDS = 30 if os.environ.get("LIVELOGD_FAULTS") == "all" else 3


def recent(daemon: Daemon, **parameters: Any) -> Answer:
    answer = daemon.get(f"{RECENT}?{urlencode(parameters, doseq=True)}")
    assert answer.status == 200, (parameters, answer.status, answer.body[:500])
    return answer


def ids_of(daemon: Daemon, **parameters: Any) -> list[int]:
    """The ids of the records of an answer. Its headers must say the same."""
    answer = recent(daemon, ids="true", **parameters)
    ids = [one["livelog_id"] for one in answer.json()]
    edges = (str(ids[0]), str(ids[-1])) if ids else (None, None)
    assert (answer.headers["Livelog-First-Id"], answer.headers["Livelog-Last-Id"]) == edges, parameters
    assert answer.headers["Livelog-Scanned-To"] is not None
    return ids


def filled(daemon: Daemon, lines: list[Any]) -> list[Entry]:
    """The log, once readers find all of these lines in it."""
    send_and_wait(daemon, lines)
    log = read_log(daemon.segments(), BERLIN)
    newest = str(log[-1].id)
    # Files are written before their records are announced.
    wait_until(lambda: recent(daemon, lines=1, elide=16).headers["Livelog-Last-Id"] == newest, 30, "the last line")
    return log


def numbered(count: int, start: int = 0, size: int = 0) -> list[bytes]:
    return [
        b'{"timestamp":"2025-06-26T10:30:45Z","n":%d,"p":"%s"}' % (n, b"x" * size) for n in range(start, start + count)
    ]


# --- pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(SEEDS))
def test_before_and_after_cut_a_list(seed: int) -> None:
    maker = RandomLog(seed)
    with Daemon(timezone="Europe/Berlin", log_max_bytes=5000, log_backup_count=10_000) as daemon:
        log = filled(daemon, maker.lines(200))
        for _ in range(40):
            parameters: dict[str, Any] = {"lines": maker.chance.choice([1, 3, 50, 100_000])}
            chosen: list[tuple[str, str]] = maker.chance.choice([[], [("type", "errors")], [("q", "-type:api")]])
            places = [
                0,
                1,
                2**53 - 1,
                log[0].id,
                log[-1].id,
                log[-1].id + 1,
                *(one.id for one in maker.chance.sample(log, 9)),
            ]
            for name in ("before", "after"):
                if maker.chance.random() < 0.6:
                    parameters[name] = maker.chance.choice(places)
            query = Filter(chosen, BERLIN, 0)
            expected = [
                entry.id
                for entry in log
                if query.matches(entry) and parameters.get("after", -1) < entry.id < parameters.get("before", 2**60)
            ]
            lines = parameters["lines"]
            expected = expected[:lines] if "after" in parameters else expected[max(0, len(expected) - lines) :]
            told = ids_of(daemon, **parameters, **dict(chosen))
            assert told == expected, f"seed {seed}, {parameters} {chosen}"


@pytest.mark.parametrize("more", [{}, {"scan_ms": 1}, {"q": "n>=990 -n:995"}, {"q": "n<7", "scan_ms": 1}])
def test_scanned_to_leads_through_the_whole_log(more: dict[str, Any]) -> None:
    """Also where a page is empty because its time was over before anything was found."""
    with Daemon(log_max_bytes=20_000, log_backup_count=10_000) as daemon:
        log = filled(daemon, numbered(1000, size=200))
        query = Filter([("q", more["q"])] if "q" in more else [], BERLIN, 0)
        expected = [entry.id for entry in log if query.matches(entry)]
        found: list[int] = []
        place: dict[str, int] = {}
        for _ in range(2000):
            answer = recent(daemon, ids="true", lines=70, **more, **place)
            found = [one["livelog_id"] for one in answer.json()] + found
            reached = int(answer.headers["Livelog-Scanned-To"])
            if reached == 0:
                break
            assert reached < place.get("before", 2**60), "the search does not go on"
            place = {"before": reached}
        else:
            pytest.fail("there is no end")
        assert found == expected


def test_scanned_to_is_nothing_when_all_was_looked_at(daemon: Daemon) -> None:
    assert recent(daemon).headers["Livelog-Scanned-To"] == "0"
    log = filled(daemon, numbered(20))
    assert recent(daemon, q="nowhere").headers["Livelog-Scanned-To"] == "0"
    assert recent(daemon, lines=100).headers["Livelog-Scanned-To"] == "0"
    reached = int(recent(daemon, lines=5).headers["Livelog-Scanned-To"])
    assert log[14].id < reached <= log[15].id, "what has not been looked at begins with the record before the five"


@contextmanager
def growing(daemon: Daemon, size: int) -> Iterator[Callable[[], int]]:
    """Numbered records are sent until the block ends; the function tells how many so far."""
    stop = threading.Event()
    count = 0

    def send() -> None:
        nonlocal count
        with daemon.connect() as connection:
            while not stop.is_set():
                connection.sendall(b"\n".join(numbered(20, count, size)) + b"\n")
                count += 20
                stop.wait(0.001)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield lambda: count
    finally:
        stop.set()
        thread.join()


def test_pages_in_both_directions_while_segments_are_sealed() -> None:
    with Daemon(log_max_bytes=20_000, log_backup_count=100_000) as daemon, growing(daemon, 150) as sent:
        wait_until(lambda: sent() > 500, what="some records")
        backwards: list[int] = []
        page: list[dict[str, Any]] = []
        place: dict[str, Any] = {}
        while True:
            answer = recent(daemon, ids="true", lines=90, **place)
            # The last page is empty if the ones before it have just held all.
            page = answer.json() or page
            assert [one["n"] for one in page] == list(range(page[0]["n"], page[0]["n"] + len(page)))
            backwards = [one["livelog_id"] for one in answer.json()] + backwards
            reached = int(answer.headers["Livelog-Scanned-To"])
            if reached == 0:
                break
            place = {"before": reached}
        first = backwards[0]
        assert backwards == list(range(first, backwards[-1] + 1)) and page[0]["n"] == 0

        forwards: list[int] = []
        numbers: list[int] = []
        while not forwards or forwards[-1] < backwards[-1] + 500:
            page = recent(daemon, ids="true", lines=300, after=forwards[-1] if forwards else 0).json()
            forwards += [one["livelog_id"] for one in page]
            numbers += [one["n"] for one in page]
        assert forwards == list(range(first, first + len(forwards))) and numbers == list(range(len(numbers)))


def test_pages_forwards_while_retention_removes_the_oldest() -> None:
    """What is not told is no longer kept, and nothing is told twice."""
    with Daemon(log_max_bytes=20_000, log_backup_count=2) as daemon, growing(daemon, 500) as sent:
        wait_until(lambda: sent() > 200, what="some records")
        last = offset = 0
        for _ in range(60):
            answer = daemon.get(f"{RECENT}?ids=true&lines=30&after={last}")
            assert answer.status == 200, answer.body
            for one in answer.json():
                number = one["livelog_id"]
                offset = offset or number - one["n"]
                assert number > last and number - one["n"] == offset
                if last and number > last + 1:
                    kept = int(daemon.segments()[0].stem.partition("-")[2])
                    assert number - 1 < kept, f"{last + 1} to {number - 1} were left out, the oldest kept is {kept}"
                last = number


@pytest.mark.parametrize(
    "query, parameter",
    [
        ("lines=0", "lines"), ("lines=100001", "lines"), ("lines=x", "lines"), ("before=x", "before"), ("after=-1",
        "after"),
        ("before=1&before=2", "before"), ("ids=maybe", "ids"), ("format=xml", "format"), ("elide=15", "elide"),
        ("elide=16777217", "elide"), ("scan_ms=0", "scan_ms"), ("scan_ms=3600001", "scan_ms"), ("ids=true&ids=true",
        "ids"),
        ("level=loud", "level"), ("status=500-400", "status"), ("since=soon", "since"),
        ("until=2026-02-30", "until"), ("nothing=1", "nothing"), ("q=n%3Efast", "q"), ("q=%22open", "q"), ("q=/(/",
        "q"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(daemon: Daemon, query: str, parameter: str) -> None:
    answer = daemon.get(f"{RECENT}?{query}")
    assert answer.status == 400, (query, answer.status)
    told = answer.json()
    assert told["parameter"] == parameter and told["error"]
    assert ("at" in told) == (parameter == "q")


@pytest.mark.parametrize("q, at", [("n>fast", 0), ("ä level:error n>fast", 14), ('x "open', 2), ("a -/(/", 2)])
def test_a_term_that_cannot_be_read_is_pointed_at(daemon: Daemon, q: str, at: int) -> None:
    told = daemon.get(f"{RECENT}?{urlencode({'q': q})}").json()
    # A leading - may be counted to the term or not.
    assert told["at"] in (at, at + 1 if q[at] == "-" else at), told


def test_an_expression_has_its_limits(daemon: Daemon) -> None:
    def status(q: str) -> int:
        return daemon.get(f"{RECENT}?{urlencode({'q': q})}").status

    assert status(" ".join(["x"] * 100)) == 200 and status(" ".join(["x"] * 101)) == 400
    assert status(f"a:({'|'.join('x' * 99)})") == 200 and status(f"a:({'|'.join('x' * 101)})") == 400
    assert status(" ".join(["/x/"] * 8)) == 200 and status(" ".join(["/x/"] * 9)) == 400


# --- the shape of an answer ---------------------------------------------------------------------------------------


def test_formats_and_ids(daemon: Daemon) -> None:
    log = filled(daemon, ['{"timestamp":"2025-06-26T10:30:45Z","n":1.50}', '{"timestamp":"x","ü":"\\u00fc"}'])
    lines = [entry.line for entry in log]
    named = [b'{"livelog_id":%d,' % entry.id + entry.line[1:] for entry in log]
    assert recent(daemon, format="ndjson").body == b"".join(line + b"\n" for line in lines)
    assert recent(daemon, format="ndjson", ids="true").body == b"".join(line + b"\n" for line in named)
    shapes: list[tuple[dict[str, str], list[bytes]]] = [
        ({}, lines),
        ({"ids": "false"}, lines),
        ({"ids": "true"}, named),
    ]
    for parameters, records in shapes:
        body = recent(daemon, **parameters).body
        assert body.startswith(b"[") and body.rstrip().endswith(b"]")
        assert [line.strip(b"[],") for line in body.split(b"\n") if line.strip(b"[], ")] == [
            one.strip(b",") for one in records
        ]
    empty = recent(daemon, q="nowhere")
    assert empty.json() == [] and empty.headers["Livelog-First-Id"] is None and empty.headers["Livelog-Last-Id"] is None
    assert recent(daemon, q="nowhere", format="ndjson").body == b""
    assert daemon.get(RECENT, method="HEAD").body == b""


def test_one_record(daemon: Daemon) -> None:
    log = filled(daemon, [*RandomLog(7).lines(30), {"p": "a" * 500}])

    def get(record_id: Any, query: str = "") -> Answer:
        return daemon.get(f"/api/v1/logs/records/{record_id}{query}")

    for entry in log:
        answer = get(entry.id)
        assert answer.status == 200 and answer.body.rstrip(b"\n") == entry.line
        assert answer.headers["Content-Type"].startswith("application/json")
        assert get(entry.id, "?ids=true").body.rstrip(b"\n") == b'{"livelog_id":%d,' % entry.id + entry.line[1:]
    assert get(log[-1].id, "?elide=20").body.rstrip(b"\n") == elided(log[-1].line, 20)
    told = {
        name: get(record_id) for name, record_id in (("future", log[-1].id + 1), ("never", 2**53 - 1), ("old", 1))
    }
    assert {answer.status for answer in told.values()} == {404}
    assert told["future"].json()["error"] != told["old"].json()["error"]
    assert get(log[0].id, "?elide=3").status == 400 and get(log[0].id, "?lines=3").status == 400


def test_a_record_that_retention_removed() -> None:
    with Daemon(log_max_bytes=5000, log_backup_count=1) as daemon:
        first = filled(daemon, numbered(1))[0].id
        daemon.send(numbered(200, 1, 100))
        wait_until(lambda: daemon.get(f"/api/v1/logs/records/{first}").status == 404, what="the first record is gone")
        assert daemon.get(f"/api/v1/logs/records/{first}").json()["error"]


def test_a_line_that_is_no_record_is_not_found_and_passed_over() -> None:
    with Daemon() as daemon:
        log = filled(daemon, numbered(5))
        daemon.stop()
        path = daemon.segments()[0]
        path.write_bytes(path.read_bytes().replace(b'"n":2', b'"n";2'))
        daemon.restart()
        assert daemon.get(f"/api/v1/logs/records/{log[2].id}").status == 404
        assert ids_of(daemon) == [entry.id for entry in log if entry is not log[2]]


# --- elided -------------------------------------------------------------------------------------------------------

PIECES = ("plain text ", "äöü", "日本語", "😀", "\\n", "\\u00e9", "\\ud83d\\ude00", '\\"', "\\\\", "\\/", "x" * 17)


def test_elided_records_are_what_the_rule_says() -> None:
    chance = random.Random(3)

    def text() -> str:
        return '"' + "".join(chance.choice(PIECES) for _ in range(chance.randrange(12))) + '"'

    def value(depth: int) -> str:
        pick = chance.random()
        if depth == 0 or pick < 0.6:
            return text() if pick < 0.5 else chance.choice(["1", "null", "-1.50e7", "true"])
        if pick < 0.8:
            return "[" + ",".join(value(depth - 1) for _ in range(chance.randrange(4))) + "]"
        return "{" + ",".join(f'"k{n}":{value(depth - 1)}' for n in range(chance.randrange(4))) + "}"

    lines = [f'{{"timestamp":"2025-06-26T10:30:45Z","a":{value(3)},"b":{value(3)}}}' for _ in range(150)]
    lines.append('{"many":[' + ",".join(f'"{n:040}"' for n in range(150)) + "]}")
    with Daemon() as daemon:
        log = filled(daemon, lines)
        for most in (16, 17, 18, 19, 33, 1000):
            told = recent(daemon, lines=1000, elide=most, format="ndjson").body.splitlines()
            for entry, line in zip(log, told):
                assert line == elided(entry.line, most), f"elide={most} of {entry.line!r}"
                json.loads(line)
            named = json.loads(recent(daemon, lines=1, elide=most, ids="true", format="ndjson").body)
            assert list(named)[: 2 if most < 40 else 1] == ["livelog_id", "livelog_elided"][: 2 if most < 40 else 1]


def test_the_reference_of_eliding_by_hand() -> None:
    assert elided(b'{"a":"0123456789abcdef"}', 16) == b'{"a":"0123456789abcdef"}'
    told = elided('{"a":"0123456789abcdefg","b":["x",{"c":"ääääääää\\n"}]}'.encode(), 16)
    assert told.decode() == (
        '{"livelog_elided":{"a":17,"b.1.c":18},"a":"0123456789abcdef…","b":["x",{"c":"ääääääää…"}]}'
    )
    assert elided(b'{"a":"0123456789abcd\\u00e9"}', 16).decode().endswith(':"0123456789abcd…"}')


def test_a_picture_in_a_prompt() -> None:
    """Three megabytes of base64: kept and streamed to the byte, listed in a few."""
    picture = base64.b64encode(random.Random(1).randbytes(3 * 1024 * 1024)).decode()
    record = {
        "timestamp": "2025-06-26T10:30:45Z",
        "type": "request",
        "request_body": {"model": "m", "images": [picture]},
    }
    with Daemon() as daemon, Stream(daemon) as stream:
        log = filled(daemon, [record])
        whole = json.dumps(record, separators=(",", ":")).encode()
        assert daemon.stored_lines() == [whole]
        event = stream.record(30)
        assert event.id == log[0].id and event.data.encode() == whole
        assert daemon.get(f"/api/v1/logs/records/{event.id}").body.rstrip(b"\n") == whole
        assert recent(daemon, format="ndjson").body == whole + b"\n"
        listed = recent(daemon, elide=200, ids="true").body
        assert len(listed) < 600
        told = json.loads(listed)[0]
        assert told["livelog_elided"] == {"request_body.images.0": len(picture)}
        assert told["request_body"] == {"model": "m", "images": [picture[:200] + "…"]}
        assert recent(daemon, q=f"model:m {picture[-30:].replace('=', '')[:20]}").json() == [record]
