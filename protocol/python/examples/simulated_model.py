# SPDX-License-Identifier: MIT
"""A language model's outside without its inside: it takes its time, counts tokens and sometimes fails."""

from __future__ import annotations

import random
import threading
import time
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

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


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
        """Takes between 0.05 and 2 seconds (times ``time_scale``)."""
        prompt_tokens = 12 + len(question) // 4
        if prompt_tokens > 4096:
            raise ContextOverflowError(f"{prompt_tokens} tokens of prompt do not fit into 4096")
        if self._rng.random() < self._failure_rate:
            time.sleep(0.05 * self._time_scale)
            raise OutOfMemoryError(f"no memory for the cache of {model.name}")
        completion_tokens = self._rng.randint(4, 80)
        seconds = prompt_tokens / model.prompt_speed + completion_tokens / (model.speed * self._rng.uniform(0.8, 1.1))
        seconds = min(2.0, max(0.05, seconds)) * self._time_scale
        time.sleep(seconds)
        start = self._rng.randrange(len(_WORDS))
        words = (_WORDS[(start + i) % len(_WORDS)] for i in range(completion_tokens))
        return Generation(" ".join(words).capitalize() + ".", prompt_tokens, completion_tokens, seconds)
