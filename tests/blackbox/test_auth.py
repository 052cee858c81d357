# SPDX-License-Identifier: MIT
"""The token, and signing in with it: what a program, a browser and an intruder get."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests  # type: ignore[import]
from exposition import parse
from livelogd_daemon import Answer, Daemon, run_livelogd, wait_until
from raw_http import RawConnection
from sse_client import Stream

LOGS = "/api/v1/logs"
TOKEN = "correct-horse-battery-staple"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
OTHER = "another-token-0123456789"
# Everything that there is, but for what anyone may have.
WANTED = [
    "/", LOGS, f"{LOGS}/", f"{LOGS}/recent", f"{LOGS}/stats", f"{LOGS}/requests", f"{LOGS}/records/1", f"{LOGS}/openapi.json",
    f"{LOGS}/assets/viewer.js", f"{LOGS}/assets/viewer.css", f"{LOGS}/stream", "/readyz", "/metrics", "/nowhere",
]  # fmt: skip
OPEN = ["/healthz", f"{LOGS}/sign-in", f"{LOGS}/sign-out", f"{LOGS}/session", f"{LOGS}/assets/sign_in.css", f"{LOGS}/assets/come_again.js"]
PAGE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Accept": "text/html"}


def token_file(folder: Path, token: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(f"{token}\n")
    path.chmod(mode)
    return path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Tests that try wrong tokens come from addresses of their own, so that they do not limit each other."""
    with Daemon(auth_token_file=token_file(tmp_path_factory.mktemp("auth"))) as daemon:
        daemon.send([{"n": 1}])
        wait_until(lambda: daemon.get(f"{LOGS}/recent", headers=BEARER).json())
        yield daemon


def reload(daemon: Daemon) -> None:
    told = daemon.stderr.count("configuration")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.stderr.count("configuration") > told)


def ask_from(daemon: Daemon, address: str, token: str, path: str = f"{LOGS}/recent") -> Answer:
    """With a token, from one of the many addresses of the loopback network."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10, source_address=(address, 0))
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def sign_in(daemon: Daemon, token: str = TOKEN, query: str = "", **fields: Any) -> requests.Response:
    """One form, with a jar of its own, not following where it leads."""
    return requests.post(
        f"{daemon.url}/sign-in{query}", data={"token": token}, allow_redirects=False, timeout=10, **fields
    )


def signed_in(daemon: Daemon) -> requests.Session:
    browser = requests.Session()
    answer = browser.post(f"{daemon.url}/sign-in", data={"token": TOKEN}, timeout=10, allow_redirects=False)
    assert answer.status_code == 303
    return browser


def cookie_of(browser: requests.Session) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)}


# --- who is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_everything_wants_the_token(guarded: Daemon, method: str) -> None:
    for path in WANTED:
        answer = guarded.get(path, method=method)
        assert answer.status == 401, path
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="livelogd"'
        assert answer.headers["Cache-Control"] == "no-store"
        if method != "HEAD":
            assert "Bearer" in answer.json()["error"], path


def test_what_anyone_may_have_tells_nothing_of_the_log(guarded: Daemon) -> None:
    for path in OPEN:
        answer = guarded.get(path)
        assert answer.status == 200, path
        assert b'"n"' not in answer.body and TOKEN.encode() not in answer.body
    assert guarded.get(f"{LOGS}/session").json() == {"required": True, "signed_in": False}


def test_the_token_lets_programs_in(guarded: Daemon) -> None:
    for path in WANTED:
        answer = guarded.get(path, headers=BEARER, method="HEAD")
        assert answer.status == {"/nowhere": 404, "/": 302, f"{LOGS}/": 302, f"{LOGS}/records/1": 404}.get(path, 200), path
    with Stream(guarded, "after=0", headers=BEARER) as stream:
        assert stream.status == 200 and stream.record().json()["n"] == 1


@pytest.mark.parametrize("value", [f"Basic {TOKEN}", TOKEN, f"Bearer{TOKEN}", "Bearer", "Bearer "])
def test_what_is_no_token_is_none(guarded: Daemon, value: str) -> None:
    assert guarded.get(f"{LOGS}/recent", headers={"Authorization": value}).status == 401
    assert guarded.get(f"{LOGS}/recent?token={TOKEN}").status == 401, "addresses end up in logs"


def test_pages_of_other_origins_may_bring_a_token(tmp_path: Path) -> None:
    with Daemon(auth_token_file=token_file(tmp_path), cors_allowed_origins="*") as daemon:
        origin = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
        before = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        allowed = daemon.get(f"{LOGS}/recent", method="OPTIONS", headers=before)
        assert allowed.status == 204
        assert "authorization" in allowed.headers["Access-Control-Allow-Headers"].lower()
        assert "Access-Control-Allow-Credentials" not in allowed.headers
        assert daemon.get(f"{LOGS}/recent", headers={**origin, **BEARER}).status == 200
        refused = daemon.get(f"{LOGS}/recent", headers=origin)
        # The page may read why.
        assert refused.status == 401 and refused.headers["Access-Control-Allow-Origin"] == "https://app.example"


# --- signing in ---------------------------------------------------------------------------------------------------


def test_a_browser_is_sent_to_the_sign_in_and_back(guarded: Daemon) -> None:
    asked = f"{LOGS}/recent?lines=1&q=n%3A1"
    browser = requests.Session()
    page = browser.get(guarded.base_url + asked, headers=PAGE, timeout=10)
    assert page.status_code == 200 and [step.status_code for step in page.history] == [303]
    assert page.url.startswith(f"{guarded.url}/sign-in?next=") and "<form" in page.text
    back = browser.post(page.url, data={"token": f"  {TOKEN}\n"}, headers={"Origin": guarded.base_url}, timeout=10)
    assert back.status_code == 200 and back.json()[0]["n"] == 1
    assert back.request.url == guarded.base_url + asked
    assert browser.get(f"{guarded.url}/session", timeout=10).json() == {"required": True, "signed_in": True}
    # Who is signed in is not asked again.
    again = browser.get(f"{guarded.url}/sign-in", timeout=10)
    assert again.url == guarded.url and "viewer.js" in again.text


@pytest.mark.parametrize("path", ["/", LOGS, f"{LOGS}/"])
def test_the_way_to_the_viewer_leads_over_the_sign_in(guarded: Daemon, path: str) -> None:
    browser = requests.Session()
    page = browser.get(guarded.base_url + path, headers=PAGE, timeout=10)
    assert page.url == f"{guarded.url}/sign-in"
    assert browser.post(page.url, data={"token": TOKEN}, timeout=10).url == guarded.url


def test_the_page_is_strict_and_needs_no_script(guarded: Daemon) -> None:
    for path in (f"{LOGS}/sign-in", f"{LOGS}/sign-out"):
        page = guarded.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "script-src" not in policy and b"<script" not in page.body
        # "no-referrer" would make browsers send "Origin: null" with the form.
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cache-Control"] == "no-store"
    assert guarded.get(f"{LOGS}/sign-in?next=%3Cscript%3E").body == guarded.get(f"{LOGS}/sign-in").body


@pytest.mark.parametrize(
    "next_",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/app", f"{LOGS}/../../../app", "javascript:alert(1)",
     f"{LOGS}/%0d%0aX:y", f"{LOGS}//evil.example", ""],
)  # fmt: skip
def test_it_leads_nowhere_else(guarded: Daemon, next_: str) -> None:
    answer = sign_in(guarded, query="?next=" + requests.utils.quote(next_, safe=""))
    assert answer.status_code == 303 and answer.headers["Location"] == "../../../api/v1/logs"
    assert "X" not in answer.headers


def test_the_cookie(guarded: Daemon) -> None:
    set_cookie = sign_in(guarded).headers["Set-Cookie"]
    name, _, rest = set_cookie.partition("=")
    value, *attributes = rest.split("; ")
    assert name == f"livelogd-{guarded.port}"
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", value)
    assert attributes == ["Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Strict"]
    assert value not in sign_in(guarded).headers["Set-Cookie"]


def test_through_tls_the_cookie_is_for_tls_alone(guarded: Daemon) -> None:
    for headers in (
        {"X-Forwarded-Proto": "https"},
        {"Origin": f"https://127.0.0.1:{guarded.port}", "Sec-Fetch-Site": "same-origin"},
    ):
        set_cookie = sign_in(guarded, headers=headers).headers["Set-Cookie"]
        assert set_cookie.startswith(f"__Host-livelogd-{guarded.port}=") and set_cookie.endswith("; Secure")
        cookie = set_cookie.partition(";")[0]
        assert guarded.get(f"{LOGS}/recent", headers={"Cookie": cookie}).status == 200
    assert "Secure" not in sign_in(guarded, headers={"X-Forwarded-Proto": "http"}).headers["Set-Cookie"]


def test_who_is_not_trusted_is_not_believed(tmp_path: Path) -> None:
    with Daemon(auth_token_file=token_file(tmp_path), trusted_proxies="10.0.0.1") as daemon:
        assert "Secure" not in sign_in(daemon, headers={"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]


def test_signing_out_ends_the_session_and_its_streams(guarded: Daemon) -> None:
    browser, other = signed_in(guarded), signed_in(guarded)
    cookie = cookie_of(browser)
    with Stream(guarded, headers=cookie) as stream, Stream(guarded, headers=cookie_of(other)) as stays:
        out = browser.post(f"{guarded.url}/sign-out", timeout=10, allow_redirects=False)
        assert out.status_code == 303 and out.headers["Location"] == "sign-in"
        assert "Max-Age=0" in out.headers["Set-Cookie"]
        assert stream.event("bye").json() == {"reason": "signed out"}
        assert stream.rest() == []
        guarded.send([{"n": 1, "after": "sign-out"}])
        assert stays.record().json()["after"] == "sign-out"
    assert guarded.get(f"{LOGS}/recent", headers=cookie).status == 401
    assert not browser.cookies


def test_two_daemons_of_one_host_do_not_sign_each_other_out(guarded: Daemon, tmp_path: Path) -> None:
    # Cookies do not know ports.
    with Daemon(auth_token_file=token_file(tmp_path)) as second:
        jar = cookie_of(signed_in(guarded))["Cookie"] + "; " + cookie_of(signed_in(second))["Cookie"]
        for daemon in (guarded, second):
            assert daemon.get(f"{LOGS}/recent", headers={"Cookie": jar}).status == 200


def test_a_cookie_that_somebody_has_planted_does_no_harm(guarded: Daemon) -> None:
    name = f"livelogd-{guarded.port}"
    own = cookie_of(signed_in(guarded))["Cookie"]
    assert guarded.get(f"{LOGS}/recent", headers={"Cookie": f"{name}=planted; {own}"}).status == 200
    assert guarded.get(f"{LOGS}/recent", headers={"Cookie": f"{name}=planted; {name}="}).status == 401


def test_sessions_end_by_themselves(tmp_path: Path) -> None:
    path = token_file(tmp_path)
    with Daemon(auth_token_file=path, session_ttl="1s") as daemon:
        begun = time.monotonic()
        cookie = cookie_of(signed_in(daemon))
        status = daemon.get(f"{LOGS}/recent", headers=cookie).status
        assert status == 200 or time.monotonic() - begun > 1
        # Each look uses it, and it ends all the same.
        wait_until(lambda: daemon.get(f"{LOGS}/recent", headers=cookie).status == 401, what="the session is over")
        assert time.monotonic() - begun > 0.9
    with Daemon(auth_token_file=path, session_idle_timeout="1s") as daemon:
        cookie = cookie_of(signed_in(daemon))
        time.sleep(1.05)
        assert daemon.get(f"{LOGS}/recent", headers=cookie).status == 401


# --- forms --------------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_told(guarded: Daemon) -> None:
    answer = sign_in(guarded, "wrong-token-0123456789", headers={"X-Forwarded-For": "10.1.0.1"})
    assert answer.status_code == 401 and "That is not the token." in answer.text
    assert "Set-Cookie" not in answer.headers and "wrong-token" not in answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    missing = sign_in(guarded, "")
    assert missing.status_code == 400 and "missing" in missing.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_forms_of_other_pages_are_refused(guarded: Daemon, headers: dict[str, str]) -> None:
    browser = signed_in(guarded)
    for path in ("sign-in", "sign-out"):
        answer = browser.post(
            f"{guarded.url}/{path}", data={"token": TOKEN}, headers=headers, timeout=10, allow_redirects=False
        )
        assert answer.status_code == 403 and answer.json()["error"]
    assert browser.get(f"{guarded.url}/session", timeout=10).json()["signed_in"] is True


def form(body: bytes, *fields: str) -> bytes:
    head = [f"POST {LOGS}/sign-in HTTP/1.1", "Host: localhost", "Content-Type: application/x-www-form-urlencoded", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def test_forms_arrive_in_any_pieces_and_the_connection_goes_on(guarded: Daemon) -> None:
    body = f"token={TOKEN}".encode()
    request = form(body, f"Content-Length: {len(body)}")
    after = f"GET {LOGS}/session HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with RawConnection(guarded) as connection:
        connection.send(request + request + after)
        answers = [connection.answer() for _ in range(3)]
        assert [answer and answer.status for answer in answers] == [303, 303, 200]
        for at in (10, len(request) - len(body), len(request) - 1):
            connection.send(request[:at])
            time.sleep(0.02)
            connection.send(request[at:])
            answer = connection.answer()
            assert answer and answer.status == 303


def test_a_client_that_asks_first_is_told_to_go_on(guarded: Daemon) -> None:
    body = f"token={TOKEN}".encode()
    with RawConnection(guarded) as connection:
        connection.send(form(b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert connection.socket.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(body)
        answer = connection.answer()
        assert answer and answer.status == 303


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (form(b"", "Content-Length: 4097"), 413),
        (form(b"", "Content-Length: 18446744073709551615"), 413),
        (form(b"", "Content-Length: 99999999999999999999999"), 400),
        (form(b"5\r\ntoken\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 411),
        (form(b"token=a%", "Content-Length: 8"), 400),
        (form(b"token=%00", "Content-Length: 9"), 400),
        (form(b"", "Content-Length: 0"), 400),
        (form(b"\xff\xff", "Content-Length: 2"), 400),
        (form(b"token=x", "Content-Length: 7").replace(b"x-www-form-urlencoded", b"json"), 415),
        (form(b"token=x", "Content-Length: 7").replace(b"sign-in", b"recent"), 401),
    ],
)
def test_forms_that_cannot_be_read(guarded: Daemon, request_bytes: bytes, status: int) -> None:
    with RawConnection(guarded) as connection:
        connection.send(request_bytes)
        answer = connection.answer()
        assert answer and answer.status == status
        if status in (411, 413):
            assert answer.closes


def test_a_form_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with Daemon(auth_token_file=token_file(tmp_path), header_timeout="300ms") as daemon:
        with RawConnection(daemon) as connection:
            connection.send(form(b"tok", "Content-Length: 30"))
            answer = connection.answer()
            assert answer and answer.status == 408 and answer.closes


# --- guessing -----------------------------------------------------------------------------------------------------


def test_guesses_are_limited_and_keep_nobody_else_out(guarded: Daemon) -> None:
    for n in range(10):
        assert ask_from(guarded, "127.0.1.1", f"guess-{n:016}").status == 401
    limited = ask_from(guarded, "127.0.1.1", "guess-once-more-0123")
    assert limited.status == 429 and 1 <= int(limited.headers["Retry-After"]) <= 6
    assert limited.json()["error"]
    assert ask_from(guarded, "127.0.1.1", TOKEN).status == 429, "the next guess could be right"
    assert ask_from(guarded, "127.0.1.2", TOKEN).status == 200
    told = [line for line in guarded.stderr.splitlines() if "127.0.1.1" in line]
    assert 1 <= len(told) <= 5 and "guess" not in "".join(told)


def test_an_old_token_that_is_tried_again_and_again_is_no_guessing(guarded: Daemon) -> None:
    for _ in range(30):
        assert ask_from(guarded, "127.0.2.1", "yesterday-0123456789").status == 401
    assert ask_from(guarded, "127.0.2.1", TOKEN).status == 200


def test_behind_a_proxy_each_client_has_its_own_tries(guarded: Daemon) -> None:
    for n in range(11):
        headers = {"X-Forwarded-For": "6.6.6.6, 10.3.0.1", "Authorization": f"Bearer guess-{n:016}"}
        refused = guarded.get(f"{LOGS}/recent", headers=headers)
    assert refused.status == 429
    for client in ("10.3.0.2", "6.6.6.6"):
        assert guarded.get(f"{LOGS}/recent", headers={"X-Forwarded-For": client, **BEARER}).status == 200
    page = sign_in(guarded, headers={"X-Forwarded-For": "10.3.0.1"})
    assert page.status_code == 429 and page.headers["Retry-After"] and "Try again in" in page.text


def test_it_is_counted(guarded: Daemon) -> None:
    def counts() -> dict[str, float]:
        families = parse(guarded.get("/metrics", headers=BEARER).body.decode())
        refused = families["livelogd_http_refused_requests_total"].samples
        found = {dict(labels)["reason"]: value for (_, labels), value in refused.items()}
        for name in ("sessions", "sign_ins_total"):
            found[name] = families[f"livelogd_http_{name}"].samples[(f"livelogd_http_{name}", ())]
        return found

    before = counts()
    assert set(before) - {"sessions", "sign_ins_total"} == {
        "host", "cross_site", "form_origin", "no_token", "wrong_token", "too_many_tries",
    }  # fmt: skip
    guarded.get(f"{LOGS}/recent")
    guarded.get("/healthz", headers={"Host": "evil.example"})
    guarded.get(f"{LOGS}/recent", headers={"Sec-Fetch-Site": "cross-site"})
    sign_in(guarded, headers={"Origin": "null"})
    for n in range(11):
        ask_from(guarded, "127.0.4.1", f"guess-{n:016}")
    browser = signed_in(guarded)
    after = counts()
    rise = {name: after[name] - before[name] for name in before}
    assert rise == {
        "host": 1, "cross_site": 1, "form_origin": 1, "no_token": 1, "wrong_token": 10, "too_many_tries": 1, "sessions": 1,
        "sign_ins_total": 1,
    }  # fmt: skip
    browser.post(f"{guarded.url}/sign-out", timeout=10)
    assert counts()["sessions"] == before["sessions"]


# --- the token's file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, mode, told",
    [
        (TOKEN, 0o644, "chmod o-rw"),
        (TOKEN, 0o602, "chmod o-rw"),
        ("", 0o600, "is empty"),
        ("short", 0o600, "at least 16"),
        (f"{TOKEN} {TOKEN}", 0o600, "one token on one line"),
        ("schlüssel-schlüssel", 0o600, "visible ASCII"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, mode: int, told: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    for arguments in (["--check-config"], [f"--log-dir={tmp_path / 'logs'}", f"--socket={tmp_path / 's'}", "--listen=127.0.0.1:0"]):
        done = run_livelogd(f"--auth-token-file={path}", *arguments)
        assert done.returncode == 78, done
        assert str(path) in done.stderr and told in done.stderr and "auth_token_file" in done.stderr
        assert text == "" or text not in done.stderr.replace(str(path), "")
        assert not (tmp_path / "logs").exists(), "nothing was begun"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, told in ((tmp_path / "missing", "cannot be opened"), (tmp_path, "no regular file"), (tmp_path / "pipe", "no regular file")):
        done = run_livelogd(f"--auth-token-file={path}", "--check-config", timeout=10)
        assert done.returncode == 78 and str(path) in done.stderr and told in done.stderr


def test_with_a_token_other_machines_may_ask(tmp_path: Path) -> None:
    path = token_file(tmp_path)
    for option in ("--listen=0.0.0.0:0", "--cors-allowed-origins=*"):
        refused = run_livelogd("--check-config", option)
        assert refused.returncode == 78 and "auth_token_file" in refused.stderr
        assert run_livelogd("--check-config", option, f"--auth-token-file={path}").returncode == 0


def test_a_new_token_puts_everybody_out(tmp_path: Path) -> None:
    path = token_file(tmp_path)
    with Daemon(auth_token_file=path) as daemon:
        cookie = cookie_of(signed_in(daemon))
        with Stream(daemon, headers=BEARER) as by_token, Stream(daemon, headers=cookie) as by_session:
            reload(daemon)
            daemon.send([{"n": 1}])
            for stream in (by_token, by_session):
                assert stream.record().json()["n"] == 1, "the same token: nothing happens"
            path.write_text(OTHER)
            reload(daemon)
            for stream in (by_token, by_session):
                bye = stream.event("bye")
                assert bye.json() == {"reason": "signed out"} and bye.id
                assert stream.rest() == []
        assert daemon.get(f"{LOGS}/recent", headers=BEARER).status == 401
        assert daemon.get(f"{LOGS}/recent", headers=cookie).status == 401
        fresh = {"Authorization": f"Bearer {OTHER}"}
        with Stream(daemon, f"after={bye.id}", headers=fresh) as resumed:
            daemon.send([{"n": 2}])
            assert resumed.record().json()["n"] == 2

        # A file that cannot be used keeps the token that is.
        path.write_text("short")
        reload(daemon)
        assert "the configuration stays as it was" in daemon.stderr and str(path) in daemon.stderr
        assert daemon.get(f"{LOGS}/recent", headers=fresh).status == 200
        assert daemon.get(f"{LOGS}/recent", headers={"Authorization": "Bearer short"}).status == 401


def test_a_reload_does_not_open_what_only_a_restart_would_close(tmp_path: Path) -> None:
    file = tmp_path / "livelogd.toml"
    file.write_text("")
    with Daemon(config=file) as daemon:
        file.write_text(f'auth_token_file = "{token_file(tmp_path)}"\ncors_allowed_origins = ["*"]\n')
        reload(daemon)
        assert "the configuration stays as it was" in daemon.stderr
        answer = daemon.get(f"{LOGS}/recent", headers={"Origin": "https://evil.example"})
        assert answer.status == 200 and "Access-Control-Allow-Origin" not in answer.headers


# --- Unix sockets -------------------------------------------------------------------------------------------------


def unix_status(path: Path, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    try:
        connection.request("GET", f"{LOGS}/recent", headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def test_unix_sockets_ask_too_unless_told_not_to(tmp_path: Path) -> None:
    local = Path(f"/tmp/livelogd-auth-{os.getpid()}.sock")
    listen = ["127.0.0.1:0", f"unix:{local}"]
    with Daemon(auth_token_file=token_file(tmp_path), listen=listen) as daemon:
        assert unix_status(local) == 401 and unix_status(local, BEARER) == 200
    with Daemon(auth_token_file=token_file(tmp_path), listen=listen, auth_unix_sockets=False, socket_mode="0600") as daemon:
        assert unix_status(local) == 200
        assert local.stat().st_mode & 0o777 == 0o600
        assert daemon.get(f"{LOGS}/recent").status == 401
    Path(f"{local}.lock").unlink()


def test_who_sends_is_told_but_not_for_every_connection(daemon: Daemon) -> None:
    own = f"a sender has connected: uid {os.getuid()}, pid {os.getpid()}"
    for _ in range(50):
        daemon.connect().close()
    wait_until(lambda: own in daemon.stderr)
    families = parse(daemon.get("/metrics").body.decode())
    name = "livelogd_ingest_other_users_connections_total"
    assert families[name].samples[(name, ())] == 0
    assert daemon.stderr.count("a sender has connected") <= 3
