// SPDX-License-Identifier: MIT
// Values with a form of their own: severities and statuses.
#pragma once

#include "daemon/filter/condition.hpp"
#include "protocol/level.hpp"

#include <optional>
#include <string_view>

namespace livelogd::filter {

/// What read_level() reads, for sentences.
inline constexpr std::string_view level_forms =
    "TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number from 1 as Python's logging counts";

/// A severity by name, or by a whole number of at least 1 (0 is Python's NOTSET: no severity).
std::optional<protocol::level> read_level(std::string_view text);

/// `404`, `4xx` or `400-499`. The caller must refuse a range whose highest is below its lowest.
std::optional<status_in> read_status(std::string_view text);

}  // namespace livelogd::filter
