# SPDX-License-Identifier: MIT
"""The sample app as a user starts it: a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest

pytest.importorskip("flask")

from fake_daemon import FakeDaemon  # noqa: E402
from livelogd import Sender  # noqa: E402
from sample_app import create_app  # noqa: E402
from simulated_model import OutOfMemoryError, SimulatedModel  # noqa: E402

SAMPLE = Path(__file__).resolve().parent.parent / "examples" / "sample_app.py"


class RunningApp:
    def __init__(self, *arguments: str, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in ("QUIET", "PYTHONPATH")}
        self.process = subprocess.Popen(
            [sys.executable, str(SAMPLE), "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**inherited, **environment}, cwd="/",
        )  # fmt: skip
        assert self.process.stdout
        self.greeting = self.process.stdout.readline()
        found = re.search(r"http://[\d.]+:\d+", self.greeting)
        assert found, self.greeting
        self.url = found.group()

    def ask(self, method: str, path: str, body: Optional[object] = None, **headers: str) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


@pytest.fixture
def quiet_app(daemon: FakeDaemon) -> Iterator[RunningApp]:
    daemon.start()
    app = RunningApp("--quiet", "--livelogd-socket", daemon.path)
    yield app
    app.process.kill()
    app.process.communicate()


def test_each_route_and_its_records(quiet_app: RunningApp, daemon: FakeDaemon) -> None:
    assert daemon.path in quiet_app.greeting and quiet_app.greeting.count("\n") == 1
    ask = quiet_app.ask
    assert ask("GET", "/api/v1/health") == (200, {"status": "ok", "models": 3})
    status, listed = ask("GET", "/api/v1/models")
    assert status == 200 and "llama-3.2-3b" in [model["name"] for model in listed["models"]]
    assert ask("POST", "/api/v1/models/upload", {"filename": "new.gguf", "file_size": 4294967296})[0] == 201
    assert ask("GET", "/api/v1/models/new.gguf")[0] == 200
    assert ask("DELETE", "/api/v1/models/new.gguf")[0] == 200
    assert ask("GET", "/api/v1/models/new.gguf") == (404, {"error": "Model not found"})
    assert ask("POST", "/api/v1/generate", {"model_name": "llama-3.2-3b"})[0] == 400
    assert ask("GET", "/elsewhere") == (404, {"error": "Not Found"})
    records = daemon.wait_for_lines(17)
    assert [(record["type"], record.get("endpoint"), record.get("status_code")) for record in records] == [
        ("request", "health_check", None), ("response", "health_check", 200),
        ("request", "list_models", None), ("response", "list_models", 200),
        ("request", "upload_model", None), ("custom_event", None, None), ("response", "upload_model", 201),
        ("request", "delete_model", None), ("response", "delete_model", 200),
        ("request", "delete_model", None), ("response", "delete_model", 200),
        ("request", "delete_model", None), ("response", "delete_model", 404),
        ("request", "generate_response", None), ("response", "generate_response", 400),
        ("request", None, None), ("response", None, 404),
    ]  # fmt: skip
    event, not_found, invalid = records[5], records[12], records[14]
    assert (event["event_type"], event["filename"], event["file_size"]) == ("model_upload", "new.gguf", 4294967296)
    assert event["model_info"]["size"] == "4.0 GB"
    assert (not_found["level"], not_found["message"], not_found["error_type"]) == (
        "ERROR", "Model not found", "FileNotFoundError",
    )  # fmt: skip
    assert invalid["response_body"] == {"error": "question is required", "error_type": "ValidationError"}


def test_generate_takes_its_time_and_tells_its_tokens(quiet_app: RunningApp, daemon: FakeDaemon) -> None:
    question = {"question": "Hello?", "model_name": "llama-3.2-3b"}
    attempts = (quiet_app.ask("POST", "/api/v1/generate", question) for _ in range(20))
    answer = next(body for status, body in attempts if status == 200)  # some fail, as they are meant to
    assert list(answer) == ["success", "response", "model_name", "generation_time", "usage"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 4
    assert 0.05 <= answer["generation_time"] <= 2.0
    daemon.wait_for(lambda: any(b'"total_tokens"' in line for line in daemon.lines))
    last = daemon.records()[-1]
    assert last["response_body"] == answer and last["duration_ms"] >= answer["generation_time"] * 1000


def test_a_failing_model_is_a_500_with_a_real_exception(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    app = create_app(model=SimulatedModel(failure_rate=1.0, time_scale=0), livelogd_socket=daemon.path)
    answer = app.test_client().post("/api/v1/generate", json={"question": "x", "model_name": "llama-3.2-3b"})
    assert answer.status_code == 500
    _, went = daemon.wait_for_lines(2)
    assert went["error_type"] == "OutOfMemoryError" and "simulated_model.py" in went["traceback"]
    app = create_app(model=SimulatedModel(time_scale=0), livelogd_socket=daemon.path)
    answer = app.test_client().post("/api/v1/generate", json={"question": "x" * 20_000, "model_name": "llama-3.2-3b"})
    assert answer.status_code == 500
    assert daemon.wait_for_lines(4)[3]["error_type"] == "ContextOverflowError"
    app.extensions["livelogd"].sender.close(1)


def test_an_uploaded_file_is_measured(daemon: FakeDaemon, sender: Sender) -> None:
    from io import BytesIO

    daemon.start()
    app = create_app(livelogd_socket=daemon.path)
    answer = app.test_client().post("/api/v1/models/upload", data={"file": (BytesIO(b"x" * 5000), "../up.gguf")})
    assert answer.status_code == 201
    event = daemon.wait_for_lines(3)[1]
    assert (event["filename"], event["file_size"]) == ("up.gguf", 5000)
    app.extensions["livelogd"].sender.close(1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_clean_and_loses_nothing(quiet_app: RunningApp, daemon: FakeDaemon, number: int) -> None:
    for _ in range(20):
        quiet_app.ask("GET", "/api/v1/health")
    assert quiet_app.stop(number) == (0, "")
    assert len(daemon.wait_for_lines(40)) == 40


def test_it_makes_traffic_of_its_own_unless_quiet(daemon: FakeDaemon) -> None:
    daemon.start()
    app = RunningApp("--rate", "50", LIVELOGD_SOCKET=daemon.path)
    daemon.wait_for_lines(40, 20)
    assert app.stop() == (0, "")
    kinds = {record["type"] for record in daemon.records()}
    assert {"request", "response"} <= kinds
    assert len({record["endpoint"] for record in daemon.records() if "endpoint" in record}) >= 3
    seen = len(daemon.lines)
    quiet = RunningApp("--rate", "50", LIVELOGD_SOCKET=daemon.path, QUIET="1")
    quiet.ask("GET", "/api/v1/health")
    daemon.wait_for_lines(seen + 2)
    assert quiet.stop() == (0, "")
    assert len(daemon.lines) == seen + 2


def test_a_taken_port_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, str(SAMPLE), "--port", str(port)], capture_output=True, text=True, timeout=20
        )
    assert done.returncode == 69 and done.stdout == ""
    assert done.stderr == f"sample_app: port {port} on 127.0.0.1 is taken; choose another one with --port\n"


@pytest.mark.parametrize(("path", "pieces_more"), [("/v1/chat/completions", 3), ("/api/chat", 1)])
@pytest.mark.parametrize("stream", [True, False])
def test_the_answers_of_model_servers(
    daemon: FakeDaemon, sender: Sender, path: str, pieces_more: int, stream: bool
) -> None:
    daemon.start()
    app = create_app(model=SimulatedModel(failure_rate=0.0, time_scale=0.1), livelogd_socket=daemon.path)
    question = {"model": "llama-3.2-3b", "messages": [{"role": "user", "content": "Hello?"}], "stream": stream}
    answer = app.test_client().post(path, json=question)
    assert answer.status_code == 200 and answer.get_data()
    came, went = daemon.wait_for_lines(2)
    assert came["request_body"] == question and went["endpoint"] == came["endpoint"]
    last = went["response_body"][-1] if stream else went["response_body"]
    tokens = last["usage"]["completion_tokens"] if "usage" in last else last["eval_count"]
    assert last["model"] == "llama-3.2-3b" and tokens >= 4 and ("timings" in last or last["eval_duration"] > 0)
    if stream:
        assert went["pieces"] == tokens + pieces_more
        assert went["response_text"].endswith(".") and len(went["response_text"].split()) == tokens
        assert 0 < went["time_to_first_token_ms"] < went["duration_ms"]
    app.test_client().post(path, json={"model": "none"})
    missing = daemon.wait_for_lines(4)[3]
    assert (missing["message"], missing["error_type"]) == ("model 'none' not found", "FileNotFoundError")
    app.extensions["livelogd"].sender.close(1)


def test_a_stream_that_fails_on_its_way(daemon: FakeDaemon, sender: Sender) -> None:
    class Failing(SimulatedModel):
        def speak(self, generation: Any) -> Iterator[str]:
            yield "One"
            raise OutOfMemoryError("no memory for token 1")

    daemon.start()
    app = create_app(model=Failing(failure_rate=0.0), livelogd_socket=daemon.path)
    question = {"model": "llama-3.2-3b", "messages": [{"role": "user", "content": "Hello?"}]}
    with pytest.raises(OutOfMemoryError):
        app.test_client().post("/api/chat", json=question).get_data()
    _, went = daemon.wait_for_lines(2)
    assert (went["level"], went["error_type"], went["response_text"]) == ("ERROR", "OutOfMemoryError", "One")
    app.extensions["livelogd"].sender.close(1)
