# SPDX-License-Identifier: MIT
"""What must be true of the log, whatever happened: known from what was sent, what was acknowledged, and what readers saw.

    history = History()
    ... senders and readers note here what they do and see ...
    history.check(daemon.log_dir)          # the files, while nothing is on its way

Each check also takes what it finds as seen, so that an id must go on to name the same record in all checks to come.
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections import Counter
from pathlib import Path

SEGMENT_NAME = re.compile(r"live-([0-9]{20})\.jsonl")


def make_line(key: str, size: int = 0) -> bytes:
    """A record that names itself, as it has to be stored byte for byte, with LF; at least `size` bytes long."""
    head = b'{"timestamp":"2025-06-26T10:30:45.123456","level":"INFO","key":"%s","fill":"' % key.encode()
    return head + b"x" * max(0, size - len(head) - 3) + b'"}\n'


@dataclasses.dataclass
class Sent:
    line: bytes  # without LF
    lives: set[int]  # in which lives of the daemon it was sent
    acked: str = ""  # "", "written" or "durable"


class History:
    """Everything that is known. All members from any thread."""

    def __init__(self) -> None:
        self.life = 0  # counts the daemon's deaths
        self.sent: dict[str, Sent] = {}
        self.seen: dict[int, bytes] = {}  # by readers: which record an id names
        self._lock = threading.Lock()

    def note_death(self) -> None:
        """After the daemon has gone, before it is started again."""
        self.life += 1

    def note_sent(self, key: str, line: bytes, life: int) -> None:
        with self._lock:
            known = self.sent.setdefault(key, Sent(line.rstrip(b"\n"), set()))
            known.lives.add(life)

    def note_acked(self, key: str, level: str) -> None:
        with self._lock:
            self.sent[key].acked = level

    def note_seen(self, record_id: int, line: bytes) -> None:
        with self._lock:
            before = self.seen.setdefault(record_id, line)
        assert before == line, f"id {record_id} names two records: {before!r} and {line!r}"

    def acked_keys(self, level: str = "") -> list[str]:
        with self._lock:
            return [key for key, sent in self.sent.items() if sent.acked and level in ("", sent.acked)]

    # --- checks -----------------------------------------------------------------------------------------------------

    def check(
        self, log_dir: Path, *, survives: str = "written", seen_survive: bool = True, retention: bool = False
    ) -> dict[int, bytes]:
        """Fails if the files break a promise. `survives`: the least acknowledgement that must have outlived what
        happened. `seen_survive`: whether all that readers saw must still be there. `retention`: old records may have gone
        as a whole, from the oldest on. Returns all records by id."""
        stored = read_log(log_dir)
        for record_id, line in stored.items():
            self.note_seen(record_id, line)
        counts = self._check_contents(stored)

        oldest = min(stored, default=0)
        if not retention:
            must = {"written": ("written", "durable"), "durable": ("durable",)}[survives]
            lost = [key for key, sent in self.sent.items() if sent.acked in must and not counts[key]]
            assert not lost, f"{len(lost)} acknowledged records are lost: {lost[:10]}"
        if seen_survive:
            gone = [i for i in self.seen if i not in stored and not (retention and i < oldest)]
            assert not gone, f"{len(gone)} records that a reader has seen are gone: {sorted(gone)[:10]}"
        return stored

    def _check_contents(self, stored: dict[int, bytes]) -> Counter[str]:
        """Every record is one that was sent, as it was sent, or the daemon's own; none is there too often."""
        counts: Counter[str] = Counter()
        for record_id, line in stored.items():
            record = json.loads(line)
            if record.get("type") == "livelogd":
                continue
            sent = self.sent.get(record.get("key"))
            assert sent is not None, f"id {record_id} is no record that was sent: {line!r}"
            assert sent.line == line, f"id {record_id} was changed: {sent.line!r} became {line!r}"
            counts[record["key"]] += 1
        for key, count in counts.items():
            lives = len(self.sent[key].lives)
            assert count <= lives, f"{key} is there {count} times, sent in {lives} lives of the daemon"
        return counts


def read_log(log_dir: Path) -> dict[int, bytes]:
    """All records by id. Fails if a line is torn, or if ids do not follow from the segments' names."""
    stored: dict[int, bytes] = {}
    last = -1
    for path in sorted(log_dir.iterdir()):
        found = SEGMENT_NAME.fullmatch(path.name)
        if found is None:
            assert not path.name.endswith(".jsonl"), f"{path.name} is no name of a segment"
            continue
        first = int(found.group(1))
        assert first > last, f"{path.name} begins at or below {last}, the last id of the segment before it"
        content = path.read_bytes()
        assert content == b"" or content.endswith(b"\n"), f"{path.name} ends within a line: {content[-200:]!r}"
        lines = content.split(b"\n")[:-1]
        for record_id, line in enumerate(lines, first):
            try:
                assert isinstance(json.loads(line), dict)
            except (ValueError, AssertionError):
                raise AssertionError(f"{path.name} has a broken line, id {record_id}: {line[:300]!r}") from None
            stored[record_id] = line
        last = first + len(lines) - 1 if lines else max(last, first - 1)
    return stored


def own_events(stored: dict[int, bytes]) -> list[str]:
    """What the daemon has told of itself, in the order of the log."""
    records = (json.loads(stored[record_id]) for record_id in sorted(stored))
    return [record["event"] for record in records if record.get("type") == "livelogd"]


def keys_in_order(stored: dict[int, bytes]) -> list[str]:
    records = (json.loads(stored[record_id]) for record_id in sorted(stored))
    return [record["key"] for record in records if "key" in record]
