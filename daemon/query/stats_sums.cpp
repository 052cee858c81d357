// SPDX-License-Identifier: MIT
#include "daemon/query/stats_sums.hpp"

#include "daemon/query/json_text.hpp"
#include "daemon/query/stats_text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace livelogd::query {
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

stats_sums::stats_sums(const stats_request& request)
    : request_(request),
      begin_us_(window_begin(request.now_us, request.hours)),
      records_(request.response_times, names_),
      models_(names_) {
    if (request.buckets > 0) {
        const auto begin = std::max(begin_us_, request.filter.window().begin_us);
        const auto end = std::min(request.now_us, request.filter.window().end_us);
        timeline_.emplace(begin, std::max(end, begin + 1), request.buckets);
    }
    for (const std::string& field : request.facets)
        facets_.emplace_back(field, name_counts(names_));
}

bool stats_sums::counts(const scanned_record& record) const {
    if (record.time && *record.time < begin_us_) return false;
    return request_.filter.window().holds(record.time) && request_.filter.matches(record.view);
}

void stats_sums::open_request_of(const scanned_record& record, bool counted) {
    const auto key = protocol::scalar_name(record.fields.request_id);
    if (!key) return;
    const auto models = protocol::read_llm_models(record.view.line);
    open_.add(*key, {.id = record.id,
                     .time = record.time,
                     .counts = counted,
                     .request_id = std::string(record.fields.request_id.text),
                     .endpoint = std::string(record.fields.endpoint.text),
                     .model = models.answered.empty() ? models.asked : models.answered});
}

void stats_sums::add(const scanned_record& record) {
    const bool is_request = protocol::string_equals(record.fields.type, "request");
    const bool is_response = !is_request && protocol::string_equals(record.fields.type, "response");
    const bool counted = counts(record);
    std::string asked_model;
    if (is_request) {
        open_request_of(record, counted);
    } else if (is_response) {
        if (const auto key = protocol::scalar_name(record.fields.request_id))
            if (auto request = open_.take(*key)) asked_model = std::move(request->model);
    }
    if (!counted) return;

    records_.add(record.fields);
    timeline::part* part = nullptr;
    if (timeline_ && record.time) {
        part = &timeline_->at(*record.time);
        ++part->total;
        ++part->levels[static_cast<std::size_t>(record.view.digest.severity)];
        part->requests += is_request ? 1 : 0;
        part->errors += record.view.digest.error ? 1 : 0;
        if (is_response)
            if (const auto us = duration_us(record.fields.duration_ms)) part->durations.add(*us);
    }
    for (auto& [field, values] : facets_)
        if (const auto value = filter::facet_value(record.view, field)) values.add(std::string_view(*value));
    if (!is_request) add_answer(record, is_response, asked_model, part);
}

void stats_sums::add_answer(const scanned_record& record, bool is_response, std::string_view asked_model,
                            timeline::part* part) {
    const auto told = protocol::read_llm_fields(record.view.line);
    const std::string_view model = told.model().empty() ? asked_model : std::string_view(told.model());
    const bool is_answer = told.has_measure() || (is_response && !model.empty());
    if (!is_answer) return;
    const auto number = models_.number_of(model);
    const auto us = is_response ? duration_us(record.fields.duration_ms) : std::nullopt;
    models_[number].add(told, record.view.digest.error, us);
    if (part != nullptr) part->models[number].add(told);
}

std::string stats_sums::text(const base::time_zone& zone) const {
    std::string out = "{";
    append_key(out, "api_stats");
    append_api_stats(out, records_);
    append_key(out, "error_summary");
    append_error_summary(out, records_.totals());
    append_key(out, "timeframe_hours");
    append_number(out, request_.hours);
    append_key(out, "total_logs");
    out += std::to_string(records_.totals().logs);
    append_key(out, "llm_stats");
    models_.append_text(out);
    open_.append_text(out, request_.now_us, request_.orphan_after_us);
    if (timeline_) {
        append_key(out, "timeline");
        timeline_->append_text(out, models_, zone);
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
