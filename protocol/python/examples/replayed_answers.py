# SPDX-License-Identifier: MIT
"""What model servers answer, in their own words, for calls of which only the numbers of tokens are known."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

_WORDS = (
    "a trace of what was asked and answered says how many tokens went in and came out and nothing of what they meant "
    "so these words only take the place of an answer"
).split()

#: Words of an answer that are logged at most; the numbers tell its true length.
_MOST_WORDS = 60


@dataclass(frozen=True)
class Work:
    """What a call cost. Times in milliseconds; they follow each other in this order."""

    model: str
    input_tokens: int
    cached_tokens: int
    """Of the input: what was found in the cache and not computed again."""
    output_tokens: int
    queue: float
    load: float
    """Seconds where the model had to be loaded first, else the little that it takes to find it loaded."""
    prefill: float
    decode: float

    @property
    def to_first_token(self) -> float:
        """From the request to the first token of the answer."""
        return self.queue + self.load + self.prefill

    @property
    def whole(self) -> float:
        """From the request to the end of the answer."""
        return self.to_first_token + self.decode


@dataclass(frozen=True)
class Server:
    """A kind of server: where it is asked, for which models, and how it answers."""

    endpoint: str
    models: tuple[str, ...]
    body: Callable[[Work, str], dict[str, Any]]
    measures_itself: bool
    """Whether its answer tells times. Where it does not, the app measures the time to the first token."""


def words(count: int, rng: random.Random) -> str:
    """A text of about so many tokens, cut where an app would not log more."""
    start = rng.randrange(len(_WORDS))
    return " ".join(_WORDS[(start + i) % len(_WORDS)] for i in range(min(count, _MOST_WORDS)))


def _llama_cpp(work: Work, text: str) -> dict[str, Any]:
    computed = work.input_tokens - work.cached_tokens
    return {
        "model": work.model,
        "content": text,
        "stop": True,
        "stop_type": "eos",
        "tokens_evaluated": work.input_tokens,
        "tokens_predicted": work.output_tokens,
        "timings": {
            "cache_n": work.cached_tokens,
            "prompt_n": computed,
            "prompt_ms": round(work.prefill, 3),
            "predicted_n": work.output_tokens,
            "predicted_ms": round(work.decode, 3),
        },
    }


def _ollama(work: Work, text: str) -> dict[str, Any]:
    def nanoseconds(milliseconds: float) -> int:
        return round(milliseconds * 1_000_000)

    return {
        "model": work.model,
        "response": text,
        "done": True,
        "done_reason": "stop",
        "total_duration": nanoseconds(work.whole),
        "load_duration": nanoseconds(work.load),
        "prompt_eval_count": work.input_tokens,
        "prompt_eval_duration": nanoseconds(work.prefill),
        "eval_count": work.output_tokens,
        "eval_duration": nanoseconds(work.decode),
    }


def _chat(work: Work, text: str) -> dict[str, Any]:
    return {
        "object": "chat.completion",
        "model": work.model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": work.input_tokens,
            "completion_tokens": work.output_tokens,
            "total_tokens": work.input_tokens + work.output_tokens,
        },
    }


def _openai(work: Work, text: str) -> dict[str, Any]:
    body = _chat(work, text)
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": work.cached_tokens}
    return body


def _anthropic(work: Work, text: str) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "assistant",
        "model": work.model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": work.input_tokens - work.cached_tokens,
            "cache_read_input_tokens": work.cached_tokens,
            "output_tokens": work.output_tokens,
        },
    }


def _vllm(work: Work, text: str) -> dict[str, Any]:
    body = _chat(work, text)
    body["metrics"] = {
        "queue_time_ms": round(work.queue, 3),
        "time_to_first_token_ms": round(work.to_first_token, 3),
        "generation_time_ms": round(work.decode, 3),
    }
    return body


SERVERS: Mapping[str, Server] = {
    "llama.cpp": Server("/completion", ("llama-3.2-3b", "qwen2.5-14b"), _llama_cpp, True),
    "ollama": Server("/api/generate", ("mistral:7b", "gemma3:12b"), _ollama, True),
    "openai": Server("/v1/chat/completions", ("gpt-4o-mini", "gpt-4o"), _openai, False),
    "anthropic": Server("/v1/messages", ("claude-3-5-haiku", "claude-sonnet-4"), _anthropic, False),
    "vllm": Server("/v1/chat/completions", ("llama-3.3-70b", "qwen3-32b"), _vllm, True),
}
