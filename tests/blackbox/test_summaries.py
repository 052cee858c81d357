# SPDX-License-Identifier: MIT
"""Summaries beside sealed segments: made by themselves, worth nothing, and never believed more than the records."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from livelogd_daemon import Daemon, wait_until
from waiting import wait_for_newest, wait_for_records

SEGMENT_BYTES = 64 * 1024


def records(count: int, seed: int) -> list[dict[str, Any]]:
    """Calls of a model over the last three hours, some of them failed, some without an answer."""
    chance = random.Random(seed)
    begin = datetime.now(timezone.utc) - timedelta(hours=3)
    made: list[dict[str, Any]] = []
    for i in range(count):
        told: dict[str, Any] = {
            "timestamp": (begin + timedelta(hours=2.9) * i / count).isoformat(),
            "level": "ERROR" if chance.random() < 0.02 else "INFO",
            "type": "request" if i % 2 == 0 else "response",
            "request_id": f"r{i // 2 if chance.random() < 0.9 else i}",
            "endpoint": chance.choice(["/api/chat", "/api/generate"]),
            "text": "x" * chance.randrange(300),
        }
        if i % 2:
            told["duration_ms"] = round(chance.uniform(1, 3000), 2)
            told["status_code"] = chance.choice([200, 200, 200, 500])
            told["response_body"] = {"model": chance.choice(["a", "b"]), "eval_count": i, "eval_duration": 1000000 * i + 1}
        made.append(told)
    return made


def summaries(daemon: Daemon) -> list[Path]:
    return sorted(daemon.log_dir.glob("live-*.summary"))


def wait_for_summaries(daemon: Daemon) -> list[Path]:
    """Until each sealed segment has its summary."""

    def complete() -> bool:
        wanted = [segment.with_suffix(".summary") for segment in daemon.segments()[:-1]]
        return len(wanted) > 0 and summaries(daemon) == wanted

    wait_until(complete, what="each sealed segment has its summary, and no other file one")
    return summaries(daemon)


def answers(daemon: Daemon) -> list[Any]:
    """What a reader may ask, without what moves on."""
    now = datetime.now(timezone.utc)
    told = []
    for query in (
        "stats?hours=100",
        f"stats?hours=100&since={(now - timedelta(hours=2)).strftime('%Y-%m-%dT%H:00:00Z')}",
        f"stats?hours=100&until={(now - timedelta(hours=1)).strftime('%Y-%m-%dT%H:00:00Z')}",
        "recent?type=errors&lines=25",
        "recent?level=ERROR&lines=100000",
        f"recent?since={(now - timedelta(hours=1)).strftime('%Y-%m-%dT%H:00:00Z')}&lines=100000",
    ):
        answer = daemon.get(f"/api/v1/logs/{query}")
        assert answer.status == 200, answer.body
        body = answer.json()
        if query.startswith("stats"):
            del body["daemon"]  # counted since it was started
            for request in body["in_flight"] + body["orphaned"]:
                del request["age_ms"]
        told.append(body)
    return told


def answers_to(daemon: Daemon, sent: list[dict[str, Any]]) -> list[Any]:
    """Stores these records; what a reader is told then."""
    daemon.send(sent)
    wait_for_records(daemon, len(sent))
    return answers(daemon)


def options() -> dict[str, Any]:
    return {"log_max_bytes": SEGMENT_BYTES, "log_backup_count": 1000}


def test_summaries_appear_and_change_no_answer() -> None:
    with Daemon(**options()) as daemon:
        sent = records(3000, seed=1)
        daemon.send(sent)
        wait_for_records(daemon, len(sent))
        files = wait_for_summaries(daemon)
        assert len(files) > 5
        with_them = answers(daemon)
        daemon.restart(summaries=False)
        assert answers(daemon) == with_them
        assert with_them[3], "there are errors"

        # They may be deleted at any time, are made again, and a damaged one is not believed.
        daemon.restart(summaries=True)
        for i, file in enumerate(files):
            if i % 3 == 0:
                file.unlink()
            elif i % 3 == 1:
                data = bytearray(file.read_bytes())
                data[random.Random(i).randrange(len(data))] ^= 0x10
                file.write_bytes(data)
        assert answers(daemon) == with_them
        wait_for_summaries(daemon)
        assert answers(daemon) == with_them


def test_summaries_are_no_log_files() -> None:
    """jq and other readers of live-*.jsonl never meet one, and each is readable by those alone who may read the log."""
    with Daemon(**options()) as daemon:
        sent = records(800, seed=2)
        daemon.send(sent)
        wait_for_records(daemon, len(sent))
        for file in wait_for_summaries(daemon):
            assert file.stat().st_mode & 0o777 == daemon.segments()[0].stat().st_mode & 0o777
        assert len(daemon.stored_lines()) == len(sent)
        assert not list(daemon.log_dir.glob("*.new"))


def test_retention_takes_summaries_along() -> None:
    with Daemon(log_max_bytes=SEGMENT_BYTES, log_backup_count=3) as daemon:
        sent = [one | {"n": n} for n, one in enumerate(records(3000, seed=7))]
        for begin in range(0, len(sent), 300):
            daemon.send(sent[begin : begin + 300])
            wait_for_newest(daemon, min(begin + 300, len(sent)) - 1)
        assert b'"n":0,' not in daemon.segments()[0].read_bytes(), "retention has removed the oldest records"
        wait_for_summaries(daemon)


def test_killed_while_it_makes_them() -> None:
    """What a kill leaves half done is removed, and made anew."""
    with Daemon(**options(), summaries=False) as daemon:
        wanted = answers_to(daemon, records(6000, seed=3))
        daemon.restart(summaries=True)
        for pause in (0, 0.002, 0.005, 0.01, 0.02, 0.05):
            time.sleep(pause)
            daemon.kill()
            daemon.start()
            assert answers(daemon) == wanted
        (daemon.log_dir / "live-00000000000000000001.summary.new").write_bytes(b"half")
        daemon.restart()
        wait_for_summaries(daemon)
        wait_until(lambda: not list(daemon.log_dir.glob("*.summary.new")), what="left-overs are removed")
        assert answers(daemon) == wanted


def test_a_summary_that_cannot_be_written_is_told_once_and_costs_no_answer() -> None:
    with Daemon(**options(), summaries=False) as daemon:
        wanted = answers_to(daemon, records(1500, seed=4))
        # Nothing can be renamed to this.
        (daemon.segments()[0].with_suffix(".summary") / "in the way").mkdir(parents=True)
        daemon.restart(summaries=True)
        wait_until(lambda: "summaries wait" in daemon.stderr, what="the failure is told")
        assert answers(daemon) == wanted
        assert daemon.stderr.count("summaries wait") == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_records_that_arrive_meanwhile_are_counted_at_once(enabled: bool) -> None:
    """Statistics never lag behind the records, whatever the summaries know."""
    with Daemon(**options(), summaries=enabled) as daemon:
        total = 0
        for seed in range(12):
            sent = [one | {"type": "request"} for one in records(200, seed)]
            daemon.send(sent)
            total += len(sent)
            wait_for_records(daemon, total)
            assert daemon.get("/api/v1/logs/stats?hours=100").json()["api_stats"]["total_requests"] == total
