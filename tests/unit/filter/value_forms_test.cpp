// SPDX-License-Identifier: MIT
#include "daemon/filter/value_forms.hpp"

#include "tests/support/catch.hpp"

using livelogd::filter::read_level;
using livelogd::filter::read_status;
using livelogd::protocol::level;

TEST_CASE("a level is a name in any case, or a number as Python counts") {
    CHECK(read_level("TRACE") == level::trace);
    CHECK(read_level("warn") == level::warning);
    CHECK(read_level("Fatal") == level::critical);
    CHECK(read_level("1") == level::trace);
    CHECK(read_level("10") == level::debug);
    CHECK(read_level("29") == level::info);
    CHECK(read_level("30") == level::warning);
    CHECK(read_level("045") == level::error);
    CHECK(read_level("99999999999999999999") == level::critical);
    for (const char* text :
         {"", "0", "00", "-10", "+10", "30.0", "3e1", "warnings", "notice", " info", "info "}) {
        CAPTURE(text);
        CHECK_FALSE(read_level(text));
    }
}

TEST_CASE("a status is a number, a hundred, or a range") {
    const auto is = [](const char* text, double lowest, double highest, bool without) {
        const auto read = read_status(text);
        CAPTURE(text);
        REQUIRE(read);
        CHECK(read->lowest == lowest);
        CHECK(read->highest == highest);
        CHECK(read->without_highest == without);
    };
    is("404", 404, 404, false);
    is("0", 0, 0, false);
    is("4xx", 400, 500, true);
    is("5XX", 500, 600, true);
    is("400-499", 400, 499, false);
    is("404-404", 404, 404, false);
    is("499-400", 499, 400, false);
    for (const char* text :
         {"", "x", "xx", "4x", "0xx", "44xx", "4xxx", "4Xx", "-", "400-", "-499", "4xx-5xx", "404.0", "+404",
          "400-450-499", "400,404", " 404", "1234567890", "400 - 499"}) {
        CAPTURE(text);
        CHECK_FALSE(read_status(text));
    }
}
