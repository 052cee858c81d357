# SPDX-License-Identifier: MIT
"""A log as its files tell it: every record with its id, its bytes and its time. What the other references read.

It shares nothing with the daemon but docs/storage-format.md and docs/http-api.md. Numbers stay as they were spelled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any


class Spelled(str):
    """A number as it was spelled."""


_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(text: Any, zone: tzinfo) -> int | None:
    """Microseconds since 1970, None if unreadable."""
    if not isinstance(text, str) or isinstance(text, Spelled):
        return None
    found = _STAMP.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(found.group(i)) for i in range(1, 7))
    micro = int((found.group(7) or "0").ljust(6, "0")[:6])
    leap = second == 60
    try:
        wall = datetime(year, month, day, hour, minute, 59 if leap else second, micro)
    except ValueError:
        return None
    offset = found.group(8)
    if offset is None:
        # fold=0: of two equal local times the first; in a gap the offset from before it.
        aware = wall.replace(tzinfo=zone, fold=0)
    elif offset == "Z":
        aware = wall.replace(tzinfo=timezone.utc)
    else:
        digits = offset[1:].replace(":", "").ljust(4, "0")
        distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        aware = wall.replace(tzinfo=timezone(distance if offset[0] == "+" else -distance))
    delta = aware.astimezone(timezone.utc) - _EPOCH + (timedelta(seconds=1) if leap else timedelta())
    return delta // timedelta(microseconds=1)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def parse_json(text: str | bytes) -> Any:
    """JSON with its numbers as spelled. ValueError if it is none."""
    return json.loads(text, parse_float=Spelled, parse_int=Spelled)


def searched_text(line: bytes) -> str:
    """What `search` and `q` look for words in: the record as stored, the escapes in its strings decoded."""
    return _STRING.sub(lambda found: '"' + str(json.loads(found.group())) + '"', line.decode())


@dataclass(frozen=True, eq=False)
class Entry:
    """A stored record, equal to itself alone. `time`: its own in microseconds since 1970, else its nearest neighbour's
    in the same file."""

    id: int
    line: bytes
    record: dict[str, Any]
    time: int | None

    @cached_property
    def text(self) -> str:
        return searched_text(self.line)

    def says(self, name: str) -> str | None:
        """The value of a field that is a string, no number."""
        value = self.record.get(name)
        return value if isinstance(value, str) and not isinstance(value, Spelled) else None


def read_log(segments: Iterable[Path], zone: tzinfo) -> list[Entry]:
    """Every record of these files. A line that is none has an id all the same."""
    everything = []
    for segment in segments:
        first = int(segment.stem.partition("-")[2])
        everything += read_lines(segment.read_bytes().split(b"\n")[:-1], zone, first)
    return everything


def read_lines(lines: Iterable[bytes], zone: tzinfo, first: int = 1) -> list[Entry]:
    """The records of one file. A time that cannot be read is that of the nearest earlier record that has one, else of
    the nearest later one."""
    records: list[tuple[int, bytes, dict[str, Any]]] = []
    for record_id, line in enumerate(lines, first):
        try:
            record = parse_json(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append((record_id, line, record))
    times = [instant(record.get("timestamp"), zone) for _, _, record in records]
    nearest = next((one for one in times if one is not None), None)
    entries = []
    for (record_id, line, record), own in zip(records, times):
        nearest = nearest if own is None else own
        entries.append(Entry(record_id, line, record, nearest))
    return entries
