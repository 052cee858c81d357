# SPDX-License-Identifier: MIT
"""The package and the real daemon: what was logged is in the log, whatever happens to the daemon or the app."""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import THOROUGH
from fake_daemon import eventually
from livelogd import LiveLogHandler, Sender

SOURCES = str(Path(__file__).resolve().parent.parent / "src")

Real = Callable[..., Any]


def stored(daemon: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in daemon.stored_lines()]


def stored_count(daemon: Any) -> int:
    """Whole lines, also while the daemon is writing."""
    return sum(path.read_bytes().count(b"\n") for path in daemon.segments())


@pytest.mark.parametrize("ack", ["written", "durable", "none"])
def test_each_kind_of_acknowledgement(real: Real, ack: str) -> None:
    daemon = real(sync="none")
    with Sender(daemon.socket_path, ack=ack) as sender:
        for number in range(3000):
            assert sender.send({"n": number, "text": "x" * (number % 500)})
        assert sender.flush(20)
        eventually(lambda: stored_count(daemon) == 3000, 10)
        assert [record["n"] for record in stored(daemon)] == list(range(3000))
        stats = sender.stats()
        assert (stats.sent, stats.resent, stats.refused, stats.queued_bytes) == (3000, 0, 0, 0)


def test_what_the_daemon_cannot_read_is_counted(real: Real) -> None:
    daemon = real(max_record_bytes=1024)
    with Sender(daemon.socket_path) as sender:
        sender.send({"text": "x" * 5000})
        sender.send({"n": 1})
        assert sender.flush(10)
        assert sender.stats().refused == 1
    assert [record.get("type") for record in stored(daemon)] == ["malformed", None]


def test_the_daemon_starts_after_the_app(real: Real) -> None:
    daemon = real()
    daemon.stop()
    with Sender(daemon.socket_path, max_queue_bytes=20_000) as sender:
        taken = sum(sender.send({"n": number, "text": "x" * 50}) for number in range(500))
        assert 0 < taken < 500
        daemon.start()
        assert sender.flush(10)
        eventually(lambda: stored_count(daemon) == taken + 1, 10)
    records = stored(daemon)
    assert [record["n"] for record in records[:-1]] == list(range(taken))
    assert (records[-1]["event"], records[-1]["count"]) == ("records_dropped", 500 - taken)


def test_restarts_under_load_neither_lose_nor_double(real: Real) -> None:
    from restarts import trouble

    for ack, outcome in trouble("restart", 100 if THOROUGH else 4, 2000).items():
        assert (outcome.lost, outcome.doubled, outcome.out_of_order, outcome.dropped) == (0, 0, 0, 0), (ack, outcome)
        assert outcome.written > 500


def test_kills_under_load_lose_nothing(real: Real) -> None:
    from restarts import trouble

    for ack, outcome in trouble("kill", 20 if THOROUGH else 3, 2000).items():
        assert (outcome.lost, outcome.dropped, outcome.out_of_order) == (0, 0, 0), (ack, outcome)
        assert outcome.doubled <= outcome.resent, (ack, outcome)


def test_the_numbers_of_a_streamed_answer_are_understood(real: Real) -> None:
    pytest.importorskip("flask")
    from sample_app import create_app
    from simulated_model import SimulatedModel

    daemon = real()
    model = SimulatedModel(failure_rate=0.0, time_scale=0.05)
    app = create_app(model=model, livelogd_socket=str(daemon.socket_path))
    client = app.test_client()
    message = {"messages": [{"role": "user", "content": "Hello?"}], "stream": True}
    client.post("/v1/chat/completions", json={"model": "llama-3.2-3b", **message}).get_data()
    client.post("/api/chat", json={"model": "qwen2.5-14b", **message}).get_data()
    sender = app.extensions["livelogd"].sender
    assert sender.flush(5)
    sender.close()
    told = daemon.get("/api/v1/logs/stats").json()["llm_stats"]
    assert set(told) == {"llama-3.2-3b", "qwen2.5-14b"}
    answers = {record["response_body"][-1]["model"]: record for record in stored(daemon) if "response_body" in record}
    for name, count in (("llama-3.2-3b", ("usage", "completion_tokens")), ("qwen2.5-14b", ("eval_count",))):
        expected: Any = answers[name]["response_body"][-1]
        for key in count:
            expected = expected[key]
        assert told[name]["output_tokens"] == expected > 0
        assert told[name]["requests"] == 1 and answers[name]["time_to_first_token_ms"] > 0


# gunicorn


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


def ask(path: str, target: str) -> Any:
    connection = UnixConnection(path)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        assert answer.status == 200
        return json.loads(answer.read())
    finally:
        connection.close()


def listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(path) == 0


APP = """
import logging, os, time
import livelogd
from flask import Flask
from livelogd.flask import LiveLogs

app = Flask(__name__)
LiveLogs(app)
logging.getLogger().addHandler(livelogd.LiveLogHandler(logging.WARNING))
livelogd.log_event("loaded", "before the fork", by=os.getpid())
assert livelogd.get_sender().flush(10)
livelogd.log_event("queued", "in the queue at the fork", by=os.getpid())

@app.get("/n/<int:number>")
def view(number):
    logging.warning("answering %d", number)
    time.sleep(0.02)  # so that the other workers have a turn
    return {"pid": os.getpid(), "number": number}
"""


@pytest.mark.parametrize("worker", ["sync", "gthread"] if THOROUGH else ["gthread"])
def test_gunicorn_with_workers_forked_from_a_loaded_app(real: Real, folder: Path, worker: str) -> None:
    pytest.importorskip("gunicorn")
    pytest.importorskip("flask")
    daemon = real()
    (folder / "prefork_app.py").write_text(APP)
    where = str(folder / "http.sock")
    with open(folder / "gunicorn.log", "w") as said:
        gunicorn = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--preload", "--workers=3", f"--worker-class={worker}", "--threads=2",
             "--graceful-timeout=5", f"--bind=unix:{where}", "prefork_app:app"],
            cwd=folder, stdout=said, stderr=said,
            env={**os.environ, "PYTHONPATH": SOURCES, "LIVELOGD_SOCKET": str(daemon.socket_path)},
        )  # fmt: skip
    try:
        eventually(lambda: listens(where), 20)
        pids: Counter[int] = Counter()
        lock = threading.Lock()

        def some(first: int) -> None:
            for number in range(first, first + 15):
                pid = ask(where, f"/n/{number}")["pid"]
                with lock:
                    pids[pid] += 1

        threads = [threading.Thread(target=some, args=(first,)) for first in (0, 100, 200, 300)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in range(400, 405):  # the last thing that they do
            ask(where, f"/n/{number}")
    finally:
        gunicorn.send_signal(signal.SIGTERM)
        code = gunicorn.wait(60)
    output = (folder / "gunicorn.log").read_text()
    assert code == 0 and "Traceback" not in output and "livelogd:" not in output, output
    records = stored(daemon)
    numbers = sorted(int(record["url"].rsplit("/", 1)[1]) for record in records if record.get("type") == "response")
    asked = sorted([number for first in (0, 100, 200, 300) for number in range(first, first + 15)] + [*range(400, 405)])
    assert numbers == asked
    assert Counter(record["type"] for record in records) == {
        "request": len(asked), "response": len(asked), "log": len(asked), "custom_event": 2,
    }  # fmt: skip
    ids = {record["request_id"] for record in records if record["type"] == "log"}
    assert ids == {record["request_id"] for record in records if record["type"] == "request"} and len(ids) == len(asked)
    assert len(pids) >= 2 and {record["by"] for record in records if "by" in record} == {gunicorn.pid}


def test_a_daemon_that_is_stopped_while_the_app_ends(real: Real) -> None:
    """The last records of an app are sent in the time it has, to a daemon that comes back in it."""
    daemon = real()
    script = (
        "import sys, livelogd, livelogd.sender\n"
        "livelogd.sender._EXIT_SECONDS = 15.0\n"  # where a daemon needs more than two seconds to start
        "sender = livelogd.get_sender(sys.argv[1])\n"
        "sender.send({'n': 0}); assert sender.flush(5)\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "[sender.send({'n': n}) for n in range(1, 200)]\n"
    )
    app = subprocess.Popen(
        [sys.executable, "-c", script, str(daemon.socket_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": SOURCES},
    )  # fmt: skip
    assert app.stdin and app.stdout
    assert app.stdout.readline() == "ready\n"
    daemon.stop()
    app.stdin.write("go\n")
    app.stdin.flush()
    time.sleep(0.3)
    daemon.start()
    _, errors = app.communicate(timeout=20)
    assert (app.returncode, errors) == (0, "")
    assert [record["n"] for record in stored(daemon)] == list(range(200))


def test_logging_to_the_real_daemon(real: Real) -> None:
    daemon = real()
    logger = logging.getLogger("tests.real")
    logger.propagate = False
    handler = LiveLogHandler(socket=str(daemon.socket_path), ack="durable", flush_timeout=10)
    logger.addHandler(handler)
    try:
        raise KeyError("k")
    except KeyError:
        logger.exception("failed with password %s", {"password": "x"}, extra={"livelogd": {"api_key": "secret"}})
    handler.flush()
    logger.removeHandler(handler)
    handler.sender.close()
    (record,) = daemon.recent(10, type="errors")
    assert (record["error_type"], record["level"], record["api_key"]) == ("KeyError", "ERROR", "[REDACTED]")
