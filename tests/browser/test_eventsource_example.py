# SPDX-License-Identifier: MIT
"""The few lines of JavaScript that the guide gives to those who write a page of their own."""

from __future__ import annotations

from typing import Any

from livelogd_daemon import Daemon, wait_until
from viewer_page import ViewerPage

EXAMPLE = """
const eventSource = new EventSource('/api/v1/logs/stream');

eventSource.onmessage = function(event) {
    const log = JSON.parse(event.data);
    console.log('New log:', log);
    
    // Process the log entry
    if (log.level === 'ERROR') {
        console.error('Error detected:', log.message);
    }
};

eventSource.onerror = function(event) {
    console.error('SSE connection error');
};
"""

CAPTURE = """
window.heard = [];
for (const name of ['log', 'error']) {
    console[name] = (...said) => window.heard.push([name, ...said]);
}
"""


def test_as_printed(daemon: Daemon, page: ViewerPage) -> None:
    page.connection_will_fail = True
    daemon.send([{"level": "INFO", "message": "before"}])
    wait_until(lambda: len(daemon.recent()) == 1)
    page.open(daemon.url)
    page.run(CAPTURE + EXAMPLE + "window.example = eventSource;")
    wait_until(lambda: page.run("return window.example.readyState === EventSource.OPEN"))
    good: dict[str, Any] = {"timestamp": "2025-06-26T10:30:45.123456", "level": "INFO", "message": "fine", "n": 1}
    bad: dict[str, Any] = {"timestamp": "2025-06-26T10:30:46.123456", "level": "ERROR", "message": "broken"}
    daemon.send([good, bad])

    def heard() -> list[list[Any]]:
        found = page.run("return window.heard")
        assert isinstance(found, list)
        return found

    wait_until(lambda: len(heard()) == 3)
    assert heard() == [["log", "New log:", good], ["log", "New log:", bad], ["error", "Error detected:", "broken"]]
    # Pings, the farewell and the like have names of their own and do not get in the way; a lost connection is told.
    daemon.restart()
    wait_until(lambda: len(heard()) >= 4, 20)
    assert all(said == ["error", "SSE connection error"] for said in heard()[3:])
    wait_until(lambda: page.run("return window.example.readyState === EventSource.OPEN"), 20)
    daemon.send([{**good, "message": "again"}])
    wait_until(lambda: heard()[-1][0] == "log", 20)
    assert heard()[-1] == ["log", "New log:", {**good, "message": "again"}]
