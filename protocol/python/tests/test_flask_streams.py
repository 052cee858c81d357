# SPDX-License-Identifier: MIT
"""Streamed responses of a Flask app: told at their end, with what a model has said and counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("flask")

from flask import Flask, Response, send_file, stream_with_context  # noqa: E402

import livelogd  # noqa: E402
from fake_daemon import FakeDaemon  # noqa: E402
from calls import RESPONSE_FIELDS  # noqa: E402
from flask_app import GenerationError, exchange  # noqa: E402


def tokens(count: int, pause: float) -> Iterator[str]:
    for _ in range(count):
        time.sleep(pause)
        yield "tök "


@pytest.mark.parametrize("with_context", [False, True])
def test_a_streamed_response_is_told_at_its_end(app: Flask, daemon: FakeDaemon, with_context: bool) -> None:
    def view() -> Response:
        body = tokens(10, 0.02)
        return Response(stream_with_context(body) if with_context else body, mimetype="text/plain")

    app.add_url_rule("/stream", view_func=view)
    answer = app.test_client().get("/stream", buffered=False)
    chunks = answer.iter_encoded()
    assert next(chunks).decode() == "tök "
    daemon.wait_for_lines(1)
    time.sleep(0.1)
    assert len(daemon.lines) == 1  # on its way
    assert len(list(chunks)) == 9
    answer.close()
    _, went = exchange(daemon)
    assert list(went) == [*RESPONSE_FIELDS, "time_to_first_byte_ms", "time_to_first_token_ms", "response_body"]
    assert 20 <= went["time_to_first_byte_ms"] <= went["time_to_first_token_ms"] <= went["duration_ms"] - 180
    assert went["response_body"] == "tök " * 10
    assert livelogd.current_request_id() is None
    assert (went["status_code"], went["content_length"], went["level"]) == (200, 50, "INFO")
    assert answer.headers["X-Request-ID"] == went["request_id"]
    assert len(daemon.lines) == 2


def test_a_stream_that_fails_is_an_error(app: Flask, daemon: FakeDaemon) -> None:
    def body() -> Iterator[str]:
        yield "one"
        raise GenerationError("lost the model")

    app.add_url_rule("/stream", view_func=lambda: Response(body()))
    answer = app.test_client().get("/stream", buffered=False)
    with pytest.raises(GenerationError):
        list(answer.response)
    answer.close()
    _, went = exchange(daemon)
    assert (went["status_code"], went["level"], went["content_length"]) == (200, "ERROR", 3)
    assert went["message"] == "The response failed on its way: GenerationError"
    assert went["error_type"] == "GenerationError" and "lost the model" in went["traceback"]


def test_a_stream_whose_client_goes_away(app: Flask, daemon: FakeDaemon) -> None:
    ended = []

    def body() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 10
        finally:
            ended.append(True)

    app.add_url_rule("/stream", view_func=lambda: Response(body()))
    answer = app.test_client().get("/stream", buffered=False)
    chunks = iter(answer.response)
    next(chunks), next(chunks)
    answer.close()
    _, went = exchange(daemon)
    assert list(went) == [*RESPONSE_FIELDS, "time_to_first_byte_ms", "broken_off"]
    assert went["broken_off"] is True and went["level"] == "INFO" and went["content_length"] >= 20
    assert ended == [True]


@pytest.mark.parametrize("capture", [True, False])
def test_a_streamed_answer_of_a_model_keeps_its_usage(app: Flask, daemon: FakeDaemon, capture: bool) -> None:
    def body() -> Iterator[str]:
        yield ': keep-alive\n\ndata: {"model":"m","choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
        time.sleep(0.05)
        for word in ("Hel", "lo", " you"):
            yield f'data: {{"choices":[{{"delta":{{"content":"{word}"}}}}]}}\n\n'
        yield 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
        yield 'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\ndata: [DONE]\n\n'

    app.config["LIVELOGD_CAPTURE_BODIES"] = capture
    app.add_url_rule("/chat", view_func=lambda: Response(body(), mimetype="text/event-stream"))
    app.test_client().get("/chat").get_data()
    _, went = exchange(daemon)
    assert went["pieces"] == 6
    assert went["time_to_first_token_ms"] - went["time_to_first_byte_ms"] >= 49
    if not capture:
        assert "response_body" not in went and "response_text" not in went
        return
    assert went["response_text"] == "Hello you"
    assert went["response_body"][0]["model"] == "m"
    assert went["response_body"][-1]["usage"] == {"prompt_tokens": 9, "completion_tokens": 3}
    assert len(went["response_body"]) == 4


def test_numbers_can_be_kept_without_the_words(app: Flask, daemon: FakeDaemon) -> None:
    def chat() -> Response:
        lines = ['{"model":"m","message":{"content":"secret"},"done":false}\n'] * 2
        return Response(iter([*lines, '{"model":"m","message":{"content":""},"done":true,"eval_count":2}\n']),
                        mimetype="application/x-ndjson")  # fmt: skip

    app.config["LIVELOGD_OMIT_FIELDS"] = ("request_body.messages", "response_text", "response_body.message")
    app.add_url_rule("/api/chat", view_func=chat, methods=["POST"])
    app.test_client().post("/api/chat", json={"model": "m", "messages": [{"content": "secret"}]}).get_data()
    came, went = exchange(daemon)
    assert came["request_body"] == {"model": "m"} and went["response_body"][-1]["eval_count"] == 2
    assert went["time_to_first_token_ms"] > 0 and b"secret" not in b"".join(daemon.lines)


def test_head_of_a_stream_is_told(app: Flask, daemon: FakeDaemon) -> None:
    app.add_url_rule("/stream", view_func=lambda: Response(tokens(3, 0)))
    app.test_client().head("/stream").close()
    _, went = exchange(daemon)
    assert list(went) == RESPONSE_FIELDS and went["content_length"] is None and went["method"] == "HEAD"


def test_a_file_is_told_by_its_size(app: Flask, daemon: FakeDaemon, folder: Path) -> None:
    (folder / "f.bin").write_bytes(b"x" * 5000)
    app.add_url_rule("/file", view_func=lambda: send_file(folder / "f.bin"))
    assert len(app.test_client().get("/file").data) == 5000
    _, went = exchange(daemon)
    assert (went["content_length"], went["content_type"]) == (5000, "application/octet-stream")
