# SPDX-License-Identifier: MIT
"""What the benchmark says and compares: rows, their Markdown table, and the documents that hold it. Nothing is measured here.

Every ratio is made so that more is better: what the daemon does of what the bound does, how many times faster it is than
another way, or how much of what is allowed it leaves. So one comparison fits all rows.
"""

from __future__ import annotations

import dataclasses
import re

HEADINGS = ("what", "goal", "measured", "ratio")
BEGIN = "<!-- bench: begin -->"
END = "<!-- bench: end -->"

# Worse than what is written down by more than a fifth is told; less than that is noise on a shared machine.
TOLERANCE = 0.2


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` None: it could not be made (the other side of it is not installed)."""

    what: str
    goal: str
    measured: str
    ratio: float | None
    met: bool = True

    def cells(self) -> tuple[str, str, str, str]:
        number = "–" if self.ratio is None else format_ratio(self.ratio)
        return (self.what, self.goal, self.measured, number if self.met else f"**{number}**")


def format_ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.2f}"


def table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|---|---:|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |" for row in rows]
    return "\n".join(lines)


def parse_table(text: str) -> list[Row]:
    """The rows of the first table with these headings; the bold ratio of a goal that was missed is understood."""
    rows: list[Row] = []
    inside = False
    for line in text.splitlines():
        cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if tuple(cells) == HEADINGS:
            inside = True
        elif inside and len(cells) != len(HEADINGS):
            break
        elif inside and set(cells[0]) != {"-"}:
            what, goal, measured, ratio = cells
            number = ratio.strip("*")
            rows.append(Row(what, goal, measured, None if number == "–" else float(number.replace(",", "")),
                            met=not ratio.startswith("**")))
    return rows


def worse(written: list[Row], measured: list[Row], tolerance: float = TOLERANCE) -> list[str]:
    """A sentence for each measured row whose ratio is less than the written one by more than `tolerance` of it."""
    before = {row.what: row for row in written}
    found = []
    for row in measured:
        old = before.get(row.what)
        if old is None or old.ratio is None or row.ratio is None:
            continue
        if row.ratio < old.ratio * (1 - tolerance):
            found.append(f"{row.what}: {format_ratio(row.ratio)} instead of {format_ratio(old.ratio)} ({row.measured};"
                         f" before: {old.measured})")
    return found


def better_of(a: list[Row], b: list[Row]) -> list[Row]:
    """Of rows measured twice the one with the better ratio, in the order of `a`."""
    again = {row.what: row for row in b}
    return [max(row, again.get(row.what, row), key=lambda one: one.ratio or 0.0) for row in a]


def merge(written: list[Row], measured: list[Row]) -> list[Row]:
    """What is measured in place of what is written; what is new at the end."""
    fresh = {row.what: row for row in measured}
    known = {row.what for row in written}
    return [fresh.get(row.what, row) for row in written] + [row for row in measured if row.what not in known]


# For somebody who is new here: a sentence about the daemon's side of some rows.
SUMMARY = (
    ("ingest, 1 connection, blocks", "takes in {} from one connection, each of them validated and stored;"),
    ("live p99, 1,000 records/s to 100 streams", "shows a record to 100 viewers within {} (p99, at 1,000 records a second);"),
    ("stats of 60 MB", "answers `stats` over 60 MB of records in {};"),
    ("memory, idle", "needs {} of memory when idle, and with 100 viewers under a flood "),
    ("memory, peak under a flood", "{};"),
    ("acknowledged records lost by kill -9", "has lost {} that it had acknowledged, after `kill -9`."),
)


def summary(rows: list[Row]) -> list[str]:
    """Five lines of a list; none unless all of their rows are there."""
    measured = {row.what: row.measured.partition(" (")[0] for row in rows}
    if any(what not in measured for what, _ in SUMMARY):
        return []
    parts = [sentence.format(measured[what]) for what, sentence in SUMMARY]
    parts[3:5] = [parts[3] + parts[4]]
    return [f"- {part}" for part in parts]


def replace_block(document: str, block: str) -> str:
    """The document with `block` between its two marks."""
    begin = document.index(BEGIN) + len(BEGIN)
    return f"{document[:begin]}\n{block.strip()}\n{document[document.index(END, begin):]}"
