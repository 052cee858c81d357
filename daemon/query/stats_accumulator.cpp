// SPDX-License-Identifier: MIT
#include "daemon/query/stats_accumulator.hpp"

#include "daemon/query/error_type.hpp"
#include "protocol/record_digest.hpp"

#include <cmath>

namespace livelogd::query {
namespace {

constexpr double us_per_ms = 1000.0;
constexpr double largest_duration_us = 9.2e18;

}  // namespace

void newest_texts::add(std::string_view text) {
    if (texts_.size() < most_) {
        texts_.emplace_back(text);
    } else if (most_ > 0) {
        texts_[oldest_].assign(text);
        oldest_ = (oldest_ + 1) % most_;
    }
}

std::optional<std::uint64_t> duration_us(const protocol::json_token& duration_ms) {
    const auto value = protocol::number_value(duration_ms);
    if (!value || !std::isfinite(*value) || *value < 0) return std::nullopt;
    const double us = *value * us_per_ms;  // infinite for the very largest, which the limit takes care of
    if (us >= largest_duration_us) return static_cast<std::uint64_t>(largest_duration_us);
    return static_cast<std::uint64_t>(std::llround(us));
}

void stats_accumulator::add(const protocol::record_fields& fields) {
    ++totals_.logs;
    if (protocol::string_equals(fields.type, "request")) {
        add_request(fields);
    } else if (protocol::string_equals(fields.type, "response")) {
        add_response(fields);
    }
    if (protocol::is_error_record(fields)) add_error(fields);
}

void stats_accumulator::add_request(const protocol::record_fields& fields) {
    ++totals_.requests;
    totals_.request_endpoints.add(fields.endpoint);
    totals_.request_methods.add(fields.method);
}

void stats_accumulator::add_response(const protocol::record_fields& fields) {
    totals_.response_status_codes.add(fields.status_code);
    if (const auto us = duration_us(fields.duration_ms)) {
        totals_.durations.add(*us);
        totals_.duration_sum_us += *us;
        response_times_.add(fields.duration_ms.text);
    }
}

void stats_accumulator::add_error(const protocol::record_fields& fields) {
    ++totals_.errors;
    totals_.error_endpoints.add(fields.endpoint);
    totals_.error_status_codes.add(fields.status_code);
    totals_.error_types.add(std::string_view(error_type_of(fields)));
}

}  // namespace livelogd::query
