# SPDX-License-Identifier: MIT
"""Random logs and random filters: recent, stream, stats and requests give exactly what the plain references give."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from compare_numbers import (
    ask,
    llm_stats_differ,
    rows_differ,
    statistics_differ,
    timeline_differs,
    waiting_differ,
)
from livelogd_daemon import Daemon, wait_until
from random_filter import Parameters, RandomFilter
from random_log import RandomLog
from reference_filter import Filter
from reference_log import Entry, instant, read_lines, read_log
from reference_numbers import facet, llm_stats, timeline, without_response
from reference_requests import chosen, pair
from reference_stats import in_window, statistics
from sse_client import Stream
from waiting import send_and_wait

BERLIN = ZoneInfo("Europe/Berlin")
SEEDS = 250 if os.environ.get("LIVELOGD_FAULTS") == "all" else 6
FILTERS = 25
ALWAYS = 87_600  # hours
ORPHAN_AFTER = 600_000_000  # microseconds, the default


@dataclass(frozen=True)
class Case:
    """A filter and the log it is tried on, and how to repeat that."""

    seed: int
    parameters: Parameters
    log: list[Entry]

    def check(self, what: str, differ: str | None) -> None:
        where = f"seed {self.seed}, {what}\n  filter {self.parameters}\n  as    ?{urlencode(self.parameters)}"
        assert not differ, f"\n  {where}\n  {differ}"

    def same(self, what: str, told: Sequence[tuple[int, bytes]], expected: Sequence[Entry]) -> None:
        """Compares ids and bytes of records."""
        wanted = [(entry.id, entry.line) for entry in expected]
        if list(told) == wanted:
            return
        lines = {entry.id: entry.line for entry in self.log}
        missing = [one for one, _ in wanted if one not in {other for other, _ in told}]
        extra = [one for one, _ in told if one not in {other for other, _ in wanted}]
        first = next(
            (n for n, (one, other) in enumerate(zip(told, wanted)) if one != other), min(len(told), len(wanted))
        )
        named = (extra + missing or [wanted[first][0]])[0]
        self.check(
            what,
            f"{len(told)} records instead of {len(wanted)}; first difference at place {first}; "
            f"{len(missing)} missing {missing[:3]}, {len(extra)} too many {extra[:3]};\n"
            f"  id {named}: {lines.get(named)!r}",
        )


def recorded(body: bytes) -> list[tuple[int, bytes]]:
    """The records of an answer with ids=true and format=ndjson, as they are stored."""
    found = []
    for line in body.splitlines():
        head, comma, rest = line.partition(b",")
        assert head.startswith(b'{"livelog_id":') and comma, line[:100]
        found.append((int(head[len(b'{"livelog_id":') :]), b"{" + rest))
    return found


def make_log(seed: int, daemon: Daemon) -> tuple[RandomLog, list[Entry]]:
    """Several files, and three lives of the daemon. Leaves it running."""
    maker = RandomLog(seed)
    for turn in range(3):
        send_and_wait(daemon, maker.lines(maker.chance.randrange(60, 250)))
        if turn < 2:
            daemon.restart()
    log = read_log(daemon.segments(), BERLIN)
    # Files are written before their records are announced.
    wait_until(lambda: daemon.get("/api/v1/logs/recent?lines=1").headers["Livelog-Last-Id"] == str(log[-1].id))
    return maker, log


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_filter_gives_what_a_plain_evaluation_gives(seed: int) -> None:
    size = [3000, 20_000, "10MiB"][seed % 3]
    with Daemon(timezone="Europe/Berlin", log_max_bytes=size, log_backup_count=10_000) as daemon:
        maker, log = make_log(seed, daemon)
        filters = RandomFilter(maker.chance, log)
        cases = [Case(seed, filters.parameters(), log) for _ in range(FILTERS)]
        for case in cases:
            check_recent(daemon, case)
            check_stats(daemon, case)
            check_requests(
                daemon, case, maker.chance.choice([(), ("failed",), ("in_flight", "orphaned"), ("no_request",)])
            )
        check_streams(daemon, cases[:8], maker)


def check_recent(daemon: Daemon, case: Case) -> None:
    query = Filter(case.parameters, BERLIN, time.time_ns() // 1000)
    expected = [entry for entry in case.log if query.matches(entry)]
    for lines in (100_000, 5):
        more = urlencode([*case.parameters, ("lines", lines), ("ids", "true"), ("format", "ndjson")])
        answer = daemon.get(f"/api/v1/logs/recent?{more}")
        case.check("recent", None if answer.status == 200 else f"{answer.status}: {answer.body!r}")
        told = recorded(answer.body)
        case.same(f"recent?lines={lines}", told, expected[max(0, len(expected) - lines) :])
        edges = [answer.headers.get(f"Livelog-{name}-Id") for name in ("First", "Last")]
        wanted: list[str | None] = [str(told[0][0]), str(told[-1][0])] if told else [None, None]
        case.check("recent's headers", None if edges == wanted else f"{edges} instead of {wanted}")


def check_stats(daemon: Daemon, case: Case) -> None:
    facets = ("level", "model", "endpoint", "http.status", "deep.a.b", "type")
    more: list[tuple[str, Any]] = [("hours", ALWAYS), ("facets", ",".join(facets)), ("response_times", 50)]
    now = time.time_ns() // 1000
    query = Filter(case.parameters, BERLIN, now)
    window = in_window(case.log, query, now - ALWAYS * 3_600_000_000)
    pairing = pair(case.log)
    answer = ask(daemon, "stats", [*case.parameters, *more])
    elapsed_ms = (time.time_ns() // 1000 - now) / 1000
    case.check("stats", statistics_differ(answer, statistics(window, 50)))
    case.check("stats", llm_stats_differ(answer["llm_stats"], llm_stats(window, pairing)))
    case.check("stats", waiting_differ(answer, without_response(window, pairing, now, ORPHAN_AFTER), elapsed_ms))
    for name in facets:
        told = {value: int(count) for value, count in answer["facets"][name].items() if value != "null"}
        wanted = facet(window, name)
        wrong = told != wanted or list(told) != list(wanted)
        case.check(f"stats' facet {name}", f"{told} instead of {wanted}" if wrong else None)
    check_timeline(daemon, case)


def check_timeline(daemon: Daemon, case: Case) -> None:
    """In a window with fixed ends, so that no record changes its part while the answer is made."""
    times = sorted(entry.time for entry in case.log if entry.time is not None)
    buckets = 1 + case.seed % 13
    start, end = (times[len(times) * part // 10] // 1_000_000 for part in (1, 8))
    end = start + buckets * ((end - start) // buckets + 1)
    rest = [(name, value) for name, value in case.parameters if name not in ("since", "until")]
    ends = [
        (name, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))) for name, at in (("since", start), ("until", end))
    ]
    assert end < time.time() - 60, "the window ends before now"
    query = Filter([*rest, *ends], BERLIN, 0)
    window = in_window(case.log, query, 0)
    expected = timeline(window, pair(case.log), start * 1_000_000, end * 1_000_000, buckets)
    answer = ask(daemon, "stats", [*rest, *ends, ("hours", ALWAYS), ("buckets", buckets)])
    case.check(
        f"timeline {ends} in {buckets}", timeline_differs(answer["timeline"], expected, lambda at: instant(at, BERLIN))
    )


def check_requests(daemon: Daemon, case: Case, states: Sequence[str]) -> None:
    for lines in (10_000, 3):
        now = time.time_ns() // 1000
        query = Filter(case.parameters, BERLIN, now)
        expected = chosen(case.log, query, now, ORPHAN_AFTER, states=states, lines=lines)
        more = [("lines", str(lines)), *(("state", state) for state in states)]
        told = ask(daemon, "requests", [*case.parameters, *more])
        elapsed_ms = (time.time_ns() // 1000 - now) / 1000
        case.check(f"requests {more}", rows_differ(told, expected, elapsed_ms))


def check_streams(daemon: Daemon, cases: Sequence[Case], maker: RandomLog) -> None:
    """All of the log from each filter's stream, and what comes while they are open. A record that the filter lets
    through is sent once more as the last one, so that it is seen where the stream has come to."""
    log = cases[0].log
    streams = [Stream(daemon, urlencode([*case.parameters, ("after", 0)])) for case in cases]
    began = time.time_ns() // 1000
    try:
        matching = [[entry for entry in log if Filter(one.parameters, BERLIN, began).matches(entry)] for one in cases]
        # The markers' times are their own, whatever comes before them.
        markers = [next((e for e in found if instant(e.record.get("timestamp"), BERLIN)), None) for found in matching]
        lines: list[str | bytes] = [*maker.lines(40), *(marker.line for marker in markers if marker is not None)]
        send_and_wait(daemon, lines)
        whole = read_log(daemon.segments(), BERLIN)
        known = {entry.id: entry for entry in log}
        for stream, case in zip(streams, cases):
            query = Filter(case.parameters, BERLIN, began)
            expected = [entry for entry in whole if query.matches(known.get(entry.id, entry))]
            told: list[tuple[int, bytes]] = []
            try:
                while len(told) < len(expected):
                    event = stream.record(10.0)
                    told.append((event.id or 0, event.data.encode()))
            except TimeoutError:
                pass  # what is missing is told below
            Case(case.seed, case.parameters, whole).same("stream?after=0", told, expected)
        time.sleep(0.05)
        for stream, case in zip(streams, cases):
            case.check("stream?after=0", None if stream.silent_for(0.0) else "more records than match")
    finally:
        for stream in streams:
            stream.close()


# --- the reference itself -----------------------------------------------------------------------------------------

LINES = [
    rb'{"timestamp":"2026-10-25T00:30:00Z","level":"warn","endpoint":"/api/x","n":404,'
    rb'"deep":{"a.b":{"c":"d e"},"z":null}}',
    rb'{"timestamp":"x","type":"response","status_code":404,"message":"a \"quoted\" Wort \u00c4\\","model":"m-1"}',
    rb'{"timestamp":"2026-10-25T02:30:00","type":"request","request_body":{"model":"m-2"},'
    rb'"n":"404","http":{"status":5}}',
    rb'{"timestamp":"2026-10-25T02:00:00Z","level":"40","http.status":7,"http":{"status":8,"x":true},"n":4.5e1,"n":-1}',
]
BY_HAND = [
    ("level>=warning", "14"), ("level:info", "23"), ("level<error", "123"), ("-level:warning", "234"), ("level:*",
    "14"),
    ("type:errors", "24"), ("type:api -type:errors", "3"), ("type:re*", "23"), ("endpoint:/api/*", "1"),
    ("endpoint:*x", "1"),
    ("n:404", "13"), ("n>400", "1"), ("n<0", "4"), ("n>=404", "1"), ("-n<=404", "23"), ("n:*", "134"), ("n:4*", "13"),
    ("deep.a.b.c:*", ""), ("deep.z:*", ""), ("deep.z:null", "1"), ("-deep.z:null", "234"), ("deep:*", "1"),
    ("deep:x", ""),
    ("http.status:5", "3"), ("http.status:7", "4"), ("http.status:8", ""), ("http.x:true", "4"),
    ("http.x:(false|true)", "4"),
    ('"A \\"QUOTED\\" wort"', "2"), ('"Ä\\\\"', "2"), ("ä", ""), ("/a .quoted/", "2"), ("/(?i)A .QUOTED/", "2"),
    ("/^.\"times/", "1234"),
    ("model:m-1", "2"), ("model:m*", "23"), ("-model:*", "14"), ("model:(m-2|x)", "3"), ("model:/^m-.$/", "23"),
    ("status:404", "2"), ("status:4xx", "2"), ("status>=500", ""), ("-status<400", "1234"),
    ("message:/Wort/ status:400-499", "2"),
    ('message:"a \\"quoted\\" Wort Ä\\\\"', "2"), ("", "1234"), ("level:warning  endpoint:/api/x", "1"),
]  # fmt: skip


def test_the_reference_by_hand() -> None:
    log = read_lines(LINES, BERLIN)
    half_past_two = 1792888200000000  # the first of the two, 0:30 UTC
    assert [entry.time for entry in log] == [half_past_two, half_past_two, half_past_two, half_past_two + 5_400_000_000]

    def found(*parameters: tuple[str, str]) -> str:
        query = Filter(parameters, BERLIN, half_past_two + 7_200_000_000)
        return "".join(str(entry.id) for entry in log if query.matches(entry))

    for q, wanted in BY_HAND:
        assert found(("q", q)) == wanted, q
    assert found(("since", "1h")) == "4" and found(("until", "1h")) == "123"
    assert found(("since", "2026-10-25 02:30")) == "1234" and found(("until", "2026-10-25 02:30")) == ""
    assert found(("since", "2026-10-25"), ("until", "2026-10-25T02:00:00+02:00")) == ""
    assert found(("type", "request"), ("type", "errors"), ("level", "30")) == "4"
    assert found(("q", "n:404"), ("q", "model:m-1")) == "123"
    assert found(("endpoint", "/api/x")) == "1" and found(("endpoint", "/api")) == ""
    assert found(("search", "QUOTED"), ("status", "404")) == "2"


def test_the_reference_holds_a_pair_against_a_term() -> None:
    request, response = read_lines(
        [
            b'{"timestamp":"2026-10-25T00:30:00Z","type":"request","endpoint":"/x","level":"INFO"}',
            b'{"timestamp":"2026-10-25T01:30:00Z","type":"response","status_code":500,"level":"ERROR"}',
        ],
        BERLIN,
    )
    for parameters, holds in (
        ([("q", "endpoint:/x status:500")], True),
        ([("q", "-endpoint:/x")], False),
        ([("q", "-endpoint:/y")], True),
        ([("type", "request"), ("status", "5xx")], True),
        ([("until", "2026-10-25T01:00:00Z")], True),
        ([("since", "2026-10-25T01:00:00Z")], False),
    ):
        assert Filter(parameters, BERLIN, 0).matches([request, response]) is holds, parameters
