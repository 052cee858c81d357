# SPDX-License-Identifier: MIT
"""Who may ask: Host names, other sites, CORS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from livelogd_daemon import Daemon, run_livelogd
from raw_http import RawAnswer, ask, get

LOGS = "/api/v1/logs"
PATHS = [LOGS, f"{LOGS}/recent", f"{LOGS}/stats", f"{LOGS}/stream", "/healthz", "/"]


@pytest.fixture(scope="module")
def plain() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon


@pytest.fixture(scope="module")
def opened() -> Iterator[Daemon]:
    with Daemon(
        allowed_hosts=["logs.example", "Box.Local"],
        cors_allowed_origins=["https://app.example", "http://localhost:3000"],
    ) as daemon:
        yield daemon


def head(daemon: Daemon, path: str, host: str = "localhost", **fields: str) -> RawAnswer:
    # HEAD: the stream's answer ends too. What is allowed does not depend on the method.
    return get(daemon, path, "HEAD", host, **fields)


# --- Host ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost:{port}", "127.0.0.1", "127.0.0.1:{port}", "127.8.9.10", "[::1]", "[::1]:{port}", "localhost.", "localhost:80"],
)  # fmt: skip
def test_own_names(plain: Daemon, host: str) -> None:
    for path in PATHS:
        assert head(plain, path, host.format(port=plain.port)).status < 400, path


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "192.168.1.5:{port}",
     "0.0.0.0", "[::]", "[::2]", "127.0.0.256", "127.1.evil", "xlocalhost", "logs.example", "localhost@evil.example", "[::1", "::1", "localhost:x",
     "local host", "evil.example/localhost"],
)  # fmt: skip
def test_other_names(plain: Daemon, host: str) -> None:
    for path in PATHS:
        answer = get(plain, path, host=host.format(port=plain.port))
        assert answer.status in (400, 403), path
        # A name that is well formed is refused as such.
        if not set(host) & set("@/ ") and host not in ("[::1", "::1", "localhost:x"):
            assert answer.status == 403
        assert answer.json()["error"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_empty_host(plain: Daemon) -> None:
    answer = ask(plain, b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n")
    assert answer is not None and answer.status in (400, 403)


@pytest.mark.parametrize("host", ["logs.example", "LOGS.example:8080", "box.local", "localhost"])
def test_allowed_names(opened: Daemon, host: str) -> None:
    assert head(opened, LOGS, host).status == 200


def test_a_name_in_the_target_counts(plain: Daemon) -> None:
    answer = get(plain, f"http://evil.example{LOGS}/recent")
    assert answer.status in (400, 403)


# --- Sec-Fetch-Site -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_own_pages(plain: Daemon, site: str) -> None:
    for path in PATHS:
        assert head(plain, path, Sec_Fetch_Site=site).status < 400, path


def test_pages_of_other_sites(plain: Daemon) -> None:
    for path in PATHS:
        answer = get(plain, path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")
        assert answer.status == 403 and answer.json()["error"], path
        answer = get(plain, path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors", Origin="https://app.example")
        assert answer.status == 403, path


def test_a_link_to_the_viewer_works(plain: Daemon) -> None:
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert get(plain, LOGS, **link).status == 200
    for path in (f"{LOGS}/recent", f"{LOGS}/stats", f"{LOGS}/stream"):
        assert get(plain, path, **link).status == 403, path


def test_allowed_origins_may_reach_over(opened: Daemon) -> None:
    allowed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors", "Origin": "https://app.example"}
    for path in (f"{LOGS}/recent", f"{LOGS}/stats", f"{LOGS}/stream"):
        assert head(opened, path, **allowed).status == 200, path
        assert get(opened, path, **{**allowed, "Origin": "https://other.example"}).status == 403, path


# --- CORS ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3000", "null", "http://127.0.0.1:{port}"])
def test_no_cors_by_default(plain: Daemon, origin: str) -> None:
    for path in PATHS:
        answer = head(plain, path, Origin=origin.format(port=plain.port), Sec_Fetch_Site="same-site")
        assert not [name for name in answer.headers if name.startswith("access-control-")], path


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3000"])
def test_cors_for_configured_origins(opened: Daemon, origin: str) -> None:
    for path in (f"{LOGS}/recent", f"{LOGS}/stats", f"{LOGS}/stream", f"{LOGS}/recent?lines=x"):
        answer = head(opened, path, Origin=origin)
        assert answer.headers["access-control-allow-origin"] == origin, path
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.evil",
        "http://app.example",
        "https://app.example:444",
        "https://APP.example/",
        "null",
        "https://evil.app.example",
        "*",
    ],
)
def test_cors_is_exact(opened: Daemon, origin: str) -> None:
    for path in (f"{LOGS}/recent", f"{LOGS}/stream"):
        answer = get(opened, path, "HEAD", Origin=origin)
        assert "access-control-allow-origin" not in answer.headers


def test_vary_also_without_origin(opened: Daemon) -> None:
    # A cache must not hand the answer without the header to those who need it.
    assert "origin" in head(opened, f"{LOGS}/recent").headers["vary"].lower()


def test_preflight(opened: Daemon) -> None:
    asked = {"Origin": "https://app.example", "Access_Control_Request_Method": "GET"}
    answer = get(opened, f"{LOGS}/recent", "OPTIONS", **asked)
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers
    # The one header that a client of the stream sets itself.
    asked["Access_Control_Request_Headers"] = "last-event-id"
    answer = get(opened, f"{LOGS}/stream", "OPTIONS", **asked)
    assert "last-event-id" in answer.headers["access-control-allow-headers"].lower()
    refused = get(opened, f"{LOGS}/recent", "OPTIONS", **{**asked, "Origin": "https://evil.example"})
    assert not [name for name in refused.headers if name.startswith("access-control-allow")]


def test_any_origin_needs_a_clear_word() -> None:
    for origins in ("*", "null"):
        refused = run_livelogd("--check-config", f"--cors-allowed-origins={origins}")
        assert refused.returncode == 78 and "cors_allowed_origins" in refused.stderr, refused.stderr
    with Daemon(cors_allowed_origins="*", allow_unauthenticated=True) as daemon:
        answer = head(daemon, f"{LOGS}/recent", Origin="https://anybody.example")
        assert answer.headers["access-control-allow-origin"] in ("*", "https://anybody.example")
        assert "access-control-allow-credentials" not in answer.headers
        assert "access-control-allow-origin" not in head(daemon, f"{LOGS}/recent", Origin="null").headers or (
            head(daemon, f"{LOGS}/recent", Origin="null").headers["access-control-allow-origin"] == "*"
        )


@pytest.mark.parametrize(
    "origin", ["app.example", "https://app.example/", "https://app.example/path", "https://*.example", "ftp://x"]
)
def test_origins_that_are_none(origin: str) -> None:
    refused = run_livelogd("--check-config", f"--cors-allowed-origins={origin}")
    assert refused.returncode == 78 and "cors_allowed_origins" in refused.stderr, refused.stderr
