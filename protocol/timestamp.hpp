// SPDX-License-Identifier: MIT
// ISO 8601 timestamps, read and written. Time zones by name are not known here: see
// daemon/base/time_zone.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// A point on a wall clock, and the offset of that clock if the text told it.
struct wall_time {
    std::int64_t local_us = 0;                 ///< microseconds since 1970-01-01T00:00:00 on that clock
    std::optional<std::int32_t> utc_offset_s;  ///< local minus UTC, seconds; none: the text names no zone
};

/// Reads `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, then optionally `.` or `,` and 1 to 9 digits, then `Z`,
/// `+HH:MM`,
/// `+HHMM`, `+HH` or nothing. Digits past microseconds are cut off. Second 60 is read as the next minute's 0.
/// Nothing if the text is anything else, or names a day or time that does not exist.
std::optional<wall_time> parse_timestamp(std::string_view text);

/// `2025-06-26T10:30:45.123456+02:00` for the instant `utc_us` on a clock `utc_offset_s` ahead of UTC.
std::string format_timestamp(std::int64_t utc_us, std::int32_t utc_offset_s);

}  // namespace livelogd::protocol
