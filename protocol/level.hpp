// SPDX-License-Identifier: MIT
// Severities, in rising order.
#pragma once

#include "protocol/json_token.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace livelogd::protocol {

enum class level : std::uint8_t { trace, debug, info, warning, error, critical };
inline constexpr std::size_t level_count = 6;

/// TRACE, DEBUG, INFO, WARNING or WARN, ERROR, CRITICAL or FATAL, in any case; nothing for other words.
std::optional<level> parse_level(std::string_view name);

/// The severity of a record's `level`: a name, or a number as Python's logging counts
/// (10 DEBUG, 20 INFO, 30 WARNING, 40 ERROR, 50 CRITICAL; a number between belongs to the one below,
/// 1-9 is TRACE). None or unknown counts as INFO.
level level_of(const json_token& token);

/// The upper-case name.
std::string_view level_name(level value);

}  // namespace livelogd::protocol
