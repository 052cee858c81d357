// SPDX-License-Identifier: MIT
// Statistics as JSON.
#pragma once

#include "daemon/query/stats_accumulator.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace livelogd::query {

/// Most names that a map of the answer shows, besides "(other)".
inline constexpr std::size_t most_names = 1000;

/// Milliseconds, as the answer spells them: at most three decimals, no zeros at the end.
std::string milliseconds_text(std::uint64_t us);

/// The mean in milliseconds, rounded half up to two decimals; "0" if there is nothing.
std::string mean_text(wide_count sum_us, std::uint64_t count);

/// The answer: one compact object with its keys always in the same order, then LF. `daemon`: as in
/// stats_request.
std::string stats_text(const stats_accumulator& records, double timeframe_hours,
                       std::string_view daemon = {});

}  // namespace livelogd::query
