// SPDX-License-Identifier: MIT
#include "daemon/query/stats_sums.hpp"

#include "daemon/filter/facet.hpp"
#include "daemon/query/json_text.hpp"
#include "daemon/query/llm_text.hpp"
#include "daemon/query/stats_text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace livelogd::query {

using summary::scanned_record;
using summary::time_range;

namespace {

/// Where the window begins. Hours beyond all times mean everything.
std::int64_t window_begin(std::int64_t now_us, double hours) {
    constexpr double us_per_hour = 3600e6;
    constexpr double largest_span_us = 4e18;
    const double span = hours * us_per_hour;
    if (!(span < largest_span_us)) return std::numeric_limits<std::int64_t>::min();
    return now_us - std::llround(span);
}

}  // namespace

stats_sums::stats_sums(const stats_request& request, summary::record_sums::start where)
    : request_(request),
      begin_us_(window_begin(request.now_us, request.hours)),
      sums_(where),
      durations_(request.response_times),
      facet_names_(std::make_unique<summary::name_budget>()) {
    if (request.buckets > 0) {
        const auto begin = std::max(begin_us_, request.filter.window().begin_us);
        const auto end = std::min(request.now_us, request.filter.window().end_us);
        timeline_ = std::make_unique<timeline>(begin, std::max(end, begin + 1), request.buckets);
        sums_.set_answer_listener([parts = timeline_.get()](const summary::counted_answer& answer) {
            if (answer.time) parts->at(*answer.time).models[std::string(answer.model)].add(answer.told);
        });
    }
    for (const std::string& field : request.facets)
        facets_.emplace_back(field, summary::name_counts(*facet_names_));
}

bool stats_sums::counts(const scanned_record& record) const {
    if (record.time && *record.time < begin_us_) return false;
    return request_.filter.window().holds(record.time) && request_.filter.matches(record.view);
}

void stats_sums::add(const scanned_record& record) {
    const bool counted = counts(record);
    sums_.add(record, counted);
    if (!counted) return;
    const bool is_response = protocol::string_equals(record.fields.type, "response");
    const auto us = is_response ? summary::duration_us(record.fields.duration_ms) : std::nullopt;
    if (us) durations_.add(record.fields.duration_ms.text);
    if (timeline_ && record.time) {
        summary::overview& part = timeline_->at(*record.time);
        ++part.levels[static_cast<std::size_t>(record.view.digest.severity)];
        if (protocol::string_equals(record.fields.type, "request")) ++part.requests;
        if (record.view.digest.error) ++part.errors;
        if (us) part.durations.add(*us);
    }
    for (auto& [field, values] : facets_)
        for (const std::string& value : filter::facet_values(record.view, field))
            values.add(std::string_view(value));
}

void stats_sums::append(stats_sums&& next) {
    std::string written;
    next.sums_.write(written);
    sums_.merge(written, true);
    names_left_out_ = names_left_out_ || next.names_left_out();
    durations_.append(std::move(next.durations_));
    if (timeline_) timeline_->merge(*next.timeline_);
    for (std::size_t i = 0; i < facets_.size(); ++i)
        facets_[i].second.merge(next.facets_[i].second);
}

stats_sums::part_in stats_sums::relation(const time_range& times) const {
    const filter::time_window& window = request_.filter.window();
    const auto begin = std::max(begin_us_, window.begin_us);
    if (times.misses(begin, window.end_us)) return part_in::nothing;
    const bool timed = times.first <= times.last;
    const bool all_in = !timed || (times.first >= begin && (!window.limited() || times.last < window.end_us));
    if (!all_in) return part_in::some;
    if (!timeline_) return part_in::all;
    const bool one_part = timed && !times.unknown && timeline_->same_part(times.first, times.last);
    return one_part ? part_in::all : part_in::some;
}

void stats_sums::append_written(std::string_view written, const time_range& times, bool counts) {
    sums_.merge(written, counts);
    if (counts && timeline_ && times.first <= times.last) timeline_->at(times.first).merge_written(written);
}

bool stats_sums::names_left_out() const {
    return names_left_out_ || sums_.names_left_out() || facet_names_->exhausted();
}

std::string stats_sums::text(const base::time_zone& zone) const {
    std::string out = "{";
    append_key(out, "api_stats");
    append_api_stats(out, sums_, durations_.texts());
    append_key(out, "error_summary");
    append_error_summary(out, sums_);
    append_key(out, "timeframe_hours");
    append_number(out, request_.hours);
    append_key(out, "total_logs");
    out += std::to_string(sums_.all().records());
    append_key(out, "llm_stats");
    append_models(out, sums_.models());
    append_open_requests(out, sums_, request_.now_us, request_.orphan_after_us);
    if (timeline_) {
        append_key(out, "timeline");
        append_timeline(out, *timeline_, zone);
    }
    if (!facets_.empty()) {
        append_key(out, "facets");
        out += '{';
        for (const auto& [field, values] : facets_) {
            append_key(out, field);
            append_counts(out, values);
        }
        out += '}';
    }
    if (!request_.daemon.empty()) {
        append_key(out, "daemon");
        out += request_.daemon;
    }
    out += "}\n";
    return out;
}

}  // namespace livelogd::query
