# SPDX-License-Identifier: MIT
"""A Flask app that is told of, for the tests of the extension."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("flask")

from flask import Flask, g, jsonify, request  # noqa: E402

from fake_daemon import FakeDaemon  # noqa: E402
from livelogd import Sender  # noqa: E402
from livelogd.flask import LiveLogs, note_exception  # noqa: E402



class GenerationError(RuntimeError):
    pass


def make_app(sender: Sender) -> Flask:
    """The app, which tells that sender."""
    app = Flask("app", static_folder=None)
    LiveLogs(app, sender=sender)

    @app.get("/models")
    def list_models() -> Any:
        return jsonify(models=[])

    @app.post("/generate")
    def generate_response() -> Any:
        time.sleep(0.02)
        return jsonify(answer=(request.get_json() or {})["question"], request_id=g.request_id)

    @app.post("/raw")
    def raw() -> Any:
        return request.stream.read()

    @app.delete("/models/<name>")
    def delete_model(name: str) -> Any:
        note_exception(FileNotFoundError(name))
        return {"error": "Model not found"}, 404

    @app.get("/fail")
    def fail() -> Any:
        raise GenerationError("out of memory")

    @app.get("/text")
    def text() -> Any:
        return "plain"

    return app


def exchange(daemon: FakeDaemon) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first request and its response."""
    request_record, response_record = daemon.wait_for_lines(2)[:2]
    assert (request_record["type"], response_record["type"]) == ("request", "response")
    assert request_record["request_id"] == response_record["request_id"]
    return request_record, response_record
