// SPDX-License-Identifier: MIT
// Parts of the statistics as JSON.
#pragma once

#include "daemon/query/stats_accumulator.hpp"

#include <cstddef>
#include <string>

namespace livelogd::query {

/// Most names that a map of the answer shows, besides "(other)".
inline constexpr std::size_t most_names = 1000;

/// Appends a map: the most frequent names and their counts, the rest as "(other)".
void append_counts(std::string& out, const name_counts& counts);

/// Append the objects of the answer that are so called.
void append_api_stats(std::string& out, const stats_accumulator& records);
void append_error_summary(std::string& out, const stats_totals& totals);

}  // namespace livelogd::query
