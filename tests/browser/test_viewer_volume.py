# SPDX-License-Identifier: MIT
"""Many records: the page stays bounded, quick, and right in what it counts."""

from __future__ import annotations

import threading
import time

from livelogd_daemon import Daemon, wait_until
from viewer_page import ViewerPage

LIMIT = 5000


def burst(start: int, count: int) -> list[dict[str, object]]:
    """Every hundredth is an error, every tenth of the others a warning."""
    return [
        {
            "timestamp": "2025-06-26T10:30:45.123456", "type": "response",
            "level": "ERROR" if i % 100 == 0 else "WARNING" if i % 10 == 0 else "INFO",
            "message": f"m{i}", "method": "GET", "endpoint": "list_models", "status_code": 200, "duration_ms": i % 1000,
            "request_id": f"req_{i}", "user_agent": "x" * 150,
        }
        for i in range(start, start + count)
    ]  # fmt: skip


def test_a_burst_of_20000(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    page.run("""
      window.most = 0;
      new MutationObserver(() => {
        window.most = Math.max(window.most, document.getElementById('rows').childElementCount);
      }).observe(document.getElementById('rows'), { childList: true });
    """)
    daemon.send(burst(0, 20000))
    page.wait_count(20000, 60)
    wait_until(lambda: page.messages()[-1:] == ["m19999"], 20)
    assert page.messages() == [f"m{i}" for i in range(20000 - LIMIT, 20000)]
    assert page.run("return window.most") <= LIMIT
    assert page.count("errors") == 200
    wait_until(lambda: page.text("footer") == "5,000 shown · 15,000 older ones removed from this page (not from the log)")
    assert page.at_bottom()


def test_it_stays_responsive_at_5000_a_second(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    page.run("""
      window.longest = 0;
      let last = performance.now();
      const frame = (now) => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(frame); };
      requestAnimationFrame(frame);
    """)
    stop = threading.Event()
    sent = [0]

    def send_steadily() -> None:
        begin = time.monotonic()
        while not stop.is_set():
            daemon.send(burst(sent[0], 250))
            sent[0] += 250
            time.sleep(max(0.0, begin + sent[0] / 5000 - time.monotonic()))

    sender = threading.Thread(target=send_steadily)
    sender.start()
    try:
        wait_until(lambda: page.count("all") >= 10000, 60)
        # A person can use it meanwhile.
        page.search("777")
        wait_until(lambda: page.row_count() > 0 and all("777" in one for one in page.messages()), 20)
    finally:
        stop.set()
        sender.join()
    page.wait_count(sent[0], 30)
    # Far more than a frame should take, and far less than a page that hangs: the machine may be busy with other things.
    assert page.run("return window.longest") < 3000


def test_a_paused_view_stays_as_it_is(daemon: Daemon, page: ViewerPage) -> None:
    page.open(daemon.url)
    daemon.send(burst(0, 6000))
    page.wait_count(6000, 30)
    wait_until(lambda: page.messages()[-1:] == ["m5999"], 20)
    page.scroll(-3000)
    wait_until(lambda: page.text("follow") == "Auto-scroll: paused")
    held = page.messages()
    assert len(held) == LIMIT
    daemon.send(burst(6000, 1500))
    page.wait_count(7500, 30)
    wait_until(lambda: page.text("newer") == "1,500 new ↓")
    assert page.messages() == held
    page.click("newer")
    wait_until(lambda: page.messages()[-1] == "m7499")
    assert page.messages() == [f"m{i}" for i in range(2500, 7500)]

    # More than can wait: the view starts anew behind what had to go, without a hole in it.
    page.scroll(-3000)
    wait_until(lambda: page.text("follow") == "Auto-scroll: paused")
    daemon.send(burst(7500, 20000))
    page.wait_count(27500, 60)
    wait_until(lambda: page.text("newer") == "20,000 new ↓")
    assert page.messages()[-1] == "m7499"
    page.click("follow")
    wait_until(lambda: page.messages()[-1] == "m27499")
    assert page.messages() == [f"m{i}" for i in range(22500, 27500)]


def test_a_filter_keeps_what_is_rare(daemon: Daemon, page: ViewerPage) -> None:
    """Records that do not match never push out those that do."""
    page.open(daemon.url + "#level=ERROR")
    daemon.send(burst(0, 20000))
    page.wait_count(20000, 60)
    wait_until(lambda: page.row_count() == 200)
    assert page.messages() == [f"m{i}" for i in range(0, 20000, 100)]
    # With the warnings, all errors are still there, but only those warnings that were held back; and the page says from
    # where on it has everything.
    page.choose("level", "WARNING")
    wait_until(lambda: page.row_count() > 200, 20)
    numbers = [int(message[1:]) for message in page.messages()]
    assert set(range(0, 20000, 100)) <= set(numbers) and len(numbers) < 2000
    rows = page.run("return [...document.getElementById('rows').children].map((e) => e.className)")
    assert rows.count("notice") == 1
    above, below = numbers[: rows.index("notice")], numbers[rows.index("notice") :]
    assert above == list(range(0, above[-1] + 1, 100))
    assert below == list(range(below[0], 20000, 10))
    # Everything: the newest, and no hole.
    page.choose("level", "")
    wait_until(lambda: page.row_count() == LIMIT, 20)
    assert page.messages() == [f"m{i}" for i in range(20000 - LIMIT, 20000)]


def test_large_records_do_not_pile_up(page: ViewerPage) -> None:
    # Room enough that retention takes nothing away while the browser is still reading.
    with Daemon(log_max_bytes=256 << 20) as daemon:
        page.open(daemon.url)
        for i in range(60):
            daemon.send([{"message": f"m{i}", "body": "y" * 2_000_000}])
        page.wait_count(60, 60)
        wait_until(lambda: page.messages()[-1:] == ["m59"], 20)
        shown = page.messages()
        assert 5 <= len(shown) <= 24
        assert shown == [f"m{i}" for i in range(60 - len(shown), 60)]
