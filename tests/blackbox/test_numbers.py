# SPDX-License-Identifier: MIT
"""Numbers of model servers, requests without response, timelines and facets, worked out by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from compare_numbers import ask, plain
from livelogd_daemon import SOURCE_ROOT, Daemon
from reference_llm import measures
from reference_log import parse_json
from waiting import wait_for_records

Fields = dict[str, Any]

GOLDEN = SOURCE_ROOT / "protocol/vectors/llm.jsonl"


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


def settled(daemon: Daemon, records: Sequence[Fields], **parameters: Any) -> Fields:
    """The statistics of a log that holds these records and no others."""
    daemon.send([{"timestamp": now(), **record} for record in records])
    wait_for_records(daemon, len(records))
    told: Fields = plain(ask(daemon, "stats", parameters))
    return told


def events(*objects: Fields) -> str:
    return "".join(f"data: {json.dumps(one)}\n\n" for one in objects)


class Kind(NamedTuple):
    """A response's fields, beside its type; and what follows from them. What is not named is unknown."""

    name: str
    record: Fields
    model: str
    row: Fields


KINDS = [
    Kind(
        "llama.cpp",
        {
            "duration_ms": 1310.5,
            "response_body": {
                "model": "m",
                "content": "text",
                "stop_type": "eos",
                "tokens_evaluated": 120,
                "tokens_cached": 219,
                "timings": {
                    "cache_n": 20,
                    "prompt_n": 100,
                    "prompt_ms": 250.0,
                    "predicted_n": 50,
                    "predicted_ms": 1000.0,
                },
            },
        },
        "m",
        {
            "input_tokens": 120,
            "cached_tokens": 20,
            "output_tokens": 50,
            "prefill_ms": 250.0,
            "decode_ms": 1000.0,
            "queue_ms": 60.5,
            "time_to_first_token_ms": 310.5,
            "prefill_tokens_per_second": 400.0,
            "decode_tokens_per_second": 50.0,
            "finish_reason": "eos",
        },
    ),
    Kind(
        "llama.cpp's infill",
        {
            "duration_ms": 90,
            "response_body": [
                {"content": "a", "stop_type": "none"},
                {
                    "model": "m",
                    "timings": {"prompt_n": 30, "prompt_ms": 60.0, "predicted_n": 1, "predicted_ms": 0.5},
                    "stop_type": "limit",
                },
            ],
        },
        "m",
        # A single token says nothing about the speed of decoding.
        {
            "input_tokens": 30,
            "output_tokens": 1,
            "prefill_ms": 60.0,
            "decode_ms": 0.5,
            "queue_ms": 29.5,
            "time_to_first_token_ms": 89.5,
            "prefill_tokens_per_second": 500.0,
            "finish_reason": "limit",
        },
    ),
    Kind(
        "ollama",
        {
            "response_body": {
                "model": "m:7b",
                "response": "text",
                "done_reason": "stop",
                "total_duration": 4_500_000_000,
                "load_duration": 1_200_000_000,
                "prompt_eval_count": 200,
                "prompt_eval_duration": 800_000_000,
                "eval_count": 60,
                "eval_duration": 2_000_000_000,
            }
        },
        "m:7b",
        {
            "input_tokens": 200,
            "output_tokens": 60,
            "load_ms": 1200.0,
            "prefill_ms": 800.0,
            "decode_ms": 2000.0,
            "queue_ms": 500.0,
            "time_to_first_token_ms": 2000.0,
            "prefill_tokens_per_second": 250.0,
            "decode_tokens_per_second": 30.0,
            "finish_reason": "stop",
        },
    ),
    Kind(
        "ollama's stream, nothing read anew",
        {
            "response_body": json.dumps({"model": "m", "response": "Hi", "done": False})
            + "\n"
            + json.dumps(
                {"model": "m", "done": True, "done_reason": "length", "eval_count": 10, "eval_duration": 500_000_000}
            )
            + "\n"
        },
        "m",
        {"output_tokens": 10, "decode_ms": 500.0, "decode_tokens_per_second": 20.0, "finish_reason": "length"},
    ),
    Kind(
        "OpenAI's chat",
        {
            "duration_ms": 2000,
            "time_to_first_token_ms": 400,
            "response_body": {
                "model": "gpt",
                "choices": [{"finish_reason": "tool_calls"}, {"finish_reason": "stop"}],
                "usage": {
                    "prompt_tokens": 1000,
                    "completion_tokens": 80,
                    "prompt_tokens_details": {"cached_tokens": 600},
                    "completion_tokens_details": {"reasoning_tokens": 30},
                },
            },
        },
        "gpt",
        {
            "input_tokens": 1000,
            "cached_tokens": 600,
            "output_tokens": 80,
            "reasoning_tokens": 30,
            "decode_ms": 1600.0,
            "time_to_first_token_ms": 400.0,
            "decode_tokens_per_second": 50.0,
            "finish_reason": "tool_calls",
        },
    ),
    Kind(
        "OpenAI's chat, streamed",
        {
            "response_body": events(
                {"model": "gpt", "choices": [{"delta": {"content": "a"}, "finish_reason": None}]},
                {"model": "gpt", "choices": [{"delta": {}, "finish_reason": "stop"}]},
                {"model": "gpt", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
            )
            + "data: [DONE]\n\n"
        },
        "gpt",
        {"input_tokens": 9, "output_tokens": 3, "finish_reason": "stop"},
    ),
    Kind(
        "OpenAI's responses, streamed",
        {
            "response_body": events(
                {"type": "response.created", "response": {"model": "gpt", "usage": None}},
                {
                    "type": "response.completed",
                    "response": {
                        "model": "gpt",
                        "usage": {
                            "input_tokens": 70,
                            "input_tokens_details": {"cached_tokens": 64},
                            "output_tokens": 8,
                            "output_tokens_details": {"reasoning_tokens": 0},
                        },
                    },
                },
            )
        },
        "gpt",
        {"input_tokens": 70, "cached_tokens": 64, "output_tokens": 8, "reasoning_tokens": 0},
    ),
    Kind(
        "Anthropic",
        {
            "response_body": {
                "model": "claude",
                "stop_reason": "end_turn",
                "usage": {
                    "input_tokens": 10,
                    "cache_read_input_tokens": 200,
                    "cache_creation_input_tokens": 30,
                    "output_tokens": 25,
                },
            }
        },
        "claude",
        {"input_tokens": 240, "cached_tokens": 200, "output_tokens": 25, "finish_reason": "end_turn"},
    ),
    Kind(
        "Anthropic, streamed",
        {
            "response_body": events(
                {
                    "type": "message_start",
                    "message": {"model": "claude", "usage": {"input_tokens": 10, "output_tokens": 1}},
                },
                {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 25}},
                {"type": "message_stop"},
            )
        },
        "claude",
        {"input_tokens": 10, "output_tokens": 25, "finish_reason": "max_tokens"},
    ),
    Kind(
        "vLLM",
        {
            "response_body": {
                "model": "v",
                "choices": [{"finish_reason": "length"}],
                "usage": {"prompt_tokens": 50, "completion_tokens": 100},
                "metrics": {"time_to_first_token_ms": 75.5, "queue_time_ms": 5.5, "generation_time_ms": 2500.0},
            }
        },
        "v",
        {
            "input_tokens": 50,
            "output_tokens": 100,
            "queue_ms": 5.5,
            "decode_ms": 2500.0,
            "time_to_first_token_ms": 75.5,
            "decode_tokens_per_second": 40.0,
            "finish_reason": "length",
        },
    ),
    Kind(
        "vLLM, by rate",
        {
            "response_body": {
                "model": "v",
                "usage": {"prompt_tokens": 50, "completion_tokens": 100},
                "metrics": {"tokens_per_second": 80.0},
            }
        },
        "v",
        {"input_tokens": 50, "output_tokens": 100, "decode_ms": 1250.0, "decode_tokens_per_second": 80.0},
    ),
    Kind(
        "OpenTelemetry",
        {
            "attributes": {
                "gen_ai.request.model": "asked",
                "gen_ai.response.model": "answered",
                "gen_ai.usage.input_tokens": 11,
                "gen_ai.usage.output_tokens": 40,
                "gen_ai.usage.cache_read.input_tokens": 3,
                "gen_ai.usage.reasoning.output_tokens": 4,
                "gen_ai.server.time_per_output_token": 0.025,
                "gen_ai.server.time_to_first_token": 0.3,
                "gen_ai.response.finish_reasons": ["stop"],
            }
        },
        "answered",
        {
            "input_tokens": 11,
            "cached_tokens": 3,
            "output_tokens": 40,
            "reasoning_tokens": 4,
            "decode_ms": 1000.0,
            "time_to_first_token_ms": 300.0,
            "decode_tokens_per_second": 40.0,
            "finish_reason": "stop",
        },
    ),
    Kind(
        "the app of the guide",
        {
            "response_body": {
                "model_name": "llama",
                "generation_time": 0.5,
                "usage": {"prompt_tokens": 5, "completion_tokens": 10},
            }
        },
        "llama",
        {"input_tokens": 5, "output_tokens": 10, "decode_ms": 500.0, "decode_tokens_per_second": 20.0},
    ),
    Kind(
        "an app that says it itself",
        {
            "model": "own",
            "prompt_tokens": 5,
            "completion_tokens": 10,
            "cached_tokens": 0,
            "ttft_ms": 20,
            "finish_reason": "stop",
        },
        "own",
        {
            "input_tokens": 5,
            "output_tokens": 10,
            "cached_tokens": 0,
            "time_to_first_token_ms": 20.0,
            "finish_reason": "stop",
        },
    ),
]
MEASURES = (
    "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "queue_ms", "load_ms", "prefill_ms",
    "decode_ms",
    "time_to_first_token_ms", "prefill_tokens_per_second", "decode_tokens_per_second", "finish_reason",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_each_kind_of_server(daemon: Daemon, kind: Kind) -> None:
    stats = settled(daemon, [{"type": "response", "request_id": "a", **kind.record}])
    (row,) = plain(ask(daemon, "requests"))
    assert row["model"] == kind.model
    for name in MEASURES:
        expected = kind.row.get(name)
        assert row[name] == (
            pytest.approx(expected, abs=0.005) if isinstance(expected, (int, float)) else expected
        ), name
    assert list(stats["llm_stats"]) == [kind.model]
    told = stats["llm_stats"][kind.model]
    assert (told["requests"], told["errors"]) == (1, 0)
    for name in MEASURES[:4] + MEASURES[9:11]:
        expected = kind.row.get(name)
        assert told[name] == (None if expected is None else pytest.approx(expected, abs=0.005)), name
    for name in MEASURES[4:9]:
        expected = kind.row.get(name)
        if expected is None:
            assert told[name] is None or set(told[name].values()) == {None}, name
        else:
            assert all(value == pytest.approx(expected, rel=0.01) for value in told[name].values()), name


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_reference_reads_each_kind(kind: Kind) -> None:
    told = measures(parse_json(json.dumps({"type": "response", **kind.record})))
    speeds = {"prefill_tokens_per_second": told.prefill_speed, "decode_tokens_per_second": told.decode_speed}
    found = {name: speeds[name] if name in speeds else getattr(told, name) for name in MEASURES}
    known = {name: value for name, value in found.items() if value is not None}
    assert known == {
        name: pytest.approx(value) if isinstance(value, float) else value for name, value in kind.row.items()
    }
    assert (told.answered or told.asked) == kind.model and told.carries


def test_the_reference_agrees_with_the_golden_cases() -> None:
    """Those that the daemon's own reading is tested with; times there are nanoseconds."""
    cases = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    assert len(cases) > 10
    for case in cases:
        told = measures(parse_json(case["line"]))
        found: Fields = {"asked_model": told.asked, "answered_model": told.answered}
        found["finish_reason"] = told.finish_reason
        found |= {name: getattr(told, name) for name in MEASURES[:4]}
        found |= {"prefill_tokens": told.prefill_tokens, "decode_tokens": told.decode_tokens}
        for name in ("queue", "load", "prefill", "decode", "first_token"):
            ms = getattr(told, "time_to_first_token_ms" if name == "first_token" else f"{name}_ms")
            found[f"{name}_ns"] = None if ms is None else pytest.approx(ms * 1e6, abs=1)
        differ = {
            name: (value, case["fields"].get(name))
            for name, value in found.items()
            if value != case["fields"].get(name)
        }
        assert not differ, (case["name"], differ)


def ollama(model: str, tokens: int, ms: int, load_ms: int = 1, **more: Any) -> Fields:
    body = {"model": model, "eval_count": tokens, "eval_duration": ms * 1_000_000, "load_duration": load_ms * 1_000_000}
    return {"type": "response", "response_body": body, **more}


def test_speeds_are_weighted_by_tokens(daemon: Daemon) -> None:
    """90 tokens in 1 s and 10 in 1 s are 50 a second; a mean of what each says, with the single token, would not be."""
    answers = [ollama("m", 90, 1000), ollama("m", 10, 1000), ollama("m", 1, 1), ollama("other", 3, 1000)]
    told = settled(daemon, answers)["llm_stats"]
    assert told["m"]["decode_tokens_per_second"] == pytest.approx(50.0)
    assert told["other"]["decode_tokens_per_second"] == pytest.approx(3.0)
    assert told["m"]["output_tokens"] == 101 and told["m"]["requests"] == 3
    assert told["m"]["prefill_tokens_per_second"] is None and told["m"]["input_tokens"] is None


def test_what_counts_for_a_model(daemon: Daemon) -> None:
    told = settled(
        daemon,
        [
            {
                "type": "request",
                "request_id": "a",
                "request_body": {"model": "m"},
                "input_tokens": 7,
            },  # no request does
            {
                "type": "response",
                "request_id": "a",
                "response_body": {"usage": {"prompt_tokens": 5}},
                "duration_ms": 10,
            },
            {"type": "response", "response_body": {"model": "m"}, "status_code": 500, "duration_ms": 30},
            {"type": "response", "response_body": {"text": "of no model"}, "duration_ms": 50},
            {"type": "response", "response_body": {"usage": {"completion_tokens": 3}}},
            {
                "type": "span",
                "attributes": {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 6},
                "duration_ms": 70,
            },
            {"type": "span", "attributes": {"gen_ai.request.model": "m"}},
            {"message": "words", "model": "m"},
        ],
    )["llm_stats"]
    assert set(told) == {"m", "(unknown)"}
    mine = told["m"]
    assert (mine["requests"], mine["errors"], mine["input_tokens"], mine["output_tokens"]) == (3, 1, 11, None)
    assert mine["duration_ms"]["max"] == 30 and 9.9 <= mine["duration_ms"]["p50"] <= 30.1
    assert (told["(unknown)"]["requests"], told["(unknown)"]["output_tokens"]) == (1, 3)


def test_absent_stays_unknown(daemon: Daemon) -> None:
    told = settled(daemon, [{"type": "response", "response_body": {"model": "m"}}])["llm_stats"]["m"]
    assert (told["requests"], told["errors"]) == (1, 0)
    for name in ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", *MEASURES[9:11]):
        assert told[name] is None, name
    for name in (*MEASURES[4:9], "duration_ms"):
        assert told[name] is None or set(told[name].values()) == {None}, name


def test_a_second_of_loading_is_a_cold_start(daemon: Daemon) -> None:
    told = settled(daemon, [ollama("m", 5, 100, load_ms) for load_ms in (1, 999, 1000, 60_000)])["llm_stats"]["m"]
    assert told["cold_starts"] == 2 and told["load_ms"]["max"] == pytest.approx(60_000)


def test_percentiles_of_times(daemon: Daemon) -> None:
    told = settled(daemon, [ollama("m", 5, ms, duration_ms=ms * 2) for ms in range(1, 101)])["llm_stats"]["m"]
    for name, scale in (("decode_ms", 1), ("duration_ms", 2)):
        percentiles = told[name]
        assert list(percentiles) == ["p50", "p90", "p95", "p99", "max"] and percentiles["max"] == 100 * scale
        for part in (50, 90, 95, 99):
            assert abs(percentiles[f"p{part}"] / scale - part) <= 1.5, (name, percentiles)


def test_requests_without_response(daemon: Daemon) -> None:
    old = (datetime.now(timezone.utc) - timedelta(minutes=20)).isoformat()
    records: list[Fields] = [
        {"timestamp": old, "type": "request", "request_id": "old", "endpoint": "x", "request_body": {"model": "m"}},
        {"type": "request", "request_id": "answered", "endpoint": "x"},
        {"type": "response", "request_id": "answered"},
        {"type": "request", "request_id": 17, "endpoint": "y"},
        {"type": "request", "endpoint": "y"},
        *({"type": "request", "request_id": f"r{n}", "endpoint": "many"} for n in range(1020)),
    ]
    told = settled(daemon, records)
    assert (told["in_flight_count"], told["orphaned_count"]) == (1021, 1)
    (orphan,) = told["orphaned"]
    assert {"request_id": "old", "endpoint": "x", "model": "m"}.items() <= orphan.items()
    assert 1_200_000 <= orphan["age_ms"] < 1_260_000 and orphan["id"] > 0
    assert [one["request_id"] for one in told["in_flight"]] == [f"r{n}" for n in range(1019, 19, -1)]
    few = plain(ask(daemon, "stats", {"endpoint": "y"}))
    assert few["in_flight_count"] == 1 and few["in_flight"][0]["request_id"] == 17
    assert plain(ask(daemon, "stats", {"type": "response"}))["in_flight_count"] == 0


def test_more_requests_without_response_than_are_kept(daemon: Daemon) -> None:
    told = settled(daemon, [{"type": "request", "request_id": f"r{n}", "endpoint": "many"} for n in range(1500)])
    assert (told["in_flight_count"], told["orphaned_count"]) == (1024, 476)
    assert [one["request_id"] for one in told["in_flight"]] == [f"r{n}" for n in range(1499, 499, -1)]
    assert told["orphaned"] == [], "nothing more is known of them"
    # What answers one that is known, and one that is not.
    daemon.send([{"type": "response", "request_id": "r1000"}, {"type": "response", "request_id": "r3"}])
    wait_for_records(daemon, 1502)
    told = plain(ask(daemon, "stats", {}))
    assert (told["in_flight_count"], told["orphaned_count"]) == (1023, 476)


def at(seconds: float) -> str:
    """A time on a day that is over."""
    return (datetime(2025, 6, 26, 10, tzinfo=timezone.utc) + timedelta(seconds=seconds)).isoformat()


WINDOW = {"hours": 87600, "since": "2025-06-26T10:00:00Z", "until": "2025-06-26T10:01:00Z"}


def test_a_timeline(daemon: Daemon) -> None:
    told = settled(
        daemon,
        [
            {"timestamp": at(-1), "n": "before it"},
            {"timestamp": at(0), "type": "request", "level": "warn"},
            {"timestamp": at(9.999999), "level": "ERROR"},
            {"timestamp": at(10), "type": "response", "duration_ms": 40, "status_code": 500},
            {"timestamp": at(19), **ollama("m", 30, 1000), "duration_ms": 20},
            {"timestamp": at(59.999999), "level": "FATAL"},
            {"timestamp": at(60), "n": "after it"},
        ],
        **WINDOW,
        buckets=6,
    )["timeline"]
    starts = [datetime.fromisoformat(one["start"].replace("Z", "+00:00")) for one in told]
    assert starts == [datetime(2025, 6, 26, 10, 0, 10 * n, tzinfo=timezone.utc) for n in range(6)]
    assert [one["total"] for one in told] == [2, 2, 0, 0, 0, 1]
    assert [{level: n for level, n in one["levels"].items() if n} for one in told] == [
        {"WARNING": 1, "ERROR": 1}, {"INFO": 2}, {}, {}, {}, {"CRITICAL": 1},
    ]  # fmt: skip
    assert [(one["requests"], one["errors"]) for one in told] == [(1, 1), (0, 1), (0, 0), (0, 0), (0, 0), (0, 1)]
    assert told[0]["p50"] is None and told[0]["p95"] is None
    assert 19.8 <= told[1]["p50"] <= 40.4 and 19.8 <= told[1]["p95"] <= 40.4
    assert told[0]["models"] == {}
    assert told[1]["models"] == {
        "m": {
            "requests": 1, "input_tokens": None, "output_tokens": 30, "prefill_tokens_per_second": None,
            "decode_tokens_per_second": 30,
        }
    }  # fmt: skip


def test_a_timeline_ends_now(daemon: Daemon) -> None:
    later = (datetime.now(timezone.utc) + timedelta(hours=2)).isoformat()
    told = settled(daemon, [{"n": 1}, {"timestamp": later}], hours=1, buckets=3)["timeline"]
    assert [one["total"] for one in told] == [0, 0, 2], "what is later is in the last part"
    start = datetime.fromisoformat(told[0]["start"].replace("Z", "+00:00")).timestamp()
    assert abs(time.time() - 3600 - start) < 30
    assert "timeline" not in ask(daemon, "stats") and "facets" not in ask(daemon, "stats")


def test_facets(daemon: Daemon) -> None:
    told = settled(
        daemon,
        [
            {"level": "warn", "type": "request", "request_body": {"model": "a"}, "n": 1.5, "deep": {"x": True}},
            {"type": "response", "model": "a", "response_body": {"model": "b"}, "n": "1.5", "deep": {"x": False}},
            {"level": "WARNING", "n": [1], "deep": {"x": True}, "status_code": 404},
            {"level": 30, "n": {"a": 1}, "deep.x": "flat", "deep": {"x": True}, "status_code": 200},
        ],
        facets="level,model,n,deep.x,type,nowhere,status",
    )["facets"]
    assert list(told) == ["level", "model", "n", "deep.x", "type", "nowhere", "status"]
    assert list(told["level"].items()) == [("WARNING", 3), ("INFO", 1)]
    assert list(told["model"].items()) == [("a", 2), ("b", 1)]
    assert told["n"] == {"1.5": 2} and told["nowhere"] == {}
    assert list(told["deep.x"].items()) == [("true", 2), ("false", 1), ("flat", 1)]
    assert told["type"] == {"request": 1, "response": 1} and told["status"] == {"200": 1, "404": 1}


def test_a_facet_holds_a_thousand_values(daemon: Daemon) -> None:
    records: list[Fields] = [{"user": f"u{n:04}"} for n in range(1300)] + [{"user": "often"}] * 5
    told = settled(daemon, records, facets="user")["facets"]["user"]
    assert (
        len(told) == 1001
        and told["often"] == 5
        and sum(told.values()) == 1305
        and list(told)[0] in ("often", "(other)")
    )


@pytest.mark.parametrize(
    "query, parameter",
    [
        ("buckets=0", "buckets"), ("buckets=1001", "buckets"), ("buckets=x", "buckets"), ("buckets=2&buckets=2",
        "buckets"),
        ("facets=", "facets"), ("facets=a,,b", "facets"), ("facets=1a", "facets"),
        ("facets=" + ",".join(f"f{n}" for n in range(17)), "facets"), ("q=a%3E", "q"), ("lines=5", "lines"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(daemon: Daemon, query: str, parameter: str) -> None:
    answer = daemon.get(f"/api/v1/logs/stats?{query}")
    assert answer.status == 400 and answer.json()["parameter"] == parameter, (answer.status, answer.body)
