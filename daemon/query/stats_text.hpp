// SPDX-License-Identifier: MIT
// Parts of the statistics as JSON.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/query/timeline.hpp"
#include "daemon/summary/record_sums.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace livelogd::query {

/// Most names that a map of the answer shows, besides "(other)".
inline constexpr std::size_t most_names = 1000;

/// Appends a map: the most frequent names and their counts, the rest as "(other)".
void append_counts(std::string& out, const summary::name_counts& counts);

/// Append the objects of the answer that are so called. `response_times`: as spelled.
void append_api_stats(std::string& out, const summary::record_sums& sums,
                      const std::vector<std::string>& response_times);
void append_error_summary(std::string& out, const summary::record_sums& sums);

/// Appends `"in_flight":[…],"in_flight_count":…` and the same of the orphaned ones, without braces: those
/// that count, the newest first. Younger than `orphan_after_us` at `now_us`, or of unknown age: in flight.
/// Requests that were given up are orphaned.
void append_open_requests(std::string& out, const summary::record_sums& sums, std::int64_t now_us,
                          std::int64_t orphan_after_us);

/// Appends the array that the answer holds.
void append_timeline(std::string& out, const timeline& all, const base::time_zone& zone);

}  // namespace livelogd::query
