# SPDX-License-Identifier: MIT
"""Signing in and live streams through the proxies that docs/proxies.md shows, with the very files it names."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from livelogd_daemon import Daemon, wait_until
from proxy import FRONTS, Front, llm_app

LOGS = "/api/v1/logs"
TOKEN = "correct-horse-battery-staple"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Place(NamedTuple):
    kind: str
    daemon: Daemon
    front: Front


@pytest.fixture(scope="module", params=list(FRONTS))
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("proxy")
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    hosts = ["logs.example", "app.example"]
    with Daemon(auth_token_file=token, allowed_hosts=hosts) as daemon, llm_app() as app:
        with FRONTS[request.param](daemon, app, folder) as front:
            yield Place(request.param, daemon, front)


class Got(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(
    front: Front, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", body: str | None = None
) -> Got:
    connection = front.connect()
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Got(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Events:
    """A stream as it comes out of the proxy."""

    def __init__(self, front: Front, headers: Mapping[str, str], query: str = "") -> None:
        self._connection = front.connect()
        self._connection.request("GET", f"{LOGS}/stream{query}", headers={"Accept": "text/event-stream", **headers})
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def record(self) -> tuple[int, Any]:
        """The next record and its id; other events are passed over."""
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            name, found, value = line.rstrip("\n").partition(": ")
            if found:
                fields[name] = value
            elif "data" in fields and "event" not in fields:
                return int(fields["id"]), json.loads(fields["data"])
            else:
                fields = {}


def sign_in(front: Front, address: str = f"{LOGS}/sign-in", headers: Mapping[str, str] | None = None, token: str = TOKEN) -> Got:
    own = {"Content-Type": "application/x-www-form-urlencoded", "Origin": front.origin}
    return ask(front, address, {**own, **(headers or {})}, method="POST", body=urllib.parse.urlencode({"token": token}))


def test_a_browser_signs_in(place: Place) -> None:
    front = place.front
    sent = ask(front, LOGS, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"})
    assert sent.status == 303
    address = urllib.parse.urljoin(front.origin + LOGS, sent.headers["Location"])
    assert address == f"{front.origin}{LOGS}/sign-in"
    assert b"<form" in ask(front, f"{LOGS}/sign-in").body

    done = sign_in(front)
    assert done.status == 303
    assert urllib.parse.urljoin(address, done.headers["Location"]) == front.origin + LOGS
    cookie, *attributes = done.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert ("Secure" in attributes) == cookie.startswith("__Host-") == (front.certificate is not None)
    viewer = ask(front, LOGS, {"Cookie": cookie})
    assert viewer.status == 200 and b"viewer.js" in viewer.body
    assert ask(front, f"{LOGS}/assets/viewer.js", {"Cookie": cookie}).status == 200
    assert ask(front, f"{LOGS}/recent").status == 401

    out = ask(front, f"{LOGS}/sign-out", {"Cookie": cookie, "Origin": front.origin, "Content-Length": "0"}, method="POST")
    assert out.status == 303 and ask(front, LOGS, {"Cookie": cookie}).status == 401


def test_tls_is_known_without_an_origin_too(place: Place) -> None:
    # As curl sends a form.
    connection = place.front.connect()
    body = urllib.parse.urlencode({"token": TOKEN})
    connection.request("POST", f"{LOGS}/sign-in", body, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    assert ("Secure" in (answer.headers["Set-Cookie"] or "")) == (place.front.certificate is not None)
    connection.close()


def test_forms_of_other_pages_are_refused(place: Place) -> None:
    for origin in ("https://evil.example", "null", "http://localhost:3000"):
        assert sign_in(place.front, headers={"Origin": origin}).status == 403


def test_records_arrive_when_they_are_sent(place: Place) -> None:
    with Events(place.front, BEARER) as stream:
        assert stream.answer.headers["Content-Type"] == "text/event-stream"
        for n in range(5):
            place.daemon.send([{"n": n}])
            sent = time.monotonic()
            assert stream.record()[1]["n"] == n
            # A proxy that buffers would hold them until it has some KiB, or for ever.
            assert time.monotonic() - sent < 5


def test_a_stream_is_resumed_where_it_was(place: Place) -> None:
    with Events(place.front, BEARER) as stream:
        place.daemon.send([{"r": n} for n in range(10)])
        seen = [stream.record() for _ in range(4)]
    place.daemon.send([{"r": n} for n in range(10, 15)])
    with Events(place.front, {**BEARER, "Last-Event-ID": str(seen[-1][0])}) as resumed:
        seen += [resumed.record() for _ in range(11)]
    assert [record["r"] for _, record in seen] == list(range(15))
    assert len({number for number, _ in seen}) == 15


def test_who_goes_is_let_go(place: Place) -> None:
    def streams() -> int:
        text = place.daemon.get("/metrics", headers=BEARER).body.decode()
        return int(text.partition("\nlivelogd_streams ")[2].split("\n")[0])

    wait_until(lambda: streams() == 0, what="earlier streams are gone")
    with Events(place.front, BEARER):
        wait_until(lambda: streams() == 1, what="the stream is counted")
    wait_until(lambda: streams() == 0, what="the proxy has told that its client is gone")


def test_guesses_are_counted_by_client_whatever_it_says_of_itself(place: Place) -> None:
    statuses = []
    for n in range(11):
        headers = {"X-Forwarded-For": f"9.9.9.{n}", "Authorization": f"Bearer guess-{n:016}"}
        statuses.append(ask(place.front, f"{LOGS}/recent", headers).status)
    if place.kind == "ssh":
        # A tunnel adds nothing: who can open one is a user of the machine, and believed like its proxies.
        assert statuses == [401] * 11
    else:
        assert statuses == [401] * 10 + [429]
        # Through the proxy, that is: others go on.
        own = {**BEARER, "X-Forwarded-For": "10.0.0.1"}
        assert place.daemon.get(f"{LOGS}/recent", headers=own).status == 200


def test_the_app_is_beside_it(place: Place) -> None:
    if not place.kind.endswith("beside-app"):
        pytest.skip("there is no app behind this one")
    for path in ("/", "/api/v1/models", "/api/v1/logsomething", "/healthz"):
        assert ask(place.front, path).body == f"the app at {path}".encode()
