// SPDX-License-Identifier: MIT
#include "protocol/level.hpp"

#include "protocol/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

using namespace livelogd::protocol;

TEST_CASE("golden cases of levels") {
    record_scanner scanner;
    for (const auto& test : livelogd::test::read_vectors("levels.jsonl")) {
        const std::string line = "{\"level\":" + livelogd::test::text_of(test, "token") + "}";
        CAPTURE(line);
        record_fields fields;
        REQUIRE_FALSE(scanner.scan_record(line, fields).has_value());
        CHECK(level_name(level_of(fields.level)) == livelogd::test::text_of(test, "level"));
    }
}

TEST_CASE("a record without a level counts as INFO") {
    CHECK(level_of({}) == level::info);
}

TEST_CASE("levels are ordered and named") {
    const std::vector<level> rising{level::trace,   level::debug, level::info,
                                    level::warning, level::error, level::critical};
    CHECK(std::is_sorted(rising.begin(), rising.end()));
    for (const level value : rising)
        CHECK(parse_level(level_name(value)) == value);
    CHECK(parse_level("Warn") == level::warning);
    CHECK(parse_level("fatal") == level::critical);
    CHECK_FALSE(parse_level("").has_value());
    CHECK_FALSE(parse_level("20").has_value());
    CHECK_FALSE(parse_level("INFO ").has_value());
}
