# SPDX-License-Identifier: MIT
"""Records are shown as text, whatever is in them. (The console is checked for policy violations after each test.)"""

from __future__ import annotations

import json
from typing import Any

import pytest
from livelogd_daemon import Daemon, wait_until
from selenium.common.exceptions import NoAlertPresentException
from viewer_page import ViewerPage

PAYLOADS = [
    "<script>window.hit=1;alert(1)</script>",
    "<img src=x onerror='window.hit=1;alert(1)'>",
    "\"><svg/onload=window.hit=1>",
    "<style>*{display:none}</style><iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "javascript:window.hit=1",
    "</pre></div><a href='javascript:alert(1)'>x</a>",
    "{{constructor.constructor('window.hit=1')()}} ${window.hit=1} __proto__",
    "level-error\" onmouseover=\"window.hit=1",
]
FIELDS = [
    "timestamp", "level", "message", "module", "type", "request_id", "method", "url", "endpoint", "remote_addr",
    "user_agent", "content_type", "status_code", "duration_ms", "response_body", "__proto__", "constructor", "toString",
]  # fmt: skip

TAGS = "return [...new Set([...document.querySelectorAll('#rows *')].map((element) => element.tagName))].sort()"
OUTSIDE = "return [...document.querySelectorAll('body *:not(#rows *)')].map((element) => element.tagName).join()"


def no_alert(page: ViewerPage) -> bool:
    try:
        page.driver.switch_to.alert.dismiss()
    except NoAlertPresentException:
        return True
    return False


def test_markup_in_every_field_stays_text(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    page.run("window.hit = 0")
    outside = page.run(OUTSIDE)
    records: list[dict[str, Any]] = [{field: payload} for payload in PAYLOADS for field in FIELDS]
    records += [{payload: {payload: [payload]}} for payload in PAYLOADS]
    records += [{field: payload for field in FIELDS} for payload in PAYLOADS]
    daemon.send([json.dumps(record) for record in records])
    daemon.send([payload for payload in PAYLOADS if "\n" not in payload])  # malformed lines quote what they were
    expected = len(records) + len(PAYLOADS)
    page.wait_count(expected)
    wait_until(lambda: page.row_count() == expected)
    page.run("document.querySelectorAll('#rows .row').forEach((row) => row.click())")
    wait_until(lambda: len(page.details()) == expected)
    page.run("document.querySelectorAll('#rows *').forEach((e) => e.dispatchEvent(new MouseEvent('mouseover')))")

    assert page.run(TAGS) == ["DIV", "P", "PRE", "SPAN"]
    assert page.run(OUTSIDE) == outside
    attributes = page.run(
        "return [...new Set([...document.querySelectorAll('#rows *')].flatMap((e) => e.getAttributeNames()))].sort()"
    )
    assert attributes == ["aria-expanded", "class", "role", "tabindex", "title"]
    classes = page.run("return [...new Set([...document.querySelectorAll('#rows .row')].map((e) => e.className))]")
    assert set(classes) <= {"row level-info", "row level-warning"}
    assert no_alert(page)
    assert page.run("return window.hit") == 0
    assert page.run("return ({}).polluted === undefined && Object.prototype.message === undefined")

    for payload in PAYLOADS:
        rows = [row for row in page.rows() if row.get("message") == payload]
        assert rows, payload
        assert any(row.get("type") == payload and row.get("level") == payload for row in rows), payload
    assert all(json.loads(details) for details in page.details())


def test_a_hostile_link_is_only_a_filter(daemon: Daemon, page: ViewerPage) -> None:
    daemon.send([{"message": "here"}])
    page.open(daemon.url + "#type=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&q=%3Cscript%3Ealert(1)%3C/script%3E&level=%3Cb%3E")
    page.wait_count(1)
    assert page.row_count() == 0
    assert no_alert(page)
    assert page.run("return document.querySelectorAll('img, b').length") == 0
    assert page.element("type").get_attribute("value") == "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("a\u2066b\u2069c", "a⟨U+2066⟩b⟨U+2069⟩c"),
        ("nul\u0000 esc\u001b[31m del\u007f", "nul␀ esc␛[31m del␡"),
        ("line\nnext\r\ttab", "line␊next␍␉tab"),
        ("c1\u0085\u009b", "c1⟨U+0085⟩⟨U+009B⟩"),
        ("zero\u200bwidth\ufeff \u2028", "zero⟨U+200B⟩width⟨U+FEFF⟩ ⟨U+2028⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("👩\u200d💻 שלום café", "👩\u200d💻 שלום café"),
    ],
)
def test_characters_that_steer_the_display_are_made_visible(
    daemon: Daemon, page: ViewerPage, hidden: str, seen: str
) -> None:
    page.open(daemon.url)
    everywhere = dict.fromkeys(["message", "level", "type", "endpoint", "method"], hidden)
    daemon.send([json.dumps(everywhere), {"message": hidden}])  # escaped, and as it is where JSON allows it
    page.wait_count(2)
    wait_until(lambda: page.row_count() == 2)
    row = page.rows()[0]
    assert row["message"] == row["level"] == row["type"] == seen
    assert row["call"] == f"{seen} {seen}"
    assert page.rows()[1]["message"] == seen
    page.click_row(1)
    wait_until(lambda: len(page.details()) == 1)
    assert not set(page.details()[0]) & set("\u202e\u2066\u2069\x00\x1b\x7f\x85\x9b\u200b\ufeff\u2028\U000e0041")


def test_a_cell_cannot_turn_its_neighbours_around(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([{"level": "INFO", "type": "log", "message": "שלום עולם", "endpoint": "אבג"}])
    wait_until(lambda: page.row_count() == 1)
    isolated = page.run(
        "return [...document.querySelectorAll('#rows .row > span')].map((e) => getComputedStyle(e).unicodeBidi)"
    )
    assert isolated and set(isolated) == {"isolate"}


def test_halves_of_surrogate_pairs_do_no_harm(daemon: Daemon, page: ViewerPage) -> None:
    """Whatever the daemon lets through: asked of the page's own module."""
    page.open(daemon.url)
    row = page.driver.execute_async_script(r"""
      const done = arguments[0];
      import('/api/v1/logs/assets/record.js').then(({ LogRecord, visible }) => {
        const record = new LogRecord(1, '{"message":"half \\ud83d pair","type":"\\udc00"}');
        done([visible(record.message), visible(record.type), /HALF/iu.test(record.searchText())]);
      });
    """)
    assert row == ["half \ufffd pair", "\ufffd", True]


def test_the_page_says_what_it_may_load(daemon: Daemon, page: ViewerPage) -> None:
    policy = daemon.get("/api/v1/logs").headers["Content-Security-Policy"]
    for directive in (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'",
        "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    ):  # fmt: skip
        assert directive in policy
    assert "unsafe" not in policy
    page.open(daemon.url)
    assert page.run("return document.compatMode") == "CSS1Compat"
    loaded = page.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded and all(name.startswith(daemon.base_url) for name in loaded)
