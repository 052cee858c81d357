# SPDX-License-Identifier: MIT
"""A reader of the live stream that comes back after every break, and holds the daemon to what it has shown."""

from __future__ import annotations

import threading
import time

from livelogd_daemon import Daemon, wait_until
from oracle import History
from sse_client import Closed, Event, Stream


class Reader(threading.Thread):
    """Reads from the start of the log, resumes with Last-Event-ID. Each id must come once, in rising order; what it has seen is
    noted in the history. Named events are in `named`."""

    def __init__(self, daemon: Daemon, history: History) -> None:
        super().__init__(daemon=True)
        self.server, self.history = daemon, history
        self.ids: list[int] = []
        self.named: list[Event] = []
        self.connections = 0
        self.error: BaseException | None = None
        self._last: int | None = None
        self._end = threading.Event()

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end.set()
        self.join(15.0)
        if kind is None and self.error is not None:
            raise self.error

    def wait_for(self, record_id: int, timeout: float = 30.0) -> None:
        """Until it has seen the record, or all up to it."""
        wait_until(lambda: self.error or (self.ids and self.ids[-1] >= record_id), timeout, f"the stream shows {record_id}")
        if self.error is not None:
            raise self.error

    def check(self, stored: dict[int, bytes], lost: bool = False) -> None:
        """That it was shown every stored record (in a `gap`: told that it was not), and nothing that is `lost`."""
        if stored:
            self.wait_for(max(stored))
        shown = set(self.ids)
        assert len(shown) == len(self.ids)
        gaps = [event.json() for event in self.named if event.name == "gap"]
        hidden = [i for i in stored if i not in shown and not any(g["from"] <= i <= g["to"] for g in gaps)]
        assert not hidden, f"{len(hidden)} stored records were not streamed: {sorted(hidden)[:10]}"
        if not lost:
            assert not shown - set(stored), f"streamed, but not stored: {sorted(shown - set(stored))[:10]}"

    def events(self, name: str) -> list[Event]:
        return [event for event in self.named if event.name == name]

    def run(self) -> None:
        try:
            while not self._end.is_set():
                try:
                    self._read()
                except (Closed, OSError):
                    time.sleep(0.005)
        except BaseException as error:
            self.error = error

    def _read(self) -> None:
        headers = {} if self._last is None else {"Last-Event-ID": str(self._last)}
        with Stream(self.server, "after=0" if self._last is None else "", headers) as stream:
            assert stream.status == 200, stream.status
            self.connections += 1
            while not self._end.is_set():
                try:
                    event = stream.next(0.1)
                except TimeoutError:
                    continue
                self._take(event)

    def _take(self, event: Event) -> None:
        if event.name != "message":
            self.named.append(event)
            if event.name == "gap" and event.id is not None:
                self._last = max(self._last or 0, event.id)
            return
        assert event.id is not None
        assert self._last is None or event.id > self._last, f"id {event.id} after {self._last}"
        self._last = event.id
        self.ids.append(event.id)
        self.history.note_seen(event.id, event.data.encode())
