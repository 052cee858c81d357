// SPDX-License-Identifier: MIT
// Compares numbers as they are spelled, to the last digit: a double would take neighbouring large ids for
// equal.
#pragma once

#include <compare>
#include <string_view>

namespace livelogd::filter {

/// Whether `text` is a number as JSON spells it.
bool is_json_number(std::string_view text);

/// The order of two numbers as JSON spells them. Exponents of more than a million million count as that.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

}  // namespace livelogd::filter
