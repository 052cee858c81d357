# SPDX-License-Identifier: MIT
"""What logging costs the app: microseconds of the caller's thread a record, and a Flask or ASGI app with and without it.

    python3 benchmarks/cost.py [--rounds 60] [--calls 50]

The real daemon takes the records ($LIVELOGD_BIN, else build/release/livelogd). `cpu` is the time that the caller's thread
computes, `wall` what passes meanwhile, with waiting for the sender's thread to give back the interpreter. Each number is that of
the best round, for whatever else the machine does only adds to it; the two sides of a comparison take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parents[2] / "tests" / "support")]

from livelogd import LiveLogHandler, Sender, log_event, set_default_sender  # noqa: E402
from livelogd_daemon import Daemon  # noqa: E402

QUESTION = {"question": "Hello, how are you?", "model_name": "llama-3.2-3b", "temperature": 0.7}
ANSWER = {
    "success": True, "response": "Hello! I'm doing well, thank you for asking. " * 4, "model_name": "llama-3.2-3b",
    "generation_time": 2.05, "usage": {"prompt_tokens": 14, "completion_tokens": 40, "total_tokens": 54},
}  # fmt: skip


class Cost(NamedTuple):
    """Microseconds a call."""

    cpu: float
    wall: float


def once(action: Callable[[], Any], calls: int) -> Cost:
    cpu, wall = time.thread_time(), time.perf_counter()
    for _ in range(calls):
        action()
    return Cost(1e6 * (time.thread_time() - cpu) / calls, 1e6 * (time.perf_counter() - wall) / calls)


def best(costs: list[Cost]) -> Cost:
    return Cost(min(cost.cpu for cost in costs), min(cost.wall for cost in costs))


def measure(
    actions: dict[str, Callable[[], Any]], rounds: int, calls: int, settle: Callable[[], Any]
) -> dict[str, Cost]:
    """The least cost of each action; they take turns, and what the sender still has is sent in between."""
    costs: dict[str, list[Cost]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            cost = once(action, calls)
            settle()
            if number > 0:  # the first round warms up
                costs[name].append(cost)
    return {name: best(found) for name, found in costs.items()}


def records(sender: Sender) -> dict[str, Callable[[], Any]]:
    """One record each."""
    silent = logging.getLogger("benchmark.silent")
    loud = logging.getLogger("benchmark.loud")
    loud.handlers.clear()  # that of an earlier sender
    for logger in (silent, loud):
        logger.propagate = False
        logger.setLevel(logging.INFO)
    silent.addHandler(logging.NullHandler())
    loud.addHandler(LiveLogHandler(sender=sender))
    record = {"level": "INFO", "message": "loaded", "type": "log", "seconds": 2.5, "model": "llama-3.2-3b"}
    return {
        "logging to nowhere": lambda: silent.info("loaded %s in %.1f s", "llama-3.2-3b", 2.5),
        "logging with LiveLogHandler": lambda: loud.info("loaded %s in %.1f s", "llama-3.2-3b", 2.5),
        "log_event": lambda: log_event("model_upload", "Model uploaded", filename="m.gguf", file_size=4294967296),
        "Sender.send": lambda: sender.send(record),
    }


def flask_calls(sender: Sender) -> dict[str, Callable[[], Any]]:
    """A call of a small Flask app, as a WSGI server makes it."""
    from flask import Flask, jsonify, request
    from livelogd.flask import LiveLogs

    def make(name: str) -> Flask:
        app = Flask(name)

        @app.post("/api/v1/generate")
        def generate_response() -> Any:
            request.get_json()
            return jsonify(ANSWER)

        return app

    plain, logged, bodiless = make("plain"), make("logged"), make("bodiless")
    LiveLogs(logged, sender=sender)
    bodiless.config["LIVELOGD_CAPTURE_BODIES"] = False
    LiveLogs(bodiless, sender=sender)
    body = json.dumps(QUESTION).encode()

    def call(app: Flask) -> None:
        environ = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/api/v1/generate", "QUERY_STRING": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "5001", "HTTP_HOST": "localhost:5001", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": "curl/7.88.1", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        answer = app.wsgi_app(environ, lambda *_: lambda data: None)
        for _ in answer:
            pass
        answer.close()  # type: ignore[attr-defined]

    return {
        "Flask without": lambda: call(plain),
        "Flask with LiveLogs": lambda: call(logged),
        "Flask with LiveLogs, no bodies": lambda: call(bodiless),
    }


def asgi_calls(sender: Sender) -> dict[str, Callable[[], Any]]:
    """A call of a small FastAPI app, as an ASGI server makes it."""
    from fastapi import FastAPI
    from livelogd.asgi import LiveLogsMiddleware

    def make() -> Any:
        app = FastAPI()

        @app.post("/api/v1/generate")
        async def generate_response(question: dict[str, Any]) -> Any:
            return ANSWER

        return app

    plain, logged = make(), LiveLogsMiddleware(make(), sender=sender)
    body = json.dumps(QUESTION).encode()
    loop = asyncio.new_event_loop()

    def call(app: Any) -> None:
        scope = {
            "type": "http", "method": "POST", "path": "/api/v1/generate", "query_string": b"", "scheme": "http",
            "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1), "server": ("localhost", 5001),
            "headers": [
                (b"host", b"localhost:5001"), (b"user-agent", b"curl/7.88.1"), (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }  # fmt: skip

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            pass

        loop.run_until_complete(app(scope, receive, send))

    return {"FastAPI without": lambda: call(plain), "FastAPI with the middleware": lambda: call(logged)}


def show(costs: dict[str, Cost], base: str, per_call: int) -> None:
    """``per_call``: records that a call gives."""
    for name, cost in costs.items():
        line = f"{name:34} {cost.cpu:8.1f} us cpu {cost.wall:8.1f} us wall"
        if name != base:
            extra = Cost(cost.cpu - costs[base].cpu, cost.wall - costs[base].wall) if base else cost
            line += f"   a record: {extra.cpu / per_call:5.1f} us cpu {extra.wall / per_call:5.1f} us wall"
            if per_call > 1:
                line += f"   x {cost.wall / costs[base].wall:.2f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--calls", type=int, default=50)
    options = parser.parse_args()
    with Daemon() as daemon:
        for ack in ("written", "durable"):
            with Sender(daemon.socket_path, ack=ack) as sender:
                set_default_sender(sender)
                print(f"# acknowledged when {ack}")
                costs = measure(records(sender), options.rounds, options.calls, sender.flush)
                show({name: costs[name] for name in list(costs)[:2]}, "logging to nowhere", 1)
                show({name: costs[name] for name in list(costs)[2:]}, "", 1)
                show(measure(flask_calls(sender), options.rounds, options.calls, sender.flush), "Flask without", 2)
                try:
                    calls = asgi_calls(sender)
                except ImportError:
                    print("(FastAPI is not installed)")
                else:
                    show(measure(calls, options.rounds, options.calls, sender.flush), "FastAPI without", 2)
                assert sender.stats().dropped == 0
    print("# the daemon is away, and the queue is full")
    with Sender("/nonexistent/livelogd.sock", max_queue_bytes=100_000) as sender:
        set_default_sender(sender)
        costs = measure(records(sender), options.rounds, options.calls, lambda: None)
        show({name: costs[name] for name in list(costs)[1:]}, "", 1)
        sender.close(0)


if __name__ == "__main__":
    main()
