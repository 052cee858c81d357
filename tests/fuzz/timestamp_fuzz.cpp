// SPDX-License-Identifier: MIT
// A time that was read is written and read again as the same instant.
#include "protocol/timestamp.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace livelogd::protocol;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto wall = parse_timestamp(text);
    if (!wall) return 0;
    const std::int32_t offset = wall->utc_offset_s.value_or(0);
    if (offset <= -86'400 || offset >= 86'400) std::abort();
    const std::int64_t utc_us = wall->local_us - std::int64_t{offset} * 1'000'000;
    // A leap second at the end of the year 9999 has no spelling.
    constexpr std::int64_t end_of_years = 253'402'300'800'000'000;
    if (wall->local_us >= end_of_years) return 0;
    const auto again = parse_timestamp(format_timestamp(utc_us, offset));
    if (!again || again->local_us != wall->local_us || again->utc_offset_s != offset) std::abort();
    return 0;
}
