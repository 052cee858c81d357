# SPDX-License-Identifier: MIT
"""The Python that the documents show does what they say."""

from __future__ import annotations

import logging
import re
import types
from pathlib import Path
from typing import Any

import pytest

import livelogd
from fake_daemon import FakeDaemon

ROOT = Path(__file__).resolve().parents[3]


def snippets(document: str) -> list[str]:
    path = ROOT / document
    if not path.exists():
        pytest.skip("the documents are part of the source tree")
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)


def test_the_snippets_of_the_guide_to_the_package(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    flask, fastapi = pytest.importorskip("flask"), pytest.importorskip("fastapi")
    daemon.start()
    monkeypatch.setenv("LIVELOGD_SOCKET", daemon.path)
    monkeypatch.setattr("livelogd.shared._senders", {})
    livelogd.set_default_sender(None)
    root = logging.getLogger()
    handlers = list(root.handlers)
    in_flask, in_fastapi, in_wsgi, handler, event, omitting, answer, structured, configured = snippets("docs/python.md")

    app = flask.Flask("documented")
    exec(in_flask, {"app": app})
    app.test_client().get("/")

    exec(omitting, {"app": app})
    assert "response_text" in app.config["LIVELOGD_OMIT_FIELDS"]

    api = fastapi.FastAPI()
    exec(in_fastapi, {"app": api})
    assert [each.cls.__module__ for each in api.user_middleware] == ["livelogd.asgi"]

    names: dict[str, Any] = {"application": lambda environ, start_response: [b"x"]}
    exec(in_wsgi, names)
    assert type(names["application"]).__module__ == "livelogd.wsgi"

    try:
        exec(handler, {"logging": logging})
        exec(event, {})
        answered = types.SimpleNamespace(json=lambda: {"model": "llama3.2", "eval_count": 3})
        names = {"requests": types.SimpleNamespace(post=lambda *_, **__: answered), "question": {}}
        logger = names["logger"] = logging.getLogger("tests.documents")
        logger.setLevel(logging.INFO)
        exec(answer, names)
        exec(structured, names)
    finally:
        root.handlers[:] = handlers
    settings = eval("{" + configured + "}")
    assert settings["handlers"]["livelogd"]["class"] == "livelogd.LiveLogHandler"

    sender = livelogd.get_sender()
    assert sender.flush(5)
    records = daemon.records()
    assert [record["type"] for record in records] == ["request", "response", "custom_event", "log", "log"]
    assert records[2]["file_size"] == 4294967296
    assert records[3]["response_body"] == {"model": "llama3.2", "eval_count": 3}
    assert records[4]["filename"] == "new-model.gguf"
    sender.close()
    livelogd.set_default_sender(None)


def test_every_option_is_documented() -> None:
    from livelogd.exchange import Options

    path = ROOT / "docs/python.md"
    if not path.exists():
        pytest.skip("the documents are part of the source tree")
    text = path.read_text()
    flask = pytest.importorskip("livelogd.flask")
    for key in [*flask._DEFAULTS, *Options.__dataclass_fields__, *livelogd.SenderStats._fields[:2]]:
        assert key in text, key
