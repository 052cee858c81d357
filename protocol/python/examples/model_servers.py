# SPDX-License-Identifier: MIT
"""The simulated model behind the interfaces of well-known model servers, so that their answers can be seen in the log,
whole and streamed: OpenAI's as llama.cpp's server gives it, and Ollama's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response, jsonify, request

from livelogd.flask import note_exception
from simulated_model import Generation, Model, ModelStore, SimulatedModel


def model_servers(simulated: SimulatedModel, models: ModelStore) -> Blueprint:
    """``POST /v1/chat/completions`` and ``POST /api/chat``."""
    routes = Blueprint("model_servers", __name__)

    @routes.post("/v1/chat/completions", endpoint="chat_completions")
    def chat_completions() -> Any:
        asked = _asked(models)
        if not isinstance(asked, Model):
            return asked
        generation = simulated.begin(asked, _question())
        if request.get_json().get("stream"):
            return Response(_events(simulated, asked, generation), mimetype="text/event-stream")
        text = "".join(simulated.speak(generation))
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return jsonify({**_completion(asked, "chat.completion", [choice]), **_usage(generation)})

    @routes.post("/api/chat", endpoint="ollama_chat")
    def ollama_chat() -> Any:
        asked = _asked(models)
        if not isinstance(asked, Model):
            return asked
        generation = simulated.begin(asked, _question())
        if request.get_json().get("stream", True):
            return Response(_lines(simulated, asked, generation), mimetype="application/x-ndjson")
        text = "".join(simulated.speak(generation))
        return jsonify({**_chat(asked, text, done=True), **_durations(generation)})

    return routes


def _asked(models: ModelStore) -> Any:
    """The model that is asked for, or the answer that there is none."""
    body = request.get_json(silent=True)
    name = body.get("model") if isinstance(body, dict) else None
    try:
        return models.find(name if isinstance(name, str) else "")
    except FileNotFoundError as error:
        note_exception(error)
        return jsonify(error={"message": f"model {name!r} not found", "type": "not_found_error", "code": 404}), 404


def _question() -> str:
    messages = request.get_json().get("messages")
    return " ".join(
        str(message.get("content", ""))
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict)
    )


# OpenAI's, with the timings that llama.cpp adds


def _events(simulated: SimulatedModel, model: Model, generation: Generation) -> Iterator[str]:
    def event(delta: dict[str, Any], finish_reason: Any = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return f"data: {json.dumps(_completion(model, 'chat.completion.chunk', [choice]))}\n\n"

    yield event({"role": "assistant", "content": ""})
    for word in simulated.speak(generation):
        yield event({"content": word})
    yield event({}, "stop")
    last = {**_completion(model, "chat.completion.chunk", []), **_usage(generation)}
    yield f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n"


def _completion(model: Model, kind: str, choices: list[Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": model.name, "choices": choices}


def _usage(generation: Generation) -> dict[str, Any]:
    prompt_ms, predicted_ms = 1000 * generation.prompt_seconds, 1000 * generation.completion_seconds
    return {
        "usage": {
            "prompt_tokens": generation.prompt_tokens,
            "completion_tokens": generation.completion_tokens,
            "total_tokens": generation.prompt_tokens + generation.completion_tokens,
        },
        "timings": {
            "prompt_n": generation.prompt_tokens,
            "prompt_ms": round(prompt_ms, 3),
            "predicted_n": generation.completion_tokens,
            "predicted_ms": round(predicted_ms, 3),
        },
    }


# Ollama's


def _lines(simulated: SimulatedModel, model: Model, generation: Generation) -> Iterator[str]:
    for word in simulated.speak(generation):
        yield json.dumps(_chat(model, word, done=False)) + "\n"
    yield json.dumps({**_chat(model, "", done=True), **_durations(generation)}) + "\n"


def _chat(model: Model, text: str, *, done: bool) -> dict[str, Any]:
    return {
        "model": model.name,
        "created_at": datetime.now(timezone.utc).isoformat(),
        "message": {"role": "assistant", "content": text},
        "done": done,
    }


def _durations(generation: Generation) -> dict[str, Any]:
    prompt_ns, eval_ns = int(1e9 * generation.prompt_seconds), int(1e9 * generation.completion_seconds)
    return {
        "done_reason": "stop",
        "total_duration": prompt_ns + eval_ns + 1_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": generation.prompt_tokens,
        "prompt_eval_duration": prompt_ns,
        "eval_count": generation.completion_tokens,
        "eval_duration": eval_ns,
    }
