# SPDX-License-Identifier: MIT
"""A small app around a local language model, as livelogd meets them: real Flask, real requests, a simulated model.

    python3 sample_app.py [--host 127.0.0.1] [--port 5001] [--rate 2] [--quiet]

It sends its logs to the daemon and, unless told to be quiet (--quiet, or QUIET=1 in the environment), keeps itself busy
with a few requests a second, so that there is something to see.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))  # the package beside it, installed or not

from flask import Flask, jsonify, request  # noqa: E402
from werkzeug.exceptions import HTTPException  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

from livelogd import LiveLogHandler  # noqa: E402
from livelogd.flask import LiveLogs, note_exception  # noqa: E402
from model_servers import model_servers  # noqa: E402
from simulated_model import Model, ModelStore, SimulatedModel, now_text  # noqa: E402
from traffic import Traffic  # noqa: E402

#: Exit codes as in sysexits.h.
EX_OK, EX_UNAVAILABLE = 0, 69

#: Seconds that requests under way are given when the app is stopped.
STOP_SECONDS = 3.0


class ValidationError(ValueError):
    """The request's body is not what the route needs."""


class SampleApp(Flask):
    """Flask, less a second record of each unexpected exception: that of the response has it, traceback and all."""

    def log_exception(self, exc_info: Any) -> None:
        pass


def create_app(
    *,
    model: Optional[SimulatedModel] = None,
    store: Optional[ModelStore] = None,
    livelogd_socket: Optional[str] = None,
) -> Flask:
    """The app. ``livelogd_socket``: where the daemon listens, default where the client package finds it."""
    app = SampleApp(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["LIVELOGD_SOCKET"] = livelogd_socket
    live_logs = LiveLogs(app)
    simulated = model or SimulatedModel()
    models = store or ModelStore()

    @app.get("/api/v1/health")
    def health_check() -> Any:
        return jsonify(status="ok", models=len(models.list()))

    @app.get("/api/v1/models")
    def list_models() -> Any:
        return jsonify(models=[each.describe() for each in models.list()])

    @app.post("/api/v1/models/upload")
    def upload_model() -> Any:
        uploaded = _uploaded_model()
        models.add(uploaded)
        live_logs.log_event(
            "model_upload",
            f"Model uploaded successfully: {uploaded.name}",
            filename=uploaded.name,
            file_size=uploaded.size,
            model_info=uploaded.describe(),
        )
        return jsonify(success=True, model=uploaded.describe()), 201

    @app.route("/api/v1/models/<name>", methods=["GET", "DELETE"])
    def delete_model(name: str) -> Any:
        """DELETE takes the model away; GET says what would go."""
        try:
            chosen = models.remove(name) if request.method == "DELETE" else models.find(name)
        except FileNotFoundError as error:
            note_exception(error)
            return jsonify(error="Model not found"), 404
        return jsonify(success=True, model=chosen.describe())

    @app.post("/api/v1/generate")
    def generate_response() -> Any:
        question = _text_field("question")
        name = _text_field("model_name")
        try:
            chosen = models.find(name)
        except FileNotFoundError as error:
            note_exception(error)
            return jsonify(error="Model not found"), 404
        generation = simulated.generate(chosen, question)
        return jsonify(
            success=True,
            response=generation.text,
            model_name=name,
            generation_time=round(generation.seconds, 3),
            usage={
                "prompt_tokens": generation.prompt_tokens,
                "completion_tokens": generation.completion_tokens,
                "total_tokens": generation.prompt_tokens + generation.completion_tokens,
            },
        )

    app.register_blueprint(model_servers(simulated, models), name="")

    @app.errorhandler(ValidationError)
    def refuse(error: ValidationError) -> Any:
        return jsonify(error=str(error), error_type="ValidationError"), 400

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Any:
        return jsonify(error=error.name), error.code

    return app


def _json_body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValidationError("the body must be a JSON object")
    return body


def _text_field(name: str) -> str:
    value = _json_body().get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValidationError(f"{name} is required")
    return value


def _uploaded_model() -> Model:
    """The model of an upload: a file (form field ``file``), whose bytes are counted and thrown away, or a JSON body
    that only says ``filename`` and ``file_size``."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return Model(os.path.basename(file.filename), file.stream.seek(0, os.SEEK_END), now_text())
    name = _text_field("filename")
    size = _json_body().get("file_size", 0)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValidationError("file_size must be a whole number of bytes")
    return Model(os.path.basename(name), size, now_text())


class CalmRequestHandler(WSGIRequestHandler):
    """Flask's own server without a line on the terminal for each request: the live log has them."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        if type != "info":
            logging.getLogger("sample_app.server").log(logging.getLevelName(type.upper()), message, *args)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        pass


class UnderWay:
    """WSGI middleware that knows how many requests are under way."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._changed = threading.Condition()
        self._count = 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._changed:
            self._count += 1
        try:
            yield from self._passed_on(self._app(environ, start_response))
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    @staticmethod
    def _passed_on(body: Any) -> Iterable[bytes]:
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    def wait_for_none(self, timeout: float) -> None:
        """Returns when there is none, or after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, timeout)


def bound_socket(host: str, port: int) -> socket.socket:
    """A listening TCP socket. OSError if the address is taken or not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def parse_arguments(arguments: Optional[list[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A sample LLM app that sends its logs to livelogd.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=5001, help="port to listen on, 0 for any (default %(default)s)")
    parser.add_argument("--rate", type=float, default=2.0, help="requests to itself a second (default %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="make no requests to itself; so does QUIET=1")
    parser.add_argument("--livelogd-socket", metavar="PATH", help="the daemon's socket (default LIVELOGD_SOCKET)")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error("--port must be between 0 and 65535")
    if not 0 <= options.rate <= 1000:
        parser.error("--rate must be between 0 and 1000")
    return options


def main() -> int:
    options = parse_arguments()
    quiet = options.quiet or options.rate == 0 or os.environ.get("QUIET", "") not in ("", "0")
    try:
        listener = bound_socket(options.host, options.port)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = f"port {options.port} on {options.host} is taken; choose another one with --port"
        else:
            reason = f"cannot listen on {options.host} port {options.port}: {error}"
        print(f"sample_app: {reason}", file=sys.stderr)
        return EX_UNAVAILABLE

    app = create_app(livelogd_socket=options.livelogd_socket)
    sender = app.extensions["livelogd"].sender
    # On the root logger, so that Flask finds it and does not put a handler of its own on stderr.
    logging.getLogger().addHandler(LiveLogHandler(logging.INFO, sender=sender))
    under_way = UnderWay(app)
    port = listener.getsockname()[1]
    server = make_server(
        options.host, port, under_way, threaded=True, request_handler=CalmRequestHandler, fd=listener.fileno()
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()

    shown_host = f"[{options.host}]" if ":" in options.host else options.host
    base_url = f"http://{shown_host}:{port}"
    print(f"sample_app: listening on {base_url}, logging to {' or '.join(sender.places)}", flush=True)
    own_host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, shown_host)
    traffic = Traffic(f"http://{own_host}:{port}", options.rate or 1.0)
    if not quiet:
        traffic.start()

    while not stop.wait(0.5):  # a signal that another thread was given does not end the waiting
        pass
    traffic.stop()
    deadline = time.monotonic() + STOP_SECONDS
    server.shutdown()
    under_way.wait_for_none(max(0.0, deadline - time.monotonic()))
    return EX_OK  # the sender sends what it still has when the interpreter ends


if __name__ == "__main__":
    sys.exit(main())
