// SPDX-License-Identifier: MIT
#include "daemon/filter/time_bound.hpp"

#include "tests/support/catch.hpp"

#include <limits>
#include <string>

using livelogd::base::time_zone;
using livelogd::filter::instant_of;
using livelogd::filter::parse_time_bound;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t noon = 1'795'780'800 * second;  // 2026-11-27T12:00:00Z

std::optional<std::int64_t> read(std::string_view text, const std::string& zone = "UTC") {
    const auto bound = parse_time_bound(text);
    if (!bound) return std::nullopt;
    return instant_of(*bound, noon, time_zone::named(zone));
}

}  // namespace

TEST_CASE("a time is a day, or a day with a time of day in the spellings of ISO 8601") {
    CHECK(read("2026-11-27T12:00:00Z") == noon);
    CHECK(read("2026-11-27 12:00:00Z") == noon);
    CHECK(read("2026-11-27T12:00:00.250Z") == noon + second / 4);
    CHECK(read("2026-11-27T12:00:00.123456789Z") == noon + 123456);
    CHECK(read("2026-11-27T12:00Z") == noon);
    CHECK(read("2026-11-27 12:00") == noon);
    CHECK(read("2026-11-27") == noon - 12 * 3600 * second);
    CHECK(read("2026-11-27T14:30:00+02:30") == noon);
    CHECK(read("2026-11-27T14:00+0200") == noon);
    CHECK(read("2026-11-27T07:00-05") == noon);
}

TEST_CASE("without an offset a time is read in the zone, the first of two if it exists twice") {
    CHECK(read("2026-11-27 13:00", "Europe/Berlin") == noon);
    CHECK(read("2026-11-27", "Europe/Berlin") == noon - 13 * 3600 * second);
    CHECK(read("2026-10-25 02:30", "Europe/Berlin") == read("2026-10-25T02:30+02:00"));
    CHECK(read("2026-11-27T12:00:00Z", "Europe/Berlin") == noon);
}

TEST_CASE("a blank before an offset is the plus that a URL turned into it") {
    CHECK(read("2026-11-27T13:00:00 01:00", "America/New_York") == noon);
    CHECK(read("2026-11-27 13:00:00 01:00", "America/New_York") == noon);
    CHECK(read("2026-11-27 13:00 01:00", "America/New_York") == noon);
    CHECK(read("2026-11-27T13:00:00.0 0100", "America/New_York") == noon);
    CHECK(read("2026-11-27 13:00 01", "America/New_York") == noon);
}

TEST_CASE("an age counts back from now") {
    CHECK(read("0s") == noon);
    CHECK(read("30s") == noon - 30 * second);
    CHECK(read("15m") == noon - 15 * 60 * second);
    CHECK(read("2h") == noon - 2 * 3600 * second);
    CHECK(read("1d") == noon - 24 * 3600 * second);
    CHECK(read("1w") == noon - 7 * 24 * 3600 * second);
    CHECK(read("007m") == noon - 7 * 60 * second);
}

TEST_CASE("an age beyond all times is the longest there is") {
    const std::int64_t longest_ago = noon - std::numeric_limits<std::int64_t>::max();
    CHECK(read("99999999999999999999999999w") == longest_ago);
    CHECK(read("9223372036854775807s") == longest_ago);
    CHECK(read("100000000w") == longest_ago);
    CHECK(read("100000w") == noon - 100'000LL * 7 * 24 * 3600 * second);
    const auto bound = parse_time_bound("99999999999999999w");
    REQUIRE(bound);
    CHECK(instant_of(*bound, -5, time_zone::named("UTC")) == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("anything else is neither") {
    for (const char* text : {"",
                             "s",
                             "h2",
                             "2",
                             "3600",
                             "-1h",
                             "+1h",
                             "1.5h",
                             "1h30m",
                             "2H",
                             "2 h",
                             " 2h",
                             "2h ",
                             "1y",
                             "5ms",
                             "now",
                             "today",
                             "27.11.2026",
                             "2026-11",
                             "2026-13-01",
                             "2026-02-29",
                             "2026-11-27T",
                             "2026-11-27T12",
                             "2026-11-27 12",
                             "2026-11-27T24:00",
                             "2026-11-27T12:60",
                             "2026-11-27T12:00,5",
                             "2026-11-27Z",
                             "2026-11-27+01:00",
                             "2026-11-27T12:00:00Z ",
                             "2026-11-27T12:00:00 Z",
                             "2026-11-27T12:00:00  01:00",
                             "2026-11-27T12:00 01:00 02:00",
                             "1795780800",
                             "\xd9\xa1h"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time_bound(text));
    }
    CHECK_FALSE(parse_time_bound(std::string_view("2h\0", 3)));
}
