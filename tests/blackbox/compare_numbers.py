# SPDX-License-Identifier: MIT
"""Answers in JSON beside what a reference says of the same log."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from livelogd_daemon import Daemon
from reference_log import Spelled, parse_json
from reference_requests import SPELLED

TIMES = ("queue_ms", "load_ms", "prefill_ms", "decode_ms", "time_to_first_token_ms", "duration_ms")

# A time is kept to the microsecond, a number is printed with some decimals.
LEAST, RELATIVE = 0.0051, 1e-3


def ask(daemon: Daemon, what: str, parameters: Iterable[tuple[str, Any]] | Mapping[str, Any] = ()) -> Any:
    """An answer of `stats`, `requests`, ... with its numbers as spelled."""
    pairs = list(parameters.items()) if isinstance(parameters, Mapping) else list(parameters)
    answer = daemon.get(f"/api/v1/logs/{what}?{urlencode(pairs)}")
    assert answer.status == 200, (what, pairs, answer.status, answer.body[:500])
    return parse_json(answer.body)


def plain(value: Any) -> Any:
    """Spelled numbers as numbers, everywhere but in response_times."""
    if isinstance(value, dict):
        return {key: value[key] if key == "response_times" else plain(value[key]) for key in value}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return float(value) if isinstance(value, Spelled) else value


def close(told: Any, expected: float) -> bool:
    return isinstance(told, Spelled) and math.isclose(float(told), expected, rel_tol=RELATIVE, abs_tol=LEAST)


def difference(told: Any, expected: Any, path: str = "") -> str | None:
    """The first place where the two are not the same; numbers of measures may differ by a rounding."""
    if isinstance(expected, dict) and isinstance(told, dict):
        if set(told) != set(expected):
            return f"{path}: keys {sorted(told)} instead of {sorted(expected)}"
        return next(
            (found for key in expected if (found := difference(told[key], expected[key], f"{path}.{key}"))), None
        )
    if isinstance(expected, list) and isinstance(told, list):
        for n, (one, other) in enumerate(zip(told, expected)):
            found = difference(one, other, f"{path}[{n}]")
            if found:
                return found
        return None if len(told) == len(expected) else f"{path}: {len(told)} instead of {len(expected)}"
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        same = close(told, expected)
    else:
        same = type(told) is type(expected) and told == expected
    return None if same else f"{path}: {told!r} instead of {expected!r}"


def percentiles_differ(
    told: Any, values: Sequence[float], names: Sequence[str] = ("p50", "p90", "p95", "p99", "max")
) -> str | None:
    """Whether these percentiles of the sorted values are off by more than a hundredth. Several conventions agree within
    neighbours."""
    if not values:
        nothing = told is None or (isinstance(told, dict) and set(told.values()) <= {None})
        return None if nothing else f"{told!r} of no value"
    if not isinstance(told, dict) or not set(names) <= set(told):
        return f"{told!r} has no {list(names)}"
    for name in names:
        share = 1.0 if name == "max" else int(name[1:]) / 100
        place = share * (len(values) - 1)
        low = values[max(0, math.floor(place) - 1)]
        high = values[min(len(values) - 1, math.ceil(place) + 1)]
        if name == "max":
            low = high = values[-1]
        number = told[name]
        if not isinstance(number, (Spelled, float)) or not low * 0.99 - 0.001 <= float(number) <= high * 1.01 + 0.001:
            return f"{name}: {number!r} is not within {low} and {high}"
    return None


def llm_stats_differ(told: dict[str, Any], expected: dict[str, dict[str, Any]]) -> str | None:
    if set(told) != set(expected):
        return f"llm_stats: {sorted(told)} instead of {sorted(expected)}"
    for name, numbers in expected.items():
        mine = dict(told[name])
        theirs = dict(numbers)
        for field in TIMES:
            found = percentiles_differ(mine.pop(field, None), theirs.pop(field))
            if found:
                return f"llm_stats.{name}.{field}: {found}"
        if theirs["cold_starts"] is None and mine.get("cold_starts") == "0":
            mine["cold_starts"] = None  # nobody told a load: none, or unknown
        found = difference(mine, theirs, f"llm_stats.{name}")
        if found:
            return found
    return None


def ages_differ(told: Any, expected: Any, elapsed_ms: float) -> str | None:
    """An age may be as much larger as the answer took, and is rounded."""
    if expected is None or not isinstance(told, Spelled):
        return None if told is None and expected is None else f"age_ms: {told!r} instead of {expected!r}"
    return None if -2 <= float(told) - expected <= elapsed_ms + 2 else f"age_ms: {told} instead of {expected}"


def waiting_differ(told: dict[str, Any], expected: dict[str, list[dict[str, Any]]], elapsed_ms: float) -> str | None:
    """The requests without response of an answer of `stats`."""
    for part, entries in expected.items():
        if told[f"{part}_count"] != str(len(entries)):
            return f"{part}_count: {told[f'{part}_count']} instead of {len(entries)}"
        found = rows_differ(told[part], entries[:1000], elapsed_ms, part)
        if found:
            return found
    return None


def rows_differ(told: list[Any], expected: list[dict[str, Any]], elapsed_ms: float, name: str = "rows") -> str | None:
    ids, wanted = [one["id"] for one in told], [str(one["id"]) for one in expected]
    if ids != wanted:
        return f"{name}: ids {difference(ids, wanted)}; {len(ids)} rows instead of {len(wanted)}"
    for n, (mine, theirs) in enumerate(zip(told, expected)):
        mine, theirs = dict(mine), dict(theirs)
        found = ages_differ(mine.pop("age_ms"), theirs.pop("age_ms"), elapsed_ms)
        for field in SPELLED:
            if isinstance(theirs.get(field), (dict, list)):
                mine.pop(field), theirs.pop(field)  # nothing is said of such a value
        found = found or difference(mine, theirs)
        if found:
            return f"{name}[{n}] (id {ids[n]}): {found}"
    return None


def timeline_differs(told: list[Any], expected: list[dict[str, Any]], start_us: Any) -> str | None:
    """`start_us` reads the text of a part's start as microseconds."""
    for n, (mine, theirs) in enumerate(zip(told, expected)):
        mine, theirs = dict(mine), dict(theirs)
        start, begins = mine.pop("start"), theirs.pop("start")
        when = start_us(start)
        if when is None or abs(when - begins) > 1_000_001:
            return f"timeline[{n}].start: {start!r} ({when}) instead of {begins}"
        mine["levels"] = {level: count for level, count in mine["levels"].items() if count != "0"}
        percentiles = {name: mine.pop(name) for name in ("p50", "p95")}
        found = percentiles_differ(percentiles, theirs.pop("durations"), ("p50", "p95"))
        found = found or difference(mine, theirs, f"timeline[{n}]")
        if found:
            return f"timeline[{n}]: {found}"
    return None if len(told) == len(expected) else f"timeline: {len(told)} parts instead of {len(expected)}"


def statistics_differ(answer: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The part of an answer of `stats` that reference_stats.py knows."""
    told = {name: plain(answer[name]) for name in expected}
    api, wanted = dict(told["api_stats"]), dict(expected["api_stats"])
    found = percentiles_differ(api.pop("response_time_percentiles"), wanted.pop("durations"))
    average, right = api.pop("avg_response_time"), wanted.pop("avg_response_time")
    # Two decimals, whichever way a half is rounded.
    if abs(average - right) > 0.0051 + abs(right) * 1e-12:
        found = found or f"avg_response_time: {average} instead of {right}"
    told["api_stats"], expected = api, {**expected, "api_stats": wanted}
    for part in ("api_stats", "error_summary"):
        for name, value in expected[part].items():
            mine = told[part][name]
            if mine != value or (isinstance(value, dict) and list(mine) != list(value)):
                found = found or f"{part}.{name}: {json.dumps(mine)} instead of {json.dumps(value)}"
    if told["total_logs"] != expected["total_logs"]:
        found = found or f"total_logs: {told['total_logs']} instead of {expected['total_logs']}"
    return found
