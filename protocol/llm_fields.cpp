// SPDX-License-Identifier: MIT
//
// Three steps: the table (llm_spellings.hpp, made ready to be read with in llm_keys.hpp), the objects that it
// is read from (llm_reader), and here what follows from what was found.
#include "protocol/llm_fields.hpp"

#include "protocol/llm_reader.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

namespace livelogd::protocol {
namespace {

using llm::unit;
using llm::value;

constexpr double ns_per_s = 1e9;

/// `amount`: at least 0.
std::uint64_t whole(double amount) {
    constexpr double too_large = 0x1p63;
    const double rounded = std::round(amount);
    return rounded < too_large ? static_cast<std::uint64_t>(rounded)
                               : std::numeric_limits<std::int64_t>::max();
}

std::optional<std::uint64_t> whole(std::optional<double> amount) {
    if (!amount) return {};
    return whole(*amount);
}

std::string text(const llm::reader& found, value of) {
    return found[of] ? decode_string(found[of]->text) : std::string();
}

std::optional<double> amount(const llm::reader& found, value of) {
    if (!found[of]) return {};
    return found[of]->amount;
}

/// A time, in ns, and the tokens that go with it.
struct timed {
    double ns = 0;
    std::optional<double> tokens;
};

std::optional<timed> decode(const llm::reader& found, std::optional<double> output_tokens) {
    const auto& time = found[value::decode_time];
    const auto& pace = found[value::decode_pace];
    if (pace && output_tokens && (!time || pace->rank < time->rank)) {
        const bool is_speed = llm::spellings[pace->rank].in == unit::tokens_per_s;
        const double seconds = is_speed ? *output_tokens / pace->amount : *output_tokens * pace->amount;
        return timed{.ns = seconds * ns_per_s, .tokens = output_tokens};
    }
    if (time) return timed{.ns = time->amount, .tokens = time->tokens ? time->tokens : output_tokens};
    const std::optional<double> duration = amount(found, value::record_duration);
    const std::optional<double> first_token = amount(found, value::first_token_time);
    if (!duration || !first_token || *first_token > *duration) return {};
    return timed{.ns = *duration - *first_token, .tokens = output_tokens};
}

std::optional<double> first_token(const llm::reader& found, std::optional<double> queue) {
    if (const auto told = amount(found, value::first_token_time)) return told;
    if (const auto prompt = amount(found, value::prompt_time); queue && prompt) return *queue + *prompt;
    return amount(found, value::load_and_prompt_time);
}

llm_fields fields_from(const llm::reader& found) {
    llm_fields fields;
    fields.asked_model = text(found, value::asked_model);
    fields.answered_model = text(found, value::answered_model);
    fields.finish_reason = text(found, value::finish_reason);

    const std::optional<double> output_tokens = amount(found, value::output_tokens);
    fields.input_tokens = whole(amount(found, value::input_tokens));
    fields.cached_tokens = whole(amount(found, value::cached_tokens));
    fields.output_tokens = whole(output_tokens);
    fields.reasoning_tokens = whole(amount(found, value::reasoning_tokens));

    if (const auto& time = found[value::prefill_time]) {
        fields.prefill_ns = whole(time->amount);
        fields.prefill_tokens = whole(time->tokens);
    }
    if (const auto time = decode(found, output_tokens)) {
        fields.decode_ns = whole(time->ns);
        fields.decode_tokens = whole(time->tokens);
    }
    const std::optional<double> queue = amount(found, value::queue_time);
    fields.queue_ns = whole(queue);
    fields.load_ns = whole(amount(found, value::load_time));
    fields.first_token_ns = whole(first_token(found, queue));
    return fields;
}

llm_models models_from(const llm::reader& found) {
    return {.asked = text(found, value::asked_model), .answered = text(found, value::answered_model)};
}

/// Whether the record has none of the keys that anything is looked for under.
bool tells_nothing(const record_fields& scanned) {
    return scanned.llm.empty() && scanned.request_body.kind == json_kind::absent
           && scanned.response_body.kind == json_kind::absent && scanned.attributes.kind == json_kind::absent;
}

}  // namespace

bool llm_fields::has_measure() const {
    return input_tokens || cached_tokens || output_tokens || reasoning_tokens || queue_ns || load_ns
           || prefill_ns || decode_ns || first_token_ns;
}

llm_fields read_llm_fields(std::string_view line) {
    llm::reader found(llm::whole_table);
    found.read(line);
    return fields_from(found);
}

llm_fields read_llm_fields(std::string_view line, const record_fields& scanned) {
    if (tells_nothing(scanned)) return {};
    llm::reader found(llm::whole_table);
    found.read(line, scanned);
    return fields_from(found);
}

llm_models read_llm_models(std::string_view line) {
    llm::reader found(llm::model_table);
    found.read(line);
    return models_from(found);
}

llm_models read_llm_models(std::string_view line, const record_fields& scanned) {
    if (tells_nothing(scanned)) return {};
    llm::reader found(llm::model_table);
    found.read(line, scanned);
    return models_from(found);
}

}  // namespace livelogd::protocol
