# SPDX-License-Identifier: MIT
"""Replayed traffic: what a trace becomes, and the program as a user starts it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from fake_daemon import FakeDaemon
from livelogd import Sender
from replay_traffic import Columns, Event, Mix, Row, Script, TraceError, main, read_trace, repeated, seconds
from replayed_answers import SERVERS

PROGRAM = Path(__file__).resolve().parent.parent / "examples" / "replay_traffic.py"

ROWS = [(1.5 * n, 100 + 37 * n % 900, n % 5 * 60) for n in range(200)]


@pytest.fixture
def trace(folder: Path) -> Path:
    """200 calls in five minutes, as they are published."""
    path = folder / "trace.csv"
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    for at, context, generated in ROWS:
        moment = datetime.fromtimestamp(1_700_000_000 + at, timezone.utc)
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond:06}0,{context},{generated}")
    path.write_text("\n".join(lines))  # no LF at the end, as in files that are found
    return path


def without_times(events: "list[Event]") -> list[tuple[float, dict[str, Any]]]:
    return [(event.at, {**event.record, "timestamp": None}) for event in events]


def tokens(body: dict[str, Any]) -> tuple[int, int]:
    """Input and output as each kind of server counts them."""
    usage = body.get("usage", {})
    if "prompt_tokens" in usage:
        return usage["prompt_tokens"], usage["completion_tokens"]
    if "input_tokens" in usage:
        return usage["input_tokens"] + usage["cache_read_input_tokens"], usage["output_tokens"]
    if "eval_count" in body:
        return body["prompt_eval_count"], body["eval_count"]
    timings = body["timings"]
    return timings["prompt_n"] + timings["cache_n"], timings["predicted_n"]


def test_the_file_is_read_as_it_is_published(trace: Path) -> None:
    rows = read_trace(trace)
    assert len(rows) == 200
    assert [(row.input_tokens, row.output_tokens) for row in rows] == [(context, made) for _, context, made in ROWS]
    assert rows[3].at == pytest.approx(1_700_000_004.5)
    assert read_trace(trace, limit=7) == rows[:7]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1970-01-01 00:00:10.5000000", 10.5), ("1970-01-01T00:00:10Z", 10), ("1970-01-01 02:00:00.25+02:00", 0.25),
        ("12.5", 12.5), ("1970-01-02 00:00:00", 86400),
    ],
)  # fmt: skip
def test_spellings_of_times(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


def test_other_columns_in_any_order(folder: Path) -> None:
    path = folder / "other.csv"
    path.write_text("out,in,extra,t\n5,6,x,20\n7,8,y,10\n")
    assert read_trace(path, Columns("t", "in", "out")) == [Row(10.0, 8, 7), Row(20.0, 6, 5)]


@pytest.mark.parametrize(
    "content, said",
    [
        ("", "no column TIMESTAMP"), ("a,b\n1,2\n", "its columns: a, b"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n1,2,3\n1,x,3\n", "line 3"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n1,2\n", "line 2"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n1,-2,1\n", "negative"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,2,1\n", "noon"),
    ],
)  # fmt: skip
def test_what_is_no_trace_is_told(folder: Path, content: str, said: str) -> None:
    path = folder / "bad.csv"
    path.write_text(content)
    with pytest.raises(TraceError, match=said):
        read_trace(path)


@pytest.mark.parametrize("kind", [*SERVERS, "mix"])
def test_the_tokens_are_those_of_the_trace(trace: Path, kind: str) -> None:
    servers = tuple(SERVERS) if kind == "mix" else (kind,)
    events = list(Script(1, Mix(servers, errors=0, cancelled=0)).events(read_trace(trace)))
    bodies = [event.record["response_body"] for event in events if event.record["type"] == "response"]
    assert len(bodies) == 200
    sums = [sum(column) for column in zip(*map(tokens, bodies))]
    assert sums == [sum(row[1] for row in ROWS), sum(row[2] for row in ROWS)]
    asked = [event.record["request_body"]["prompt_tokens"] for event in events if event.record["type"] == "request"]
    assert asked == [row[1] for row in ROWS]


def test_the_same_seed_gives_the_same_records(trace: Path) -> None:
    rows = read_trace(trace)
    first, again, other = (list(Script(seed).events(rows)) for seed in (7, 7, 8))
    assert without_times(first) == without_times(again) != without_times(other)


def test_calls_interleave_as_they_overlap(trace: Path) -> None:
    rows = read_trace(trace)
    events = list(Script(3, Mix(cancelled=0.1, errors=0.1)).events(rows))
    assert [event.at for event in events] == sorted(event.at for event in events)
    requests = {event.record["request_id"]: event for event in events if event.record["type"] == "request"}
    responses = [event for event in events if event.record["type"] == "response"]
    assert len(requests) == 200 and len({event.record["request_id"] for event in responses}) == len(responses)
    for event in responses:
        began = requests[event.record["request_id"]]
        assert event.at - began.at == pytest.approx(event.record["duration_ms"] / 1000, abs=1e-5)
        assert event.record["endpoint"] == began.record["endpoint"]
    under_way = [
        sum(1 if event.record["type"] == "request" else -1 for event in events[:n]) for n in range(len(events))
    ]
    assert max(under_way) > 2, "calls of this trace overlap"
    # 200 draws of a tenth: between these in all but one of many thousand seeds, and the seed is a fixed one.
    failed = [event.record for event in responses if event.record["status_code"] >= 400]
    assert 8 <= len(failed) <= 36 and 8 <= 200 - len(responses) <= 36
    assert all(record["level"] == "ERROR" and record["error_type"] and record["message"] for record in failed)


def test_times_of_an_answer_add_up(trace: Path) -> None:
    for event in Script(5, Mix(errors=0, cancelled=0)).events(read_trace(trace)):
        body, whole = event.record.get("response_body", {}), event.record.get("duration_ms", 0.0)
        if "timings" in body:
            assert body["timings"]["prompt_ms"] + body["timings"]["predicted_ms"] <= whole + 0.01
        elif "total_duration" in body:
            assert body["total_duration"] == pytest.approx(whole * 1e6, abs=1000)
            parts = sum(body[f"{part}_duration"] for part in ("load", "prompt_eval", "eval"))
            assert parts <= body["total_duration"]
        elif "metrics" in body:
            told = body["metrics"]["time_to_first_token_ms"] + body["metrics"]["generation_time_ms"]
            assert told == pytest.approx(whole, abs=0.01)
        elif body:
            assert 0 < event.record["time_to_first_token_ms"] <= whole


def test_a_loop_goes_on_later(trace: Path) -> None:
    rows = read_trace(trace)
    times = [row.at for row in itertools.islice(repeated(rows), 600)]
    assert times == sorted(times) and times[200] > rows[-1].at
    assert times[400] - times[200] == pytest.approx(times[200] - times[0])
    assert list(repeated([])) == []


def run(daemon: FakeDaemon, trace: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(PROGRAM), str(trace), "--socket", daemon.path, *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=inherited, cwd="/")


def test_all_at_once_and_all_of_it(trace: Path, daemon: FakeDaemon) -> None:
    daemon.start()
    process = run(daemon, trace, "--speed", "0", "--seed", "4", "--server", "ollama")
    told, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    expected = [event.record for event in Script(4, Mix(("ollama",))).events(read_trace(trace))]
    records = daemon.wait_for_lines(len(expected))
    assert [{**record, "timestamp": 0} for record in records] == [
        {**json.loads(json.dumps(record)), "timestamp": 0} for record in expected
    ]
    kinds = Counter(record["type"] for record in records)
    assert f"{kinds['request']} requests, {kinds['response']} responses" in told and "seed 4" in told
    now = time.time()
    assert all(now - 60 < datetime.fromisoformat(record["timestamp"]).timestamp() <= now for record in records)


def test_original_times_end_now(trace: Path, daemon: FakeDaemon) -> None:
    daemon.start()
    process = run(daemon, trace, "--speed", "0", "--seed", "4", "--original-times", "--limit", "50")
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    expected = [event.at for event in Script(4).events(read_trace(trace, limit=50))]
    times = [datetime.fromisoformat(one["timestamp"]).timestamp() for one in daemon.wait_for_lines(len(expected))]
    assert time.time() - 60 < times[-1] <= time.time()
    assert [times[-1] - one for one in times] == [pytest.approx(expected[-1] - one, abs=1e-4) for one in expected]


def test_speed_keeps_the_pauses(trace: Path, daemon: FakeDaemon) -> None:
    """Ten calls in 13.5 seconds, thirty times as fast."""
    daemon.start()
    began = time.monotonic()
    process = run(daemon, trace, "--speed", "30", "--limit", "10", "--seed", "1", "--cancelled", "100", "--errors", "0")
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    assert time.monotonic() - began >= 13.5 / 30
    times = [datetime.fromisoformat(one["timestamp"]).timestamp() for one in daemon.wait_for_lines(10)]
    assert times[-1] - times[0] >= 13.5 / 30 - 0.05 and times == sorted(times)


def test_a_loop_ends_when_it_is_told(trace: Path, daemon: FakeDaemon) -> None:
    daemon.start()
    process = run(daemon, trace, "--speed", "0", "--loop", "--limit", "20", "--seed", "1")
    daemon.wait_for_lines(1000, 30)
    process.send_signal(signal.SIGTERM)
    told, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "") and "requests" in told
    ids = Counter(record["request_id"] for record in daemon.records() if record["type"] == "request")
    assert max(ids.values()) == 1, "no id comes again"


def test_nothing_is_dropped_for_a_slow_daemon(trace: Path, daemon: FakeDaemon) -> None:
    daemon.start()
    daemon.reading.clear()
    process = run(daemon, trace, "--speed", "0", "--loop", "--seed", "1")
    time.sleep(1.0)
    daemon.reading.set()
    daemon.wait_for_lines(5000, 60)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "" and process.returncode == 0
    assert {record["type"] for record in daemon.records()} == {"request", "response"}


def test_troubles_are_one_clear_sentence(
    trace: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("replay_traffic.PATIENCE", 0.3)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for arguments, code in (
        ([str(trace), "--socket", str(folder / "nobody")], 69),
        ([str(folder / "none.csv")], 66),
        ([str(PROGRAM)], 65),
    ):
        assert main(arguments) == code
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith("replay_traffic: ") and told.err.count("\n") == 1, told.err
    for wrong in (
        ["--speed", "-1"],
        ["--limit", "0"],
        ["--errors", "101"],
        ["--loop", "--original-times"],
        ["--server", "x"],
    ):
        with pytest.raises(SystemExit) as ended:
            main([str(trace), *wrong])
        assert ended.value.code == 2


def test_records_fit_the_sender(trace: Path, daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    for event in Script(2).events(read_trace(trace, limit=30)):
        assert sender.send(event.record)
    assert sender.flush()
    assert sender.stats().dropped == 0
