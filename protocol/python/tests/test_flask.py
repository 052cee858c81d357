# SPDX-License-Identifier: MIT
from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flask")

from flask import Flask, Response, abort, jsonify  # noqa: E402

import livelogd  # noqa: E402
import livelogd.flask as live_flask  # noqa: E402
from fake_daemon import FakeDaemon  # noqa: E402
from calls import REQUEST_FIELDS, RESPONSE_FIELDS  # noqa: E402
from flask_app import GenerationError, exchange  # noqa: E402
from livelogd import Sender  # noqa: E402
from livelogd.flask import LiveLogs  # noqa: E402


def test_the_shapes_field_by_field(app: Flask, daemon: FakeDaemon) -> None:
    answer = app.test_client().post(
        "/generate?a=1&b=2&b=3", json={"question": "Hello?", "n": 4294967296}, headers={"User-Agent": "curl/7.68.0"}
    )
    came, went = exchange(daemon)
    assert list(came) == [*REQUEST_FIELDS, "request_body"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", came.pop("timestamp"))
    assert re.fullmatch(r"req_\d{16}_[0-9a-f]{8}", came["request_id"])
    assert came == {
        "level": "INFO",
        "message": "Incoming request",
        "module": "logger",
        "type": "request",
        "request_id": answer.headers["X-Request-ID"],
        "method": "POST",
        "url": "http://localhost/generate?a=1&b=2&b=3",
        "endpoint": "generate_response",
        "remote_addr": "127.0.0.1",
        "user_agent": "curl/7.68.0",
        "content_type": "application/json",
        "content_length": 39,
        "args": {"a": "1", "b": ["2", "3"]},
        "request_body": {"question": "Hello?", "n": 4294967296},
    }
    assert list(went) == [*RESPONSE_FIELDS, "response_body"]
    assert 20 <= went.pop("duration_ms") < 5000
    went.pop("timestamp")
    assert went == {
        "level": "INFO",
        "message": "Outgoing response",
        "module": "logger",
        "type": "response",
        "request_id": came["request_id"],
        "method": "POST",
        "url": came["url"],
        "endpoint": "generate_response",
        "status_code": 200,
        "content_type": "application/json",
        "content_length": len(answer.data),
        "response_body": {"answer": "Hello?", "request_id": came["request_id"]},
    }


def test_without_bodies(app: Flask, daemon: FakeDaemon) -> None:
    app.test_client().get("/text")
    came, went = exchange(daemon)
    assert list(came) == REQUEST_FIELDS and list(went) == RESPONSE_FIELDS
    assert came["content_type"] is None and came["content_length"] is None and came["args"] == {}
    assert (went["content_type"], went["content_length"]) == ("text/html; charset=utf-8", 5)


def test_error_responses(app: Flask, daemon: FakeDaemon) -> None:
    client = app.test_client()
    client.delete("/models/nonexistent.gguf")
    came, went = exchange(daemon)
    assert list(went) == [*RESPONSE_FIELDS, "response_body", "error_type"]
    assert (went["level"], went["message"], went["status_code"]) == ("ERROR", "Model not found", 404)
    assert went["response_body"] == {"error": "Model not found"} and went["error_type"] == "FileNotFoundError"
    client.get("/nowhere")
    missing = daemon.wait_for_lines(4)[3]
    assert list(missing) == RESPONSE_FIELDS
    assert (missing["level"], missing["message"], missing["endpoint"]) == ("ERROR", "Error response - 404", None)
    client.get("/generate")
    assert daemon.wait_for_lines(6)[5]["message"] == "Error response - 405"


def test_an_error_object_gives_its_message(app: Flask, daemon: FakeDaemon) -> None:
    app.add_url_rule("/overloaded", view_func=lambda: ({"error": {"message": "overloaded", "code": 3}}, 503))
    app.test_client().get("/overloaded")
    assert exchange(daemon)[1]["message"] == "overloaded"


def test_an_unhandled_exception(app: Flask, daemon: FakeDaemon) -> None:
    answer = app.test_client().get("/fail")
    assert answer.status_code == 500 and "X-Request-ID" in answer.headers
    _, went = exchange(daemon)
    assert list(went) == [*RESPONSE_FIELDS, "error_type", "traceback"]
    assert (went["level"], went["message"], went["status_code"]) == ("ERROR", "Error response - 500", 500)
    assert went["error_type"] == "GenerationError"
    assert went["traceback"].endswith("GenerationError: out of memory\n")


def test_an_unhandled_exception_that_leaves_the_app(app: Flask, daemon: FakeDaemon) -> None:
    app.testing = True
    with pytest.raises(GenerationError):
        app.test_client().get("/fail")
    _, went = exchange(daemon)
    assert (went["status_code"], went["error_type"], went["content_type"]) == (500, "GenerationError", None)


def test_an_exception_is_known_without_signals(
    daemon: FakeDaemon, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoSignal:
        def connect(self, *_: object) -> None:
            raise RuntimeError("no blinker")

    monkeypatch.setattr(live_flask, "got_request_exception", NoSignal())
    daemon.start()
    app = Flask("app")
    LiveLogs(app, sender=sender)

    @app.get("/fail")
    def fail() -> Any:
        raise GenerationError("x")

    assert app.test_client().get("/fail").status_code == 500
    _, went = exchange(daemon)
    assert (went["status_code"], went["error_type"]) == (500, "GenerationError")
    assert went["content_type"].startswith("text/html")


def test_an_exception_the_app_answers_itself_is_its_answer(app: Flask, daemon: FakeDaemon) -> None:
    app.register_error_handler(GenerationError, lambda _: ({"error": "busy", "error_type": "GenerationError"}, 503))
    app.test_client().get("/fail")
    _, went = exchange(daemon)
    assert list(went) == [*RESPONSE_FIELDS, "response_body"]
    assert (went["status_code"], went["message"]) == (503, "busy")


def test_another_hook_that_fails_does_not_hide_the_response(app: Flask, daemon: FakeDaemon) -> None:
    @app.after_request
    def broken(response: Response) -> Response:
        raise ZeroDivisionError("hook")

    assert app.test_client().get("/models").status_code == 500
    _, went = exchange(daemon)
    assert (went["status_code"], went["error_type"], went["level"]) == (500, "ZeroDivisionError", "ERROR")
    assert len(daemon.lines) == 2


def test_a_json_answer_of_abort_shows_its_body(app: Flask, daemon: FakeDaemon) -> None:
    app.add_url_rule("/gone", view_func=lambda: abort(app.make_response(({"error": "Model not found"}, 404))))
    answer = app.test_client().get("/gone")
    assert answer.get_json() == {"error": "Model not found"}
    _, went = exchange(daemon)
    assert (went["message"], went["response_body"]) == ("Model not found", {"error": "Model not found"})


def test_a_request_that_another_hook_turns_away_is_told(daemon: FakeDaemon, sender: Sender) -> None:
    daemon.start()
    app = Flask("app")

    @app.before_request
    def refuse() -> Any:
        abort(401)

    LiveLogs(app, sender=sender)
    app.test_client().get("/x")
    assert exchange(daemon)[1]["status_code"] == 401


# Bodies


def test_the_app_finds_the_body_untouched(app: Flask, daemon: FakeDaemon) -> None:
    body = b'{"question": "by the stream"}'
    answer = app.test_client().post("/raw", data=body, content_type="application/json")
    assert answer.data == body
    came, _ = exchange(daemon)
    assert came["request_body"] == {"question": "by the stream"}


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b'{"a": ', "application/json"),
        (b"\xff\xfe\xfd", "application/json"),
        (b"[" * 50_000, "application/json"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "application/json"),
        (b"binary \x00\x01", "application/octet-stream"),
        (b"<p>a page", "text/html"),
        (b"x" * 70_000, "text/plain"),
    ],
)
def test_other_bodies_are_told_by_size(app: Flask, daemon: FakeDaemon, data: bytes, content_type: str) -> None:
    answer = app.test_client().post("/raw", data=data, content_type=content_type)
    assert answer.status_code == 200 and answer.data == data
    came, went = exchange(daemon)
    assert list(came) == REQUEST_FIELDS
    assert came["content_length"] == went["content_length"] == len(data)


def test_text_and_forms_are_told(app: Flask, daemon: FakeDaemon) -> None:
    client = app.test_client()
    client.post("/raw", data="grüße".encode(), content_type="text/plain; charset=utf-8")
    client.post("/raw", data={"name": "a", "tag": ["b", "c"], "empty": ""})
    client.post("/raw", data=b'{"n":1}\n{"n":2}\n', content_type="application/x-ndjson")
    told = [record["request_body"] for record in daemon.wait_for_lines(6) if record["type"] == "request"]
    assert told == ["grüße", {"name": "a", "tag": ["b", "c"], "empty": ""}, [{"n": 1}, {"n": 2}]]


def test_fields_can_be_left_out(app: Flask, daemon: FakeDaemon) -> None:
    app.config["LIVELOGD_OMIT_FIELDS"] = ("remote_addr", "user_agent", "request_body.question", "response_body.x.y")
    app.test_client().post("/generate", json={"question": "secret", "model": "m"})
    came, went = exchange(daemon)
    assert "remote_addr" not in came and "user_agent" not in came and came["request_body"] == {"model": "m"}
    assert went["response_body"]["answer"] == "secret"
    app.config["LIVELOGD_OMIT_FIELDS"] = "response_body"
    app.test_client().post("/generate", json={"question": "secret"})
    assert "response_body" not in daemon.wait_for_lines(4)[3]


def test_what_is_logged_while_a_request_is_answered_has_its_id(
    app: Flask, daemon: FakeDaemon, sender: Sender
) -> None:
    logger = logging.getLogger("tests.flask")
    logger.propagate = False
    handler = livelogd.LiveLogHandler(sender=sender)
    logger.addHandler(handler)

    def body() -> Iterator[str]:
        logger.warning("in the stream")
        yield livelogd.current_request_id() or "none"

    def view() -> Response:
        logger.warning("in the view")
        logger.warning("of another", extra={"livelogd": {"request_id": "mine"}})
        livelogd.log_event("thing", "happened")
        return Response(body(), mimetype="text/plain")

    app.add_url_rule("/logs", view_func=view)
    answer = app.test_client().get("/logs", headers={"X-Request-ID": "r-7"})
    assert answer.get_data(as_text=True) == "r-7"
    logger.warning("after")
    assert livelogd.current_request_id() is None
    told = {record["message"]: record.get("request_id") for record in daemon.wait_for_lines(7)}
    assert told == {
        "Incoming request": "r-7", "in the view": "r-7", "of another": "mine", "happened": "r-7",
        "in the stream": "r-7", "Outgoing response": "r-7", "after": None,
    }  # fmt: skip
    logger.removeHandler(handler)


def test_an_app_that_calls_itself_stays_in_its_own_request(app: Flask, daemon: FakeDaemon) -> None:
    def outer() -> Any:
        app.test_client().get("/models", headers={"X-Request-ID": "inner"})
        return jsonify(id=livelogd.current_request_id())

    app.add_url_rule("/outer", view_func=outer)
    answer = app.test_client().get("/outer", headers={"X-Request-ID": "outer"})
    assert answer.get_json() == {"id": "outer"} and livelogd.current_request_id() is None
    assert [record["request_id"] for record in daemon.wait_for_lines(4)] == ["outer", "inner", "inner", "outer"]


def test_a_body_with_nan_is_told(app: Flask, daemon: FakeDaemon) -> None:
    app.test_client().post("/raw", data=b'{"t": NaN, "u": -Infinity}', content_type="application/vnd.x+json")
    came, _ = exchange(daemon)
    assert came["request_body"] == {"t": "NaN", "u": "-Infinity"}


def test_bodies_can_be_switched_off_and_limited(app: Flask, daemon: FakeDaemon) -> None:
    client = app.test_client()
    app.config["LIVELOGD_CAPTURE_BODIES"] = False
    client.post("/generate", json={"question": "secret"})
    assert [list(record) for record in daemon.wait_for_lines(2)] == [REQUEST_FIELDS, RESPONSE_FIELDS]
    app.config.update(LIVELOGD_CAPTURE_BODIES=True, LIVELOGD_MAX_BODY_BYTES=30)
    client.post("/generate", json={"question": "short"})
    came, went = daemon.wait_for_lines(4)[2:]
    assert came["request_body"] == {"question": "short"} and "response_body" not in went


def test_a_body_over_the_apps_own_limit_is_left_to_the_app(app: Flask, daemon: FakeDaemon) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    # Whether it applies to JSON bodies depends on the version of Flask.
    answer = app.test_client().post("/generate", json={"question": "x" * 100})
    assert answer.status_code in (200, 413)
    came, went = exchange(daemon)
    assert "request_body" not in came and went["status_code"] == answer.status_code


def test_a_compressed_body_is_told_by_size(app: Flask, daemon: FakeDaemon) -> None:
    packed = Response(b"\x1f\x8b not really", content_type="application/json", headers={"Content-Encoding": "gzip"})
    app.add_url_rule("/packed", view_func=lambda: packed)
    app.test_client().get("/packed")
    assert list(exchange(daemon)[1]) == RESPONSE_FIELDS


# Request ids, skipping, several apps, never breaking


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ("abc-1.2:3_X", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("has space", False),
        ("ümlaut", False),
        ("", False),
        ('"quoted"', False),
    ],
)
def test_request_ids_from_outside(app: Flask, daemon: FakeDaemon, offered: str, taken: bool) -> None:
    answer = app.test_client().get("/models", headers={"X-Request-ID": offered})
    came, _ = exchange(daemon)
    assert (came["request_id"] == offered) is taken
    assert answer.headers["X-Request-ID"] == came["request_id"]


def test_made_request_ids_differ() -> None:
    from livelogd.records import request_id

    made = {request_id(None) for _ in range(20_000)}
    assert len(made) == 20_000
    assert request_id("ok\n") != "ok\n"


def test_skipped_endpoints_and_paths_leave_no_records(app: Flask, daemon: FakeDaemon) -> None:
    app.config["LIVELOGD_SKIP"] = ("list_models", "/te")
    client = app.test_client()
    assert client.get("/models").headers["X-Request-ID"].startswith("req_")
    client.get("/text")
    client.post("/generate", json={"question": "x"})
    records = daemon.wait_for_lines(2)
    assert [record["endpoint"] for record in records] == ["generate_response"] * 2
    app.config["LIVELOGD_SKIP"] = "generate_response"
    client.post("/generate", json={"question": "x"})
    client.get("/text")
    assert [record["endpoint"] for record in daemon.wait_for_lines(4)[2:]] == ["text"] * 2


def test_config_names_the_kind_of_acknowledgement(daemon: FakeDaemon) -> None:
    daemon.start()
    app = Flask("app")
    app.config.update(LIVELOGD_SOCKET=daemon.path, LIVELOGD_ACK="durable")
    sender = LiveLogs(app).sender
    app.test_client().get("/x")
    assert sender.flush(5) and daemon.hellos[0]["ack"] == "durable"
    sender.close()
    livelogd.set_default_sender(None)


def test_config_names_the_socket_and_events_follow(daemon: FakeDaemon) -> None:
    daemon.start()
    livelogd.set_default_sender(None)
    live_logs = LiveLogs()
    app = Flask("app")
    app.config["LIVELOGD_SOCKET"] = daemon.path
    live_logs.init_app(app)
    live_logs.init_app(app)  # a second time changes nothing
    assert app.extensions["livelogd"] is live_logs
    app.test_client().get("/x")
    livelogd.log_event("first", "one", filename="f")
    live_logs.log_event("second", "two", message="m")
    records = daemon.wait_for_lines(4)
    assert [record["type"] for record in records] == ["request", "response", "custom_event", "custom_event"]
    assert records[2]["filename"] == "f" and records[3]["message_"] == "m"
    live_logs.sender.close(1)
    livelogd.set_default_sender(None)


def test_one_extension_for_two_apps(folder: Path) -> None:
    live_logs = LiveLogs()
    daemons, apps = [], []
    for name in ("one", "two"):
        daemons.append(FakeDaemon(str(folder / name)).start())
        app = Flask(name)
        app.config["LIVELOGD_SOCKET"] = daemons[-1].path
        live_logs.init_app(app)
        apps.append(app)
    for app in apps:
        app.test_client().get(f"/{app.name}")
    for app, daemon in zip(apps, daemons):
        assert [record["url"] for record in daemon.wait_for_lines(2)] == [f"http://localhost/{app.name}"] * 2
        livelogd.get_sender(daemon.path).close(1)
        daemon.stop()
    livelogd.set_default_sender(None)


@pytest.mark.parametrize("broken", ["request_record", "response_record", "request_id"])
def test_an_error_of_the_extension_breaks_no_request(
    app: Flask, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr(f"livelogd.records.{broken}", fail)
    client = app.test_client()
    assert client.get("/models").status_code == 200
    assert client.get("/fail").status_code == 500
    told = [record for record in daemon.wait_for_lines(2) if record.get("event") == "hook_failed"]
    assert told and all(record["error_type"] == "LookupError" and record["type"] == "livelogd" for record in told)


def test_wrong_config_breaks_no_request(app: Flask, daemon: FakeDaemon) -> None:
    app.config.update(LIVELOGD_MAX_BODY_BYTES="many", LIVELOGD_SKIP=7)
    assert app.test_client().post("/generate", json={"question": "x"}).status_code == 200
    assert daemon.wait_for_lines(1)[0]["event"] == "hook_failed"


def test_a_client_that_breaks_off_its_body_is_the_apps_matter(app: Flask, daemon: FakeDaemon) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("connection reset")

    environ = {"wsgi.input": Broken(), "CONTENT_LENGTH": "20", "CONTENT_TYPE": "application/json"}
    answer = app.test_client().post("/generate", environ_overrides=environ)
    assert answer.status_code == 400  # as Flask answers a body that ends early
    assert [record["type"] for record in daemon.wait_for_lines(2)][-1] == "response"


def test_an_untrusted_host_is_told(app: Flask, daemon: FakeDaemon) -> None:
    class Strict(app.request_class):  # type: ignore[misc, name-defined]
        trusted_hosts = ["localhost"]

    app.request_class = Strict
    app.test_client().get("/models?x=1", headers={"Host": "evil.example"})
    assert daemon.wait_for_lines(2)[0]["url"] == "http://evil.example/models?x=1"


def test_requests_do_not_wait_for_a_daemon_that_is_not_there(sender: Sender) -> None:
    app = Flask("app")
    LiveLogs(app, sender=sender)
    app.add_url_rule("/x", view_func=lambda: "x")
    client = app.test_client()
    begin = time.perf_counter()
    for _ in range(100):
        assert client.get("/x").status_code == 200
    assert time.perf_counter() - begin < 2
    assert sender.stats().accepted == 200


def test_lines_are_compact_for_grep(app: Flask, daemon: FakeDaemon) -> None:
    app.test_client().get("/nowhere")
    exchange(daemon)
    assert b'"level":"ERROR"' in daemon.lines[1]
    assert json.loads(daemon.lines[1])["level"] == "ERROR"
