# SPDX-License-Identifier: MIT
"""Statistics as docs/http-api.md defines them, computed in the plainest way from the files.

It shares nothing with the daemon but the definition. Only what a record says as JSON is used, never how it is stored.
reference_numbers.py has the numbers of model servers, of requests without response, the timeline and the facets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from reference_filter import Filter, is_error
from reference_log import Entry, Spelled


def name_of(value: Any) -> str | None:
    """What a scalar is called in a map of counts; nothing for null, objects and arrays."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


def error_type(record: dict[str, Any]) -> str:
    def nested(outer: str, inner: str) -> Any:
        return record[outer].get(inner) if isinstance(record.get(outer), dict) else None

    def flat_or_nested(outer: str) -> Any:
        return record.get(f"{outer}.type", nested(outer, "type"))

    candidates = [record.get("error_type"), flat_or_nested("exception"), flat_or_nested("error")]
    candidates.append(nested("response_body", "error_type"))
    for candidate in candidates:
        # A type has a name: a string, and not the empty one.
        if isinstance(candidate, str) and not isinstance(candidate, Spelled) and candidate:
            return candidate
    # As for `errors`, a status code is a number.
    status = record.get("status_code")
    return f"HTTP {status}" if isinstance(status, Spelled) else "unknown"


def counted(values: Iterable[str | None]) -> dict[str, int]:
    counts = Counter(value for value in values if value is not None)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0].encode())))


def microseconds(duration: str) -> Decimal | None:
    """A `duration_ms` that counts, in whole microseconds."""
    value = Decimal(duration)
    # Beyond a double's range it is infinite.
    if value < 0 or value >= Decimal(2) ** 1024:
        return None
    return (value * 1000).to_integral_value()


def in_window(log: Iterable[Entry], query: Filter, since: int) -> list[Entry]:
    """What `stats` adds up: the matching records that are not older than `since`, and those without any time."""
    return [entry for entry in log if (entry.time is None or entry.time >= since) and query.matches(entry)]


def statistics(window: list[Entry], response_times: int = 1000) -> dict[str, Any]:
    """The answer, with `durations` (sorted, milliseconds) in the place of the percentiles."""
    requests = [entry.record for entry in window if entry.says("type") == "request"]
    responses = [entry.record for entry in window if entry.says("type") == "response"]
    errors = [entry.record for entry in window if is_error(entry)]
    spelled = [
        record["duration_ms"]
        for record in responses
        if isinstance(record.get("duration_ms"), Spelled) and microseconds(record["duration_ms"]) is not None
    ]
    exact = [microseconds(one) or Decimal(0) for one in spelled]
    return {
        "api_stats": {
            "total_requests": len(requests),
            "endpoints": counted(name_of(record.get("endpoint")) for record in requests),
            "methods": counted(name_of(record.get("method")) for record in requests),
            "status_codes": counted(name_of(record.get("status_code")) for record in responses),
            "avg_response_time": float(sum(exact) / len(exact) / 1000) if exact else 0.0,
            "response_times": [str(one) for one in spelled[max(0, len(spelled) - response_times) :]],
            "durations": sorted(float(one) / 1000 for one in exact),
        },
        "error_summary": {
            "total_errors": len(errors),
            "error_types": counted(error_type(record) for record in errors),
            "endpoints_with_errors": counted(name_of(record.get("endpoint")) for record in errors),
            "status_codes": counted(name_of(record.get("status_code")) for record in errors),
        },
        "total_logs": len(window),
    }
