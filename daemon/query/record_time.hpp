// SPDX-License-Identifier: MIT
// The time of a record.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "protocol/json_token.hpp"

#include <cstdint>
#include <optional>

namespace livelogd::query {

/// The instant that a record's `timestamp` tells, microseconds since 1970 UTC; without an offset it is read
/// in `zone`. Nothing if it is unreadable: absent, not a string, or not a time.
std::optional<std::int64_t> record_time(const protocol::json_token& timestamp, const base::time_zone& zone);

}  // namespace livelogd::query
