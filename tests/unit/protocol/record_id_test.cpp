// SPDX-License-Identifier: MIT
#include "protocol/record_id.hpp"

#include "tests/support/catch.hpp"

using livelogd::protocol::parse_record_id;

TEST_CASE("a record id is decimal digits up to 2^53 - 1") {
    CHECK(parse_record_id("0") == 0U);
    CHECK(parse_record_id("1764012345678901") == 1764012345678901U);
    CHECK(parse_record_id("0042") == 42U);
    CHECK(parse_record_id("9007199254740991") == livelogd::protocol::max_record_id);
}

TEST_CASE("anything else is no record id") {
    for (const char* text : {"", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x10", "one", "9007199254740992",
                             "18446744073709551616", "99999999999999999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_record_id(text).has_value());
    }
    CHECK_FALSE(parse_record_id(std::string_view("1\0", 2)).has_value());
}
