// SPDX-License-Identifier: MIT
// The table of docs/llm-fields.md, row for row. A part of llm_fields.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::protocol::llm {

/// What a row tells. A decode pace is a decode time where the output tokens are known; the last three are
/// steps on the way to times that follow from several values.
enum class value : std::uint8_t {
    asked_model,
    answered_model,
    input_tokens,
    cached_tokens,
    output_tokens,
    reasoning_tokens,
    load_time,
    prefill_time,
    decode_time,
    decode_pace,
    first_token_time,
    queue_time,
    finish_reason,
    record_duration,
    prompt_time,
    load_and_prompt_time,
};
inline constexpr std::size_t value_count = static_cast<std::size_t>(value::load_and_prompt_time) + 1;

enum class unit : std::uint8_t {
    text,
    reason,  ///< a text other than "none"
    tokens,
    ns,
    ms,
    s,
    s_per_token,
    tokens_per_s,
};

/// How a row's amount follows from the value at its path and from others of the same object.
enum class rule : std::uint8_t {
    alone,      ///< it is the value
    plus_told,  ///< and those of the others that are told are added
    plus,       ///< all are told and added
    minus,      ///< all are told; the others are taken off, and what is left is not below 0
    with,  ///< it is the value; the next is the number of tokens that go with the time, less the last one's
};

inline constexpr std::string_view none;

struct others {
    rule how;
    std::array<std::string_view, 3> paths;
};

constexpr others alone{rule::alone, {none, none, none}};
constexpr others plus_told(std::string_view a, std::string_view b = none) {
    return {rule::plus_told, {a, b, none}};
}
constexpr others plus(std::string_view a) {
    return {rule::plus, {a, none, none}};
}
constexpr others minus(std::string_view a, std::string_view b, std::string_view c = none) {
    return {rule::minus, {a, b, c}};
}
constexpr others with(std::string_view tokens, std::string_view less = none) {
    return {rule::with, {tokens, less, none}};
}

/// Which objects a row is tried in.
enum class scope : std::uint8_t { all, record, bodies };

/// One row. In `path`, `a.b` is b in the object a, and `a[0]` the first element of the array a; names that
/// begin with gen_ai. are keys as they stand. "duration_ms" is the record's, whichever object a row is tried
/// in.
struct spelling {
    value of;
    unit in;
    std::string_view path;
    others more = alone;
    scope tried_in = scope::all;
};

/// The rows of a value are tried in this order. The models come before all others.
inline constexpr std::array spellings = {
    spelling{value::asked_model, unit::text, "request_body.model", alone, scope::record},
    spelling{value::asked_model, unit::text, "request_body.model_name", alone, scope::record},
    spelling{value::asked_model, unit::text, "gen_ai.request.model"},
    spelling{value::asked_model, unit::text, "model", alone, scope::record},
    spelling{value::asked_model, unit::text, "model_name", alone, scope::record},

    spelling{value::answered_model, unit::text, "model", alone, scope::bodies},
    spelling{value::answered_model, unit::text, "model_name", alone, scope::bodies},
    spelling{value::answered_model, unit::text, "gen_ai.response.model"},
    spelling{value::answered_model, unit::text, "model", alone, scope::record},
    spelling{value::answered_model, unit::text, "model_name", alone, scope::record},

    spelling{value::input_tokens, unit::tokens, "usage.prompt_tokens"},
    spelling{value::input_tokens, unit::tokens, "usage.input_tokens",
             plus_told("usage.cache_read_input_tokens", "usage.cache_creation_input_tokens")},
    spelling{value::input_tokens, unit::tokens, "prompt_eval_count"},
    spelling{value::input_tokens, unit::tokens, "tokens_evaluated"},
    spelling{value::input_tokens, unit::tokens, "timings.prompt_n", plus_told("timings.cache_n")},
    spelling{value::input_tokens, unit::tokens, "gen_ai.usage.input_tokens"},
    spelling{value::input_tokens, unit::tokens, "gen_ai.usage.prompt_tokens"},
    spelling{value::input_tokens, unit::tokens, "prompt_tokens"},
    spelling{value::input_tokens, unit::tokens, "input_tokens"},

    spelling{value::cached_tokens, unit::tokens, "timings.cache_n"},
    spelling{value::cached_tokens, unit::tokens, "prompt_eval_cached_count"},
    spelling{value::cached_tokens, unit::tokens, "usage.prompt_tokens_details.cached_tokens"},
    spelling{value::cached_tokens, unit::tokens, "usage.input_tokens_details.cached_tokens"},
    spelling{value::cached_tokens, unit::tokens, "usage.cache_read_input_tokens"},
    spelling{value::cached_tokens, unit::tokens, "tokens_cached"},
    spelling{value::cached_tokens, unit::tokens, "gen_ai.usage.cache_read.input_tokens"},
    spelling{value::cached_tokens, unit::tokens, "cached_tokens"},

    spelling{value::output_tokens, unit::tokens, "usage.completion_tokens"},
    spelling{value::output_tokens, unit::tokens, "usage.output_tokens"},
    spelling{value::output_tokens, unit::tokens, "eval_count"},
    spelling{value::output_tokens, unit::tokens, "timings.predicted_n"},
    spelling{value::output_tokens, unit::tokens, "tokens_predicted"},
    spelling{value::output_tokens, unit::tokens, "gen_ai.usage.output_tokens"},
    spelling{value::output_tokens, unit::tokens, "gen_ai.usage.completion_tokens"},
    spelling{value::output_tokens, unit::tokens, "completion_tokens"},
    spelling{value::output_tokens, unit::tokens, "output_tokens"},

    spelling{value::reasoning_tokens, unit::tokens, "usage.completion_tokens_details.reasoning_tokens"},
    spelling{value::reasoning_tokens, unit::tokens, "usage.output_tokens_details.reasoning_tokens"},
    spelling{value::reasoning_tokens, unit::tokens, "gen_ai.usage.reasoning.output_tokens"},
    spelling{value::reasoning_tokens, unit::tokens, "reasoning_tokens"},

    spelling{value::load_time, unit::ns, "load_duration"},

    spelling{value::prefill_time, unit::ms, "timings.prompt_ms", with("timings.prompt_n")},
    spelling{value::prefill_time, unit::ns, "prompt_eval_duration",
             with("prompt_eval_count", "prompt_eval_cached_count")},

    spelling{value::decode_time, unit::ms, "timings.predicted_ms", with("timings.predicted_n")},
    spelling{value::decode_time, unit::ns, "eval_duration", with("eval_count")},
    spelling{value::decode_time, unit::ms, "metrics.generation_time_ms"},
    spelling{value::decode_pace, unit::s_per_token, "gen_ai.server.time_per_output_token"},
    spelling{value::decode_time, unit::s, "generation_time"},
    spelling{value::decode_pace, unit::tokens_per_s, "timings.predicted_per_second"},
    spelling{value::decode_pace, unit::tokens_per_s, "metrics.tokens_per_second"},

    spelling{value::first_token_time, unit::ms, "metrics.time_to_first_token_ms"},
    spelling{value::first_token_time, unit::ms, "time_to_first_token_ms"},
    spelling{value::first_token_time, unit::ms, "ttft_ms"},
    spelling{value::first_token_time, unit::s, "gen_ai.response.time_to_first_chunk"},
    spelling{value::first_token_time, unit::s, "gen_ai.server.time_to_first_token"},

    spelling{value::queue_time, unit::ms, "metrics.queue_time_ms"},
    spelling{value::queue_time, unit::ns, "total_duration",
             minus("load_duration", "prompt_eval_duration", "eval_duration")},
    spelling{value::queue_time, unit::ms, "duration_ms", minus("timings.prompt_ms", "timings.predicted_ms")},

    spelling{value::finish_reason, unit::reason, "stop_type"},
    spelling{value::finish_reason, unit::text, "choices[0].finish_reason"},
    spelling{value::finish_reason, unit::text, "done_reason"},
    spelling{value::finish_reason, unit::text, "stop_reason"},
    spelling{value::finish_reason, unit::text, "delta.stop_reason"},
    spelling{value::finish_reason, unit::text, "gen_ai.response.finish_reasons[0]"},
    spelling{value::finish_reason, unit::text, "finish_reason"},

    spelling{value::record_duration, unit::ms, "duration_ms", alone, scope::record},
    spelling{value::prompt_time, unit::ms, "timings.prompt_ms"},
    spelling{value::load_and_prompt_time, unit::ns, "load_duration", plus("prompt_eval_duration")},
};

/// How many of the rows tell a model.
inline constexpr std::size_t model_rows = static_cast<std::size_t>(
    std::ranges::find(spellings, value::input_tokens, &spelling::of) - spellings.begin());

}  // namespace livelogd::protocol::llm
