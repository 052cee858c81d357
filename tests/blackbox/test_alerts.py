# SPDX-License-Identifier: MIT
"""Alerts: rules of the configuration file, told to a real HTTP receiver that fails, hangs and recovers."""

from __future__ import annotations

import http.server
import json
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livelogd_daemon import Daemon, run_livelogd, wait_until


class Receiver:
    """Takes what is posted. `answers` are the next status codes, then 200; 0 means: say nothing until the end."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[int, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self._end = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                receiver.got.append((status, body))
                if status == 0:
                    receiver._end.wait(60)
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def delivered(self) -> list[dict[str, Any]]:
        return [body for status, body in self.got if status == 200]

    def close(self) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def toml(**values: Any) -> str:
    shown = {key: json.dumps(value) for key, value in values.items()}
    return "[[alert]]\n" + "".join(f"{key} = {value}\n" for key, value in shown.items())


def config(folder: Path, *tables: str) -> Path:
    path = folder / "livelogd.toml"
    path.write_text("\n".join(tables))
    return path


def hook(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/hook?key=secret"


def error(n: int) -> dict[str, Any]:
    return {"level": "ERROR", "message": f"it broke {n}", "type": "error"}


def events(daemon: Daemon) -> list[dict[str, Any]]:
    return [r for r in daemon.recent(type="livelogd") if str(r.get("event", "")).startswith("alert_")]


def test_a_rule_fires_once_in_its_quiet_time(tmp_path: Path, receiver: Receiver) -> None:
    file = config(tmp_path, toml(name="errors", type="errors", threshold=3, window="1min", quiet="1h", webhook=hook(receiver)))
    with Daemon(config=file) as daemon:
        daemon.send([error(1), {"level": "INFO", "message": "fine"}, error(2)])
        wait_until(lambda: len(daemon.recent()) == 3)
        assert receiver.got == []
        daemon.send([error(n) for n in range(3, 20)])
        [body] = wait_until(receiver.delivered)
        assert body["alert"] == "errors" and body["matched"] == 3 and body["threshold"] == 3
        assert "3 records within 1 min (type=errors)" in body["text"]
        assert "record" not in body, "what the app logged stays here unless it is asked for"
        assert receiver.headers[0]["content-type"] == "application/json"
        [fired] = wait_until(lambda: events(daemon))
        assert fired["event"] == "alert_fired" and fired["alert"] == "errors"
        assert fired["webhook"] == f"http://127.0.0.1:{receiver.port}", "the path may be a secret"
        kept = {r["livelog_id"]: r for r in daemon.recent(ids="true")}
        assert kept[fired["first_id"]]["message"] == "it broke 1" and kept[fired["last_id"]]["message"] == "it broke 3"
        time.sleep(0.2)
        assert len(receiver.got) == 1
        metrics = daemon.get("/metrics").body.decode()
        assert "livelogd_alerts_fired_total 1\n" in metrics
        assert 'livelogd_alert_messages_total{outcome="delivered"} 1\n' in metrics


def test_a_receiver_that_fails_and_hangs_gets_it_when_it_recovers(tmp_path: Path, receiver: Receiver) -> None:
    """Meanwhile records are taken as ever."""
    receiver.answers = [503, 0]
    file = config(tmp_path, toml(name="e", type="errors", quiet="0s", webhook=hook(receiver), timeout="300ms"))
    with Daemon(config=file) as daemon:
        daemon.send([error(1)])
        wait_until(lambda: len(receiver.got) == 2, 15, "the second attempt, which hangs")
        began = time.monotonic()
        daemon.send([{"n": n} for n in range(1000)])
        wait_until(lambda: len(daemon.stored_lines()) == 1002)
        assert time.monotonic() - began < 5
        [body] = wait_until(receiver.delivered, 15)
        assert body["last_id"] == body["first_id"]
        assert [status for status, _ in receiver.got] == [503, 0, 200]
        assert [e["event"] for e in events(daemon)] == ["alert_fired"]


def test_a_receiver_that_refuses_is_told_of_in_the_log(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [404]
    file = config(tmp_path, toml(name="e", q="message:*broke", quiet="0s", webhook=hook(receiver)))
    with Daemon(config=file) as daemon:
        daemon.send([{"message": "it broke"}])
        wait_until(lambda: len(events(daemon)) == 2)
        told = events(daemon)[1]
        assert told["event"] == "alert_undelivered" and told["reason"] == "the answer was 404"
        assert "secret" not in json.dumps(told)
        assert 'livelogd_alert_messages_total{outcome="undelivered"} 1\n' in daemon.get("/metrics").body.decode()


def test_alerts_about_alerts_do_not_go_round(tmp_path: Path) -> None:
    """The record of a firing is a WARNING itself; without a webhook it is all there is."""
    file = config(tmp_path, toml(name="warnings", level="WARNING", quiet="0s"))
    with Daemon(config=file) as daemon:
        daemon.send([{"level": "WARNING", "message": "one"}])
        wait_until(lambda: len(events(daemon)) == 1)
        time.sleep(0.2)
        assert len(events(daemon)) == 1 and len(daemon.stored_lines()) == 2


def test_the_record_goes_along_if_it_is_wanted(tmp_path: Path, receiver: Receiver) -> None:
    file = config(tmp_path, toml(name="e", search="Needle", webhook=hook(receiver), include_record=True))
    with Daemon(config=file) as daemon:
        daemon.send([b'{"timestamp":"t","message":"a needle","n":1e999,"long":"' + b"x" * 5000 + b'"}\n'])
        wait_until(receiver.delivered)
        assert receiver.got[0][1]["record"]["message"] == "a needle"
        assert len(json.dumps(receiver.got[0][1])) < 2500


def test_rules_are_reloaded(tmp_path: Path, receiver: Receiver) -> None:
    """A rule that stays keeps what it has counted."""
    kept = toml(name="kept", search="kept", threshold=2, webhook=hook(receiver))
    file = config(tmp_path, kept)
    with Daemon(config=file) as daemon:
        daemon.send([{"message": "kept"}, {"message": "fresh"}])
        wait_until(lambda: len(daemon.recent()) == 2)
        config(tmp_path, kept, toml(name="fresh", search="fresh", webhook=hook(receiver)))
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: "configuration reloaded" in daemon.stderr)
        daemon.send([{"message": "kept"}, {"message": "fresh"}])
        wait_until(lambda: len(receiver.delivered()) == 2)
        assert sorted(body["alert"] for body in receiver.delivered()) == ["fresh", "kept"]
        assert all(body["matched"] == body["threshold"] for body in receiver.delivered())


def test_what_is_not_told_before_the_end_is_said(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [500]
    file = config(tmp_path, toml(name="e", search="x", quiet="0s", webhook=hook(receiver)))
    with Daemon(config=file) as daemon:
        daemon.send([{"message": "x"}, {"message": "x"}])
        wait_until(lambda: len(receiver.got) == 1)  # the next attempt comes after a second
        daemon.signal(signal.SIGTERM)
        said = daemon.wait()
        assert said.count("could not be told") == 2 and "the daemon stops" in said
        assert len(receiver.got) == 1


def test_a_receiver_that_hangs_does_not_hold_up_the_end(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [0]
    file = config(tmp_path, toml(name="e", search="x", webhook=hook(receiver), timeout="1min"))
    with Daemon(config=file) as daemon:
        daemon.send([{"message": "x"}])
        wait_until(lambda: len(receiver.got) == 1)
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        assert time.monotonic() - began < 5


def test_certificates_are_checked(tmp_path: Path) -> None:
    """Told only to a receiver whose certificate an authority has signed that the system trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver = Receiver(tls=context)
    try:
        by_name = f"https://localhost:{receiver.port}/"
        by_number = f"https://127.0.0.1:{receiver.port}/"
        file = config(
            tmp_path,
            toml(name="good", search="x", webhook=by_name),
            toml(name="wrong name", search="x", webhook=by_number),
        )
        with Daemon(config=file, environment={"SSL_CERT_FILE": str(certificate)}) as daemon:
            daemon.send([{"message": "x"}])
            wait_until(receiver.delivered)
            time.sleep(0.2)
            assert [body["alert"] for body in receiver.delivered()] == ["good"]
        with Daemon(config=file) as daemon:
            daemon.send([{"message": "x"}])
            wait_until(lambda: len(events(daemon)) == 2)
            time.sleep(0.3)
        assert len(receiver.got) == 1, "nobody who cannot prove who he is hears of it"
    finally:
        receiver.close()


@pytest.mark.parametrize(
    ("table", "place", "words"),
    [
        (toml(type="errors"), "livelogd.toml:1: alert", "name: must have 1 to 100 characters"),
        (toml(name="a", threshold=0), "livelogd.toml:3: alert.threshold", "from 1 to 100000"),
        (toml(name="a", window="soon"), "livelogd.toml:3: alert.window", "such as 500ms"),
        (toml(name="a", webhook="ftp://x"), "livelogd.toml:3: alert.webhook", "neither http:// nor https://"),
        (toml(name="a", q="status:("), "livelogd.toml:3: alert.q", "("),
        (toml(name="a", since="1h"), "livelogd.toml:3: alert.since", "there is no such key"),
        (toml(name="a") + toml(name="a"), "livelogd.toml:4: alert.name", "another alert has the name 'a'"),
        ('alert = "x"\n', "livelogd.toml:1: alert", "[[alert]]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, table: str, place: str, words: str) -> None:
    done = run_livelogd("--config", str(config(tmp_path, table)), "--check-config")
    assert done.returncode == 78
    assert place in done.stderr and words in done.stderr


def test_printed_rules_are_read_again(tmp_path: Path) -> None:
    table = toml(name='with "quotes"', type=["errors", "api"], q="a -b", threshold=7, window="90s", webhook="http://[::1]:1/")
    first = run_livelogd("--config", str(config(tmp_path, table)), "--print-config").stdout
    assert first.count("\n[[alert]]\n") == 1
    again = run_livelogd("--config", str(config(tmp_path, first)), "--print-config").stdout
    assert first == again
