// SPDX-License-Identifier: MIT
// A place in time as people write it: `2026-11-27 10:30`, `15m`.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "protocol/timestamp.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace livelogd::filter {

/// So long before now; at least 0, ages beyond all times are the longest there is.
struct time_age {
    std::int64_t us = 0;
};

using time_bound = std::variant<protocol::wall_time, time_age>;

/// What a time bound looks like, for sentences.
inline constexpr std::string_view time_bound_forms =
    "a time (2026-11-27T10:30:00Z, 2026-11-27 10:30, 2026-11-27) or an age (30s, 15m, 2h, 1d, 1w)";

/// Reads a time (a day, then optionally `T` or a space, hours and minutes, and what protocol::parse_timestamp
/// reads after them), or an age (digits and one of s, m, h, d, w). A blank before an offset is a plus: that
/// is what a plus in a URL comes to. Nothing if the text is anything else.
std::optional<time_bound> parse_time_bound(std::string_view text);

/// The instant, microseconds since 1970 UTC; of a time without offset in `zone`.
std::int64_t instant_of(const time_bound& bound, std::int64_t now_us, const base::time_zone& zone);

}  // namespace livelogd::filter
