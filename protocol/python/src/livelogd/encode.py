# SPDX-License-Identifier: MIT
"""Turns a record into its line: compact JSON in UTF-8, ended by LF, whatever the record holds."""

from __future__ import annotations

import json
import json.encoder
import numbers
from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, time, timezone
from time import time_ns
from typing import Any, Callable, Optional

#: The daemon reads objects nested at most this deep; the record itself is level 1.
MAX_NESTING = 128

#: An int with more bits than this may have more digits than Python is willing to print.
_MAX_INT_BITS = 14_000

_CONTAINERS = (Mapping, list, tuple, set, frozenset, deque)


def timestamp_text(seconds: Optional[float] = None) -> str:
    """A time as records carry it: local, ISO 8601 with microseconds and offset. ``seconds`` since 1970, default now."""
    if seconds is not None:
        return datetime.fromtimestamp(seconds, timezone.utc).astimezone().isoformat(timespec="microseconds")
    return timestamp_text_ns(time_ns())


def timestamp_text_ns(moment: int) -> str:
    """As ``timestamp_text``, of nanoseconds since 1970."""
    global _second
    # Most of the text is that of the record before: it is made once a second.
    now, nanoseconds = divmod(moment, 1_000_000_000)
    known = _second
    if known[0] != now:
        text = datetime.fromtimestamp(now, timezone.utc).astimezone().isoformat()
        known = _second = (now, text[:19], text[19:])
    return f"{known[1]}.{nanoseconds // 1000:06d}{known[2]}"


#: A second since 1970, its text to the second, and its offset.
_second: tuple[int, str, str] = (-1, "", "")


def encode_record(record: Mapping[str, Any]) -> bytes:
    """The line of a record. Never raises an ``Exception``: what JSON has no form for is told in words, and a record
    that cannot be told at all becomes one that says so."""
    try:
        line = _fast_encoder(record).encode("utf-8")
        # The opening brackets bound the depth from above; only a line with many of them is looked at more closely.
        if line.startswith(b"{") and (
            line.count(b"{") + line.count(b"[") <= MAX_NESTING or not _deeper_than(record, MAX_NESTING)
        ):
            return line + b"\n"
    except Exception:
        pass
    try:
        if isinstance(record, Mapping):
            text = _encoder.encode(_plain_mapping(record, 1, set()))
            return _without_surrogates(text).encode("utf-8") + b"\n"
        problem = f"a record was a {type(record).__name__}, not a mapping"
    except Exception as error:
        problem = f"a record could not be put into JSON: {type(error).__name__}"
    return unencodable_line(problem)


def unencodable_line(problem: str) -> bytes:
    """The line that stands for a record of which there is nothing to tell but this."""
    apology = {
        "timestamp": timestamp_text(),
        "level": "WARNING",
        "message": problem,
        "module": "livelogd",
        "type": "livelogd",
        "event": "record_unencodable",
    }
    return _encoder.encode(apology).encode("utf-8", "replace") + b"\n"


def safe_text(value: object) -> str:
    """``str(value)``, or words that say there is none."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__} without a text>"


def _stand_in(value: Any) -> Any:
    """What the encoder writes in place of a value of a type that JSON does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, deque)):
        return list(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    if isinstance(value, numbers.Integral):  # the numbers of numeric libraries
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    return str(value)


# NaN and the infinities are no JSON: they raise, and the record goes the slow way, where they become strings.
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_stand_in)


def _made_once() -> Callable[[Any], str]:
    """``_encoder.encode``, less what it does anew for each record: half of the time of a small one. Without a register
    of the containers it is in, for what contains itself runs into the limit of recursion, and goes the slow way."""
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "c_encode_basestring", None)
    if make is None or text is None:
        return _encoder.encode
    try:
        chunks = make(None, _stand_in, text, None, ":", ",", False, False, False)
        if "".join(chunks({"a": [1, None, "ü", date(2025, 6, 26)]}, 0)) == '{"a":[1,null,"ü","2025-06-26"]}':
            return lambda record: "".join(chunks(record, 0))
    except Exception:  # another Python, with other insides
        pass
    return _encoder.encode


_fast_encoder = _made_once()


def _deeper_than(value: object, levels: int) -> bool:
    """Whether containers are nested more than ``levels`` deep. Only called for values that were encoded already, so
    there are no cycles."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)  # type: ignore[attr-defined]
            if isinstance(inner, _CONTAINERS)
        ]
        if not layer:
            return False
    return True


def _plain_mapping(mapping: Mapping[Any, Any], depth: int, above: set[int]) -> dict[str, Any]:
    above.add(id(mapping))
    try:
        # A copy first: another thread may be changing it.
        return {_key(key): _plain(value, depth + 1, above) for key, value in list(mapping.items())}
    finally:
        above.discard(id(mapping))


def _plain(value: Any, depth: int, above: set[int]) -> Any:
    """A copy of ``value`` out of types that the encoder takes. ``above`` holds the containers it is inside of."""
    try:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return _plain_int(value)
        if isinstance(value, float):
            return _plain_float(value)
        if isinstance(value, _CONTAINERS):
            if id(value) in above:
                return f"<{type(value).__name__} that contains itself>"
            if depth > MAX_NESTING:
                return f"<{type(value).__name__} nested more than {MAX_NESTING} deep>"
            if isinstance(value, Mapping):
                return _plain_mapping(value, depth, above)
            above.add(id(value))
            try:
                return [_plain(item, depth + 1, above) for item in list(value)]
            finally:
                above.discard(id(value))
        other = _stand_in(value)
        if isinstance(other, str):
            return str.__str__(other)
        return _plain_int(other) if isinstance(other, int) else _plain_float(other)
    except Exception:
        return f"<{type(value).__name__} without a text>"


def _plain_int(value: int) -> Any:
    return int(value) if value.bit_length() <= _MAX_INT_BITS else hex(value)


def _plain_float(value: float) -> Any:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or key is True or key is False:  # as the encoder spells them
        return json.dumps(key)
    return safe_text(key)


def _without_surrogates(text: str) -> str:
    """Joins surrogate pairs to the character they stand for and replaces lone ones by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
