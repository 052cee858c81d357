# SPDX-License-Identifier: MIT
"""The numbers of `stats` beyond reference_stats.py: model servers, requests without response, timeline and facets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from reference_filter import ABSENT, LEVELS, candidates, is_error, lookup, models, severity, value_text
from reference_llm import Measures, told_by
from reference_log import Entry, Spelled
from reference_requests import Pair, Pairing, model_of
from reference_stats import counted, microseconds

UNKNOWN = "(unknown)"
COUNTS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
TIMES = ("queue_ms", "load_ms", "prefill_ms", "decode_ms", "time_to_first_token_ms", "duration_ms")


def duration_ms(entry: Entry) -> float | None:
    """That of a response, if it counts."""
    value = entry.record.get("duration_ms")
    if entry.says("type") != "response" or not isinstance(value, Spelled):
        return None
    exact = microseconds(value)
    return None if exact is None else float(exact) / 1000


def is_counted(entry: Entry, request: Entry | None) -> bool:
    """Whether a record says anything of a model; of a response the model may be known from its request."""
    if entry.says("type") == "request":
        return False
    return told_by(entry).carries or (entry.says("type") == "response" and model_of(request, entry) is not None)


def by_model(window: Iterable[Entry], pairing: Pairing) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in window:
        request = pairing.request_of.get(entry.id)
        if is_counted(entry, request):
            name = model_of(request, entry) or UNKNOWN
            found.setdefault(name, []).append(entry)
    return found


def total(values: Iterable[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def speed_of(parts: Iterable[tuple[int | None, float | None]], least: int) -> float | None:
    """Sum of tokens by sum of time, tokens a second."""
    both = [(tokens, time) for tokens, time in parts if tokens is not None and time is not None and tokens >= least]
    time = sum(one for _, one in both)
    return sum(tokens for tokens, _ in both) / time * 1000 if time else None


def prefill_speed(told: Iterable[Measures]) -> float | None:
    return speed_of(((one.prefill_tokens, one.prefill_ms) for one in told), 0)


def decode_speed(told: Iterable[Measures]) -> float | None:
    return speed_of(((one.decode_tokens, one.decode_ms) for one in told), 2)


def llm_stats(window: Iterable[Entry], pairing: Pairing) -> dict[str, dict[str, Any]]:
    """By model. Times are the sorted values themselves, in the place of their percentiles. `cold_starts` is None where
    no record tells the time of loading."""
    answer: dict[str, dict[str, Any]] = {}
    for name, entries in by_model(window, pairing).items():
        told = [told_by(entry) for entry in entries]
        numbers: dict[str, Any] = {"requests": len(entries), "errors": sum(map(is_error, entries))}
        for field in COUNTS:
            numbers[field] = total(getattr(one, field) for one in told)
        numbers["prefill_tokens_per_second"] = prefill_speed(told)
        numbers["decode_tokens_per_second"] = decode_speed(told)
        for field in TIMES[:-1]:
            numbers[field] = sorted(value for one in told if (value := getattr(one, field)) is not None)
        numbers["duration_ms"] = sorted(value for entry in entries if (value := duration_ms(entry)) is not None)
        loads = numbers["load_ms"]
        numbers["cold_starts"] = sum(load >= 1000 for load in loads) if loads else None
        answer[name] = numbers
    return answer


def without_response(
    window: Iterable[Entry], pairing: Pairing, now: int, orphan_after: int
) -> dict[str, list[dict[str, Any]]]:
    """`in_flight` and `orphaned`, whole, the newest first, `age_ms` in broken milliseconds."""
    answer: dict[str, list[dict[str, Any]]] = {"in_flight": [], "orphaned": []}
    for entry in sorted(window, key=lambda one: one.id, reverse=True):
        one = Pair(entry, pairing.response_of.get(entry.id))
        state = one.state(now, orphan_after)
        if entry.says("type") != "request" or state not in answer:
            continue
        age = one.age_us(now)
        answer[state].append(
            {
                "id": entry.id,
                "request_id": entry.record.get("request_id"),
                "endpoint": entry.record.get("endpoint"),
                "model": model_of(entry, None),
                "age_ms": None if age is None else age / 1000,
            }
        )
    return answer


def timeline(window: list[Entry], pairing: Pairing, start: int, end: int, buckets: int) -> list[dict[str, Any]]:
    """`start` and `end` in microseconds since 1970; `durations` (sorted) in the place of p50 and p95, `start` in
    microseconds. The window's records are not older than `start`."""
    parts: list[list[Entry]] = [[] for _ in range(buckets)]
    for entry in window:
        if entry.time is not None:
            parts[min(buckets - 1, (entry.time - start) * buckets // (end - start))].append(entry)
    answer = []
    for n, part in enumerate(parts):
        models_in_it = {}
        for name, entries in by_model(part, pairing).items():
            told = [told_by(entry) for entry in entries]
            models_in_it[name] = {
                "requests": len(entries),
                "input_tokens": total(one.input_tokens for one in told),
                "output_tokens": total(one.output_tokens for one in told),
                "prefill_tokens_per_second": prefill_speed(told),
                "decode_tokens_per_second": decode_speed(told),
            }
        answer.append(
            {
                "start": start + n * (end - start) / buckets,
                "total": len(part),
                "levels": dict(Counter(LEVELS[severity(entry)] for entry in part)),
                "requests": sum(entry.says("type") == "request" for entry in part),
                "errors": sum(map(is_error, part)),
                "durations": sorted(value for entry in part if (value := duration_ms(entry)) is not None),
                "models": models_in_it,
            }
        )
    return answer


def facet(window: Iterable[Entry], field: str) -> dict[str, int]:
    """Each value with the number of records for which `field:value` holds; without null, which some tell and some do
    not."""
    values: list[str | None] = []
    for entry in window:
        if field == "level":
            values.append(LEVELS[severity(entry)])
        elif field == "model":
            values += sorted(set(models(entry)))
        elif field == "status":
            status = lookup(entry.record, "status_code")
            values.append(str(status) if isinstance(status, Spelled) else None)
        elif lookup(entry.record, field) not in (None, ABSENT):
            values.append(value_text(lookup(entry.record, field)))
    return counted(values)
