# SPDX-License-Identifier: MIT
"""What a person does with the viewer."""

from __future__ import annotations

import json
from typing import Any

from livelogd_daemon import Daemon, wait_until
from selenium.webdriver.common.keys import Keys
from viewer_page import ViewerPage

REQUEST: dict[str, Any] = {
    "timestamp": "2025-06-26T10:30:45.123456", "level": "INFO", "message": "Incoming request", "module": "logger",
    "type": "request", "request_id": "req_1", "method": "POST", "url": "http://localhost:5000/api/v1/generate",
    "endpoint": "generate_response", "request_body": {"question": "Hello?", "model_name": "llama-3.2-3b"},
}  # fmt: skip
RESPONSE: dict[str, Any] = {
    "timestamp": "2025-06-26T10:30:47.234567", "level": "INFO", "message": "Outgoing response", "type": "response",
    "request_id": "req_1", "method": "POST", "endpoint": "generate_response", "status_code": 200, "duration_ms": 2111.34,
}  # fmt: skip
NOT_FOUND: dict[str, Any] = {
    "timestamp": "2025-06-26T10:31:15.987654", "level": "ERROR", "message": "Model not found", "type": "response",
    "method": "GET", "url": "http://localhost:5000/api/v1/models/x.gguf", "status_code": 404, "duration_ms": 12.34,
}  # fmt: skip
UPLOADED: dict[str, Any] = {
    "timestamp": "2025-06-26T10:32:00.111222", "level": "INFO", "message": "Model uploaded successfully",
    "type": "custom_event", "event_type": "model_upload", "file_size": 4294967296,
}  # fmt: skip


def plain(message: str, level: str = "INFO", **fields: Any) -> dict[str, Any]:
    return {"timestamp": "2025-06-26T10:33:00.000001", "level": level, "message": message, "type": "log", **fields}


def test_shows_what_was_logged_before_it_was_opened(daemon: Daemon, page: ViewerPage) -> None:
    daemon.send([REQUEST, RESPONSE, NOT_FOUND, UPLOADED])
    wait_until(lambda: len(daemon.recent()) == 4)
    page.open(daemon.url)
    page.wait_messages(["Incoming request", "Outgoing response", "Model not found", "Model uploaded successfully"])
    request, response, not_found, uploaded = page.rows()
    assert request["time"] == "06-26 10:30:45.123"
    assert (request["level"], request["type"]) == ("INFO", "request")
    assert request["call"] == "POST generate_response"
    assert (response["status"], response["duration"]) == ("200", "2.11 s")
    assert not_found["call"] == "GET http://localhost:5000/api/v1/models/x.gguf"
    assert (not_found["status"], not_found["duration"]) == ("404", "12 ms")
    assert "is-error" in not_found["className"].split()
    assert "call" not in uploaded and "status" not in uploaded
    assert (page.count("all"), page.count("errors")) == (4, 1)


def test_an_empty_log_says_so_and_the_first_record_appears(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    assert page.element("empty").is_displayed()
    assert page.text("empty").startswith("No records yet")
    daemon.send([plain("first")])
    page.wait_messages(["first"])
    assert not page.element("empty").is_displayed()
    daemon.send([plain("second")])
    page.wait_messages(["first", "second"])


def test_at_most_the_newest_200_are_replayed(daemon: Daemon, page: ViewerPage) -> None:
    daemon.send([plain(f"m{i}") for i in range(300)])
    wait_until(lambda: len(daemon.recent(lines=1000)) == 300)
    page.open(daemon.url)
    page.wait_messages([f"m{i}" for i in range(100, 300)])


def test_level_is_the_least_severity(daemon: Daemon, page: ViewerPage) -> None:
    levels = ["DEBUG", "info", "WARN", "ERROR", "CRITICAL", "fatal", "odd"]
    daemon.send([*(plain(level, level) for level in levels), {"message": "none"}, {"message": "forty", "level": 40}])
    page.open(daemon.url)
    page.wait_count(9)
    expected: dict[str, list[str]] = {
        "": [*levels, "none", "forty"],
        "DEBUG": [*levels, "none", "forty"],
        "INFO": ["info", "WARN", "ERROR", "CRITICAL", "fatal", "odd", "none", "forty"],
        "WARNING": ["WARN", "ERROR", "CRITICAL", "fatal", "forty"],
        "ERROR": ["ERROR", "CRITICAL", "fatal", "forty"],
        "CRITICAL": ["CRITICAL", "fatal"],
    }
    for level, messages in expected.items():
        page.choose("level", level)
        page.wait_messages(messages)
    # A record that does not match is counted, and kept for later.
    daemon.send([plain("quiet", "DEBUG"), plain("loud", "CRITICAL")])
    page.wait_messages(["CRITICAL", "fatal", "loud"])
    assert (page.count("all"), page.count("errors")) == (11, 5)
    page.choose("level", "")
    page.wait_messages([*levels, "none", "forty", "quiet", "loud"])


def test_type_filter(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([REQUEST, RESPONSE, NOT_FOUND, UPLOADED, plain("plain"), b"{not json"])
    page.wait_count(6)
    expected: dict[str, list[str]] = {
        "api": ["Incoming request", "Outgoing response", "Model not found"],
        "errors": ["Model not found"],
        "request": ["Incoming request"],
        "response": ["Outgoing response", "Model not found"],
        "custom_event": ["Model uploaded successfully"],
        "log": ["plain"],
        "livelogd": [],
    }
    for kind, messages in expected.items():
        page.choose("type", kind)
        page.wait_messages(messages)
    assert page.text("empty") == "No record that is held here matches the filters."
    page.choose("type", "malformed")
    wait_until(lambda: page.row_count() == 1)
    assert page.rows()[0]["level"] == "WARNING"


def test_search_finds_any_text_of_a_record_in_any_case(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([
        plain("one", note="Straße (a+b)*"), plain("two", deep={"model_name": "Llama-3.2-3B"}),
        rb'{"message":"three","text":"caf\u00e9 \"quoted\" C:\\models"}', plain("four"),
    ])  # fmt: skip
    page.wait_count(4)
    found: dict[str, list[str]] = {
        "LLAMA-3.2": ["two"],
        "(A+B)*": ["one"],
        "straSSe": [],
        "straße": ["one"],
        "CAFÉ": ["three"],
        '"quoted"': ["three"],
        "c:\\models": ["three"],
        "t": ["one", "two", "three", "four"],
        "timestamp": ["one", "two", "three", "four"],
    }
    for text, messages in found.items():
        page.search(text)
        page.wait_messages(messages)
    page.search("nowhere")
    page.wait_messages([])
    daemon.send([plain("comes from NoWhere")])
    page.wait_messages(["comes from NoWhere"])
    page.search("")
    wait_until(lambda: page.row_count() == 5)


def test_filters_narrow_together_and_a_link_keeps_them(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([plain("disk a", "ERROR"), plain("disk b"), plain("net a", "ERROR"), {**NOT_FOUND, "message": "disk c"}])
    page.wait_count(4)
    page.choose("level", "ERROR")
    page.choose("type", "log")
    page.search("disk & a")
    page.wait_messages([])
    page.search("disk")
    page.wait_messages(["disk a"])
    link = str(page.run("return location.href"))
    assert link == daemon.url + "#level=ERROR&type=log&q=disk"
    page.open(link)
    page.wait_messages(["disk a"])
    assert page.element("level").get_attribute("value") == "ERROR"
    assert page.element("search").get_attribute("value") == "disk"
    # A link may name a type that only one app knows; a level that is none is left out.
    daemon.send([plain("tokens", type="my_type")])
    page.open(daemon.url + "#type=my_type&level=odd")
    page.wait_messages(["tokens"])
    assert page.element("type").get_attribute("value") == "my_type"
    page.run("location.hash = ''")
    wait_until(lambda: page.row_count() == 5)


def test_a_row_unfolds_to_the_whole_record_as_it_was_sent(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    sent = rb'{"message":"big","n":[4294967296,1e400,0.10,12345678901234567890],"s":"a\u0041 \"x\\\" {,}","o":{},"l":[],"n":null}'
    daemon.send([plain("before"), sent])
    page.wait_messages(["before", "big"])
    page.click_row(1)
    wait_until(lambda: len(page.details()) == 1)
    unfolded = page.details()[0]
    # White space outside of strings is all that was added (the daemon itself adds a timestamp).
    assert "".join(line.strip() for line in unfolded.split("\n")).replace('": ', '":').endswith(sent.decode()[1:])
    assert '\n  "n": [\n    4294967296,\n    1e400,\n    0.10,\n    12345678901234567890\n  ],\n' in unfolded
    assert '\n  "o": {},\n  "l": [],\n  "n": null\n}' in unfolded
    page.click_row(1)
    wait_until(lambda: page.details() == [])
    page.click_row(0)
    wait_until(lambda: page.details() == [json.dumps(plain("before"), indent=2)])


def test_rows_with_the_keyboard(daemon: Daemon, page: ViewerPage) -> None:
    daemon.send([plain("a"), plain("b"), plain("c")])
    page.open(daemon.url)
    page.wait_count(3)
    wait_until(lambda: page.row_count() == 3)
    # One row can be reached with Tab, behind the controls.
    page.run("document.getElementById('clear').focus()")
    page.driver.switch_to.active_element.send_keys(Keys.TAB)
    focused = "return document.activeElement.querySelector('.message')?.textContent"
    if page.run("return document.activeElement.id") == "scroller":  # browsers put scrolling areas into the order
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert page.run(focused) == "a"
    for key, message in (
        (Keys.ARROW_DOWN, "b"), (Keys.END, "c"), (Keys.ARROW_DOWN, "c"), (Keys.HOME, "a"), (Keys.ARROW_UP, "a"),
        (Keys.ARROW_DOWN, "b"),
    ):  # fmt: skip
        page.driver.switch_to.active_element.send_keys(key)
        assert page.run(focused) == message
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until(lambda: len(page.details()) == 1)
    assert '"message": "b"' in page.details()[0]
    assert page.run("return document.activeElement.getAttribute('aria-expanded')") == "true"
    page.driver.switch_to.active_element.send_keys(Keys.SPACE)
    wait_until(lambda: page.details() == [])


def test_clear_empties_the_view_only(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([plain("old"), plain("worse", "ERROR")])
    page.wait_messages(["old", "worse"])
    page.click("clear")
    page.wait_messages([])
    assert page.text("empty").startswith("Cleared")
    assert (page.count("all"), page.count("errors")) == (2, 1)
    # Neither a filter nor a new connection brings them back.
    page.choose("level", "ERROR")
    page.click("connect")
    page.wait_state("disconnected")
    page.click("connect")
    page.wait_state("live")
    page.choose("level", "")
    daemon.send([plain("new")])
    page.wait_messages(["new"])
    assert page.count("all") == 3
    assert len(daemon.recent()) == 3


def test_auto_scroll_pauses_when_scrolled_up(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([plain(f"m{i}") for i in range(150)])
    wait_until(lambda: page.row_count() == 150 and page.at_bottom())
    assert page.text("follow") == "Auto-scroll: on"
    page.scroll(-1000)
    wait_until(lambda: page.text("follow") == "Auto-scroll: paused")
    assert not page.element("newer").is_displayed()
    daemon.send([plain(f"n{i}") for i in range(7)])
    wait_until(lambda: page.text("newer") == "7 new ↓" and page.element("newer").is_displayed())
    top = page.run("return document.getElementById('scroller').scrollTop")
    daemon.send([plain("n7")])
    wait_until(lambda: page.text("newer") == "8 new ↓")
    assert page.run("return document.getElementById('scroller').scrollTop") == top
    page.click("newer")
    wait_until(page.at_bottom)
    assert page.text("follow") == "Auto-scroll: on"
    assert not page.element("newer").is_displayed()
    assert page.messages()[-1] == "n7"
    # Scrolling back to the bottom ends a pause as well.
    page.scroll(-500)
    wait_until(lambda: page.text("follow") == "Auto-scroll: paused")
    page.scroll(5000)
    wait_until(lambda: page.text("follow") == "Auto-scroll: on")
    daemon.send([plain(f"o{i}") for i in range(50)])
    wait_until(lambda: page.messages()[-1] == "o49" and page.at_bottom())


def test_auto_scroll_can_be_switched_off(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([plain(f"m{i}") for i in range(100)])
    wait_until(lambda: page.row_count() == 100 and page.at_bottom())
    page.click("follow")
    assert page.text("follow") == "Auto-scroll: off"
    assert page.element("follow").get_attribute("aria-pressed") == "false"
    daemon.send([plain(f"n{i}") for i in range(40)])
    wait_until(lambda: page.text("newer") == "40 new ↓")
    assert not page.at_bottom()
    page.click("newer")
    wait_until(page.at_bottom)
    assert page.text("follow") == "Auto-scroll: off"
    page.click("follow")
    assert page.text("follow") == "Auto-scroll: on"


def test_unfolding_a_record_pauses_auto_scroll(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([plain(f"m{i}") for i in range(100)])
    wait_until(lambda: page.row_count() == 100 and page.at_bottom())
    page.click_row(98)
    wait_until(lambda: page.text("follow") == "Auto-scroll: paused")
    assert len(page.details()) == 1


def test_a_long_record_is_shown_in_two_steps(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send([plain("x" * 2_000_000)])
    wait_until(lambda: page.row_count() == 1)
    assert len(page.messages()[0]) == 601
    page.click_row(0)
    wait_until(lambda: len(page.details()) == 1)
    assert len(page.details()[0]) == 500_000
    page.run("document.querySelector('.details button').click()")
    assert len(page.details()[0]) > 2_000_000
    assert page.run("return document.querySelector('.details button')") is None


def test_it_has_names_for_its_controls_and_fits_small_screens(daemon: Daemon, page: ViewerPage) -> None:
    daemon.send([REQUEST, RESPONSE, plain("a " * 300)])
    page.open(daemon.url)
    page.wait_count(3)
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = {
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in tree
        if not node["ignored"] and node["role"]["value"] in ("button", "combobox", "searchbox", "list")
    }
    assert {("combobox", "Level"), ("combobox", "Type"), ("searchbox", "Search"), ("list", "Log records")} <= names
    assert {("button", "Disconnect"), ("button", "Clear"), ("button", "Auto-scroll: on")} <= names
    assert all(name for _, name in names), names
    try:
        for width in (320, 700, 1400):
            page.driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
            )
            assert page.run("return document.documentElement.scrollWidth") <= width
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_all_text_has_enough_contrast(daemon: Daemon, page: ViewerPage) -> None:
    levels = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    daemon.send([*(plain("text", level, method="GET", endpoint="e", status_code=500, duration_ms=1) for level in levels)])
    page.open(daemon.url)
    page.wait_count(6)
    wait_until(lambda: page.row_count() == 6)
    page.click_row(0)
    wait_until(lambda: len(page.details()) == 1)
    low = page.run("""
      const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
      const luminance = (c) => c.slice(0, 3).map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = (element) => {
        for (let e = element; e; e = e.parentElement) {
          const colour = parse(getComputedStyle(e).backgroundColor);
          if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
      };
      const low = [];
      let seen = 0;
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('noscript, option')) continue;
        seen += 1;
        const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) low.push([element.className || element.id, ratio, walker.currentNode.data]);
      }
      return { low, seen };
    """)
    assert low["seen"] > 50
    assert low["low"] == []
