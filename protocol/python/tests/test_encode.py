# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import math
from collections import OrderedDict, deque
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from livelogd.encode import encode_record, timestamp_text


def strict(line: bytes) -> Any:
    """Parses as the daemon does: no NaN, no Infinity, UTF-8 without surrogates, one line."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    assert line.endswith(b"\n") and line.count(b"\n") == 1
    return json.loads(line.decode("utf-8"), parse_constant=refuse)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


class Broken:
    """An object that raises wherever it can."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no attributes")


class Liar(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("no items")


class Colour(Enum):
    RED = 1


def test_the_line_is_compact_and_keeps_order_and_characters() -> None:
    record = {"b": 1, "a": "ü 😀 \n\t\"\\ \u2028", "n": None, "t": True, "l": [1.5, {}], "big": 4294967296}
    line = encode_record(record)
    assert line == '{"b":1,"a":"ü 😀 \\n\\t\\"\\\\ \u2028","n":null,"t":true,"l":[1.5,{}],"big":4294967296}\n'.encode()


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (datetime(2025, 6, 26, 10, 30, tzinfo=timezone.utc), "2025-06-26T10:30:00+00:00"),
        (date(2025, 6, 26), "2025-06-26"),
        (Path("/tmp/x"), "/tmp/x"),
        (Decimal("0.10"), "0.10"),
        (Fraction(1, 4), 0.25),
        (b"bytes \xff", "bytes \ufffd"),
        ({7}, [7]),
        (deque([1, 2]), [1, 2]),
        ((1, (2,)), [1, [2]]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (OrderedDict(z=1, a=2), {"z": 1, "a": 2}),
        (Colour.RED, "Colour.RED"),
        ("lone \ud800 end", "lone \ufffd end"),
        ("pair \ud83d\ude00", "pair 😀"),
        (Broken(), "<Broken without a text>"),
        ({2: "int", None: "none", True: "true"}, {"2": "int", "null": "none", "true": "true"}),
        ({(1, 2): "tuple key"}, {"(1, 2)": "tuple key"}),
        ({"x\udfff": 1}, {"x\ufffd": 1}),
        (10**5000, hex(10**5000)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_odd_values(value: Any, stored: Any) -> None:
    got = strict(encode_record({"before": 1, "value": value, "after": 2}))
    assert got == {"before": 1, "value": stored, "after": 2}
    # and beside something that forces the slow way, the same
    got = strict(encode_record({"value": value, "force": math.nan}))
    assert got == {"value": stored, "force": "NaN"}


def test_nan_deep_inside_leaves_the_rest_alone() -> None:
    got = strict(encode_record({"scores": [0.1, math.nan, {"loss": -math.inf}], "model": "llama"}))
    assert got == {"scores": [0.1, "NaN", {"loss": "-Infinity"}], "model": "llama"}


def test_a_cycle_is_told() -> None:
    loop: dict[str, Any] = {"name": "loop"}
    loop["self"] = loop
    loop["list"] = [loop, 1]
    shared = [1]
    got = strict(encode_record({"loop": loop, "one": shared, "two": shared}))
    assert got["loop"] == {
        "name": "loop",
        "self": "<dict that contains itself>",
        "list": ["<dict that contains itself>", 1],
    }
    assert got["one"] == got["two"] == [1]


@pytest.mark.parametrize("levels", [1, 100, 127, 128, 129, 500, 100_000])
def test_nesting_stays_within_what_the_daemon_reads(levels: int) -> None:
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    got = strict(encode_record({"value": value}))
    assert depth_of(got) == min(levels + 1, 128)
    if levels <= 127:
        assert got == {"value": value}


def test_many_brackets_are_not_deep() -> None:
    wide = {"rows": [{"cells": [i]} for i in range(500)]}
    assert strict(encode_record(wide)) == wide
    assert encode_record(wide).startswith(b'{"rows":[{"cells":[0]},{"cells":[1]}')


def test_what_is_no_mapping_becomes_a_record_that_says_so() -> None:
    for odd in ([1, 2], "text", None, 7, Broken()):
        got = strict(encode_record(odd))  # type: ignore[arg-type]
        assert got["type"] == "livelogd" and got["event"] == "record_unencodable" and got["level"] == "WARNING"
        assert type(odd).__name__ in got["message"]
    got = strict(encode_record(Liar(a=1)))
    assert got["event"] == "record_unencodable" and "RuntimeError" in got["message"]


def test_timestamps_are_local_with_offset_and_microseconds() -> None:
    text = timestamp_text(1750933845.123456)
    assert datetime.fromisoformat(text).timestamp() == pytest.approx(1750933845.123456, abs=1e-6)
    assert text[10] == "T" and text[19] == "." and len(text) == len("2025-06-26T10:30:45.123456+00:00")
    assert timestamp_text(1750933845.0)[19:26] == ".000000"
    assert abs(datetime.fromisoformat(timestamp_text()).timestamp() - datetime.now().timestamp()) < 5
