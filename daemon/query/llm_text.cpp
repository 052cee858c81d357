// SPDX-License-Identifier: MIT
#include "daemon/query/llm_text.hpp"

#include "daemon/query/json_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace livelogd::query {

using summary::duration_histogram;
using summary::llm_sums;
using summary::llm_totals;
using summary::model_totals;

namespace {

constexpr std::string_view other_name = summary::name_counts::other_name;

/// Most models that the answer shows, besides "(other)".
constexpr std::size_t most_models = 1000;

void append_times(std::string& out, std::string_view name, const duration_histogram& times) {
    append_key(out, name);
    append_percentiles(out, times);
}

void append_model(std::string& out, const model_totals& model) {
    out += '{';
    append_sums(out, model.sums);
    append_key(out, "errors");
    out += std::to_string(model.errors);
    append_key(out, "cached_tokens");
    append_known(out, model.cached_tokens.value());
    append_key(out, "reasoning_tokens");
    append_known(out, model.reasoning_tokens.value());
    append_times(out, "queue_ms", model.queue);
    append_times(out, "load_ms", model.load);
    append_times(out, "prefill_ms", model.prefill_time);
    append_times(out, "decode_ms", model.decode_time);
    append_times(out, "time_to_first_token_ms", model.first_token);
    append_times(out, "duration_ms", model.duration);
    append_key(out, "cold_starts");
    out += std::to_string(model.cold_starts);
    out += '}';
}

}  // namespace

void append_models(std::string& out, const llm_totals& models) {
    std::vector<const llm_totals::entry*> order;
    order.reserve(models.all().size());
    for (const llm_totals::entry& one : models.all())
        order.push_back(&one);
    std::ranges::sort(order, [](const llm_totals::entry* a, const llm_totals::entry* b) {
        const auto a_requests = a->totals.sums.requests;
        const auto b_requests = b->totals.sums.requests;
        return a_requests != b_requests ? a_requests > b_requests : a->name < b->name;
    });
    model_totals others;
    bool any_other = false;
    out += '{';
    for (std::size_t i = 0; i < order.size(); ++i) {
        const llm_totals::entry& one = *order[i];
        if (i >= most_models || one.name == other_name) {
            others.merge(one.totals);
            any_other = true;
            continue;
        }
        if (out.back() != '{') out += ',';
        append_string(out, one.name);
        out += ':';
        append_model(out, one.totals);
    }
    if (any_other) {
        append_key(out, other_name);
        append_model(out, others);
    }
    out += '}';
}

void append_sums(std::string& out, const llm_sums& sums) {
    append_key(out, "requests");
    out += std::to_string(sums.requests);
    append_key(out, "input_tokens");
    append_known(out, sums.input_tokens.value());
    append_key(out, "output_tokens");
    append_known(out, sums.output_tokens.value());
    append_key(out, "prefill_tokens_per_second");
    out += speed_text(sums.prefill.tokens, sums.prefill.ns);
    append_key(out, "decode_tokens_per_second");
    out += speed_text(sums.decode.tokens, sums.decode.ns);
}

}  // namespace livelogd::query
