// SPDX-License-Identifier: MIT
#include "daemon/filter/time_bound.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

namespace livelogd::filter {
namespace {

constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max();

std::optional<std::int64_t> unit_us(char unit) {
    constexpr std::int64_t second = 1'000'000;
    switch (unit) {
        case 's':
            return second;
        case 'm':
            return 60 * second;
        case 'h':
            return 3600 * second;
        case 'd':
            return 24 * 3600 * second;
        case 'w':
            return 7 * 24 * 3600 * second;
        default:
            return std::nullopt;
    }
}

std::optional<time_age> parse_age(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto unit = unit_us(text.back());
    text.remove_suffix(1);
    if (!unit || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t count = 0;
    for (const char digit : text) {
        if (count > longest / *unit / 10 - 1) return time_age{longest};
        count = count * 10 + (digit - '0');
    }
    return time_age{count * *unit};
}

/// The text with what may be left out put in: as protocol::parse_timestamp reads it.
std::string completed(std::string_view text) {
    constexpr std::size_t day_size = 10;                   // 2026-11-27
    constexpr std::size_t minute_size = day_size + 1 + 5;  // 2026-11-27T10:30
    std::string whole(text);
    if (whole.size() == day_size) return whole + "T00:00:00";
    if (whole.size() < minute_size) return whole;
    if (const std::size_t blank = whole.find(' ', minute_size); blank != std::string::npos)
        whole[blank] = '+';
    const bool ends_with_minute =
        whole.size() == minute_size
        || std::string_view("Z+-").find(whole[minute_size]) != std::string_view::npos;
    if (ends_with_minute) whole.insert(minute_size, ":00");
    return whole;
}

}  // namespace

std::optional<time_bound> parse_time_bound(std::string_view text) {
    if (const auto age = parse_age(text)) return *age;
    if (const auto wall = protocol::parse_timestamp(completed(text))) return *wall;
    return std::nullopt;
}

std::int64_t instant_of(const time_bound& bound, std::int64_t now_us, const base::time_zone& zone) {
    if (const auto* const wall = std::get_if<protocol::wall_time>(&bound)) return zone.instant(*wall);
    const std::int64_t age_us = std::get<time_age>(bound).us;
    constexpr std::int64_t earliest = std::numeric_limits<std::int64_t>::min();
    return now_us < earliest + age_us ? earliest : now_us - age_us;
}

}  // namespace livelogd::filter
