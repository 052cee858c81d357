# SPDX-License-Identifier: MIT
"""The judge of this suite is not bribed: each kind of damage that it looks for is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from oracle import History, make_line

FIRST = 1_764_012_345_678_901


def make_log(folder: Path, history: History, *, acked: bool = True) -> Path:
    for n in range(4):
        history.note_sent(f"k{n}", make_line(f"k{n}"), 0)
        if acked:
            history.note_acked(f"k{n}", "written")
    first = folder / f"live-{FIRST:020}.jsonl"
    first.write_bytes(make_line("k0") + make_line("k1"))
    (folder / f"live-{FIRST + 2:020}.jsonl").write_bytes(make_line("k2") + make_line("k3"))
    history.check(folder)
    return first


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half a line": (lambda data: data[:-9], "ends within a line"),
    "glued": (lambda data: data.replace(b"\n", b"", 1), "broken line"),
    "zeros": (lambda data: data + b"\0\0\n", "broken line"),
    "changed": (lambda data: data.replace(b"INFO", b"info", 1), "names two records"),
    "swapped": (lambda data: make_line("k1") + make_line("k0"), "names two records"),
    "lost at the end": (lambda data: make_line("k0"), "acknowledged records are lost"),
    "lost at the start": (lambda data: make_line("k1"), "names two records"),
    "foreign": (lambda data: data.replace(b'"k1"', b'"zz"'), "names two records"),
    "one too many": (lambda data: data + make_line("k1"), "at or below"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(tmp_path: Path, damage: str) -> None:
    history = History()
    path = make_log(tmp_path, history)
    change, told = DAMAGE[damage]
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(AssertionError, match=told):
        history.check(tmp_path)


def test_a_double_is_only_allowed_across_a_death(tmp_path: Path) -> None:
    history = History()
    make_log(tmp_path, history)
    (tmp_path / f"live-{FIRST + 9:020}.jsonl").write_bytes(make_line("k3"))
    with pytest.raises(AssertionError, match="k3 is there 2 times"):
        history.check(tmp_path)
    history.note_sent("k3", make_line("k3"), 1)
    history.check(tmp_path)


def test_what_was_never_seen_in_a_file_counts_by_what_was_sent(tmp_path: Path) -> None:
    history = History()
    history.note_sent("k", make_line("k"), 0)
    path = tmp_path / f"live-{FIRST:020}.jsonl"
    path.write_bytes(make_line("k", 200))
    with pytest.raises(AssertionError, match="was changed"):
        history.check(tmp_path)
    path.write_bytes(b'{"timestamp":"t","type":"malformed"}\n')
    with pytest.raises(AssertionError, match="names two records"):
        history.check(tmp_path)


def test_what_a_reader_has_seen_must_stay(tmp_path: Path) -> None:
    history = History()
    make_log(tmp_path, history, acked=False)
    history.note_seen(FIRST + 4, b'{"type":"livelogd","event":"x"}')
    with pytest.raises(AssertionError, match="that a reader has seen are gone"):
        history.check(tmp_path)
    history.check(tmp_path, seen_survive=False)
    with pytest.raises(AssertionError, match="names two records"):
        history.note_seen(FIRST, b"{}")
