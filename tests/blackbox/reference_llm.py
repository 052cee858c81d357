# SPDX-License-Identifier: MIT
"""A plain reading of docs/llm-fields.md: what a record tells of a model, its tokens and its times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from reference_log import Entry, Spelled, parse_json

Object = dict[str, Any]


@dataclass(frozen=True)
class Measures:
    """None: not told. Times in milliseconds."""

    asked: str | None
    answered: str | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    queue_ms: float | None
    load_ms: float | None
    prefill_ms: float | None
    prefill_tokens: int | None
    decode_ms: float | None
    decode_tokens: int | None
    time_to_first_token_ms: float | None
    finish_reason: str | None

    @property
    def carries(self) -> bool:
        """Whether anything but models and finish reason is told."""
        mine = (self.input_tokens, self.cached_tokens, self.output_tokens, self.reasoning_tokens)
        times = (self.queue_ms, self.load_ms, self.prefill_ms, self.decode_ms, self.time_to_first_token_ms)
        return any(value is not None for value in (*mine, *times, self.prefill_tokens, self.decode_tokens))

    @property
    def prefill_speed(self) -> float | None:
        return speed(self.prefill_tokens, self.prefill_ms)

    @property
    def decode_speed(self) -> float | None:
        tokens = self.decode_tokens
        return None if tokens is not None and tokens < 2 else speed(tokens, self.decode_ms)


def speed(tokens: int | None, milliseconds: float | None) -> float | None:
    """Tokens a second."""
    return tokens / milliseconds * 1000 if tokens is not None and milliseconds else None


# --- values -------------------------------------------------------------------------------------------------------


def count(value: Any) -> int | None:
    if not isinstance(value, Spelled):
        return None
    exact = Decimal(value)
    return int(exact) if 0 <= exact < 2**53 and exact == exact.to_integral_value() else None


LONGEST_NS = 2**63 - 1
MAX_DEPTH = 128


def duration(value: Any, milliseconds: float = 1.0) -> float | None:
    """A time in a unit of so many milliseconds, as milliseconds; rounded to whole nanoseconds, and bounded."""
    if not isinstance(value, Spelled) or not 0 <= float(value) < float("inf"):
        return None
    exact = Decimal(value) * Decimal(str(milliseconds)) * 1_000_000
    return float(min(Decimal(LONGEST_NS), exact.to_integral_value(ROUND_HALF_UP))) / 1e6


def bounded(milliseconds: float) -> float:
    return min(milliseconds, LONGEST_NS / 1e6)


def rate(value: Any) -> float | None:
    """Of something a second."""
    return float(value) if isinstance(value, Spelled) and 0 < float(value) < float("inf") else None


def left(whole: float, *parts: float) -> float | None:
    """What the parts, milliseconds, leave of the whole; nothing if that is less than nothing."""
    nanoseconds = round(whole * 1e6) - sum(round(part * 1e6) for part in parts)
    return nanoseconds / 1e6 if nanoseconds >= 0 else None


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and not isinstance(value, Spelled) and value else None


def at(where: Any, path: str) -> Any:
    """`b` in the object `a` for `a.b`; names that begin with `gen_ai.` are keys as they stand."""
    for key in [path] if path.startswith("gen_ai.") else path.split("."):
        where = where.get(key) if isinstance(where, dict) else None
    return where


# --- where they are looked for ------------------------------------------------------------------------------------


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and arrays are nested more than so many levels deep."""
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(one, levels - 1) for one in inner)


def parse_logged(text: str) -> Any:
    """The JSON in a string, at most as deep as a record may be. ValueError if there is none."""
    value = parse_json(text)
    if is_deeper(value, MAX_DEPTH):
        raise ValueError("too deep")
    return value


def bodies_of(record: Object) -> list[Object]:
    body = record.get("response_body")
    if isinstance(body, str) and not isinstance(body, Spelled):
        try:
            whole = parse_logged(body)
        except ValueError:
            whole = None
        body = whole if isinstance(whole, (dict, list)) else list(logged_lines(body))
    if isinstance(body, dict):
        return [body]
    return [one for one in reversed(body) if isinstance(one, dict)] if isinstance(body, list) else []


def logged_lines(body: str) -> Iterator[Any]:
    for line in body.split("\n"):
        if line.startswith("data:"):
            line = line[len("data:") :]
        try:
            yield parse_logged(line)
        except ValueError:
            continue


@lru_cache(maxsize=50_000)
def told_by(entry: Entry) -> Measures:
    return measures(entry.record)


def measures(record: Object) -> Measures:
    bodies = []
    for body in bodies_of(record):
        bodies += [body, *(body[key] for key in ("message", "response") if isinstance(body.get(key), dict))]
    attributes = record.get("attributes")
    places = [record, *bodies, *([attributes] if isinstance(attributes, dict) else [])]

    def first(read: Callable[[Any], Any], *spellings: str, among: list[Object] | None = None) -> Any:
        for spelling in spellings:
            for place in places if among is None else among:
                value = read(at(place, spelling))
                if value is not None:
                    return value
        return None

    def first_of(*attempts: Callable[[Object], Any]) -> Any:
        for attempt in attempts:
            for place in places:
                value = attempt(place)
                if value is not None:
                    return value
        return None

    def time_at(path: str, milliseconds: float) -> Callable[[Object], float | None]:
        def read(place: Object) -> float | None:
            return duration(at(place, path), milliseconds)

        return read

    def tokens_at(path: str) -> Callable[[Object], int | None]:
        return lambda place: count(at(place, path))

    def sum_at(path: str, *others: str) -> Callable[[Object], int | None]:
        def read(place: Object) -> int | None:
            value = count(at(place, path))
            return None if value is None else value + sum(count(at(place, other)) or 0 for other in others)

        return read

    in_record = [record]
    asked = (
        first(text, "request_body.model", "request_body.model_name", among=in_record)
        or first(text, "gen_ai.request.model")
        or first(text, "model", "model_name", among=in_record)
    )
    answered = (
        first(text, "model", "model_name", among=bodies)
        or first(text, "gen_ai.response.model")
        or first(text, "model", "model_name", among=in_record)
    )
    input_tokens = first_of(
        tokens_at("usage.prompt_tokens"),
        sum_at("usage.input_tokens", "usage.cache_read_input_tokens", "usage.cache_creation_input_tokens"),
        tokens_at("prompt_eval_count"),
        tokens_at("tokens_evaluated"),
        sum_at("timings.prompt_n", "timings.cache_n"),
        *map(tokens_at, ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "prompt_tokens", "input_tokens")),
    )
    cached_tokens = first(
        count,
        "timings.cache_n",
        "prompt_eval_cached_count",
        "usage.prompt_tokens_details.cached_tokens",
        "usage.input_tokens_details.cached_tokens",
        "usage.cache_read_input_tokens",
        "tokens_cached",
        "gen_ai.usage.cache_read.input_tokens",
        "cached_tokens",
    )
    output_tokens = first(
        count,
        "usage.completion_tokens",
        "usage.output_tokens",
        "eval_count",
        "timings.predicted_n",
        "tokens_predicted",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "completion_tokens",
        "output_tokens",
    )
    reasoning_tokens = first(
        count,
        "usage.completion_tokens_details.reasoning_tokens",
        "usage.output_tokens_details.reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "reasoning_tokens",
    )
    whole_ms = duration(record.get("duration_ms"))

    def with_tokens(time: str, unit: float, tokens: str) -> Callable[[Object], tuple[float, int | None] | None]:
        def read(place: Object) -> tuple[float, int | None] | None:
            value = time_at(time, unit)(place)
            return None if value is None else (value, count(at(place, tokens)))

        return read

    def ollama_prefill(place: Object) -> tuple[float, int | None] | None:
        told = with_tokens("prompt_eval_duration", 1e-6, "prompt_eval_count")(place)
        cached = count(at(place, "prompt_eval_cached_count"))
        if told is None or told[1] is None or cached is None or cached > told[1]:
            return told
        return told[0], told[1] - cached

    prefill = first_of(with_tokens("timings.prompt_ms", 1, "timings.prompt_n"), ollama_prefill)

    def ollama_queue(place: Object) -> float | None:
        total, load, prompt, spoken = (
            duration(at(place, f"{part}_duration"), 1e-6) for part in ("total", "load", "prompt_eval", "eval")
        )
        if total is None or load is None or prompt is None or spoken is None:
            return None
        return left(total, load, prompt, spoken)

    def llama_queue(place: Object) -> float | None:
        prompt, predicted = duration(at(place, "timings.prompt_ms")), duration(at(place, "timings.predicted_ms"))
        if whole_ms is None or prompt is None or predicted is None:
            return None
        return left(whole_ms, prompt, predicted)

    queue_ms = first_of(time_at("metrics.queue_time_ms", 1), ollama_queue, llama_queue)

    def after_queue(place: Object) -> float | None:
        prompt = duration(at(place, "timings.prompt_ms"))
        return None if prompt is None or queue_ms is None else queue_ms + prompt

    def load_and_prefill(place: Object) -> float | None:
        load, prompt = (duration(at(place, f"{part}_duration"), 1e-6) for part in ("load", "prompt_eval"))
        return None if load is None or prompt is None else load + prompt

    told_first_token_ms = first_of(
        *(time_at(name, 1) for name in ("metrics.time_to_first_token_ms", "time_to_first_token_ms", "ttft_ms")),
        *(time_at(f"gen_ai.{name}", 1000) for name in ("response.time_to_first_chunk", "server.time_to_first_token")),
    )
    first_token_ms = told_first_token_ms
    if first_token_ms is None:
        first_token_ms = first_of(after_queue, load_and_prefill)

    def of_each_token(place: Object) -> tuple[float, int | None] | None:
        each = duration(at(place, "gen_ai.server.time_per_output_token"), 1000)
        return None if each is None or output_tokens is None else (bounded(each * output_tokens), output_tokens)

    def by_rate(path: str) -> Callable[[Object], tuple[float, int | None] | None]:
        def read(place: Object) -> tuple[float, int | None] | None:
            speed = rate(at(place, path))
            if speed is None or output_tokens is None:
                return None
            return bounded(output_tokens / speed * 1000), output_tokens

        return read

    def told_time(path: str, unit: float) -> Callable[[Object], tuple[float, int | None] | None]:
        def read(place: Object) -> tuple[float, int | None] | None:
            value = time_at(path, unit)(place)
            return None if value is None else (value, output_tokens)

        return read

    decode = first_of(
        with_tokens("timings.predicted_ms", 1, "timings.predicted_n"),
        with_tokens("eval_duration", 1e-6, "eval_count"),
        told_time("metrics.generation_time_ms", 1),
        of_each_token,
        told_time("generation_time", 1000),
        by_rate("timings.predicted_per_second"),
        by_rate("metrics.tokens_per_second"),
    )
    if decode is None and whole_ms is not None and told_first_token_ms is not None and told_first_token_ms <= whole_ms:
        decode = (whole_ms - told_first_token_ms, output_tokens)

    def stop_type(place: Object) -> str | None:
        value = text(place.get("stop_type"))
        return None if value == "none" else value

    def first_in_list(path: str) -> Callable[[Object], Any]:
        def read(place: Object) -> Any:
            several = at(place, path)
            return several[0] if isinstance(several, list) and several else None

        return read

    finish_reason = first_of(
        stop_type,
        lambda place: text(at(first_in_list("choices")(place), "finish_reason")),
        *(
            lambda place, path=path: text(at(place, path))
            for path in ("done_reason", "stop_reason", "delta.stop_reason")
        ),
        lambda place: text(first_in_list("gen_ai.response.finish_reasons")(place)),
        lambda place: text(place.get("finish_reason")),
    )
    return Measures(
        asked=asked,
        answered=answered,
        input_tokens=input_tokens,
        cached_tokens=cached_tokens,
        output_tokens=output_tokens,
        reasoning_tokens=reasoning_tokens,
        queue_ms=queue_ms,
        load_ms=first_of(time_at("load_duration", 1e-6)),
        prefill_ms=prefill[0] if prefill else None,
        prefill_tokens=prefill[1] if prefill else None,
        decode_ms=decode[0] if decode else None,
        decode_tokens=(output_tokens if decode[1] is None else decode[1]) if decode else None,
        time_to_first_token_ms=first_token_ms,
        finish_reason=finish_reason,
    )
