# SPDX-License-Identifier: MIT
"""The WSGI middleware, behind the server of the standard library, which is as strict as servers are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from calls import ask
from fake_daemon import FakeDaemon
from livelogd import Sender, current_request_id, note_exception
from livelogd.wsgi import LiveLogsMiddleware

App = Callable[[dict[str, Any], Any], Any]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def serve_once(app: Any, path: str = "/x", data: Any = None, **headers: str) -> tuple[int, bytes, Any]:
    """One request through a real server."""
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    server.timeout = 10
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    try:
        return ask(f"http://127.0.0.1:{server.server_port}{path}", data, headers)
    finally:
        thread.join()
        server.server_close()


@pytest.fixture
def listening(daemon: FakeDaemon) -> FakeDaemon:
    return daemon.start()


def plain(body: Any, status: str = "200 OK", content_type: str = "application/json") -> App:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, [("Content-Type", content_type)])
        return body() if callable(body) else body

    return app


def exchange(daemon: FakeDaemon) -> tuple[dict[str, Any], dict[str, Any]]:
    came, went = daemon.wait_for_lines(2)
    assert (came["type"], went["type"]) == ("request", "response") and came["request_id"] == went["request_id"]
    return came, went


def test_the_fields(listening: FakeDaemon, sender: Sender) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "application/json")])
        assert environ["livelogd.request_id"] == current_request_id() == "r-1"
        return [b'{"got":', data, b"}"]

    headers = {"Content-Type": "application/json", "X-Request-ID": "r-1", "User-Agent": "test"}
    wrapped = LiveLogsMiddleware(validator(app), sender=sender)
    status, body, told = serve_once(validator(wrapped), "/caf%C3%A9?a=1", b'{"q":1}', **headers)
    assert (status, body, told["X-Request-ID"]) == (200, b'{"got":{"q":1}}', "r-1")
    came, went = exchange(listening)
    assert came["request_body"] == {"q": 1} and went["response_body"] == {"got": {"q": 1}}
    assert came["url"].endswith("/caf%C3%A9?a=1") and came["endpoint"] == "/café" and came["args"] == {"a": "1"}
    assert (came["method"], came["user_agent"], came["content_length"]) == ("POST", "test", 7)
    assert (went["status_code"], went["content_length"]) == (200, 15)
    assert current_request_id() is None


def test_a_body_that_is_there_keeps_its_length_for_the_server(listening: FakeDaemon, sender: Sender) -> None:
    _, _, headers = serve_once(LiveLogsMiddleware(plain([b"{}"]), sender=sender))
    assert headers["Content-Length"] == "2"  # the server makes it of a body that is one piece
    assert exchange(listening)[1]["response_body"] == {}


def test_a_streamed_body(listening: FakeDaemon, sender: Sender) -> None:
    def body() -> Iterator[bytes]:
        yield b'data: {"content":"Hi","stop":false}\n\n'
        assert current_request_id() is not None
        yield b'data: {"content":"","stop":true,"timings":{"predicted_n":1,"predicted_ms":9.5}}\n\n'

    serve_once(LiveLogsMiddleware(plain(body, content_type="text/event-stream"), sender=sender))
    _, went = exchange(listening)
    assert went["response_body"][-1]["timings"] == {"predicted_n": 1, "predicted_ms": 9.5}
    assert went["pieces"] == 2 and went["response_text"] == "Hi" and went["time_to_first_token_ms"] > 0


def test_an_app_that_answers_only_when_its_body_is_asked_for(listening: FakeDaemon, sender: Sender) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        note_exception(KeyError("k"))
        start_response("404 Not Found", [("Content-Type", "application/json"), ("Content-Length", "19")])
        yield b'{"error":"no such"}'

    assert serve_once(LiveLogsMiddleware(app, sender=sender))[0] == 404
    _, went = exchange(listening)
    assert (went["status_code"], went["message"], went["error_type"]) == (404, "no such", "KeyError")
    assert (went["content_length"], went["response_body"]) == (19, {"error": "no such"})


def test_crashes(listening: FakeDaemon, sender: Sender) -> None:
    def early(environ: dict[str, Any], start_response: Any) -> Any:
        raise LookupError("early")

    def late() -> Iterator[bytes]:
        yield b"one"
        raise LookupError("late")

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x", "SERVER_NAME": "s", "SERVER_PORT": "80"}
    with pytest.raises(LookupError):
        LiveLogsMiddleware(early, sender=sender)(dict(environ), lambda *_: None)
    body = LiveLogsMiddleware(plain(late, content_type="text/plain"), sender=sender)(dict(environ), lambda *_: None)
    with pytest.raises(LookupError):
        list(body)
    body.close()  # type: ignore[attr-defined]
    early_record, late_record = [record for record in listening.wait_for_lines(4) if record["type"] == "response"]
    assert (early_record["status_code"], early_record["error_type"]) == (500, "LookupError")
    assert (late_record["status_code"], late_record["level"], late_record["error_type"]) == (200, "ERROR", "LookupError")
    assert len(listening.lines) == 4


def test_a_client_that_goes_away(listening: FakeDaemon, sender: Sender) -> None:
    app = LiveLogsMiddleware(plain(lambda: iter([b"a", b"b"]), content_type="text/plain"), sender=sender)
    body = iter(app({"REQUEST_METHOD": "GET"}, lambda *_: None))
    next(body)
    body.close()  # type: ignore[attr-defined]
    _, went = exchange(listening)
    assert went["broken_off"] is True and went["content_length"] == 1


def test_a_file_is_left_to_the_server(listening: FakeDaemon, sender: Sender, tmp_path: Any) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "100")])
        return environ["wsgi.file_wrapper"](open(tmp_path / "f", "rb"))

    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    body = LiveLogsMiddleware(app, sender=sender)(environ, lambda *_: None)
    assert isinstance(body, FileWrapper)
    body.close()
    assert exchange(listening)[1]["content_length"] == 100


def test_skipped_and_broken(listening: FakeDaemon, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    app = LiveLogsMiddleware(plain([b"{}"]), sender=sender, skip="/static/")
    assert serve_once(app, "/static/a")[0] == 200
    assert sender.stats().accepted == 0

    def fail(*_: object, **__: object) -> Any:
        raise LookupError("a mistake of ours")

    for broken in ("request_record", "response_record", "request_id"):
        with monkeypatch.context() as patch:
            patch.setattr(f"livelogd.records.{broken}", fail)
            assert serve_once(app)[0] == 200
            assert sender.flush(5)  # records are made in the sender's thread
    assert sum(record.get("event") == "hook_failed" for record in listening.wait_for_lines(5)) == 3
