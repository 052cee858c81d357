// SPDX-License-Identifier: MIT
#include "protocol/timestamp.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

#include <random>

using namespace livelogd::protocol;

TEST_CASE("golden cases of timestamps") {
    for (const auto& test : livelogd::test::read_vectors("timestamps.jsonl")) {
        const std::string text = livelogd::test::text_of(test, "text");
        CAPTURE(text);
        const auto wall = parse_timestamp(text);
        const auto& expected = test.at("local_us");
        REQUIRE(wall.has_value() == !expected.is_null());
        if (!wall) continue;
        CHECK(wall->local_us == expected.as_int64());
        const auto& offset = test.at("utc_offset_s");
        REQUIRE(wall->utc_offset_s.has_value() == !offset.is_null());
        if (wall->utc_offset_s) CHECK(*wall->utc_offset_s == offset.as_int64());
    }
}

TEST_CASE("timestamps are written with microseconds and offset") {
    CHECK(format_timestamp(0, 0) == "1970-01-01T00:00:00.000000+00:00");
    CHECK(format_timestamp(1'750'933'845'123'456, 7200) == "2025-06-26T12:30:45.123456+02:00");
    CHECK(format_timestamp(1'750'933'845'123'456, -12'600) == "2025-06-26T07:00:45.123456-03:30");
    CHECK(format_timestamp(-1, 0) == "1969-12-31T23:59:59.999999+00:00");
    CHECK(format_timestamp(951'782'400'000'000, 0) == "2000-02-29T00:00:00.000000+00:00");
    CHECK(format_timestamp(0, -1800) == "1969-12-31T23:30:00.000000-00:30");
}

TEST_CASE("an offset with seconds is told in minutes, and the instant stays") {
    // Berlin before 1893: 53 minutes and 28 seconds ahead.
    CHECK(format_timestamp(0, 3208) == "1970-01-01T00:53:00.000000+00:53");
    CHECK(format_timestamp(0, -3208) == "1969-12-31T23:07:00.000000-00:53");
}

TEST_CASE("what is written is read back") {
    std::mt19937_64 random(42);
    // The years 1 to 9998.
    std::uniform_int_distribution<std::int64_t> instant(-62'135'596'800'000'000, 253'370'764'800'000'000);
    std::uniform_int_distribution<std::int32_t> offset(-86'399, 86'399);
    for (int i = 0; i < 20'000; ++i) {
        const std::int64_t utc_us = instant(random);
        const std::string text = format_timestamp(utc_us, offset(random));
        CAPTURE(text);
        const auto wall = parse_timestamp(text);
        REQUIRE(wall.has_value());
        REQUIRE(wall->utc_offset_s.has_value());
        REQUIRE(wall->local_us - *wall->utc_offset_s * std::int64_t{1'000'000} == utc_us);
    }
}
