# SPDX-License-Identifier: MIT
"""Answers of all kinds of model servers, in all the ways in which an app may log them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference_log import Spelled


@dataclass(frozen=True)
class ServerAnswer:
    """What a response's record says of it; its own duration fits to that."""

    fields: list[tuple[str, Any]]
    duration_ms: float


@dataclass(frozen=True)
class Work:
    """What was done, times in milliseconds."""

    model: str
    input_tokens: int
    cached: int
    output_tokens: int
    queue: float
    load: float
    prefill: float
    decode: float

    @property
    def whole(self) -> float:
        return round(self.queue + self.load + self.prefill + self.decode, 3)


def random_work(chance: random.Random, model: str) -> Work:
    cached = chance.choice([0, chance.randrange(1, 500)])
    load = chance.choice([0.5, 999.0, 1001.5, 4000.0])
    return Work(
        model=model,
        input_tokens=cached + chance.randrange(1, 3000),
        cached=cached,
        output_tokens=chance.choice([1, 2, chance.randrange(2, 800)]),
        queue=round(chance.uniform(1, 300), 3),
        load=load,
        prefill=round(chance.uniform(5, 2000), 3),
        decode=round(chance.uniform(5, 9000), 3),
    )


def number(value: float) -> Spelled:
    return Spelled(f"{value:.3f}")


def ns(milliseconds: float) -> int:
    return round(milliseconds * 1_000_000)


def llama_cpp(chance: random.Random, work: Work) -> Any:
    timings = {
        "cache_n": work.cached,
        "prompt_n": work.input_tokens - work.cached,
        "prompt_ms": number(work.prefill),
        "predicted_n": work.output_tokens,
        "predicted_ms": number(work.decode),
    }
    if chance.random() < 0.5:
        usage = {"prompt_tokens": work.input_tokens, "completion_tokens": work.output_tokens}
        choices = [{"finish_reason": "stop", "message": {"content": "text"}}]
        return {"model": work.model, "choices": choices, "usage": usage, "timings": timings}
    stop = chance.choice(["eos", "limit", "none"])
    whole: dict[str, Any] = {
        "content": "text",
        "model": work.model,
        "tokens_evaluated": work.input_tokens,
        "stop_type": stop,
        "timings": timings,
    }
    return [{"content": "a"}, {"content": "b"}, whole] if chance.random() < 0.3 else whole


def ollama(chance: random.Random, work: Work) -> Any:
    told: dict[str, Any] = {
        "model": work.model,
        "response": "a text, not an object",
        "done": True,
        "done_reason": chance.choice(["stop", "length"]),
        "total_duration": ns(work.whole),
        "load_duration": ns(work.load),
        "prompt_eval_count": work.input_tokens,
        "prompt_eval_duration": ns(work.prefill),
        "eval_count": work.output_tokens,
        "eval_duration": ns(work.decode),
    }
    for name in ("prompt_eval_count", "load_duration", "total_duration"):
        if chance.random() < 0.1:
            del told[name]  # fields that are zero are left out
    if chance.random() < 0.3:
        pieces = [{"model": work.model, "response": piece, "done": False} for piece in "ab"]
        return "\n".join(json.dumps(one) for one in [*pieces, told]) + "\n"
    return told


def openai(chance: random.Random, work: Work) -> Any:
    usage: dict[str, Any] = {"prompt_tokens": work.input_tokens, "completion_tokens": work.output_tokens}
    if chance.random() < 0.5:
        usage["prompt_tokens_details"] = {"cached_tokens": work.cached}
        usage["completion_tokens_details"] = {"reasoning_tokens": work.output_tokens // 2}
    pick = chance.random()
    if pick < 0.25:  # the Responses API
        usage = {"input_tokens": work.input_tokens, "output_tokens": work.output_tokens}
        usage["input_tokens_details"] = {"cached_tokens": work.cached}
        whole = {"id": "x", "model": work.model, "status": "completed", "usage": usage}
        if chance.random() < 0.5:
            return whole
        created: dict[str, Any] = {"type": "response.created", "response": {"model": work.model, "usage": None}}
        return event_stream([created, {"type": "response.completed", "response": whole}])
    if pick < 0.5:
        pieces: list[dict[str, Any]] = [
            {"model": work.model, "choices": [{"delta": {"content": piece}, "finish_reason": None}]} for piece in "abc"
        ]
        pieces.append({"model": work.model, "choices": [{"delta": {}, "finish_reason": "stop"}]})
        pieces.append({"model": work.model, "choices": [], "usage": usage})
        return event_stream(pieces) + "data: [DONE]\n\n"
    choices: list[dict[str, Any]] = [
        {"index": 0, "finish_reason": chance.choice(["stop", "length", "tool_calls", ""])},
        {"finish_reason": "x"},
    ]
    answer: dict[str, Any] = {"model": work.model, "choices": choices, "usage": usage}
    return json.dumps(answer) if chance.random() < 0.3 else answer


def anthropic(chance: random.Random, work: Work) -> Any:
    fresh = work.input_tokens - work.cached
    usage = {"input_tokens": fresh, "cache_read_input_tokens": work.cached, "cache_creation_input_tokens": 7}
    if chance.random() < 0.5:
        usage["output_tokens"] = work.output_tokens
        return {"type": "message", "model": work.model, "stop_reason": "end_turn", "usage": usage, "content": []}
    start: dict[str, Any] = {
        "type": "message_start",
        "message": {"model": work.model, "usage": usage, "stop_reason": None},
    }
    delta: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": "max_tokens"},
        "usage": {"output_tokens": work.output_tokens},
    }
    return event_stream([start, {"type": "ping"}, delta, {"type": "message_stop"}])


def vllm(chance: random.Random, work: Work) -> Any:
    metrics: dict[str, Any] = {
        "time_to_first_token_ms": number(work.queue + work.prefill),
        "queue_time_ms": number(work.queue),
        "generation_time_ms": number(work.decode),
    }
    if chance.random() < 0.4:
        del metrics["generation_time_ms"]
        metrics["tokens_per_second"] = number(work.output_tokens / work.decode * 1000 + 1)
    usage = {"prompt_tokens": work.input_tokens, "completion_tokens": work.output_tokens}
    return {"model": work.model, "choices": [{"finish_reason": "length"}], "usage": usage, "metrics": metrics}


def guide_app(chance: random.Random, work: Work) -> Any:
    body: dict[str, Any] = {"success": True, "response": "text", "model_name": work.model}
    body["generation_time"] = number(work.decode / 1000)
    if chance.random() < 0.5:
        body["usage"] = {"prompt_tokens": work.input_tokens, "completion_tokens": work.output_tokens}
    return body


def odd(chance: random.Random, work: Work) -> Any:
    """Nothing that fits."""
    return chance.choice([
        None, "", "no JSON", "{broken", [], [1, "x", None], {"usage": None}, {"usage": "many"},
        {"usage": {"prompt_tokens": -1, "completion_tokens": "12"}}, {"usage": {"prompt_tokens": Spelled("1.5")}},
        {"model": "", "timings": []}, {"model": 7, "choices": []}, "data: nothing\n\ndata: [DONE]\n\n",
    ])  # fmt: skip


def event_stream(events: list[dict[str, Any]]) -> str:
    return "".join(f"event: {one.get('type', 'message')}\ndata: {json.dumps(one)}\n\n" for one in events)


def otel(chance: random.Random, work: Work) -> ServerAnswer:
    newer = chance.random() < 0.6
    attributes: dict[str, Any] = {
        "gen_ai.request.model": work.model,
        "gen_ai.usage.input_tokens" if newer else "gen_ai.usage.prompt_tokens": work.input_tokens,
        "gen_ai.usage.output_tokens" if newer else "gen_ai.usage.completion_tokens": work.output_tokens,
        "gen_ai.response.finish_reasons": ["stop", "x"],
    }
    if chance.random() < 0.5:
        attributes["gen_ai.response.model"] = work.model + "-0125"
        attributes["gen_ai.server.time_per_output_token"] = Spelled(f"{work.decode / work.output_tokens / 1000:.6f}")
        attributes["gen_ai.server.time_to_first_token"] = number(work.prefill / 1000)
    else:
        attributes["gen_ai.usage.cache_read.input_tokens"] = work.cached
        attributes["gen_ai.response.time_to_first_chunk"] = number(work.prefill / 1000)
    return ServerAnswer([("attributes", attributes)], work.whole)


def flat(chance: random.Random, work: Work) -> ServerAnswer:
    """Numbers that the app took out of the answer itself."""
    fields: list[tuple[str, Any]] = [("model", work.model), ("prompt_tokens", work.input_tokens)]
    fields += [("completion_tokens", work.output_tokens), ("cached_tokens", work.cached), ("finish_reason", "stop")]
    if chance.random() < 0.7:
        fields.append((chance.choice(["ttft_ms", "time_to_first_token_ms"]), number(work.prefill)))
    return ServerAnswer(fields, work.whole)


_BODIES: dict[str, Callable[[random.Random, Work], Any]] = {
    "llama.cpp": llama_cpp,
    "ollama": ollama,
    "openai": openai,
    "anthropic": anthropic,
    "vllm": vllm,
    "guide": guide_app,
    "odd": odd,
}
KINDS = (*_BODIES, "otel", "flat")


def answer_of(kind: str, chance: random.Random, model: str) -> ServerAnswer:
    """An answer of this kind of server. `ttft` only sometimes, so that what follows from it is seen too."""
    work = random_work(chance, model)
    if kind in ("otel", "flat"):
        return (otel if kind == "otel" else flat)(chance, work)
    fields: list[tuple[str, Any]] = [("response_body", _BODIES[kind](chance, work))]
    if kind in ("openai", "anthropic") and chance.random() < 0.5:
        fields.append(("time_to_first_token_ms", number(work.prefill)))
    return ServerAnswer(fields, work.whole)
