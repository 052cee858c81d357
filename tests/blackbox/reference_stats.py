# SPDX-License-Identifier: MIT
"""Statistics as docs/http-api.md defines them, computed in the plainest way from the files: the oracle of test_stats.py.

It shares nothing with the daemon but the definition. Only what a record says as JSON is used, never how it is stored.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

OTHER = "(other)"
MAX_KEYS = 1000


class Spelled(str):
    """A number as it was spelled."""


_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(text: Any, zone: tzinfo) -> int | None:
    """Microseconds since 1970, None if unreadable."""
    if not isinstance(text, str) or isinstance(text, Spelled):
        return None
    found = _STAMP.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(found.group(i)) for i in range(1, 7))
    micro = int((found.group(7) or "0").ljust(6, "0")[:6])
    leap = second == 60
    try:
        wall = datetime(year, month, day, hour, minute, 59 if leap else second, micro)
    except ValueError:
        return None
    offset = found.group(8)
    if offset is None:
        # fold=0: of two equal local times the first; in a gap the offset from before it.
        aware = wall.replace(tzinfo=zone, fold=0)
    elif offset == "Z":
        aware = wall.replace(tzinfo=timezone.utc)
    else:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        aware = wall.replace(tzinfo=timezone(distance if offset[0] == "+" else -distance))
    delta = aware.astimezone(timezone.utc) - _EPOCH + (timedelta(seconds=1) if leap else timedelta())
    return delta // timedelta(microseconds=1)


class Timed(NamedTuple):
    time: int | None
    record: dict[str, Any]


def read_log(segments: Iterable[Path], zone: tzinfo) -> list[Timed]:
    """Every record with its time: its own, else that of the nearest earlier one in its segment that has one, else of the
    nearest later one."""
    everything = []
    for segment in segments:
        records = []
        for line in segment.read_bytes().splitlines():
            try:
                record = json.loads(line, parse_float=Spelled, parse_int=Spelled)
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
        times = [instant(record.get("timestamp"), zone) for record in records]
        for i, record in enumerate(records):
            nearest = [t for t in reversed(times[: i + 1]) if t is not None] or [t for t in times[i:] if t is not None]
            everything.append(Timed(nearest[0] if nearest else None, record))
    return everything


def name_of(value: Any) -> str | None:
    """What a scalar is called in a map of counts; nothing for null, objects and arrays."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


def number_of(value: Any) -> float | None:
    return float(value) if isinstance(value, Spelled) else None


SEVERE = {"ERROR", "CRITICAL", "FATAL"}
_DIGITS = re.compile(r"[0-9]+")


def is_error(record: dict[str, Any]) -> bool:
    level = record.get("level")
    if isinstance(level, str) and (isinstance(level, Spelled) or _DIGITS.fullmatch(level)):
        severe = float(level) >= 40
    else:
        severe = isinstance(level, str) and level.upper() in SEVERE
    status = number_of(record.get("status_code"))
    return severe or (status is not None and status >= 400)


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


def has_type(record: dict[str, Any], name: str) -> bool:
    value = record.get("type")
    return isinstance(value, str) and not isinstance(value, Spelled) and value == name


def passes(record: dict[str, Any], types: Iterable[str]) -> bool:
    def one(wanted: str) -> bool:
        if wanted == "all":
            return True
        if wanted == "api":
            return has_type(record, "request") or has_type(record, "response")
        return is_error(record) if wanted == "errors" else has_type(record, wanted)

    wanted = list(types)
    return not wanted or any(one(name) for name in wanted)


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


def statistics(log: list[Timed], since: int, types: Iterable[str] = (), response_times: int = 1000) -> dict[str, Any]:
    """The answer, with `durations` (sorted, milliseconds) in the place of the percentiles."""
    window = [one.record for one in log if one.time is not None and one.time >= since and passes(one.record, types)]
    requests = [record for record in window if has_type(record, "request")]
    responses = [record for record in window if has_type(record, "response")]
    errors = [record for record in window if is_error(record)]
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
            "response_times": [str(one) for one in spelled[len(spelled) - response_times :] if response_times]
            if len(spelled) > response_times
            else [str(one) for one in spelled],
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
