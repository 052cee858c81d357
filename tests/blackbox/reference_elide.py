# SPDX-License-Identifier: MIT
"""Elided records as docs/http-api.md defines them, in the plainest way: through the stored line by characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# One character between the quotes of a string: an escape (two of them where they are one character), or a character.
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OTHER = re.compile(r"[^,\]}]+")
MOST_NAMED = 100


def cut(inner: str, most: int) -> str:
    """The longest beginning of at most so many bytes that is whole characters."""
    kept = ""
    size = 0
    for character in _CHARACTER.findall(inner):
        size += len(character.encode())
        if size > most:
            return kept
        kept += character
    return kept


def strings(line: str, at: int, path: str) -> Iterator[tuple[int, int, str]]:
    """Where each string value stands between its quotes, and its path; at last (end, end, "") of the whole value."""
    if line[at] == '"':
        end = _match(_STRING, line, at)
        yield at + 1, end - 1, path
    elif line[at] in "{[":
        close = "}" if line[at] == "{" else "]"
        end, n = at + 1, 0
        while line[end] != close:
            end += line[end] == ","
            name = str(n)
            if close == "}":
                key_end = _match(_STRING, line, end)
                name, end = json.loads(line[end:key_end]), key_end + 1
            for start, end, inner in strings(line, end, f"{path}.{name}" if path else name):
                if inner:
                    yield start, end, inner
            n += 1
        end += 1
    else:
        end = _match(_OTHER, line, at)
    yield end, end, ""


def _match(pattern: re.Pattern[str], line: str, at: int) -> int:
    found = pattern.match(line, at)
    assert found, line[at : at + 50]
    return found.end()


def elided(stored: bytes, most: int) -> bytes:
    """The record with its long strings cut, as it was stored if there is none."""
    line = stored.decode()
    sizes: dict[str, int] = {}
    text, done = "", 0
    for start, end, path in strings(line, 0, ""):
        inner = line[start:end]
        size = len(inner.encode())
        if path and size > most:
            text += line[done:start] + cut(inner, most) + "…"
            done = end
            if len(sizes) < MOST_NAMED:
                sizes[path] = size
    if not done:
        return stored
    text += line[done:]
    told = json.dumps(sizes, ensure_ascii=False, separators=(",", ":"))
    return f'{{"livelog_elided":{told},{text[1:]}'.encode()
