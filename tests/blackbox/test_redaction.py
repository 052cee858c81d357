# SPDX-License-Identifier: MIT
"""Secrets by their form, and what is kept of bodies: the options, their reload, and what /metrics counts."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from exposition import Scrape
from livelogd_daemon import SOURCE_ROOT, Daemon, run_livelogd, wait_until
from sse_client import Stream
from waiting import wait_for_records

CASES = [json.loads(line) for line in (SOURCE_ROOT / "protocol/vectors/secrets.jsonl").read_text().splitlines()]
TABLE = (SOURCE_ROOT / "docs/security.md").read_text()

ANSWER = {
    "model": "m",
    "choices": [{"message": {"content": "a private answer " * 400}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 42, "completion_tokens": 128},
}


def call(number: int) -> list[dict[str, Any]]:
    question = {"model": "m", "messages": [{"role": "user", "content": "a private question"}]}
    return [
        {"type": "request", "request_id": f"r{number}", "endpoint": "chat", "request_body": question},
        {"type": "response", "request_id": f"r{number}", "endpoint": "chat", "duration_ms": 5, "response_body": ANSWER},
    ]


def reload(daemon: Daemon) -> None:
    told = daemon.stderr.count("configuration reloaded")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.stderr.count("configuration reloaded") > told)


def test_the_golden_cases_and_their_counts() -> None:
    # A record without a timestamp would get the real time.
    cases = [case for case in CASES if "except" not in case and '"timestamp"' in case["line"].replace(" ", "")]
    with Daemon() as daemon:
        before = Scrape(daemon)
        daemon.send([case["line"].encode() + b"\n" for case in cases])
        wait_for_records(daemon, len(cases))
        stored = daemon.stored_lines()
        seen = Scrape(daemon)
    for case, line in zip(cases, stored, strict=True):
        assert line.rstrip(b"\n") == case["stored"].encode(), case["name"]
    told = [rule for case in cases for rule in case["rules"]]
    rules = seen.label_values("rule")
    assert rules >= set(told) and "key" in rules
    for rule in rules:
        assert before.value("redactions_total", rule=rule) == 0
        assert seen.value("redactions_total", rule=rule) == told.count(rule), rule
        # Each is explained.
        assert rule == "key" or f"| `{rule}` |" in TABLE


def test_a_line_that_is_no_record_is_not_quoted_with_a_secret() -> None:
    with Daemon() as daemon, Stream(daemon) as stream:
        daemon.send([b'{"a":"Bearer abcd1234"\n', b'{"a":AKIAIOSFODNN7EXAMPLE}\n', b'{"a":"plain"\n'])
        told = [stream.record().json() for _ in range(3)]
        assert [one.get("raw_withheld") for one in told] == [True, True, None]
        assert told[0]["raw"] == told[1]["raw"] == "" and told[2]["raw"] == '{"a":"plain"'
        assert "AKIA" not in json.dumps(told) and b"AKIA" not in b"".join(daemon.stored_lines())
        assert Scrape(daemon).value("redactions_total", rule="aws") == 1


@pytest.mark.parametrize("how", ["off", "truncated"])
def test_bodies_lose_their_text_and_keep_their_numbers(how: str) -> None:
    with Daemon(log_bodies=how, log_body_bytes=256) as daemon:
        daemon.send(call(1))
        wait_for_records(daemon, 2)
        request, response = daemon.recent(2)
        stats = daemon.get("/api/v1/logs/stats").json()["llm_stats"]["m"]
        assert (stats["input_tokens"], stats["output_tokens"]) == (42, 128)
    assert response["response_body"]["usage"] == ANSWER["usage"]
    if how == "off":
        size = len(json.dumps(ANSWER, separators=(",", ":")))
        assert "private" not in json.dumps([request, response])
        assert response["response_body"]["livelog_body_bytes"] == size
        assert request["request_body"].keys() == {"livelog_body_bytes", "model"}
    else:
        assert request["request_body"]["messages"][0]["content"] == "a private question"
        assert response["response_body"]["choices"][0]["message"]["content"] == ("a private answer " * 20)[:256] + "…"
        assert response["livelog_truncated"] == {"response_body.choices.0.message.content": 17 * 400}


def test_reload(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text("")
    secret = {"timestamp": "t", "a": "Bearer abcd1234", "b": "AKIAIOSFODNN7EXAMPLE", "request_body": "text"}
    with Daemon(config=file) as daemon, Stream(daemon) as stream:
        daemon.send([secret])
        assert stream.record().json() == secret | {"a": "Bearer [REDACTED]", "b": "[REDACTED]"}
        file.write_text('redact_secrets_except = ["bearer"]\nlog_bodies = "off"\n')
        reload(daemon)
        daemon.send([secret])
        assert stream.record().json() == secret | {"b": "[REDACTED]", "request_body": {"livelog_body_bytes": 6}}
        file.write_text("redact_secrets = false\n")
        reload(daemon)
        daemon.send([secret])
        assert stream.record().json() == secret
        assert "wait for a restart" not in daemon.stderr


def test_wrong_values_are_refused_with_what_would_be_right() -> None:
    rule = run_livelogd("--check-config", "--redact-secrets-except=jwt,openal")
    assert rule.returncode != 0 and "openal" in rule.stderr and "openai, anthropic" in rule.stderr
    bodies = run_livelogd("--check-config", "--log-bodies=none")
    assert bodies.returncode != 0 and "full, truncated or off" in bodies.stderr
    assert run_livelogd("--check-config", "--log-body-bytes=10").returncode != 0
