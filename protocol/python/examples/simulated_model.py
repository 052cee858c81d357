# SPDX-License-Identifier: MIT
"""A language model's outside without its inside: it takes its time, counts tokens and sometimes fails."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

GIB = 1024**3

_WORDS = (
    "the model reads a token and writes the next one until it has said what it was asked for while the cache keeps "
    "what was read before so that a long prompt costs its time only once and an answer comes word by word"
).split()


class ContextOverflowError(RuntimeError):
    """The prompt does not fit."""


class OutOfMemoryError(RuntimeError):
    """The accelerator has no room for the cache of one more request."""


@dataclass(frozen=True)
class Model:
    """A model file, by name and size in bytes, and the tokens a second it reads and writes."""

    name: str
    size: int
    created: str
    prompt_speed: float = 900.0
    speed: float = 60.0

    def describe(self) -> dict[str, object]:
        """As the API shows it."""
        return {"name": self.name, "size": f"{self.size / GIB:.1f} GB", "created": self.created}


@dataclass(frozen=True)
class Generation:
    """An answer, and what it cost."""

    words: tuple[str, ...]
    prompt_tokens: int
    prompt_seconds: float
    """The time it takes to read the question."""
    completion_seconds: float
    """The time it takes to write the answer."""

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self.words)

    @property
    def completion_tokens(self) -> int:
        """This model writes a word with each token."""
        return len(self.words)

    @property
    def seconds(self) -> float:
        """How long it takes in all."""
        return self.prompt_seconds + self.completion_seconds


def now_text() -> str:
    """The local time to the second."""
    return datetime.now().isoformat(timespec="seconds")


class ModelStore:
    """The models that can be asked, by name. For use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models = {
            model.name: model
            for model in (
                Model("llama-3.2-3b", 2 * GIB, now_text(), 1400.0, 90.0),
                Model("mistral-7b-instruct", 4 * GIB, now_text(), 800.0, 45.0),
                Model("qwen2.5-14b", 9 * GIB, now_text(), 420.0, 22.0),
            )
        }

    def list(self) -> list[Model]:
        """All models, in the order in which they came."""
        with self._lock:
            return list(self._models.values())

    def find(self, name: str) -> Model:
        """The model of that name; FileNotFoundError if there is none."""
        with self._lock:
            if name not in self._models:
                raise FileNotFoundError(name)
            return self._models[name]

    def add(self, model: Model) -> None:
        """Adds a model, or replaces the one of its name."""
        with self._lock:
            self._models[model.name] = model

    def remove(self, name: str) -> Model:
        """Takes a model away; FileNotFoundError if there is none of that name."""
        with self._lock:
            if name not in self._models:
                raise FileNotFoundError(name)
            return self._models.pop(name)


class SimulatedModel:
    """Answers questions with a likeness of an answer."""

    def __init__(
        self, *, failure_rate: float = 0.04, time_scale: float = 1.0, rng: Optional[random.Random] = None
    ) -> None:
        """``failure_rate``: share of the questions that end in an error. ``time_scale``: 0 makes it answer at once."""
        self._failure_rate = failure_rate
        self._time_scale = time_scale
        self._rng = rng or random.Random()

    def generate(self, model: Model, question: str) -> Generation:
        """A whole answer. Takes between 0.05 and 2 seconds (times ``time_scale``)."""
        generation = self.begin(model, question)
        time.sleep(generation.seconds)
        return generation

    def begin(self, model: Model, question: str) -> Generation:
        """What the answer will be, and how long it will take."""
        prompt_tokens = 12 + len(question) // 4
        if prompt_tokens > 4096:
            raise ContextOverflowError(f"{prompt_tokens} tokens of prompt do not fit into 4096")
        if self._rng.random() < self._failure_rate:
            time.sleep(0.05 * self._time_scale)
            raise OutOfMemoryError(f"no memory for the cache of {model.name}")
        completion_tokens = self._rng.randint(4, 80)
        prompt = prompt_tokens / model.prompt_speed
        completion = completion_tokens / (model.speed * self._rng.uniform(0.8, 1.1))
        scale = min(2.0, max(0.05, prompt + completion)) / (prompt + completion) * self._time_scale
        start = self._rng.randrange(len(_WORDS))
        words = [_WORDS[(start + i) % len(_WORDS)] + " " for i in range(completion_tokens)]
        words[0], words[-1] = words[0].capitalize(), words[-1].strip() + "."
        return Generation(tuple(words), prompt_tokens, prompt * scale, completion * scale)

    def speak(self, generation: Generation) -> Iterator[str]:
        """The answer word by word, at the speed of the model. Now and then it fails on the way."""
        time.sleep(generation.prompt_seconds)
        fails_at = -1
        if self._rng.random() < self._failure_rate:
            fails_at = self._rng.randrange(1, generation.completion_tokens)
        for number, word in enumerate(generation.words):
            if number == fails_at:
                raise OutOfMemoryError(f"no memory for token {number}")
            time.sleep(generation.completion_seconds / generation.completion_tokens)
            yield word
