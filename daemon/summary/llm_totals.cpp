// SPDX-License-Identifier: MIT
#include "daemon/summary/llm_totals.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::summary {
namespace {

/// A model that took longer than this to load was not in memory.
constexpr std::uint64_t cold_start_ns = 1'000'000'000;

constexpr std::uint64_t ns_a_us = 1000;

void add_ns(duration_histogram& times, std::optional<std::uint64_t> ns) {
    if (ns) times.add((*ns + ns_a_us / 2) / ns_a_us);
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

void token_speed::write(byte_writer& out) const {
    out.wide_number(tokens);
    out.wide_number(ns);
}

void token_speed::merge(byte_reader& in) {
    tokens += in.wide_number();
    ns += in.wide_number();
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

void llm_sums::write(byte_writer& out) const {
    out.number(requests);
    input_tokens.write(out);
    output_tokens.write(out);
    prefill.write(out);
    decode.write(out);
}

void llm_sums::merge(byte_reader& in) {
    requests += in.number();
    input_tokens.merge(in);
    output_tokens.merge(in);
    prefill.merge(in);
    decode.merge(in);
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

void model_totals::write_rest(byte_writer& out) const {
    out.number(errors);
    out.number(cold_starts);
    cached_tokens.write(out);
    reasoning_tokens.write(out);
    for (const auto* times : {&queue, &load, &prefill_time, &decode_time, &first_token, &duration})
        times->write(out);
}

void model_totals::merge_rest(byte_reader& in) {
    errors += in.number();
    cold_starts += in.number();
    cached_tokens.merge(in);
    reasoning_tokens.merge(in);
    for (auto* times : {&queue, &load, &prefill_time, &decode_time, &first_token, &duration})
        times->merge(in);
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

}  // namespace livelogd::summary
