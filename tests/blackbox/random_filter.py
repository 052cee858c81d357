# SPDX-License-Identifier: MIT
"""Random filters, made of the words of a log so that they find something, and written in all the ways that
docs/http-api.md allows. What it leaves open is left out."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from random_log import BERLIN, MODELS
from reference_filter import ABSENT, LEVELS, lookup, value_text
from reference_log import Entry, Spelled

Parameters = list[tuple[str, str]]

_WORD = re.compile(r"[^\W_]{2,}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_BARE = re.compile(r"[A-Za-z0-9_.:@+-][^\s\"()|*\\<>/]*")
_SPECIAL = ("type", "level", "model", "status")
# Letters that are the same in another case only outside of ASCII would ask how a regular expression folds.
_PLAIN = re.compile(r"[a-hjl-rt-zA-HJL-RT-Z0-9 ]+")


class RandomFilter:
    def __init__(self, chance: random.Random, log: list[Entry]) -> None:
        self.chance = chance
        self.log = log

    def parameters(self) -> Parameters:
        """One to three different ones, now and then one of them several times."""
        makers = {
            "type": self.type,
            "level": self.level,
            "endpoint": lambda: self.string_of("endpoint"),
            "method": lambda: self.chance.choice(["GET", "POST", "get"]),
            "request_id": lambda: self.scalar_of("request_id"),
            "model": self.model,
            "status": self.status,
            "search": self.phrase,
            "since": self.time,
            "until": self.time,
            "q": self.q,
        }
        weights = [2, 2, 1, 1, 1, 2, 2, 2, 2, 1, 8]
        chosen = set(self.chance.choices(list(makers), weights, k=self.chance.choice([1, 1, 2, 3])))
        found = []
        for name in makers:
            if name in chosen:
                times = 2 if self.chance.random() < 0.2 else 1
                found += [(name, makers[name]()) for _ in range(times)]
        self.chance.shuffle(found)
        return found

    # --- parameters -------------------------------------------------------------------------------------------------

    def entry(self) -> Entry:
        return self.chance.choice(self.log)

    def type(self) -> str:
        return self.chance.choice(
            ["all", "api", "errors", "errors", "request", "response", "custom_event", "malformed", "none"]
        )

    def level(self) -> str:
        return self.chance.choice([*LEVELS, "warn", "Error", "fatal", "10", "29", "30", "45"])

    def model(self) -> str:
        return self.chance.choice([*MODELS, *(f"{name}-0125" for name in MODELS)])

    def status(self) -> str:
        return self.chance.choice(["200", "404", "4xx", "5xx", "2xx", "400-499", "200-403", "500-503", "599"])

    def string_of(self, name: str) -> str:
        return next((value for entry in self.tries() if (value := entry.says(name))), "nothing")

    def scalar_of(self, name: str) -> str:
        values = (entry.record.get(name) for entry in self.tries())
        return next((str(value) for value in values if isinstance(value, str) and value), "nothing")

    def tries(self) -> Iterator[Entry]:
        return (self.entry() for _ in range(40))

    def time(self) -> str:
        """Around the time of some record, or an age, in one of the spellings."""
        chance = self.chance
        if chance.random() < 0.2:
            return chance.choice(["1800s", "30m", "120m", "2h", "1d", "24h", "7d", "1w", "10m"])
        time = next(entry.time for entry in self.tries() if entry.time is not None)
        moment = datetime.fromtimestamp(time // 1_000_000, timezone.utc) + timedelta(
            microseconds=time % 1_000_000
            + chance.choice([0, 0, 1, -1, chance.randrange(-4_000_000_000, 4_000_000_000)])
        )
        local = moment.astimezone(BERLIN).replace(tzinfo=None)
        return chance.choice(
            [
                moment.replace(tzinfo=None).isoformat() + "Z",
                moment.astimezone(timezone(timedelta(hours=-5))).isoformat(),
                local.isoformat(chance.choice(["T", " "])),
                local.strftime("%Y-%m-%d %H:%M"),
                local.strftime("%Y-%m-%d"),
            ]
        )

    def phrase(self) -> str:
        """Something that stands in a record, or nearly."""
        text = next((text for entry in self.tries() if (text := entry.text)), "x")
        start = self.chance.randrange(len(text))
        piece = text[start : start + self.chance.randrange(1, 14)]
        piece = "".join(letter for letter in piece if letter.isprintable()).strip() or "e"
        return self.in_another_case(piece) if self.chance.random() < 0.4 else piece

    def in_another_case(self, text: str) -> str:
        return "".join(letter.swapcase() if letter.isascii() else letter for letter in text)

    def word(self) -> str:
        words = next((words for entry in self.tries() if (words := _WORD.findall(entry.text))), ["text"])
        word: str = self.chance.choice(words)
        return self.in_another_case(word) if self.chance.random() < 0.4 else word

    # --- q ----------------------------------------------------------------------------------------------------------

    def q(self) -> str:
        terms = [self.term() for _ in range(self.chance.choice([1, 1, 2, 3]))]
        # A bare value that begins with a slash could be the beginning of a regular expression: nothing may end one.
        slashed = [term for term in terms if re.search(r":/[^/]*$|:/[^/]*/\*$", term)]
        if slashed and sum("/" in term for term in terms) > 1:
            terms = [term for term in terms if "/" not in term or term == slashed[0]][: len(terms)]
            terms.sort(key=lambda term: "/" in term)
        terms = [("-" if self.chance.random() < 0.25 else "") + term for term in terms]
        return self.chance.choice([" ", "  ", "\t"]).join(terms)

    def term(self) -> str:
        makers = [self.word, self.quoted_phrase, self.regex, self.field_term, self.special, self.comparison]
        return self.chance.choices(makers, [2, 2, 2, 5, 4, 2])[0]()

    def quoted_phrase(self) -> str:
        return quote(self.phrase())

    def regex(self) -> str:
        return f"/{self.expression(self.phrase())}/"

    def expression(self, text: str) -> str:
        """One that is the same in RE2 and in Python, and finds this text."""
        chance = self.chance
        if _PLAIN.fullmatch(text) and chance.random() < 0.3:
            return "(?i)" + self.in_another_case(text)
        written = ""
        for letter in text:
            if letter in "0123456789" and chance.random() < 0.4:
                written += chance.choice(["[0-9]", "[0-9]+", r"\d"])
            elif letter.isascii() and letter.isalpha() and chance.random() < 0.15:
                written += chance.choice([".", "[a-zA-Z]", f"({letter}|#)", "[^ ]"])
            elif letter == "/":
                written += r"\/"
            elif letter.isascii() and not letter.isalnum() and letter not in " _":
                written += "\\" + letter
            else:
                written += letter
        return written

    def path(self) -> tuple[str, Any]:
        """A field of some record as q can name it, and its value there."""
        for entry in self.tries():
            name, value = self.chance.choice(list(entry.record.items()))
            while isinstance(value, dict) and value and self.chance.random() < 0.8:
                key, value = self.chance.choice(list(value.items()))
                name = f"{name}.{key}"
            if _FIELD.fullmatch(name) and name not in _SPECIAL and name != "timestamp":
                found = lookup(entry.record, name)  # a flat key may stand in its way
                return name, None if found is ABSENT else found
        return "message", "Incoming request"

    def field_term(self) -> str:
        name, value = self.path()
        if self.chance.random() < 0.12:
            return f"{name}:*"
        text = value_text(value)
        if text is None or not text.isprintable() or len(text) > 60:
            return f"{name}:{self.chance.choice(['true', 'x*', '*x', '1', 'nothing'])}"
        pick = self.chance.random()
        if pick < 0.35:
            return f"{name}:{self.written(text)}"
        if pick < 0.45:
            return f"{name}:({self.written(text)}|nothing|{quote('a b')})"
        if pick < 0.60 and text:
            piece = text[self.chance.randrange(len(text)) :][:8]
            return f"{name}:/{self.expression(piece)}/" if piece.strip() else f"{name}:{quote(text)}"
        cut = self.chance.randrange(len(text) + 1)
        front, back = text[:cut], text[cut:]
        middle = text[cut // 2 : cut]
        for piece, glob in self.chance.sample([(front, f"{front}*"), (back, f"*{back}"), (middle, f"*{middle}*")], 3):
            if re.fullmatch(r"[A-Za-z0-9_.:@+-]+", piece) or re.fullmatch(r"/[A-Za-z0-9_.]*", piece):
                return f"{name}:{glob}"
        return f"{name}:{quote(text)}"

    def written(self, text: str) -> str:
        """A value, in quotes where it needs them."""
        if _BARE.fullmatch(text) and self.chance.random() < 0.7:
            return text
        return quote(text)

    def special(self) -> str:
        chance = self.chance
        name = chance.choice(_SPECIAL)
        if name == "type":
            return "type:" + chance.choice(
                ["errors", "api", "request", "response", "custom_event", "custom*", "*event"]
            )
        if name == "level":
            named = chance.choice(["trace", "debug", "INFO", "Warning", "warn", "error", "critical", "fatal"])
            return "level" + chance.choice([":", ">", ">=", "<", "<=", ":"]) + named
        if name == "model":
            model = chance.choice(MODELS)
            return "model:" + chance.choice(
                [quote(self.model()), f"{model[:4]}*", f"*{model[-2:].strip()}", "*", "/[0-9]b/",
                 f"({quote(model)}|{quote(self.model())})"]
            )  # fmt: skip
        status = self.status()
        return "status" + chance.choice(
            [f":{status}", f":{status}", ">400", ">=400", "<300", "<=404", ":ready", ":(404|5xx)"]
        )

    def comparison(self) -> str:
        for _ in range(10):
            name, value = self.path()
            if isinstance(value, Spelled):
                break
        else:
            name, value = "duration_ms", Spelled("500")
        sign = self.chance.choice([">", ">=", "<", "<="])
        return f"{name}{sign}{self.chance.choice([str(value), '0', '100', '-2.5', '1e3', '404'])}"


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
