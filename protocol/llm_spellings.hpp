// SPDX-License-Identifier: MIT
// The table of docs/llm-fields.md, row for row, and the index of keys that follows from it at compile time.
// A part of llm_fields.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace livelogd::protocol::llm {

/// What a row tells. The last three are steps on the way to times that follow from several values.
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
    first_token_time,
    queue_time,
    finish_reason,
    record_duration,
    prompt_time,
    load_and_prompt_time,
};

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
    with,       ///< it is the value; the other is the number of tokens that go with the time
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
constexpr others with(std::string_view tokens) {
    return {rule::with, {tokens, none, none}};
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

/// The rows of a value stand together, the first ones first to be tried; the models come before all others.
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
    spelling{value::prefill_time, unit::ns, "prompt_eval_duration", with("prompt_eval_count")},

    spelling{value::decode_time, unit::ms, "timings.predicted_ms", with("timings.predicted_n")},
    spelling{value::decode_time, unit::ns, "eval_duration", with("eval_count")},
    spelling{value::decode_time, unit::ms, "metrics.generation_time_ms"},
    spelling{value::decode_time, unit::s_per_token, "gen_ai.server.time_per_output_token"},
    spelling{value::decode_time, unit::s, "generation_time"},
    spelling{value::decode_time, unit::tokens_per_s, "timings.predicted_per_second"},
    spelling{value::decode_time, unit::tokens_per_s, "metrics.tokens_per_second"},

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

/// A place for the value of one key of an object, or of an object in it.
using slot = std::uint8_t;
inline constexpr slot no_slot = 0xFF;

/// The slots of a set of rows. Slot numbers are by path; a path that no row has is left out.
class key_index {
  public:
    /// Room for every path; the static_assert below says if it is not enough.
    static constexpr std::size_t capacity = 80;

    struct key {
        std::size_t part = 0;
        std::string_view name;
        slot at = no_slot;
        bool first_element = false;  ///< of the array that is its value, not the value itself
    };

    /// An object whose keys are looked at: the one that is read itself comes first, with no_slot.
    struct part {
        std::string_view path;
        slot at = no_slot;      ///< where its value is put
        std::size_t first = 0;  ///< of its keys in keys_
        std::size_t count = 0;
    };

    constexpr explicit key_index(std::span<const spelling> rows) {
        add_part("");
        for (const std::string_view path :
             {"response_body", "attributes", "message", "response", "duration_ms"})
            add(path);
        for (const spelling& row : rows) {
            add(row.path);
            for (const std::string_view path : row.more.paths)
                if (path != none) add(path);
        }
        std::sort(keys_.begin(), keys_.begin() + size_, before);
        for (std::size_t p = 0; p < part_count_; ++p) {
            part& of = parts_[p];
            const auto mine = [&](const key& k) { return k.part == p; };
            of.first = static_cast<std::size_t>(std::find_if(keys_.begin(), keys_.begin() + size_, mine)
                                                - keys_.begin());
            of.count = static_cast<std::size_t>(std::count_if(keys_.begin(), keys_.begin() + size_, mine));
        }
    }

    /// Those in an object come after it.
    [[nodiscard]] constexpr std::span<const part> parts() const { return {parts_.data(), part_count_}; }

    /// A key of a part by its name, with escapes decoded; null for keys that tell nothing.
    [[nodiscard]] constexpr const key* find(const part& in, std::string_view name) const {
        const key* low = keys_.data() + in.first;
        const key* const end = low + in.count;
        low = std::lower_bound(low, end, name,
                               [](const key& k, std::string_view n) { return shorter(k.name, n); });
        return low != end && low->name == name ? low : nullptr;
    }

    /// The slot of a path that a row has.
    [[nodiscard]] constexpr slot at(std::string_view path) const {
        for (std::size_t i = 0; i < size_; ++i)
            if (paths_[i] == path) return static_cast<slot>(i);
        return no_slot;
    }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }

  private:
    /// An order in which two names are mostly told apart by their lengths.
    static constexpr bool shorter(std::string_view a, std::string_view b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
    static constexpr bool before(const key& a, const key& b) {
        return a.part != b.part ? a.part < b.part : shorter(a.name, b.name);
    }

    constexpr std::size_t add_part(std::string_view path) {
        for (std::size_t i = 0; i < part_count_; ++i)
            if (parts_[i].path == path) return i;
        const slot at = path.empty() ? no_slot : add(path);
        parts_[part_count_] = {.path = path, .at = at};
        return part_count_++;
    }

    constexpr slot add(std::string_view path) {
        if (const slot known = at(path); known != no_slot) return known;
        const std::size_t dot = path.starts_with("gen_ai.") ? std::string_view::npos : path.rfind('.');
        const bool nested = dot != std::string_view::npos;
        const std::size_t in = add_part(nested ? path.substr(0, dot) : std::string_view());
        const auto number = static_cast<slot>(size_);
        std::string_view name = nested ? path.substr(dot + 1) : path;
        constexpr std::string_view first = "[0]";
        const bool first_element = name.ends_with(first);
        if (first_element) name.remove_suffix(first.size());
        paths_[size_] = path;
        keys_[size_] = {.part = in, .name = name, .at = number, .first_element = first_element};
        ++size_;
        return number;
    }

    std::array<std::string_view, capacity> paths_{};  ///< by slot
    std::array<key, capacity> keys_{};                ///< sorted
    std::size_t size_ = 0;
    std::array<part, 16> parts_{};
    std::size_t part_count_ = 0;
};

/// A row with its paths resolved.
struct resolved {
    spelling row;
    slot path = no_slot;
    std::array<slot, 3> more{no_slot, no_slot, no_slot};
};

/// A part of the table, ready to read with.
template <std::size_t rows_used>
struct table {
    key_index keys{std::span(spellings).first(rows_used)};
    std::array<resolved, rows_used> rows{};

    constexpr table() {
        for (std::size_t i = 0; i < rows_used; ++i) {
            rows[i] = {.row = spellings[i], .path = keys.at(spellings[i].path)};
            for (std::size_t n = 0; n < rows[i].more.size(); ++n)
                rows[i].more[n] = keys.at(spellings[i].more.paths[n]);
        }
    }
};

inline constexpr table<spellings.size()> whole_table;
inline constexpr table<model_rows> model_table;
static_assert(whole_table.keys.size() <= key_index::capacity);

}  // namespace livelogd::protocol::llm
