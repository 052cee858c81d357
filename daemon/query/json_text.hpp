// SPDX-License-Identifier: MIT
// The words of answers: numbers without rounding surprises, strings, fields as they are spelled.
#pragma once

#include "daemon/summary/duration_histogram.hpp"
#include "protocol/json_token.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::query {

using summary::duration_histogram;
using summary::wide_count;

/// Appends a JSON string with these characters (UTF-8).
void append_string(std::string& out, std::string_view characters);

/// Appends `"name":`, after a comma unless it is the first member.
void append_key(std::string& out, std::string_view name);

/// Appends the shortest spelling that reads back as the same number.
void append_number(std::string& out, double value);

/// Appends a number, or null for what is not known.
void append_known(std::string& out, std::optional<std::uint64_t> value);

/// Appends a value as it is spelled, or null if it is absent.
void append_token(std::string& out, const protocol::json_token& token);

/// `units` of 10^-decimals, without zeros at the end.
std::string decimal_text(std::uint64_t units, std::size_t decimals);

/// Microseconds as milliseconds, exactly.
std::string milliseconds_text(std::uint64_t us);

/// `tokens` in `ns` as tokens a second, two decimals, or null if there is no time.
std::string speed_text(wide_count tokens, wide_count ns);

/// The mean as milliseconds with two decimals, a half rounded up; "0" if there is none.
std::string mean_text(wide_count sum_us, std::uint64_t count);

/// Appends `{"p50":…,"p90":…,"p95":…,"p99":…,"max":…}` in milliseconds; null where there are no values.
void append_percentiles(std::string& out, const duration_histogram& durations);

}  // namespace livelogd::query
