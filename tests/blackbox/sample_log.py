# SPDX-License-Identifier: MIT
"""A small log with what the documents speak of: calls in every state, models, errors, a long string."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from livelogd_daemon import Daemon
from waiting import wait_for_records

IMAGE = "iVBORw0KGgo" * 100  # a string that is worth eliding


def at_minutes_ago(minutes: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(minutes=minutes)).isoformat()


def call(
    request_id: str, minutes_ago: float, endpoint: str, request: dict[str, Any], response: dict[str, Any]
) -> list[dict[str, Any]]:
    """A request and its response."""
    common = {"level": "INFO", "request_id": request_id, "endpoint": endpoint}
    return [
        {"timestamp": at_minutes_ago(minutes_ago), "type": "request", "method": "POST", **common, **request},
        {"timestamp": at_minutes_ago(minutes_ago - 0.1), "type": "response", **common, **response},
    ]


def sample_log() -> list[dict[str, Any]]:
    """Oldest first. One record is three hours old, all others are younger than one."""
    check_failed = {"request_id": "r-0", "status_code": 500, "endpoint": "/health", "message": "Check failed"}
    asked = {"level": "INFO", "type": "request"}
    open_call = {**asked, "method": "POST", "endpoint": "/api/generate", "request_id": "r-4"}
    return [
        {"timestamp": at_minutes_ago(180), "level": "WARNING", "message": "The disk is slow", "endpoint": "/api/disk"},
        *call(
            "r-1",
            50,
            "/api/chat",
            {"request_body": {"model": "llama3", "images": [IMAGE]}},
            {
                "status_code": 200,
                "duration_ms": 1250.5,
                "response_body": {
                    "model": "llama3",
                    "usage": {"prompt_tokens": 21, "completion_tokens": 40},
                    "timings": {"prompt_n": 21, "prompt_ms": 200.0, "predicted_n": 40, "predicted_ms": 1000.0},
                    "choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}],
                },
            },
        ),
        *call(
            "r-2",
            40,
            "/api/models",
            {"request_body": {}},
            {
                "level": "ERROR",
                "message": "Model not found",
                "status_code": 404,
                "duration_ms": 12.34,
                "error_type": "not_found",
            },
        ),
        *call(
            "r-3",
            30,
            "/api/chat",
            {"request_body": {"model": "qwen"}},
            {
                "level": "ERROR",
                "message": "timeout waiting for the model",
                "status_code": 503,
                "duration_ms": 30000,
                "response_body": {"model": "qwen"},
            },
        ),
        {"timestamp": at_minutes_ago(25), "level": "WARNING", "message": "Slow answer", "endpoint": "/api/chat"},
        {"timestamp": at_minutes_ago(24), "level": "WARN", "message": "Slow check", "endpoint": "/health"},
        {"timestamp": at_minutes_ago(20), "level": "ERROR", "type": "response", **check_failed},
        {"timestamp": at_minutes_ago(15), **asked, "method": "GET", "endpoint": "/api/unnumbered"},
        {"timestamp": at_minutes_ago(0.05), **open_call, "request_body": {"model": "llama3"}},
    ]


# The rows of /requests that this log makes, newest first: state, endpoint, duration_ms and model.
ROWS: list[list[Any]] = [
    ["in_flight", "/api/generate", None, "llama3"],
    ["unpaired", "/api/unnumbered", None, None],
    ["no_request", "/health", None, None],
    ["failed", "/api/chat", 30000, "qwen"],
    ["failed", "/api/models", 12.34, None],
    ["ok", "/api/chat", 1250.5, "llama3"],
]


@contextmanager
def filled_daemon(**options: Any) -> Iterator[tuple[Daemon, list[dict[str, Any]]]]:
    """A daemon that has stored the sample log, and the records of it."""
    with Daemon(**options) as daemon:
        records = sample_log()
        daemon.send(records)
        wait_for_records(daemon, len(records))
        yield daemon, records
