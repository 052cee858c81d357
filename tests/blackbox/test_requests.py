# SPDX-License-Identifier: MIT
"""Requests and their responses: each rule by an example. test_filter_property.py tries all of them on random logs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from compare_numbers import ask
from livelogd_daemon import Daemon, wait_until
from reference_log import Spelled, read_lines
from reference_requests import pairs
from waiting import wait_for_records

REQUESTS = "/api/v1/logs/requests"


def ago(seconds: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(seconds=seconds)).isoformat()


def request(request_id: Any, endpoint: str = "e", age: float = 1.0, **more: Any) -> dict[str, Any]:
    told = {"timestamp": ago(age), "type": "request", "request_id": request_id, "method": "POST", "endpoint": endpoint}
    return {**told, **more}


def response(request_id: Any, status_code: int = 200, age: float = 0.5, **more: Any) -> dict[str, Any]:
    return {"timestamp": ago(age), "type": "response", "request_id": request_id, "status_code": status_code, **more}


def rows(daemon: Daemon, records: list[Any] | None = None, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of a log that holds these records and no others, or of what it holds."""
    if records is not None:
        daemon.send(records)
        wait_for_records(daemon, len(records))
    pairs = [
        (name, one) for name, value in parameters.items() for one in (value if isinstance(value, list) else [value])
    ]
    told: list[dict[str, Any]] = ask(daemon, "requests", pairs)
    return told


def states(told: list[dict[str, Any]]) -> list[str]:
    return [f"{one['request_id']} {one['state']}" for one in told]


def test_each_state(daemon: Daemon) -> None:
    told = rows(
        daemon,
        [
            request("well"), response("well", duration_ms=Spelled("12.50")), request("bad", "f"), response("bad", 404),
            request("loud"), response("loud", level="ERROR", error_type="Broken"), request("now", age=30),
            request("long ago", age=700), response("from nowhere"), {**request("x"), "request_id": None},
        ],
    )  # fmt: skip
    assert states(told) == [
        "None unpaired", "from nowhere no_request", "long ago orphaned", "now in_flight", "loud failed",
        "bad failed", "well ok",
    ]  # fmt: skip
    assert list(told[0]) == [
        "id", "state", "request_record", "response_record", "request_id", "timestamp", "method", "endpoint",
        "status_code",
        "duration_ms", "error_type", "age_ms", "model", "input_tokens", "cached_tokens", "output_tokens",
        "reasoning_tokens",
        "queue_ms", "load_ms", "prefill_ms", "decode_ms", "time_to_first_token_ms", "prefill_tokens_per_second",
        "decode_tokens_per_second", "finish_reason",
    ]  # fmt: skip
    unpaired, lone, orphan, waiting, loud, bad, well = told
    assert well["id"] == well["request_record"] and int(well["response_record"]) == int(well["id"]) + 1
    assert (well["method"], well["endpoint"], well["status_code"]) == ("POST", "e", "200")
    assert well["error_type"] is None and well["age_ms"] is None and well["model"] is None and well["decode_ms"] is None
    assert (bad["error_type"], loud["error_type"]) == ("HTTP 404", "Broken")
    assert lone["id"] == lone["response_record"] and lone["request_record"] is None and lone["status_code"] == "200"
    assert lone["method"] is None and lone["endpoint"] is None
    assert 30_000 <= float(waiting["age_ms"]) < 60_000 and 700_000 <= float(orphan["age_ms"]) < 730_000
    assert waiting["response_record"] is None and waiting["status_code"] is None and waiting["duration_ms"] is None
    assert unpaired["request_record"] == unpaired["id"]


def test_numbers_stay_as_they_are_spelled(daemon: Daemon) -> None:
    one = '{"type":"request","request_id":1.50,"method":"GET"}'
    other = '{"type":"response","request_id":1.50,"status_code":2e2,"duration_ms":0.10}'
    (told,) = rows(daemon, [one, other])
    assert (told["state"], told["request_id"]) == ("ok", "1.50")
    assert (told["status_code"], told["duration_ms"]) == ("2e2", "0.10") and isinstance(told["request_id"], Spelled)


def test_a_response_belongs_to_the_nearest_earlier_request_that_has_none(daemon: Daemon) -> None:
    told = rows(
        daemon,
        [
            request("a", "1"),
            request("a", "2"),
            response("a", 201),
            response("a", 202),
            response("a", 203),
            request("a", "3"),
        ],
    )
    assert [(one["state"], one["endpoint"], one["status_code"]) for one in told] == [
        ("in_flight", "3", None), ("no_request", None, "203"), ("ok", "2", "201"), ("ok", "1", "202"),
    ]  # fmt: skip


def test_only_requests_and_responses_are_paired(daemon: Daemon) -> None:
    told = rows(daemon, [request("a"), {**response("a"), "type": "custom_event"}, {**request("a"), "type": "Request"}])
    assert states(told) == ["a in_flight"]


def test_a_pair_over_a_restart_and_in_two_files() -> None:
    with Daemon(log_max_bytes=1000, log_backup_count=1000) as daemon:
        daemon.send([request("a"), request("gone with the app"), *[{"n": n, "p": "x" * 100} for n in range(20)]])
        wait_for_records(daemon, 22)
        daemon.restart()
        daemon.send([response("a", duration_ms=7)])
        wait_for_records(daemon, 23)
        assert len(daemon.segments()) > 2
        assert states(rows(daemon)) == ["gone with the app in_flight", "a ok"]


def test_an_orphan_is_older_than_the_option_says() -> None:
    with Daemon(orphan_after="2s") as daemon:
        assert states(rows(daemon, [request("old", age=5), request("now", age=0)])) == ["now in_flight", "old orphaned"]
        wait_until(
            lambda: states(rows(daemon)) == ["now orphaned", "old orphaned"], what="it is older than two seconds"
        )
        stats = ask(daemon, "stats")
        assert (stats["in_flight_count"], stats["orphaned_count"]) == ("0", "2")
        # It comes after all.
        daemon.send([response("old")])
        wait_for_records(daemon, 3)
        assert states(rows(daemon)) == ["now orphaned", "old ok"]


def test_states_are_chosen(daemon: Daemon) -> None:
    records = [request("a"), response("a"), request("b"), response("b", 500), request("c"), response("d")]
    assert states(rows(daemon, records, state="failed")) == ["b failed"]
    assert states(rows(daemon, state=["ok", "in_flight"])) == ["c in_flight", "a ok"]
    assert len(rows(daemon)) == 4
    assert rows(daemon, state="orphaned") == []
    answer = daemon.get(f"{REQUESTS}?state=lost")
    assert answer.status == 400 and answer.json()["parameter"] == "state"


FILTERS: list[tuple[list[tuple[str, str]], str]] = [
    ([("endpoint", "e1")], "a"),  # of the request alone
    ([("status", "5xx")], "b"),  # of the response alone
    ([("endpoint", "e2"), ("status", "5xx")], "b"),
    ([("endpoint", "e1"), ("status", "5xx")], ""),
    ([("q", "endpoint:e2 status:500")], "b"),
    ([("q", "-status:500")], "ac"),  # for neither
    ([("q", "-endpoint:e1 -endpoint:e2")], "c"),
    ([("q", "endpoint:*")], "abc"),
    ([("model", "m1")], "a"),
    ([("model", "m1-answered")], "a"),
    ([("type", "errors")], "b"),
    ([("type", "response")], "ab"),
    ([("search", "only in the answer")], "a"),
    ([("q", "prompt only in")], "a"),  # one word in each of the two
    ([("since", "10m")], "bc"),  # the request's time: that of a's response is later
    ([("until", "10m")], "a"),
]


@pytest.mark.parametrize("parameters, expected", FILTERS, ids=[str(one) for one, _ in FILTERS])
def test_a_filter_asks_both(daemon: Daemon, parameters: list[tuple[str, str]], expected: str) -> None:
    records = [
        request("a", "e1", age=700, request_body={"model": "m1", "prompt": "the prompt"}),
        response("a", age=1, response_body={"model": "m1-answered", "text": "only in the answer"}),
        request("b", "e2", age=20),
        response("b", 500),
        request("c", "e3", age=10),
    ]
    daemon.send(records)
    wait_for_records(daemon, len(records))
    answer = daemon.get(f"{REQUESTS}?{urlencode(parameters)}")
    assert answer.status == 200, answer.body
    assert "".join(sorted(one["request_id"] for one in answer.json())) == expected


def test_pages(daemon: Daemon) -> None:
    records = [one for n in range(25) for one in (request(f"r{n}"), response(f"r{n}", 500 if n % 5 == 0 else 200))]
    newest_first = [one["id"] for one in rows(daemon, records)]
    assert len(newest_first) == 25 and newest_first == sorted(newest_first, key=int, reverse=True)

    found: list[str] = []
    before: dict[str, Any] = {}
    while True:
        answer = daemon.get(f"{REQUESTS}?{urlencode({'lines': 7, **before})}")
        page = [str(one["id"]) for one in answer.json()]
        if not page:
            assert answer.headers["Livelog-First-Id"] is None
            break
        assert (answer.headers["Livelog-First-Id"], answer.headers["Livelog-Last-Id"]) == (page[0], page[-1])
        found += page
        before = {"before": page[-1]}
    assert found == newest_first

    # The oldest above an id, still the newest of them first.
    assert [one["id"] for one in rows(daemon, lines=3, after=newest_first[-1])] == newest_first[-4:-1]
    between = rows(daemon, lines=100, after=newest_first[20], before=newest_first[10])
    assert [one["id"] for one in between] == newest_first[11:20]
    # A response above `before` belongs to its request all the same.
    (last,) = rows(daemon, lines=1, before=str(int(newest_first[3]) + 1))
    assert last["id"] == newest_first[3] and last["state"] == "ok"


def test_formats_and_limits(daemon: Daemon) -> None:
    records = [one for n in range(3) for one in (request(f"r{n}"), response(f"r{n}"))]
    told = rows(daemon, records)
    answer = daemon.get(f"{REQUESTS}?format=ndjson")
    assert [line.partition(b",")[0] for line in answer.body.splitlines()] == [
        b'{"id":' + one["id"].encode() for one in told
    ]
    assert answer.headers["Livelog-Scanned-To"] == "0"
    assert len(daemon.get(REQUESTS).body.splitlines()) == 3, "one row a line"
    assert daemon.get(f"{REQUESTS}?q=nowhere").json() == []
    for query, parameter in (
        ("lines=0", "lines"),
        ("lines=10001", "lines"),
        ("ids=true", "ids"),
        ("elide=20", "elide"),
    ):
        refused = daemon.get(f"{REQUESTS}?{query}")
        assert refused.status == 400 and refused.json()["parameter"] == parameter, query


def test_a_hundred_rows_unless_told_otherwise(daemon: Daemon) -> None:
    assert len(rows(daemon, [request(f"r{n}") for n in range(130)])) == 100
    assert len(rows(daemon, lines=10_000)) == 130


def test_a_row_knows_its_model_and_tokens(daemon: Daemon) -> None:
    body = {
        "model": "answered",
        "usage": {"prompt_tokens": 100, "completion_tokens": 50},
        "choices": [{"finish_reason": "stop"}],
    }
    told = rows(
        daemon,
        [
            request("a", request_body={"model": "asked"}),
            response("a", response_body=body, duration_ms=3000, ttft_ms=500),
            request("b", request_body={"model_name": "asked"}),
            response("b", 500),
            request("c", model="asked"),
        ],
    )
    waiting, failed, well = told
    assert (waiting["model"], failed["model"], well["model"]) == ("asked", "asked", "answered")
    assert (well["input_tokens"], well["output_tokens"], well["finish_reason"]) == ("100", "50", "stop")
    assert float(well["time_to_first_token_ms"]) == 500 and float(well["decode_ms"]) == 2500
    assert float(well["decode_tokens_per_second"]) == 20
    assert well["prefill_ms"] is None and well["cached_tokens"] is None and well["prefill_tokens_per_second"] is None


def test_the_reference_pairs_by_hand() -> None:
    lines = [
        b'{"type":"request","request_id":"a"}', b'{"type":"request","request_id":"a"}',
        b'{"type":"response","request_id":"a"}',
        b'{"type":"response","request_id":"b"}', b'{"type":"request","request_id":"b"}',
        b'{"type":"response","request_id":"a"}',
        b'{"type":"response"}', b'{"type":"request"}', b'{"type":"request","request_id":7}',
        b'{"type":"response","request_id":7}',
    ]  # fmt: skip
    found = [
        (one.request.id if one.request else None, one.response.id if one.response else None)
        for one in pairs(read_lines(lines, timezone.utc))
    ]
    assert found == [(9, 10), (8, None), (None, 7), (5, None), (None, 4), (2, 3), (1, 6)]
