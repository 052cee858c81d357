# SPDX-License-Identifier: MIT
"""Statistics: random logs against a plain evaluation in Python (reference_stats.py), and each rule by an example."""

from __future__ import annotations

import json
import random
import time
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from livelogd_daemon import Daemon, wait_until
from compare_numbers import percentiles_differ, plain, statistics_differ
from reference_filter import Filter
from reference_log import Entry, Spelled, parse_json, read_log
from reference_stats import in_window, statistics
from waiting import wait_for_records

BERLIN = ZoneInfo("Europe/Berlin")


def ask(daemon: Daemon, query: str = "") -> dict[str, Any]:
    answer = daemon.get(f"/api/v1/logs/stats?{query}")
    assert answer.status == 200, answer.body
    # Numbers as spelled, so that duration_ms is seen as the daemon prints it.
    told: dict[str, Any] = parse_json(answer.body)
    return told


# --- random logs --------------------------------------------------------------------------------------------------


class Generator:
    """Records of every kind that an application, or an accident, may send. No time is within 10 minutes of a boundary."""

    HOURS = (1, 6, 24, 100)

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = datetime.now(timezone.utc)

    def timestamp(self) -> Any:
        pick = self.chance.random
        minutes = self.chance.uniform(10, 7200)
        while any(abs(minutes - 60 * hours) < 10 for hours in self.HOURS):
            minutes += 15
        moment = self.now - timedelta(minutes=minutes)
        if pick() < 0.3:
            return (
                moment.astimezone(BERLIN)
                .replace(tzinfo=None)
                .isoformat(timespec=self.chance.choice(["seconds", "milliseconds", "microseconds"]))
            )
        if pick() < 0.3:
            return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(" ") + "Z"
        if pick() < 0.5:
            zone = timezone(timedelta(minutes=self.chance.choice([0, 330, -210, 720, -720, 60])))
            return (
                moment.astimezone(zone).isoformat()
                if pick() < 0.5
                else moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.%f123%z")
            )
        if pick() < 0.5:
            return moment.isoformat()
        return self.chance.choice(
            [
                "",
                "yesterday",
                "2025-13-01T00:00:00",
                "2025-02-30T10:00:00",
                1750000000,
                None,
                True,
                [],
                {},
                "2025-06-26",
                "12:00:00",
            ]
        )

    def value(self, usual: list[Any]) -> Any:
        if self.chance.random() < 0.9:
            return self.chance.choice(usual)
        return self.chance.choice([None, True, False, 7, -1.5, [], ["x"], {}, {"type": "x"}, 'ünï "q"', "a/b"])

    def record(self) -> str:
        chance = self.chance
        fields: list[tuple[str, Any]] = []

        def maybe(name: str, usual: list[Any], share: float = 0.8) -> None:
            if chance.random() < share:
                fields.append((name, self.value(usual)))

        if chance.random() < 0.95:
            fields.append(("timestamp", self.timestamp()))
        maybe("type", ["request", "response", "response", "custom_event", "Request"])
        maybe("level", ["INFO", "ERROR", "error", "WARNING", "Critical", "fatal", 10, 40, 50, 39, "40", "warn"])
        maybe("endpoint", [f"e{n}" for n in range(8)])
        maybe("method", ["GET", "POST", "DELETE", "get"])
        maybe("status_code", [200, 201, 404, 500, 399, 400, "404"])
        if chance.random() < 0.7:
            fields.append(("duration_ms", chance.choice([
                Spelled(f"{chance.expovariate(0.01):.{chance.randrange(7)}f}"),
                Spelled(str(chance.randrange(5000))), Spelled("0"), Spelled("1e2"), Spelled("1.50E+1"), Spelled("-0"), Spelled("-5"),
                Spelled("1e400"), Spelled("0.0004"), "12", None, [1],
            ])))  # fmt: skip
        maybe("error_type", ["ValueError", "KeyError"], 0.2)
        maybe("exception", [{"type": "Nested"}, {"message": "m"}, "text"], 0.2)
        maybe("exception.type", ["Flat"], 0.1)
        maybe("error", [{"type": "Other"}, "text"], 0.2)
        maybe("error.type", ["OtherFlat"], 0.1)
        maybe("response_body", [{"error_type": "Body"}, {"error": "x"}, "text"], 0.2)
        if chance.random() < 0.05 and fields:
            # Twice: the last one counts, as it does for every reader of JSON.
            fields.append((chance.choice(fields)[0], self.value(["request", "ERROR", 500])))
        chance.shuffle(fields)
        return "{" + ",".join(f"{self.spell(name)}:{self.dump(value)}" for name, value in fields) + "}"

    def spell(self, name: str) -> str:
        """A key, now and then with an escape in it."""
        if self.chance.random() < 0.02:
            return f'"\\u{ord(name[0]):04x}{name[1:]}"'
        return json.dumps(name)

    def dump(self, value: Any) -> str:
        if isinstance(value, Spelled):
            return str(value)
        if isinstance(value, str) and value and self.chance.random() < 0.02:
            return f'"\\u{ord(value[0]):04x}' + json.dumps(value[1:])[1:]
        return json.dumps(value, ensure_ascii=self.chance.random() < 0.5)


def readable_only(log: list[Entry]) -> bool:
    return all(one.time is not None for one in log)


@pytest.mark.parametrize("seed", range(8))
def test_equal_to_a_plain_evaluation(seed: int) -> None:
    generator = Generator(seed)
    with Daemon(
        timezone="Europe/Berlin", log_max_bytes=generator.chance.choice([3000, 20_000, 10_000_000]), log_backup_count=50
    ) as daemon:
        sent = 0
        for turn in range(3):
            records = [generator.record() for _ in range(generator.chance.randrange(100, 400))]
            daemon.send(records)
            sent += len(records)
            wait_until(lambda: daemon.get("/api/v1/logs/stats?hours=87600").json()["total_logs"] > 0)
            daemon.restart() if turn < 2 else daemon.stop()
        # With everything at rest, what is in the files is all there is.
        log = read_log(daemon.segments(), BERLIN)
        assert len(log) == sent or len(daemon.segments()) > 50
        assert readable_only(log), "choose another seed: a segment without any readable time"
        daemon.start()
        for hours in Generator.HOURS:
            for types in ((), ("errors",), ("api",), ("response",), ("request", "custom_event"), ("all",)):
                times = generator.chance.choice([1000, 3, 0, 100_000])
                query = "&".join([f"hours={hours}", f"response_times={times}", *(f"type={name}" for name in types)])
                now = time.time_ns() // 1000
                answer = ask(daemon, query)
                chosen = Filter([("type", name) for name in types], BERLIN, now)
                window = in_window(log, chosen, now - hours * 3_600_000_000)
                differ = statistics_differ(answer, statistics(window, times))
                assert not differ, f"seed {seed}, {query}: {differ}"
                assert answer["timeframe_hours"] == str(hours)


# --- each rule ----------------------------------------------------------------------------------------------------


def ago(**distance: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(**distance)).isoformat()


def settled(daemon: Daemon, records: list[Any], query: str = "") -> dict[str, Any]:
    """The statistics of a log that holds these records and no others."""
    daemon.send(records)
    wait_for_records(daemon, len(records))
    return ask(daemon, query)


def test_the_window(daemon: Daemon) -> None:
    daemon.send(
        [
            {"timestamp": ago(minutes=minutes), "n": 1}
            for minutes in (1, 29, 31, 59, 61, 60 * 23, 60 * 25, 60 * 24 * 400)
        ]
    )
    wait_for_records(daemon, 8)
    for query, count in (
        ("hours=0.5", 2),
        ("hours=1", 4),
        ("", 6),
        ("hours=24", 6),
        ("hours=48", 7),
        ("hours=87600", 8),
    ):
        answer = ask(daemon, query)
        assert answer["total_logs"] == str(count), query
        assert float(answer["timeframe_hours"]) == float(query.partition("=")[2] or 24)
    # What lies in the future is not older than the window.
    daemon.send([{"timestamp": ago(hours=-5)}])
    wait_until(lambda: ask(daemon, "hours=1")["total_logs"] == "5")


def test_local_times_that_exist_twice_or_not_at_all() -> None:
    """In Berlin 2:30 of 2025-10-26 was at 0:30 and at 1:30 UTC, and 2:30 of 2026-03-29 never was."""
    with Daemon(timezone="Europe/Berlin") as daemon:
        daemon.send([{"timestamp": "2025-10-26T02:30:00"}, {"timestamp": "2026-03-29T02:30:00"}])
        wait_for_records(daemon, 2)

        def since(moment: str) -> int:
            hours = (datetime.now(timezone.utc) - datetime.fromisoformat(moment + "+00:00")) / timedelta(hours=1)
            return int(ask(daemon, f"hours={hours:.9f}")["total_logs"])

        assert since("2025-10-26T00:29:00") == 2
        assert since("2025-10-26T00:31:00") == 1
        # With the offset from before the jump: 1:30 UTC.
        assert since("2026-03-29T01:29:00") == 1
        assert since("2026-03-29T01:31:00") == 0


def test_the_time_zone_of_times_without_one() -> None:
    naive = (datetime.now(timezone.utc) - timedelta(minutes=90)).replace(tzinfo=None).isoformat()
    for zone, count in (("UTC", "0"), ("Etc/GMT+1", "1"), ("Etc/GMT-1", "0")):
        with Daemon(timezone=zone) as daemon:
            assert settled(daemon, [{"timestamp": naive}], "hours=1")["total_logs"] == count, zone


def test_unreadable_times_take_the_neighbours(daemon: Daemon) -> None:
    old, new = ago(hours=10), ago(minutes=10)
    times = ["x", old, "x", new, None, "y", old, "z"]
    answer = settled(
        daemon, [{"timestamp": one, "type": "request", "endpoint": str(n)} for n, one in enumerate(times)], "hours=1"
    )
    assert set(answer["api_stats"]["endpoints"]) == {"3", "4", "5"}
    answer = ask(daemon, "hours=11")
    assert answer["api_stats"]["total_requests"] == "8"


def test_counts_fall_and_ties_go_by_name(daemon: Daemon) -> None:
    names = ["b", "a", "c", "c", "B", "ä", "a/b", "c"]
    answer = settled(daemon, [{"timestamp": ago(minutes=1), "type": "request", "endpoint": name} for name in names])
    assert list(answer["api_stats"]["endpoints"].items()) == [
        ("c", "3"),
        ("B", "1"),
        ("a", "1"),
        ("a/b", "1"),
        ("b", "1"),
        ("ä", "1"),
    ]


def test_a_map_holds_at_most_a_thousand_keys(daemon: Daemon) -> None:
    now = ago(minutes=1)
    records = [{"timestamp": now, "type": "request", "endpoint": f"e{n:04}"} for n in range(1500)]
    records += [{"timestamp": now, "type": "request", "endpoint": "often"}] * 10
    endpoints = settled(daemon, records)["api_stats"]["endpoints"]
    assert len(endpoints) <= 1001
    assert sum(int(count) for count in endpoints.values()) == 1510
    assert int(endpoints["(other)"]) == 1510 - sum(int(count) for name, count in endpoints.items() if name != "(other)")
    assert endpoints["often"] == "10"


def test_response_times_are_spelled_as_sent_and_newest(daemon: Daemon) -> None:
    spelled = ["45.67", "0.10", "1e2", "1.50E+1", "7", "1e400", "-1", "0", "123456789.123456789"]
    now = ago(minutes=1)
    lines = [f'{{"timestamp":"{now}","type":"response","duration_ms":{one}}}' for one in spelled]
    lines += [
        f'{{"timestamp":"{now}","type":"request","duration_ms":99}}',
        f'{{"timestamp":"{now}","type":"response","duration_ms":"98"}}',
    ]
    api = settled(daemon, lines)["api_stats"]
    counting = [one for one in spelled if one not in ("1e400", "-1")]
    assert api["response_times"] == counting
    assert float(api["avg_response_time"]) == pytest.approx(sum(map(float, counting)) / len(counting), abs=0.005)
    for many in (0, 1, 3, 100):
        assert ask(daemon, f"response_times={many}")["api_stats"]["response_times"] == (
            counting[-many:] if many else []
        )


def test_the_default_number_of_response_times(daemon: Daemon) -> None:
    now = ago(minutes=1)
    api = settled(daemon, [{"timestamp": now, "type": "response", "duration_ms": n} for n in range(1200)])["api_stats"]
    assert api["response_times"] == [str(n) for n in range(200, 1200)]
    assert float(api["avg_response_time"]) == 599.5


def test_percentiles_are_within_a_hundredth(daemon: Daemon) -> None:
    values = [1.5 ** (n / 50) for n in range(2000)]
    random.Random(1).shuffle(values)
    now = ago(minutes=1)
    told = settled(daemon, [{"timestamp": now, "type": "response", "duration_ms": value} for value in values])
    assert not percentiles_differ(plain(told["api_stats"]["response_time_percentiles"]), sorted(values))


def test_the_order_of_arrival_does_not_change_a_sum() -> None:
    """What a sum of doubles would not survive: large and small values in every order."""
    values = [1e12, 0.001, 0.003, 123456.789, 1e9, 0.0049, 1e-3] * 50
    averages = set()
    for seed in range(3):
        random.Random(seed).shuffle(values)
        with Daemon() as daemon:
            now = ago(minutes=1)
            told = settled(daemon, [{"timestamp": now, "type": "response", "duration_ms": value} for value in values])
            averages.add(told["api_stats"]["avg_response_time"])
    assert len(averages) == 1


ERROR_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"error_type": "A", "exception": {"type": "B"}, "status_code": 500}, "A"),
    ({"exception.type": "B", "exception": {"type": "C"}}, "B"),
    ({"exception": {"type": "C"}, "error": {"type": "D"}}, "C"),
    ({"error.type": "D", "response_body": {"error_type": "E"}}, "D"),
    ({"error": {"type": "D"}}, "D"),
    ({"error": "a text", "response_body": {"error_type": "E"}, "status_code": 500}, "E"),
    ({"status_code": 404}, "HTTP 404"),
    ({"error_type": None, "error": {}, "response_body": []}, "unknown"),
    ({"error_type": {"a": 1}, "status_code": 503}, "HTTP 503"),
    ({"error_type": 17, "exception": {"type": ""}, "error": {"type": "F"}}, "F"),
    ({}, "unknown"),
]


def test_error_types_add_up(daemon: Daemon) -> None:
    now = ago(minutes=1)
    records = [{"timestamp": now, "level": "ERROR", **fields} for fields, _ in ERROR_TYPES]
    summary = settled(daemon, records)["error_summary"]
    wanted: dict[str, int] = {}
    for _, name in ERROR_TYPES:
        wanted[name] = wanted.get(name, 0) + 1
    assert {name: int(count) for name, count in summary["error_types"].items()} == wanted
    assert int(summary["total_errors"]) == len(ERROR_TYPES)


def test_malformed_lines_are_counted_as_what_they_are(daemon: Daemon) -> None:
    answer = settled(daemon, ["no record"])
    assert answer["total_logs"] == "1" and answer["error_summary"]["total_errors"] == "0"
    assert ask(daemon, "type=malformed")["total_logs"] == "1"
