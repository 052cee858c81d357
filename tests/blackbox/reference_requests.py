# SPDX-License-Identifier: MIT
"""Requests and their responses as docs/http-api.md pairs them, in the plainest way: the rows of /requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reference_filter import Filter, is_error
from reference_llm import Measures, measures, told_by
from reference_log import Entry, Spelled
from reference_stats import error_type

# Row fields that are whatever the two records carry.
MEASURED = (
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "queue_ms",
    "load_ms",
    "prefill_ms",
    "decode_ms",
    "time_to_first_token_ms",
    "prefill_tokens_per_second",
    "decode_tokens_per_second",
    "finish_reason",
)
SPELLED = ("request_id", "timestamp", "method", "endpoint", "status_code", "duration_ms")
NOTHING = measures({})


def request_id(entry: Entry) -> tuple[bool, str] | None:
    """A string or a number; 7 and "7" are two."""
    value = entry.record.get("request_id")
    return (isinstance(value, Spelled), str(value)) if isinstance(value, str) else None


@dataclass
class Pairing:
    """Which response belongs to which request, both by id."""

    response_of: dict[int, Entry] = field(default_factory=dict)
    request_of: dict[int, Entry] = field(default_factory=dict)


def pair(log: Iterable[Entry]) -> Pairing:
    pairing = Pairing()
    waiting: dict[tuple[bool, str], list[Entry]] = {}
    for entry in log:
        key = request_id(entry)
        if key is None:
            continue
        if entry.says("type") == "request":
            waiting.setdefault(key, []).append(entry)
        elif entry.says("type") == "response" and waiting.get(key):
            request = waiting[key].pop()
            pairing.response_of[request.id] = entry
            pairing.request_of[entry.id] = request
    return pairing


@dataclass(frozen=True)
class Pair:
    """What a row is made of; at least one of the two is there."""

    request: Entry | None
    response: Entry | None

    @property
    def entries(self) -> list[Entry]:
        """The request first."""
        return [entry for entry in (self.request, self.response) if entry is not None]

    @property
    def id(self) -> int:
        return self.entries[0].id

    def age_us(self, now: int) -> int | None:
        """Of a pair without response."""
        time = self.entries[0].time
        return None if time is None else now - time

    def state(self, now: int, orphan_after: int) -> str:
        if self.request is None:
            return "no_request"
        if self.response is not None:
            return "failed" if is_error(self.response) else "ok"
        if request_id(self.request) is None:
            return "unpaired"
        age = self.age_us(now)
        return "orphaned" if age is not None and age >= orphan_after else "in_flight"


def pairs(log: list[Entry]) -> list[Pair]:
    """All of the log, the newest first."""
    pairing = pair(log)
    found = []
    for entry in log:
        if entry.says("type") == "request":
            found.append(Pair(entry, pairing.response_of.get(entry.id)))
        elif entry.says("type") == "response" and entry.id not in pairing.request_of:
            found.append(Pair(None, entry))
    return sorted(found, key=lambda one: one.id, reverse=True)


def model_of(request: Entry | None, response: Entry | None) -> str | None:
    """The one that answered, else the one that was asked for, if need be in the request."""
    answer, question = (NOTHING if entry is None else told_by(entry) for entry in (response, request))
    return answer.answered or answer.asked or question.asked or question.answered


def measured(told: Measures, name: str) -> Any:
    if name == "prefill_tokens_per_second":
        return told.prefill_speed
    return told.decode_speed if name == "decode_tokens_per_second" else getattr(told, name)


def row(one: Pair, now: int, orphan_after: int) -> dict[str, Any]:
    """A row as parsed with numbers as spelled, but measured numbers as numbers and `age_ms` in broken milliseconds."""
    request, response = one.request, one.response
    state = one.state(now, orphan_after)
    told: dict[str, Any] = {
        "id": one.id,
        "state": state,
        "request_record": request.id if request else None,
        "response_record": response.id if response else None,
    }
    for name in ("request_id", "timestamp", "method", "endpoint"):
        told[name] = next((entry.record[name] for entry in one.entries if name in entry.record), None)
    for name in ("status_code", "duration_ms"):
        told[name] = response.record.get(name) if response else None
    told["error_type"] = error_type(response.record) if response and is_error(response) else None
    age = one.age_us(now)
    told["age_ms"] = age / 1000 if response is None and age is not None else None
    told["model"] = model_of(request, response)
    sources = [told_by(entry) for entry in (response, request) if entry is not None]
    for name in MEASURED:
        told[name] = next((value for one in sources if (value := measured(one, name)) is not None), None)
    return told


def chosen(
    log: list[Entry],
    query: Filter,
    now: int,
    orphan_after: int,
    *,
    states: Iterable[str] = (),
    before: int | None = None,
    after: int | None = None,
    lines: int = 100,
) -> list[dict[str, Any]]:
    """The rows of an answer, the newest first. `after` takes the oldest above it, else they are the newest."""
    wanted = set(states)
    found = [
        one
        for one in pairs(log)
        if query.matches(one.entries)
        and (not wanted or one.state(now, orphan_after) in wanted)
        and (before is None or one.id < before)
        and (after is None or one.id > after)
    ]
    found = found[:lines] if after is None else found[max(0, len(found) - lines) :]
    return [row(one, now, orphan_after) for one in found]
