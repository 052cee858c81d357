# SPDX-License-Identifier: MIT
"""The sample app, a real Flask program, through the daemon: its four shapes of records arrive, and statistics add up."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import requests  # type: ignore[import]
from livelogd_daemon import SOURCE_ROOT, Daemon, wait_until
from sse_client import Stream

APP = SOURCE_ROOT / "protocol/python/examples/sample_app.py"

REQUEST = {"timestamp", "level", "message", "module", "type", "request_id", "method", "url", "endpoint", "remote_addr",
           "user_agent", "content_type", "content_length", "args"}  # fmt: skip
RESPONSE = {"timestamp", "level", "message", "module", "type", "request_id", "method", "url", "endpoint", "status_code",
            "content_type", "content_length", "duration_ms"}  # fmt: skip


class RunningApp(NamedTuple):
    daemon: Daemon
    url: str
    process: subprocess.Popen[str]


@pytest.fixture
def app() -> Iterator[RunningApp]:
    """The app without traffic of its own, and a daemon for it."""
    with Daemon() as daemon:
        process = subprocess.Popen(
            ["/usr/bin/python3", str(APP), "--port", "0", "--quiet"],
            env={**os.environ, "LIVELOGD_SOCKET": str(daemon.socket_path), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            told = re.search(r"listening on (http://\S+?),", process.stdout.readline())
            assert told
            yield RunningApp(daemon, told.group(1), process)
        finally:
            process.terminate()
            assert process.wait(20) == 0
            assert process.stdout
            process.stdout.close()


def records_of(app: RunningApp, count: int) -> list[dict[str, Any]]:
    wait_until(lambda: len(app.daemon.recent(1000)) >= count, what=f"{count} records")
    return app.daemon.recent(1000)


def test_the_four_shapes(app: RunningApp) -> None:
    question = {"question": "Hello, how are you?", "model_name": "llama-3.2-3b"}
    answer = requests.post(f"{app.url}/api/v1/generate?verbose=1", json=question, timeout=30)
    missing = requests.delete(f"{app.url}/api/v1/models/nonexistent.gguf", timeout=30)
    upload = {"filename": "new-model.gguf", "file_size": 4294967296}
    requests.post(f"{app.url}/api/v1/models/upload", json=upload, timeout=30)
    assert missing.status_code == 404
    records = records_of(app, 7)
    pairs: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if record.get("type") in ("request", "response"):
            pairs.setdefault(record["request_id"], []).append(record)
    assert len(pairs) == 3
    for request, response in pairs.values():
        assert (request["type"], response["type"]) == ("request", "response")
        assert set(request) >= REQUEST and set(response) >= RESPONSE
        assert (request["method"], request["endpoint"], request["url"]) == (
            response["method"],
            response["endpoint"],
            response["url"],
        )
        assert response["duration_ms"] > 0

    generate, delete, _ = pairs.values()
    assert generate[0]["endpoint"] == "generate_response" and generate[0]["request_body"] == question
    assert generate[0]["args"] == {"verbose": "1"} and generate[0]["content_type"] == "application/json"
    assert generate[1]["status_code"] == answer.status_code and generate[1]["content_length"] == len(answer.content)
    assert generate[1]["response_body"] == answer.json()

    assert delete[1]["level"] == "ERROR" and delete[1]["status_code"] == 404
    assert delete[1]["response_body"] == {"error": "Model not found"}

    (event,) = [record for record in records if record.get("type") == "custom_event"]
    assert event["event_type"] == "model_upload" and event["file_size"] == 4294967296
    assert event["message"] == "Model uploaded successfully: new-model.gguf"
    # The number is stored as the app's JSON spells it.
    assert any(b'"file_size":4294967296' in line for line in app.daemon.stored_lines())


def test_statistics_add_up(app: RunningApp) -> None:
    calls = Counter[tuple[str, int]]()
    with Stream(app.daemon, "type=errors") as errors, requests.Session() as session:
        for path, times in (("health", 7), ("models", 5), ("models/no-such-model", 3), ("nothing", 2)):
            for _ in range(times):
                calls[path, session.get(f"{app.url}/api/v1/{path}", timeout=30).status_code] += 1
        assert [errors.record().json()["status_code"] for _ in range(5)] == [404] * 5
    total = sum(calls.values())
    wait_until(lambda: len(app.daemon.recent(1000, type="response")) == total)
    stats = app.daemon.get("/api/v1/logs/stats").json()
    api, summary = stats["api_stats"], stats["error_summary"]
    assert api["total_requests"] == total and api["methods"] == {"GET": total}
    assert api["endpoints"]["health_check"] == 7 and api["endpoints"]["list_models"] == 5
    assert api["status_codes"] == {"200": 12, "404": 5}
    assert len(api["response_times"]) == total
    assert api["avg_response_time"] == pytest.approx(sum(api["response_times"]) / total, abs=0.01)
    assert summary["total_errors"] == 5 == sum(summary["error_types"].values())
    assert summary["status_codes"] == {"404": 5}


def test_credentials_stay_with_the_app(app: RunningApp) -> None:
    secret = "hunter2-hunter2"
    body = {
        "question": "?",
        "model_name": "llama-3.2-3b",
        "password": secret,
        "nested": [{"Api-Key": secret}],
        "max_tokens": 512,
    }
    headers = {"Authorization": f"Bearer {secret}", "Cookie": f"session={secret}"}
    with Stream(app.daemon) as stream:
        requests.post(f"{app.url}/api/v1/generate", json=body, headers=headers, timeout=30)
        streamed = [stream.record(), stream.record()]
    assert not any(secret.encode() in event.raw for event in streamed)
    assert not any(secret.encode() in line for line in app.daemon.stored_lines())
    assert '"max_tokens":512' in streamed[0].data


def test_the_app_outlives_the_daemon(app: RunningApp) -> None:
    """Requests are answered while there is no daemon; what the app could keep arrives once there is one again."""
    assert requests.get(f"{app.url}/api/v1/health", timeout=30).status_code == 200
    records_of(app, 2)
    app.daemon.kill()
    for _ in range(5):
        assert requests.get(f"{app.url}/api/v1/health", timeout=5).status_code == 200
    app.daemon.restart()
    wait_until(lambda: requests.get(f"{app.url}/api/v1/models", timeout=5).ok and has(app.daemon, "list_models"), 30)


def has(daemon: Daemon, endpoint: str) -> bool:
    return any(record.get("endpoint") == endpoint for record in daemon.recent(1000))
