# SPDX-License-Identifier: MIT
"""The golden cases that the daemon's own tests read too."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from livelogd import records
from livelogd.bodies import StreamReader, kind_of
from livelogd.encode import encode_record
from livelogd.wire import Answer, hello_line, parse_answer

VECTORS = Path(__file__).resolve().parents[2] / "vectors"

if not VECTORS.is_dir():
    pytest.skip("the golden cases are part of the source tree", allow_module_level=True)


def cases(file: str) -> list[Any]:
    found = [json.loads(line) for line in (VECTORS / file).read_text(encoding="utf-8").splitlines()]
    assert found
    return [pytest.param(case, id=case["name"]) for case in found]


@pytest.mark.parametrize("case", cases("acknowledgements.jsonl"))
def test_hellos(case: dict[str, Any]) -> None:
    if "as the Python package" in case["name"]:
        assert hello_line(case["hello"]["ack"], case["hello"]["client"]) == case["line"].encode() + b"\n"


@pytest.mark.parametrize("case", cases("answers.jsonl"))
def test_answers(case: dict[str, Any]) -> None:
    told = {name: value for name, value in case.items() if name not in ("name", "line")}
    assert parse_answer(case["line"].encode()) == Answer(**told)


@pytest.mark.parametrize("case", cases("client_records.jsonl"))
def test_records_of_the_package(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "timestamp_text", lambda: json.loads(case["line"])["timestamp"])
    arguments = dict(case["arguments"])
    if "call" in arguments:
        arguments["call"] = records.Call(**arguments["call"])
    if "failure" in arguments:
        arguments["failure"] = records.Failure(**arguments["failure"])
    if "stream" in arguments:
        arguments["stream"] = records.StreamFigures(**arguments["stream"])
    if "ending" in arguments:
        arguments["ending"] = records.Ending(arguments["ending"])
    make: Any = getattr(records, f"{case['kind']}_record")
    assert encode_record(make(**arguments)).decode() == case["line"] + "\n"


@pytest.mark.parametrize("portions", ["whole", "bytes", "random"])
@pytest.mark.parametrize("case", cases("streams.jsonl"))
def test_streamed_answers(case: dict[str, Any], portions: str) -> None:
    data = case["stream"].encode()
    rng = random.Random(case["name"])
    reader = StreamReader(kind_of(case["content_type"]), 65536)
    said_at = None
    position = 0
    while position < len(data):
        size = {"whole": len(data), "bytes": 1, "random": rng.randrange(1, 90)}[portions]
        if reader.feed(data[position : position + size]) and said_at is None:
            said_at = position
        position += size
    reader.end()
    assert (reader.pieces, reader.text(), reader.body(), reader.cut) == (
        case["pieces"], case["text"], case["body"], False,
    )  # fmt: skip
    assert said_at is not None
    assert json.loads(case["line"])["response_body"] == case["body"]
