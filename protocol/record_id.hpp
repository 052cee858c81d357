// SPDX-License-Identifier: MIT
// The name of a record: a number that only grows and never names two records.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace livelogd::protocol {

using record_id = std::uint64_t;

/// Ids stay exact in a JavaScript number.
inline constexpr record_id max_record_id = (record_id{1} << 53) - 1;

/// Reads decimal digits; nothing for anything else, the empty string, or a number above max_record_id.
std::optional<record_id> parse_record_id(std::string_view text);

}  // namespace livelogd::protocol
