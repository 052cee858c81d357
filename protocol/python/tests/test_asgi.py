# SPDX-License-Identifier: MIT
"""The ASGI middleware: with FastAPI and uvicorn as users run them, and with hand-made calls where these are too tame."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Optional

import pytest

from calls import REQUEST_FIELDS, RESPONSE_FIELDS, ask
from fake_daemon import FakeDaemon, eventually
from livelogd import LiveLogHandler, Sender, current_request_id, log_event, note_exception
from livelogd.asgi import LiveLogsMiddleware



def call(
    app: Any, *, method: str = "GET", path: str = "/x", query: bytes = b"", headers: Any = (), body: Any = (b"",),
    send: Any = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """One call by hand; what the app has sent."""
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "scheme": "http",
        "headers": [(b"host", b"localhost:8000"), *headers], "client": ("127.0.0.1", 5), "server": ("localhost", 8000),
    }  # fmt: skip
    coming = [
        {"type": "http.request", "body": part, "more_body": number < len(body) - 1} for number, part in enumerate(body)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def keep(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send or keep))
    return sent


def answering(status: int, headers: Any, *bodies: bytes, pause: float = 0) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, body in enumerate(bodies):
            await asyncio.sleep(pause)
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies) - 1})

    return app


@pytest.fixture
def listening(daemon: FakeDaemon) -> FakeDaemon:
    return daemon.start()


def test_the_shapes_field_by_field(listening: FakeDaemon, sender: Sender) -> None:
    app = LiveLogsMiddleware(answering(200, [(b"content-type", b"application/json")], b'{"a":1}'), sender=sender)
    sent = call(
        app, method="POST", path="/ü/x", query=b"a=1&b=2&b=3",
        headers=[(b"content-type", b"application/json"), (b"content-length", b"9"), (b"user-agent", b"curl/7")],
        body=(b'{"q":', b'"h"}'),
    )  # fmt: skip
    came, went = listening.wait_for_lines(2)
    assert list(came) == [*REQUEST_FIELDS, "request_body"] and list(went) == [*RESPONSE_FIELDS, "response_body"]
    came.pop("timestamp"), went.pop("timestamp")
    assert came == {
        "level": "INFO", "message": "Incoming request", "module": "logger", "type": "request",
        "request_id": went["request_id"], "method": "POST", "url": "http://localhost:8000/%C3%BC/x?a=1&b=2&b=3",
        "endpoint": "/ü/x", "remote_addr": "127.0.0.1", "user_agent": "curl/7", "content_type": "application/json",
        "content_length": 9, "args": {"a": "1", "b": ["2", "3"]}, "request_body": {"q": "h"},
    }  # fmt: skip
    assert (went["status_code"], went["content_length"], went["response_body"]) == (200, 7, {"a": 1})
    assert (b"x-request-id", went["request_id"].encode()) in sent[0]["headers"]


def test_a_request_whose_body_nobody_reads_is_told_when_it_is_answered(listening: FakeDaemon, sender: Sender) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    call(LiveLogsMiddleware(app, sender=sender), method="POST", headers=headers, body=(b"{}",))
    came, went = listening.wait_for_lines(2)
    assert list(came) == REQUEST_FIELDS and went["status_code"] == 413 and went["level"] == "ERROR"


def test_a_body_longer_than_its_length_says_is_not_kept(listening: FakeDaemon, sender: Sender) -> None:
    app = LiveLogsMiddleware(answering(200, [], b"ok"), sender=sender, max_body_bytes=10)
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    call(app, method="POST", headers=headers, body=(b"x" * 8, b"y" * 8, b"z"))
    assert list(listening.wait_for_lines(2)[0]) == REQUEST_FIELDS


def test_a_crash_before_and_after_the_headers(listening: FakeDaemon, sender: Sender) -> None:
    async def before(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("early")

    async def after(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        raise LookupError("late")

    for app in (before, after):
        with pytest.raises(LookupError):
            call(LiveLogsMiddleware(app, sender=sender))
    early, late = [record for record in listening.wait_for_lines(4) if record["type"] == "response"]
    assert (early["status_code"], early["error_type"], early["level"]) == (500, "LookupError", "ERROR")
    assert "early" in early["traceback"]
    assert (late["status_code"], late["error_type"], late["level"]) == (200, "LookupError", "ERROR")
    assert late["message"] == "The response failed on its way: LookupError" and late["response_body"] == "one"


def test_a_client_that_goes_away(listening: FakeDaemon, sender: Sender) -> None:
    parts = 0

    async def gone(message: Any) -> None:
        nonlocal parts
        parts += 1
        if parts > 2:
            raise ConnectionResetError

    app = LiveLogsMiddleware(answering(200, [(b"content-type", b"text/plain")], b"a", b"b", b"c"), sender=sender)
    with pytest.raises(ConnectionResetError):
        call(app, send=gone)

    async def cancelled(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        call(LiveLogsMiddleware(cancelled, sender=sender))
    broken = [record for record in listening.wait_for_lines(4) if record["type"] == "response"]
    assert [(record["broken_off"], record["level"], "error_type" in record) for record in broken] == [
        (True, "INFO", False)
    ] * 2


def test_other_protocols_go_by_untouched(listening: FakeDaemon, sender: Sender) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    for kind in ("lifespan", "websocket"):
        scope: dict[str, Any] = {"type": kind}
        asyncio.run(LiveLogsMiddleware(app, sender=sender)(scope, None, None))  # type: ignore[arg-type]
        assert seen.pop() is scope and scope == {"type": kind}
    assert sender.stats().accepted == 0


def test_skipped_and_left_out(listening: FakeDaemon, sender: Sender) -> None:
    app = LiveLogsMiddleware(
        answering(200, [], b"ok"), sender=sender, skip=("/static/",), omit_fields="remote_addr",
        endpoint=lambda scope: "e" + scope["path"],
    )  # fmt: skip
    call(app, path="/static/a.css")
    call(app, path="/y")
    came, went = listening.wait_for_lines(2)
    assert came["endpoint"] == went["endpoint"] == "e/y" and "remote_addr" not in came


def test_a_mistake_of_the_middleware_breaks_no_call(
    listening: FakeDaemon, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise LookupError("a mistake of ours")

    app = LiveLogsMiddleware(answering(200, [], b"ok"), sender=sender)
    for broken in ("request_record", "response_record", "request_id"):
        with monkeypatch.context() as patch:
            patch.setattr(f"livelogd.records.{broken}", fail)
            assert call(app)[-1]["body"] == b"ok"
            assert sender.flush(5)  # records are made in the sender's thread
    assert sum(record.get("event") == "hook_failed" for record in listening.wait_for_lines(5)) == 3


# FastAPI behind uvicorn


class Served:
    def __init__(self, app: Any) -> None:
        uvicorn = pytest.importorskip("uvicorn")
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listener]}, daemon=True)
        self.thread.start()
        eventually(lambda: bool(self.server.started), 10)

    def ask(self, path: str, body: Optional[object] = None, **headers: str) -> tuple[int, bytes, Any]:
        data = None if body is None else json.dumps(body).encode()
        return ask(self.url + path, data, {"Content-Type": "application/json", **headers})

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def served(listening: FakeDaemon, sender: Sender) -> Iterator[Served]:
    pytest.importorskip("fastapi")
    from fastapi import APIRouter, FastAPI, HTTPException
    from fastapi.responses import JSONResponse, StreamingResponse

    app = FastAPI()
    app.add_middleware(LiveLogsMiddleware, sender=sender)
    logger = logging.getLogger("tests.asgi")
    logger.propagate = False
    handler = LiveLogHandler(sender=sender)
    logger.addHandler(handler)

    @app.get("/sync/{number}")
    def in_a_thread(number: int) -> Any:
        logger.warning("working")
        return {"number": number, "request_id": current_request_id()}

    @app.post("/generate")
    async def generate(question: dict[str, Any]) -> Any:
        log_event("asked", "a question")
        return {"answer": question["question"]}

    @app.get("/fail")
    async def fail() -> Any:
        raise MemoryError("no room")

    @app.get("/missing")
    def missing() -> Any:
        note_exception(FileNotFoundError("m.gguf"))
        raise HTTPException(404, "Model not found")

    @app.get("/known")
    def known() -> Any:
        note_exception(FileNotFoundError("m.gguf"))
        return JSONResponse({"error": "Model not found"}, 404)

    @app.get("/tokens")
    async def tokens() -> Any:
        async def body() -> AsyncIterator[str]:
            await asyncio.sleep(0.05)
            for number in range(4):
                await asyncio.sleep(0.02)
                yield json.dumps({"model": "llama3", "response": f"w{number} ", "done": False}) + "\n"
            yield '{"model":"llama3","response":"","done":true,"eval_count":4,"eval_duration":80000000}\n'

        return StreamingResponse(body(), media_type="application/x-ndjson")

    inner = APIRouter(prefix="/inner")

    @inner.get("/thing")
    def thing() -> Any:
        return {}

    app.include_router(inner)
    mounted = FastAPI()
    mounted.add_api_route("/deep", thing, name="deep_thing")
    app.mount("/sub", mounted)
    server = Served(app)
    yield server
    server.stop()
    logger.removeHandler(handler)


def pair(daemon: FakeDaemon, count: int = 2) -> tuple[dict[str, Any], dict[str, Any]]:
    records = daemon.wait_for_lines(count)
    (came,) = [record for record in records if record["type"] == "request"]
    (went,) = [record for record in records if record["type"] == "response"]
    assert came["request_id"] == went["request_id"]
    return came, went


def test_fastapi_endpoints_by_name(served: Served, listening: FakeDaemon) -> None:
    for path in ("/sync/1", "/inner/thing", "/sub/deep", "/nowhere", "/generate"):
        served.ask(path)
    records = [record for record in listening.wait_for_lines(11) if record["type"] == "response"]
    assert [(record["endpoint"], record["status_code"]) for record in records] == [
        ("in_a_thread", 200), ("thing", 200), ("deep_thing", 200), (None, 404), ("generate", 405),
    ]  # fmt: skip


def test_fastapi_bodies_ids_and_what_is_logged_meanwhile(served: Served, listening: FakeDaemon) -> None:
    status, body, headers = served.ask("/generate", {"question": "Hello?"}, **{"X-Request-ID": "r-9"})
    assert (status, json.loads(body), headers["X-Request-ID"]) == (200, {"answer": "Hello?"}, "r-9")
    came, went = pair(listening, 3)
    assert came["request_body"] == {"question": "Hello?"} and went["response_body"] == {"answer": "Hello?"}
    assert came["content_length"] == len(json.dumps({"question": "Hello?"}))
    (event,) = [record for record in listening.records() if record["type"] == "custom_event"]
    assert event["request_id"] == came["request_id"] == "r-9"
    assert json.loads(served.ask("/sync/3", **{"X-Request-ID": "r-10"})[1]) == {"number": 3, "request_id": "r-10"}
    (logged,) = [record for record in listening.wait_for_lines(6) if record["type"] == "log"]
    assert logged["request_id"] == "r-10"


def test_fastapi_exceptions(served: Served, listening: FakeDaemon) -> None:
    assert served.ask("/fail")[0] == 500
    _, went = pair(listening)
    assert (went["status_code"], went["error_type"], went["level"]) == (500, "MemoryError", "ERROR")
    assert "no room" in went["traceback"]
    served.ask("/missing"), served.ask("/known")
    missing, known = [record for record in listening.wait_for_lines(6)[2:] if record["type"] == "response"]
    assert missing["response_body"] == {"detail": "Model not found"}
    assert (known["message"], known["error_type"]) == ("Model not found", "FileNotFoundError")


def test_a_whole_fastapi_app_can_be_wrapped(listening: FakeDaemon, sender: Sender) -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    @app.get("/fail/{number}")
    def failing_view(number: int) -> Any:
        raise MemoryError("no room")

    wrapped = LiveLogsMiddleware(app, sender=sender)
    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    with pytest.raises(MemoryError):
        call(wrapped, path="/fail/1", send=keep)
    _, went = pair(listening)
    assert (went["endpoint"], went["status_code"], went["error_type"]) == ("failing_view", 500, "MemoryError")
    assert sent[0]["status"] == 500 and (b"x-request-id", went["request_id"].encode()) in sent[0]["headers"]


def test_fastapi_streams_tokens(served: Served, listening: FakeDaemon) -> None:
    begun = time.perf_counter()
    assert served.ask("/tokens")[0] == 200
    took = (time.perf_counter() - begun) * 1000
    _, went = pair(listening)
    assert 70 <= went["time_to_first_token_ms"] < went["duration_ms"] - 30 < took
    assert went["pieces"] == 5 and went["response_text"] == "w0 w1 w2 w3 "
    assert went["response_body"][-1]["eval_count"] == 4 and len(went["response_body"]) == 4
    assert went["content_length"] > 200
