# SPDX-License-Identifier: MIT
"""The viewer says truly how it is connected, and loses or doubles nothing when the connection breaks."""

from __future__ import annotations

import itertools
import json
import resource
import re
import threading
import time
from collections.abc import Iterator

import pytest
from livelogd_daemon import Daemon, wait_until
from path_proxy import PathProxy
from viewer_page import ViewerPage


def numbered(numbers: range) -> list[dict[str, object]]:
    return [{"level": "INFO", "message": f"m{i}"} for i in numbers]


def named(numbers: range) -> list[str]:
    return [f"m{i}" for i in numbers]


@pytest.fixture
def proxy(daemon: Daemon) -> Iterator[PathProxy]:
    with PathProxy(daemon.port) as one:
        yield one


def test_disconnect_and_connect(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send(numbered(range(3)))
    page.wait_messages(named(range(3)))
    assert page.text("connect") == "Disconnect"
    page.click("connect")
    page.wait_state("disconnected")
    assert page.text("state-text") == "disconnected by you"
    assert page.text("connect") == "Connect"
    daemon.send(numbered(range(3, 6)))
    time.sleep(0.5)
    assert page.messages() == named(range(3))
    # What came meanwhile is not lost.
    page.click("connect")
    page.wait_messages(named(range(6)))
    page.wait_state("live")
    assert page.count("all") == 6


def test_live_tells_the_age_of_the_last_event(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send(numbered(range(1)))
    page.wait_messages(["m0"])
    wait_until(lambda: re.fullmatch(r"· last event [2-9] s ago", page.text("state-age")), 5)
    daemon.send(numbered(range(1)))
    wait_until(lambda: re.fullmatch(r"· (now|last event 1 s ago)", page.text("state-age")), 5)


def test_killed_and_started_again(daemon: Daemon, page: ViewerPage) -> None:
    page.connection_will_fail = True
    page.open(daemon.url)
    daemon.send(numbered(range(50)))
    page.wait_messages(named(range(50)))
    daemon.kill()
    page.wait_state("reconnecting")
    last = page.text("state-text")
    assert re.fullmatch(r"reconnecting, resuming after #\d+", last)
    daemon.restart()
    daemon.send(numbered(range(50, 80)))
    page.wait_messages(named(range(80)), 20)
    page.wait_state("live")
    assert page.count("all") == 80


def test_killed_in_the_middle_of_a_flood(daemon: Daemon, page: ViewerPage) -> None:
    """What the page shows is what the log holds, in the same order, each record once."""
    page.connection_will_fail = True
    page.open(daemon.url)
    stop = threading.Event()

    def flood() -> None:
        for start in itertools.count(0, 20):
            if stop.wait(0.01):
                return
            try:
                daemon.send(numbered(range(start, start + 20)))
            except OSError:
                pass  # not there at the moment

    sender = threading.Thread(target=flood)
    sender.start()
    try:
        for _ in range(3):
            before = page.count("all")
            wait_until(lambda: page.count("all") > before, 20)
            daemon.kill()
            page.wait_state("reconnecting")
            daemon.restart()
            page.wait_state("live")
    finally:
        stop.set()
        sender.join()
    assert len(daemon.segments()) == 1  # nothing of it has been removed by retention
    wait_until(lambda: page.count("all") >= len(daemon.stored_lines()), 20)
    stored = [json.loads(line)["message"] for line in daemon.stored_lines()]
    wait_until(lambda: page.messages()[-1] == stored[-1])
    assert page.messages() == stored[-5000:]
    assert page.count("all") == len(stored)


def test_the_daemon_says_good_bye(daemon: Daemon, page: ViewerPage) -> None:
    page.connection_will_fail = True
    page.open(daemon.url)
    daemon.send(numbered(range(5)))
    page.wait_messages(named(range(5)))
    daemon.stop()
    page.wait_state("stopped")
    assert page.text("state-text").startswith("daemon stopped; waiting for it, resuming after #")
    time.sleep(3)  # an attempt that fails does not change what is known
    assert page.state == "stopped"
    daemon.restart()
    page.wait_state("live")
    daemon.send(numbered(range(5, 7)))
    page.wait_messages(named(range(7)))


def test_it_shows_that_storing_fails(daemon: Daemon, page: ViewerPage) -> None:
    """A limit on the size of files stands in for a full disk."""
    page.open(daemon.url)
    daemon.send(numbered(range(3)))
    page.wait_messages(named(range(3)))
    unlimited, hard = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (1, hard))
    daemon.send(numbered(range(3, 5)))
    page.wait_state("troubled")
    assert page.text("state-text").startswith("live, but storing fails: cannot store in ")
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (unlimited, hard))
    page.wait_state("live")
    wait_until(lambda: page.count("all") == 6)
    assert page.messages()[:5] == named(range(5))
    assert page.messages()[5].startswith("storing failed for ")


def test_started_after_the_page(daemon: Daemon, page: ViewerPage) -> None:
    """The page was open (say, restored by the browser) before the daemon ran, with nothing seen yet."""
    page.connection_will_fail = True
    daemon.send(numbered(range(3)))
    wait_until(lambda: len(daemon.recent()) == 3)
    page.before_load("""
      const Real = EventSource;
      window.EventSource = class extends Real {
        constructor(address) { super(window.wrong ? address : 'http://127.0.0.1:1/' + address); }
      };
      EventSource.CLOSED = Real.CLOSED;
    """)
    page.open(daemon.url, live=False)
    wait_until(lambda: "failed" in page.text("state-age"), 10)
    assert page.state == "connecting"
    page.console()  # the address of another origin is against the policy, on purpose
    page.run("window.wrong = true")
    page.wait_state("live")
    page.wait_messages(named(range(3)))
    page.console()


def test_under_a_path_of_a_proxy(daemon: Daemon, proxy: PathProxy, page: ViewerPage) -> None:
    page.open(proxy.url)
    daemon.send(numbered(range(4)))
    page.wait_messages(named(range(4)))
    assert len(proxy.streams()) == 1
    assert proxy.streams()[0].endswith("/stream?replay=200")


def test_a_proxy_that_answers_502_does_not_end_it(daemon: Daemon, proxy: PathProxy, page: ViewerPage) -> None:
    """An EventSource gives up for ever on any answer but 200: the page has to try again by itself."""
    page.connection_will_fail = True
    page.open(proxy.url)
    daemon.send(numbered(range(4)))
    page.wait_messages(named(range(4)))
    proxy.broken = True
    daemon.kill()
    wait_until(lambda: "attempts failed" in page.text("state-age"), 30)
    assert page.state == "reconnecting"
    daemon.restart()
    daemon.send(numbered(range(4, 9)))
    proxy.broken = False
    page.wait_messages(named(range(9)), 30)
    page.wait_state("live")
    assert re.search(r"/stream\?after=\d+$", proxy.streams()[-1])


def test_a_connection_that_died_silently_is_noticed(daemon: Daemon, proxy: PathProxy, page: ViewerPage) -> None:
    page.open(proxy.url)
    daemon.send(numbered(range(2)))
    page.wait_messages(named(range(2)))
    proxy.silence_open_streams()
    daemon.send(numbered(range(2, 4)))
    time.sleep(0.5)
    assert page.messages() == named(range(2))
    # 41 s later, as far as the page can tell.
    page.run("const now = Date.now; Date.now = () => now() + 41000")
    page.wait_messages(named(range(4)))
    page.wait_state("live")
    assert len(proxy.streams()) == 2


def test_a_ping_keeps_a_quiet_connection(daemon: Daemon, proxy: PathProxy, page: ViewerPage) -> None:
    daemon.send(numbered(range(1)))
    page.open(proxy.url)
    page.wait_messages(["m0"])
    seen = wait_until(lambda: re.search(r"(\d\d) s ago", page.text("state-age")), 20)
    assert int(seen.group(1)) >= 10
    wait_until(lambda: re.search(r"now|\b[0-3] s ago", page.text("state-age")), 20)
    assert page.state == "live"
    assert len(proxy.streams()) == 1


def test_a_hidden_tab_gives_its_connection_back(daemon: Daemon, proxy: PathProxy, page: ViewerPage) -> None:
    page.before_load("""
      const later = window.setTimeout;
      window.setTimeout = (call, delay, ...rest) => later(call, delay === 30000 ? 300 : delay, ...rest);
      Object.defineProperty(document, 'visibilityState', { get: () => window.pretended ?? 'visible' });
    """)
    look = "window.pretended = arguments[0]; document.dispatchEvent(new Event('visibilitychange'))"
    page.open(proxy.url)
    daemon.send(numbered(range(3)))
    page.wait_messages(named(range(3)))
    page.run(look, "hidden")
    page.run(look, "visible")  # a short look elsewhere changes nothing
    time.sleep(0.6)
    assert page.state == "live"
    page.run(look, "hidden")
    page.wait_state("paused")
    assert page.text("state-text").startswith("paused while hidden, resuming after #")
    daemon.send(numbered(range(3, 6)))
    time.sleep(0.5)
    assert page.count("all") == 3
    page.run(look, "visible")
    page.wait_messages(named(range(6)))
    assert len(proxy.streams()) == 2
    # Disconnected by the user stays so.
    page.click("connect")
    page.run(look, "hidden")
    time.sleep(0.6)
    page.run(look, "visible")
    assert page.state == "disconnected"


def test_records_removed_meanwhile_are_told(page: ViewerPage) -> None:
    with Daemon(log_max_bytes=65536, log_backup_count=1, max_record_bytes=65536, ring_bytes=131072) as daemon:
        page.open(daemon.url)
        daemon.send([{"message": "before"}])
        page.wait_messages(["before"])
        page.click("connect")
        page.wait_state("disconnected")
        for i in range(40):
            daemon.send([{"message": f"m{i * 100 + k}", "pad": "x" * 500} for k in range(100)])
        wait_until(lambda: daemon.recent(lines=1)[-1]["message"] == "m3999")
        kept = len(daemon.recent(lines=100000))
        assert kept < 4000
        page.click("connect")
        page.wait_count(1 + kept)
        notice = page.run("return [...document.querySelectorAll('#rows .notice')].map((e) => e.textContent)")
        assert len(notice) == 1
        told = re.fullmatch(r"Records #(\d+)–#(\d+) were removed before they could be shown\.", notice[0])
        assert told and int(told.group(2)) - int(told.group(1)) + 1 == 4000 - kept
        page.wait_messages(["before", *named(range(4000 - kept, 4000))])
