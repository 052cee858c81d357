# SPDX-License-Identifier: MIT
"""Random logs of an app that asks model servers: everything that docs/http-api.md and docs/llm-fields.md speak of, and
what goes wrong in real life. The same seed gives the same records, but for their times, which are told from now."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from random_answers import KINDS, ServerAnswer, answer_of
from reference_log import Spelled

BERLIN = ZoneInfo("Europe/Berlin")

MODELS = ("llama-3.2-3b", "qwen2.5:14b", "gpt-4o-mini", "mistral 7B", "modèle-α")
ENDPOINTS = ("/api/generate", "/v1/chat/completions", "list_models", "/api/größe", 'say "x"', "a b", "back\\slash")
MESSAGES = (
    "Incoming request",
    "timeout after 30 s",
    "Zeitüberschreitung beim Öffnen",
    'he said "hi" and left',
    "path C:\\models\\llama",
    "first line\nsecond line",
    "tab\there",
    "日本語 text",
    "😀 emoji, TIMEOUT",
    "level:ERROR is no level",
    "-minus and (parens) [brackets] 50% a*b",
    "",
)
WORDS = ("token", "cache", "Llama", "GPU", "ÄRGER", "ärger", "straße", "end.", "x=1", "42")
UNREADABLE: tuple[Any, ...] = (
    "",
    "yesterday",
    "2025-13-01T00:00:00",
    1750000000,
    None,
    True,
    [],
    {},
    "2025-06-26",
    "12:00:00",
)
# Ages (in seconds) at which filters and states change; no record is within a minute of one.
BOUNDARIES = (600, 1800, 7200, 86400, 604800)


def clock_changes(now: datetime) -> list[datetime]:
    """Berlin's last two changes of the clock, at least ten days before `now`: around these local times something is
    odd."""
    changes: list[datetime] = []
    day = now.astimezone(BERLIN).replace(tzinfo=None, hour=2, minute=0, second=0, microsecond=0) - timedelta(days=10)
    while len(changes) < 2:
        before, after = (one.replace(tzinfo=BERLIN).utcoffset() for one in (day, day + timedelta(hours=2)))
        if before != after:
            changes.append(day)
        day -= timedelta(days=1)
    return changes


class RandomLog:
    """Makes lines. `models`, `request_ids` and the like are what filters are made of, too."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = datetime.now(timezone.utc)
        self._changes = clock_changes(self.now)
        self._open: list[tuple[Any, str, str]] = []
        self._ids = [f"r{n}" for n in range(30)] + ['id "q"', "ïd", Spelled("1001"), Spelled("1002.50")]

    def lines(self, count: int) -> list[str]:
        return [self.line() for _ in range(count)]

    def line(self) -> str:
        pick = self.chance.random()
        if pick < 0.03:
            return self.chance.choice(["oops", '{"open":', "[1,2]", '"text"', "nul", '{"a":1}}'])
        if pick < 0.30:
            return self.request()
        if pick < 0.60:
            return self.response()
        return self.telemetry() if pick < 0.68 else self.message()

    # --- kinds ------------------------------------------------------------------------------------------------------

    def request(self) -> str:
        chance = self.chance
        request_id, endpoint, model = chance.choice(self._ids), chance.choice(ENDPOINTS), chance.choice(MODELS)
        fields: list[tuple[str, Any]] = [("type", "request"), ("endpoint", endpoint)]
        if chance.random() < 0.92:
            fields.append(("request_id", request_id))
            self._open.append((request_id, endpoint, model))
        if chance.random() < 0.8:
            name = chance.choice(["model", "model", "model_name"])
            body = {name: model, "prompt": chance.choice(MESSAGES), "options": {"temperature": Spelled("0.70")}}
            fields.append(("request_body", body))
        elif chance.random() < 0.3:
            fields.append((chance.choice(["model", "model_name"]), model))
        fields += [("method", chance.choice(["GET", "POST", "DELETE"]))]
        return self.record(fields)

    def response(self) -> str:
        chance = self.chance
        if self._open and chance.random() < 0.85:
            request_id, endpoint, model = self._open.pop(chance.randrange(len(self._open)))
        else:  # to no request, or to one that is answered
            request_id, endpoint, model = chance.choice(self._ids), chance.choice(ENDPOINTS), chance.choice(MODELS)
        fields: list[tuple[str, Any]] = [("type", "response"), ("request_id", request_id)]
        if chance.random() < 0.6:
            fields.append(("endpoint", endpoint))
        failed = chance.random() < 0.15
        usual = [400, 404, 422, 500, 503] if failed else [200, 200, 200, 201, 204, 399]
        fields.append(("status_code", chance.choice([*usual, *usual, "404"])))
        if failed:
            fields += self.failure()
        duration = chance.expovariate(1 / 3000) + 1
        if chance.random() < 0.75:
            told: ServerAnswer = answer_of(chance.choice(KINDS), chance, model)
            duration = told.duration_ms
            fields += told.fields
        if chance.random() < 0.9:
            fields.append(("duration_ms", self.duration(duration)))
        return self.record(fields)

    def duration(self, value: float) -> Any:
        odd = [
            Spelled("0"),
            Spelled("1e2"),
            Spelled("1.50E+1"),
            Spelled("-0"),
            Spelled("-5"),
            Spelled("1e400"),
            "12",
            None,
        ]
        return self.chance.choice(odd) if self.chance.random() < 0.1 else Spelled(f"{value:.3f}")

    def failure(self) -> list[tuple[str, Any]]:
        return self.chance.choice([
            [("error_type", "ValueError")],
            [("exception", {"type": "Nested", "message": "m"})],
            [("exception.type", "Flat"), ("exception", {"type": "Hidden"})],
            [("error", {"type": "Other"})],
            [("response_body", {"error": "no memory", "error_type": "OutOfMemory"})],
            [("error", "a text"), ("level", "ERROR")],
            [],
        ])  # fmt: skip

    def telemetry(self) -> str:
        told = answer_of("otel", self.chance, self.chance.choice(MODELS))
        return self.record([("type", self.chance.choice(["span", "custom_event"])), *told.fields])

    def message(self) -> str:
        chance = self.chance
        fields: list[tuple[str, Any]] = []
        if chance.random() < 0.5:
            fields.append(("type", chance.choice(["custom_event", "Request", "errors", 7, None])))
        if chance.random() < 0.3:
            fields.append(("http.status", chance.choice([5, "flat"])))
        if chance.random() < 0.4:
            fields.append(("http", chance.choice([{"status": 6, "deep": {"x": "y", "n": None}}, "text", None])))
        if chance.random() < 0.3:
            fields.append(("deep", {"a.b": {"c": chance.choice(["c1", "c2"])}, "a": {"b": "hidden", "z": True}}))
        if chance.random() < 0.3:
            fields.append(
                ("n", Spelled(chance.choice(["1", "1.0", "10e-1", "-3", "4294967296", "0.10", "1e400", "2.5"])))
            )
        if chance.random() < 0.2:
            fields.append(("flag", chance.choice([True, False, None, "true", "null"])))
        if chance.random() < 0.15:
            fields.append(("status", chance.choice(["ready", "404", "loading model"])))
        if chance.random() < 0.1:
            fields.append(("status_code", chance.choice([500, "500", None, [], Spelled("404.0"), Spelled("4.04e2")])))
        return self.record(fields)

    # --- spelling ---------------------------------------------------------------------------------------------------

    def record(self, fields: list[tuple[str, Any]]) -> str:
        chance = self.chance
        if chance.random() < 0.95:
            fields.append(("timestamp", self.timestamp()))
        if chance.random() < 0.7:
            words = " ".join(chance.sample(WORDS, chance.randrange(4)))
            fields.append(("message", f"{chance.choice(MESSAGES)} {words}"))
        if chance.random() < 0.7:
            levels = [
                "INFO",
                "info",
                "ERROR",
                "WARNING",
                "warn",
                "Debug",
                "fatal",
                "trace",
                "odd",
                10,
                25,
                40,
                5,
                "30",
                None,
                0,
            ]
            fields.append(("level", chance.choice(levels)))
        if chance.random() < 0.1:
            fields.append(("module", chance.choice(["engine", "ünï", {"name": "x"}, ["a", 1]])))
        chance.shuffle(fields)
        if chance.random() < 0.05:
            name = chance.choice(["type", "level", "endpoint", "message", "request_id"])
            fields.insert(0, (name, chance.choice(["request", "ERROR", "twice", 500])))  # twice: the last one counts
            fields.append((name, chance.choice(["response", "INFO", "last", "r1"])))
        return "{" + ",".join(f"{self.key(name)}:{self.dump(value)}" for name, value in fields) + "}"

    def timestamp(self) -> Any:
        chance = self.chance
        pick = chance.random()
        if pick < 0.06:
            return chance.choice(UNREADABLE)
        if pick < 0.20:
            local = chance.choice(self._changes) + timedelta(minutes=chance.uniform(-90, 150))
            return local.isoformat(chance.choice(["T", " "]), timespec=chance.choice(["seconds", "microseconds"]))
        seconds = chance.choice([chance.uniform(60, 3000), chance.uniform(3000, 700_000)])
        while any(abs(seconds - one) < 120 for one in BOUNDARIES):
            seconds += 300
        moment = self.now - timedelta(seconds=seconds)
        if pick < 0.45:
            return moment.astimezone(BERLIN).replace(tzinfo=None).isoformat(timespec="milliseconds")
        if pick < 0.60:
            return moment.replace(tzinfo=None).isoformat(" ") + "Z"
        zone = timezone(timedelta(minutes=chance.choice([0, 330, -210, 720, 60])))
        local = moment.astimezone(zone)
        return local.isoformat() if pick < 0.9 else local.strftime("%Y-%m-%dT%H:%M:%S,%f123%z")

    def key(self, name: str) -> str:
        if self.chance.random() < 0.02:
            return f'"\\u{ord(name[0]):04x}{name[1:]}"'
        return json.dumps(name)

    def dump(self, value: Any) -> str:
        if isinstance(value, Spelled):
            return str(value)
        if isinstance(value, dict):
            return "{" + ",".join(f"{self.key(name)}:{self.dump(one)}" for name, one in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(self.dump, value)) + "]"
        if isinstance(value, str) and value and value[0].isascii() and self.chance.random() < 0.03:
            return f'"\\u{ord(value[0]):04X}' + json.dumps(value[1:])[1:]
        if isinstance(value, str) and "/" in value and self.chance.random() < 0.1:
            return json.dumps(value).replace("/", "\\/")
        return json.dumps(value, ensure_ascii=self.chance.random() < 0.4)
