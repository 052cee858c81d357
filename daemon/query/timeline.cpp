// SPDX-License-Identifier: MIT
#include "daemon/query/timeline.hpp"

#include "daemon/query/json_text.hpp"

#include <algorithm>

namespace livelogd::query {
namespace {

void append_levels(std::string& out, const timeline::part& one) {
    out += '{';
    for (std::size_t i = 0; i < one.levels.size(); ++i) {
        if (one.levels[i] == 0) continue;
        append_key(out, protocol::level_name(static_cast<protocol::level>(i)));
        out += std::to_string(one.levels[i]);
    }
    out += '}';
}

void append_percentile(std::string& out, const duration_histogram& durations, unsigned percent) {
    out += durations.count() == 0 ? "null" : milliseconds_text(durations.percentile(percent));
}

void append_models(std::string& out, const timeline::part& one, const llm_totals& models) {
    out += '{';
    for (const auto& [number, sums] : one.models) {
        if (out.back() != '{') out += ',';
        append_string(out, models.name(number));
        out += ":{";
        append_sums(out, sums);
        out += '}';
    }
    out += '}';
}

}  // namespace

timeline::part& timeline::at(std::int64_t time_us) {
    if (time_us <= begin_us_) return parts_.front();
    if (time_us >= end_us_) return parts_.back();
    const auto gone = wide_count{static_cast<std::uint64_t>(time_us) - static_cast<std::uint64_t>(begin_us_)};
    const auto span = static_cast<std::uint64_t>(end_us_) - static_cast<std::uint64_t>(begin_us_);
    return parts_[static_cast<std::size_t>(gone * parts_.size() / span)];
}

/// The first microsecond that belongs to it.
std::int64_t timeline::start_of(std::size_t i) const {
    const auto span = static_cast<std::uint64_t>(end_us_) - static_cast<std::uint64_t>(begin_us_);
    const auto gone = (wide_count{span} * i + parts_.size() - 1) / parts_.size();
    return begin_us_ + static_cast<std::int64_t>(gone);
}

void timeline::append_text(std::string& out, const llm_totals& models, const base::time_zone& zone) const {
    out += '[';
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const part& one = parts_[i];
        if (i > 0) out += ',';
        out.append("{\"start\":\"").append(zone.format(start_of(i))).append("\"");
        append_key(out, "total");
        out += std::to_string(one.total);
        append_key(out, "levels");
        append_levels(out, one);
        append_key(out, "requests");
        out += std::to_string(one.requests);
        append_key(out, "errors");
        out += std::to_string(one.errors);
        append_key(out, "p50");
        append_percentile(out, one.durations, 50);
        append_key(out, "p95");
        append_percentile(out, one.durations, 95);
        append_key(out, "models");
        append_models(out, one, models);
        out += '}';
    }
    out += ']';
}

}  // namespace livelogd::query
