# SPDX-License-Identifier: MIT
"""The filter of docs/http-api.md, evaluated in the plainest way over records that were read from the files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from functools import cache
from typing import Any

from reference_llm import told_by
from reference_log import Entry, Spelled, instant

LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_ALSO = {"WARN": "WARNING", "FATAL": "CRITICAL"}
_DIGITS = re.compile(r"[0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

Predicate = Callable[[Entry], bool]


class Absent:
    """The type of ABSENT, which is not the null that a record may hold."""


ABSENT = Absent()


# --- fields -------------------------------------------------------------------------------------------------------


def lookup(where: Any, name: str) -> Any:
    """A key of the object; else the part before the first dot is, and the rest is looked for in the object there."""
    if not isinstance(where, dict):
        return ABSENT
    if name in where:
        return where[name]
    head, dot, rest = name.partition(".")
    return lookup(where.get(head), rest) if dot else ABSENT


def value_text(value: Any) -> str | None:
    """What a value compares as; None for what fails every comparison."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value) if isinstance(value, str) else None


def number_of(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, Spelled) else None


def severity_of_number(number: Decimal) -> int:
    for least, name in ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"), (10, "DEBUG"), (1, "TRACE")):
        if number >= least:
            return LEVELS.index(name)
    return LEVELS.index("INFO")


def severity_named(name: str) -> int | None:
    upper = name.upper() if name.isascii() else ""
    if _DIGITS.fullmatch(name) and name.isascii():
        return severity_of_number(Decimal(name))
    upper = _ALSO.get(upper, upper)
    return LEVELS.index(upper) if upper in LEVELS else None


def severity(entry: Entry) -> int:
    level = entry.record.get("level")
    if isinstance(level, Spelled):
        return severity_of_number(Decimal(level))
    found = severity_named(level) if isinstance(level, str) else None
    return LEVELS.index("INFO") if found is None else found


@cache
def error(entry_level: int, status: str | None) -> bool:
    return entry_level >= LEVELS.index("ERROR") or (status is not None and Decimal(status) >= 400)


def is_error(entry: Entry) -> bool:
    status = entry.record.get("status_code")
    return error(severity(entry), status if isinstance(status, Spelled) else None)


def models(entry: Entry) -> list[str]:
    told = told_by(entry)
    return [name for name in (told.asked, told.answered) if name]


# --- predicates ---------------------------------------------------------------------------------------------------


def of_type(wanted: str) -> Predicate:
    if wanted == "all":
        return lambda entry: True
    if wanted == "api":
        return lambda entry: entry.says("type") in ("request", "response")
    if wanted == "errors":
        return is_error
    return lambda entry: entry.says("type") == wanted


def at_least(level: str) -> Predicate:
    least = severity_named(level)
    if least is None:
        raise ValueError(f"{level} is no level")
    limit = least
    return lambda entry: severity(entry) >= limit


def exactly(field: str, wanted: str) -> Predicate:
    return lambda entry: value_text(entry.record.get(field, ABSENT)) == wanted


def status_range(text: str) -> tuple[int, int] | None:
    """The first and the last status that is meant."""
    if re.fullmatch(r"[1-9]xx", text):
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    found = re.fullmatch(r"(\d{3})(?:-(\d{3}))?", text)
    return (int(found[1]), int(found[2] or found[1])) if found else None


def has_status(text: str) -> Predicate:
    bounds = status_range(text)
    if bounds is None:
        raise ValueError(f"{text} is no status")
    low, high = bounds

    def holds(entry: Entry) -> bool:
        number = number_of(entry.record.get("status_code"))
        return number is not None and low <= number <= high

    return holds


def contains(text: str) -> Predicate:
    # bytes.lower() knows ASCII letters only.
    wanted = text.encode().lower()
    return lambda entry: wanted in entry.text.encode().lower()


def moment(text: str, zone: tzinfo, now: int) -> int:
    """A time or an age, as microseconds since 1970."""
    age = re.fullmatch(r"(\d+)([smhdw])", text)
    if age:
        return now - int(age[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[age[2]] * 1_000_000
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += " 00:00:00"
    short = re.fullmatch(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:?\d\d)?", text)
    if short:
        text = f"{short[1]}:00{short[2] or ''}"
    found = instant(text, zone)
    if found is None:
        raise ValueError(f"{text} is no time")
    return found


# --- q ------------------------------------------------------------------------------------------------------------

Matcher = Callable[[str], bool]


@dataclass(frozen=True)
class Term:
    negated: bool
    holds: Predicate


def quoted(q: str, at: int) -> tuple[str, int]:
    """The phrase that begins at `at`, and where it is over."""
    text = ""
    at += 1
    while q[at] != '"':
        if q[at] == "\\" and q[at + 1] in '"\\':
            at += 1
        text += q[at]
        at += 1
    return text, at + 1


def slashed(q: str, at: int) -> tuple[str, int] | None:
    """The regular expression that begins at `at`, if a slash ends it before white space or the end of q."""
    found = re.compile(r"/((?:[^/\\]|\\.)*)/(?=\s|$)", re.DOTALL).match(q, at)
    return (found[1].replace("\\/", "/"), found.end()) if found else None


def bare(q: str, at: int, stops: str = "") -> tuple[str, int]:
    end = at
    while end < len(q) and not q[end].isspace() and q[end] not in stops:
        end += 1
    return q[at:end], end


def glob(text: str) -> Matcher:
    if text in ("*", "**"):
        return lambda value: True
    front, back = text.startswith("*"), text.endswith("*")
    middle = text[front : len(text) - back]
    if front and back:
        return lambda value: middle in value
    if front:
        return lambda value: value.endswith(middle)
    return (lambda value: value.startswith(middle)) if back else (lambda value: value == text)


def regular(expression: str) -> Callable[[str], bool]:
    compiled = re.compile(expression)
    return lambda text: compiled.search(text) is not None


def parse_q(q: str) -> list[Term]:
    """The terms of an expression; anything raised means that it cannot be read."""
    terms: list[Term] = []
    at = 0
    while True:
        while at < len(q) and q[at].isspace():
            at += 1
        if at == len(q):
            return terms
        negated = q[at] == "-"
        predicate, at = parse_term(q, at + negated)
        terms.append(Term(negated, predicate))


def parse_term(q: str, at: int) -> tuple[Predicate, int]:
    field = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)(:|>=|<=|>|<)").match(q, at)
    if field:
        at = field.end()
        if field[2] != ":":
            text, at = bare(q, at)
            return ordered(field[1], field[2], text), at
        return parse_value(field[1], q, at)
    if q[at] == '"':
        text, at = quoted(q, at)
        return contains(text), at
    expression = slashed(q, at) if q[at] == "/" else None
    if expression:
        matches = regular(expression[0])
        return (lambda entry: matches(entry.text)), expression[1]
    text, at = bare(q, at)
    return contains(text), at


def parse_value(field: str, q: str, at: int) -> tuple[Predicate, int]:
    if q[at] == '"':
        text, at = quoted(q, at)
        return equal(field, text, quoted=True), at
    expression = slashed(q, at) if q[at] == "/" else None
    if expression:
        return compared(field, regular(expression[0])), expression[1]
    if q[at] == "(":
        choices = []
        while q[at] != ")":
            if q[at + 1] == '"':
                text, at = quoted(q, at + 1)
                choices.append(equal(field, text, quoted=True))
            else:
                text, at = bare(q, at + 1, "|)")
                choices.append(equal(field, text))
        return (lambda entry: any(choice(entry) for choice in choices)), at + 1
    text, at = bare(q, at)
    return equal(field, text), at


def candidates(field: str, entry: Entry) -> Iterable[str]:
    if field == "model":
        return models(entry)
    text = value_text(lookup(entry.record, field))
    return [] if text is None else [text]


def compared(field: str, matches: Matcher) -> Predicate:
    return lambda entry: any(matches(text) for text in candidates(field, entry))


def equal(field: str, text: str, quoted: bool = False) -> Predicate:
    if text == "*" and not quoted:
        if field == "model":
            return lambda entry: bool(models(entry))
        name = "status_code" if field == "status" else field
        return lambda entry: lookup(entry.record, name) not in (None, ABSENT)
    if field == "type" and text in ("api", "errors"):
        return of_type(text)
    if field == "level" and severity_named(text) is not None:
        wanted = severity_named(text)
        return lambda entry: severity(entry) == wanted
    if field == "status" and status_range(text):
        return has_status(text)
    return compared(field, (lambda value: value == text) if quoted else glob(text))


def ordered(field: str, sign: str, text: str) -> Predicate:
    compare: dict[str, Callable[[Any, Any], bool]] = {
        ">": lambda a, b: bool(a > b),
        ">=": lambda a, b: bool(a >= b),
        "<": lambda a, b: bool(a < b),
        "<=": lambda a, b: bool(a <= b),
    }
    if field == "level":
        limit = severity_named(text)
        if limit is None:
            raise ValueError(f"{text} is no level")
        return lambda entry: compare[sign](severity(entry), limit)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text} is no number")
    number = Decimal(text)
    name = "status_code" if field == "status" else field

    def holds(entry: Entry) -> bool:
        value = number_of(lookup(entry.record, name))
        return value is not None and compare[sign](value, number)

    return holds


# --- all together -------------------------------------------------------------------------------------------------


class Filter:
    """The filter that these parameters make. One record, or a request with its response (the request first)."""

    def __init__(self, parameters: Iterable[tuple[str, str]], zone: tzinfo, now: int) -> None:
        self._groups: dict[str, list[list[Term]]] = {}
        self._since: list[int] = []
        self._until: list[int] = []
        simple: dict[str, Callable[[str], Predicate]] = {
            "type": of_type,
            "level": at_least,
            "endpoint": lambda text: exactly("endpoint", text),
            "method": lambda text: exactly("method", text),
            "request_id": lambda text: exactly("request_id", text),
            "model": lambda text: lambda entry: text in models(entry),
            "status": has_status,
            "search": contains,
        }
        for name, value in parameters:
            if name in ("since", "until"):
                (self._since if name == "since" else self._until).append(moment(value, zone, now))
            else:
                terms = parse_q(value) if name == "q" else [Term(False, simple[name](value))]
                self._groups.setdefault(name, []).append(terms)

    @property
    def since(self) -> int | None:
        """Of several the one that lets most through."""
        return min(self._since, default=None)

    @property
    def until(self) -> int | None:
        return max(self._until, default=None)

    def matches(self, entries: Entry | Sequence[Entry]) -> bool:
        several = [entries] if isinstance(entries, Entry) else entries
        return self.in_time(several[0]) and all(
            any(all(any(map(term.holds, several)) != term.negated for term in terms) for terms in alternatives)
            for alternatives in self._groups.values()
        )

    def in_time(self, entry: Entry) -> bool:
        if entry.time is None:
            return True
        return (self.since is None or entry.time >= self.since) and (self.until is None or entry.time < self.until)
