# SPDX-License-Identifier: MIT
"""What the benchmark compares: its table is written and read, and what is worse is told, without measuring anything."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/bench"))

from bench_table import BEGIN, END, SUMMARY, Row, better_of, merge, parse_table, replace_block, summary, table, worse  # noqa: E402

ROWS = [
    Row("ingest", "≥ 0.50 of the bare sink", "1.20 M records/s (2.40 M)", 0.5),
    Row("tail | jq", "≥ 20 ×", "0.30 ms (30.00 ms)", 1234.0),
    Row("live p99", "≥ 0.67", "2.00 ms (1.00 ms)", 0.45, met=False),
    Row("without the other side", "≥ 50 × jq", "1.00 ms", None),
]


def with_ratio(what: str, ratio: float | None) -> Row:
    return Row(what, "", "", ratio)


def test_a_table_is_read_as_it_was_written() -> None:
    assert parse_table(table(ROWS)) == ROWS


def test_a_table_is_found_among_other_text_and_tables() -> None:
    other = "| what | else |\n|---|---|\n| a | b |\n"
    assert parse_table(f"# Title\n\n{other}\ntext | with bars |\n\n{table(ROWS)}\n\nmore\n\n{other}") == ROWS
    assert parse_table(other) == []


def test_worse_is_what_has_lost_more_than_a_fifth() -> None:
    written = [with_ratio("a", 1.0), with_ratio("b", 0.5), with_ratio("c", 100.0)]
    assert worse(written, [with_ratio("a", 0.81), with_ratio("b", 0.41), with_ratio("c", 500.0)]) == []
    (told,) = worse(written, [with_ratio("a", 0.79), with_ratio("b", 0.5), with_ratio("c", 99.0)])
    assert told.startswith("a: 0.79 instead of 1.00")


def test_what_cannot_be_compared_is_not_worse() -> None:
    written = [with_ratio("a", 1.0), with_ratio("gone", 1.0), with_ratio("no jq then", None)]
    assert worse(written, [with_ratio("a", None), with_ratio("new", 0.1), with_ratio("no jq then", 0.1)]) == []


def test_a_ratio_of_nothing_is_worse() -> None:
    assert worse([with_ratio("lost", 1.0)], [with_ratio("lost", 0.0)])


def test_of_two_measurements_the_better_one_counts() -> None:
    first = [with_ratio("a", 0.5), with_ratio("b", 0.9), with_ratio("c", None)]
    again = [with_ratio("a", 0.8), with_ratio("b", 0.7)]
    assert [row.ratio for row in better_of(first, again)] == [0.8, 0.9, None]


def test_what_is_measured_replaces_what_was_written_where_it_stands() -> None:
    written = [with_ratio("a", 1.0), with_ratio("b", 1.0)]
    merged = merge(written, [with_ratio("c", 3.0), with_ratio("b", 2.0)])
    assert [(row.what, row.ratio) for row in merged] == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


def test_the_lines_for_newcomers_tell_the_daemons_side_of_rows() -> None:
    rows = [Row(what, "", f"{number} things ({number}0 things)", 1.0) for number, (what, _) in enumerate(SUMMARY)]
    lines = summary(rows)
    assert len(lines) == 5
    for number in range(len(SUMMARY)):
        assert f"{number} things" in "\n".join(lines)
    assert "0 things)" not in "\n".join(lines)
    assert summary(rows[1:]) == []


def test_a_block_is_replaced_between_its_marks_alone() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = replace_block(document, "new\n")
    assert once == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert replace_block(once, "new") == once
    with pytest.raises(ValueError):
        replace_block("no marks", "new")


@pytest.mark.parametrize("name", ["docs/performance.md", "README.md"])
def test_the_documents_have_their_marks(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)
