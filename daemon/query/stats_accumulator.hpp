// SPDX-License-Identifier: MIT
// What records add up to.
#pragma once

#include "daemon/query/duration_histogram.hpp"
#include "daemon/query/json_text.hpp"
#include "daemon/query/name_counts.hpp"
#include "protocol/json_token.hpp"
#include "protocol/scan.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::query {

/// The newest so many texts.
class newest_texts {
  public:
    explicit newest_texts(std::size_t most) : most_(most) {}
    void add(std::string_view text);
    [[nodiscard]] std::size_t size() const { return texts_.size(); }
    /// Number `i` of them, the oldest first.
    [[nodiscard]] const std::string& operator[](std::size_t i) const {
        return texts_[(oldest_ + i) % texts_.size()];
    }

  private:
    std::size_t most_;
    std::vector<std::string> texts_;
    std::size_t oldest_ = 0;  ///< stays 0 until there are as many as may be
};

/// `duration_ms` in whole microseconds, so that the order of adding cannot change a sum. Nothing if it does
/// not count: not a number, not finite, or below zero. No more than 9.2e18 (292,000 years).
std::optional<std::uint64_t> duration_us(const protocol::json_token& duration_ms);

struct stats_totals {
    /// `names` must outlive the totals.
    explicit stats_totals(name_budget& names)
        : request_endpoints(names),
          request_methods(names),
          response_status_codes(names),
          error_types(names),
          error_endpoints(names),
          error_status_codes(names) {}

    std::uint64_t logs = 0;

    std::uint64_t requests = 0;
    name_counts request_endpoints;
    name_counts request_methods;

    name_counts response_status_codes;
    duration_histogram durations;  ///< of the responses, microseconds
    wide_count duration_sum_us = 0;

    std::uint64_t errors = 0;
    name_counts error_types;
    name_counts error_endpoints;
    name_counts error_status_codes;
};

/// Takes the records that count, in the order of the log: requests, responses and errors, whatever answers
/// them.
class stats_accumulator {
  public:
    /// Keeps the spelling of the newest `response_times` durations. `names` must outlive it.
    stats_accumulator(std::size_t response_times, name_budget& names)
        : totals_(names), response_times_(response_times) {}

    void add(const protocol::record_fields& fields);

    [[nodiscard]] const stats_totals& totals() const { return totals_; }
    [[nodiscard]] const newest_texts& response_times() const { return response_times_; }

  private:
    void add_request(const protocol::record_fields& fields);
    void add_response(const protocol::record_fields& fields);
    void add_error(const protocol::record_fields& fields);

    stats_totals totals_;
    newest_texts response_times_;
};

}  // namespace livelogd::query
