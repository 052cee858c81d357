// SPDX-License-Identifier: MIT
#include "daemon/query/llm_totals.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::query {
namespace {

/// A model that took longer than this to load was not in memory.
constexpr std::uint64_t cold_start_ns = 1'000'000'000;

constexpr std::uint64_t ns_a_us = 1000;

/// Most models that the answer shows, besides "(other)".
constexpr std::size_t most_models = 1000;

void add_ns(duration_histogram& times, std::optional<std::uint64_t> ns) {
    if (ns) times.add((*ns + ns_a_us / 2) / ns_a_us);
}

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

void token_speed::add(std::optional<std::uint64_t> more_tokens, std::optional<std::uint64_t> more_ns,
                      std::uint64_t least_tokens) {
    if (!more_tokens || !more_ns || *more_tokens < least_tokens || *more_ns == 0) return;
    tokens += *more_tokens;
    ns += *more_ns;
}

void token_speed::merge(const token_speed& other) {
    tokens += other.tokens;
    ns += other.ns;
}

void llm_sums::add(const protocol::llm_fields& told) {
    ++requests;
    input_tokens.add(told.input_tokens);
    output_tokens.add(told.output_tokens);
    prefill.add(told.prefill_tokens, told.prefill_ns, 1);
    decode.add(told.decode_tokens, told.decode_ns, least_decoded_tokens);
}

void llm_sums::merge(const llm_sums& other) {
    requests += other.requests;
    input_tokens.merge(other.input_tokens);
    output_tokens.merge(other.output_tokens);
    prefill.merge(other.prefill);
    decode.merge(other.decode);
}

void model_totals::add(const protocol::llm_fields& told, bool error,
                       std::optional<std::uint64_t> duration_us) {
    sums.add(told);
    if (error) ++errors;
    if (told.load_ns && *told.load_ns >= cold_start_ns) ++cold_starts;
    cached_tokens.add(told.cached_tokens);
    reasoning_tokens.add(told.reasoning_tokens);
    add_ns(queue, told.queue_ns);
    add_ns(load, told.load_ns);
    add_ns(prefill_time, told.prefill_ns);
    add_ns(decode_time, told.decode_ns);
    add_ns(first_token, told.first_token_ns);
    if (duration_us) duration.add(*duration_us);
}

void model_totals::merge(const model_totals& other) {
    sums.merge(other.sums);
    errors += other.errors;
    cold_starts += other.cold_starts;
    cached_tokens.merge(other.cached_tokens);
    reasoning_tokens.merge(other.reasoning_tokens);
    queue.merge(other.queue);
    load.merge(other.load);
    prefill_time.merge(other.prefill_time);
    decode_time.merge(other.decode_time);
    first_token.merge(other.first_token);
    duration.merge(other.duration);
}

std::size_t llm_totals::number_of(std::string_view model) {
    std::string name(model.empty() ? unknown_name : model);
    if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
    if (!budget_.take(name.size() + sizeof(model_totals))) {
        name = name_counts::other_name;
        if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
    }
    const auto number = models_.size();
    models_.push_back({.name = name, .totals = {}});
    numbers_.emplace(std::move(name), number);
    return number;
}

void llm_totals::append_text(std::string& out) const {
    std::vector<const entry*> order;
    order.reserve(models_.size());
    for (const entry& one : models_)
        order.push_back(&one);
    std::ranges::sort(order, [](const entry* a, const entry* b) {
        const auto a_requests = a->totals.sums.requests;
        const auto b_requests = b->totals.sums.requests;
        return a_requests != b_requests ? a_requests > b_requests : a->name < b->name;
    });
    model_totals others;
    bool any_other = false;
    out += '{';
    for (std::size_t i = 0; i < order.size(); ++i) {
        const entry& one = *order[i];
        if (i >= most_models || one.name == name_counts::other_name) {
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
        append_key(out, name_counts::other_name);
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
    out += sums.prefill.text();
    append_key(out, "decode_tokens_per_second");
    out += sums.decode.text();
}

}  // namespace livelogd::query
