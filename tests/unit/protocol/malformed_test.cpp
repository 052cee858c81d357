// SPDX-License-Identifier: MIT
#include "protocol/malformed.hpp"

#include "protocol/limits.hpp"
#include "protocol/scan.hpp"
#include "protocol/text.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

#include <random>

using namespace livelogd::protocol;

TEST_CASE("golden cases of malformed lines") {
    const redaction_keys keys;
    for (const auto& test : livelogd::test::read_vectors("malformed.jsonl")) {
        INFO(livelogd::test::text_of(test, "name"));
        const std::string record = make_malformed_record(
            livelogd::test::text_of(test, "message"), livelogd::test::bytes_of(test, "line"),
            static_cast<std::uint64_t>(test.at("line_bytes").as_int64()), keys, "T");
        // Compact, and with its members in this order.
        CHECK(record == boost::json::serialize(test.at("record")));
    }
}

TEST_CASE("the record of any malformed line is a record, short, with all that was promised") {
    std::mt19937 random(11);
    std::uniform_int_distribution<int> byte(0, 255);
    std::uniform_int_distribution<std::size_t> length(0, 9000);
    const redaction_keys keys;
    record_scanner scanner;
    for (int i = 0; i < 300; ++i) {
        std::string line(length(random), '\0');
        for (char& c : line)
            c = static_cast<char>(byte(random));
        const std::string record = make_malformed_record("not a JSON object", line, line.size(), keys, "T");
        record_fields fields;
        REQUIRE_FALSE(scanner.scan_record(record, fields).has_value());
        REQUIRE(string_equals(fields.type, "malformed"));
        const auto value = boost::json::parse(record).as_object();
        REQUIRE(value.at("raw").as_string().size() <= max_raw_bytes);
        REQUIRE(value.at("raw_bytes").as_int64() == static_cast<std::int64_t>(line.size()));
    }
}

TEST_CASE("invalid UTF-8 is replaced within a limit") {
    CHECK(to_valid_utf8("", 10).empty());
    CHECK(to_valid_utf8("abc", 0).empty());
    CHECK(to_valid_utf8("h\xC3\xA9llo", 100) == "h\xC3\xA9llo");
    CHECK(to_valid_utf8("\xC3\xA9\xC3\xA9", 3) == "\xC3\xA9");
    CHECK(to_valid_utf8("\xFF\xFF", 5) == "\xEF\xBF\xBD");
    CHECK(to_valid_utf8("\xF0\x9F\x98\x80", 3).empty());
    CHECK(to_valid_utf8(std::string_view("a\0b", 3), 3) == std::string_view("a\0b", 3));
    std::mt19937 random(12);
    std::uniform_int_distribution<int> byte(0, 255);
    for (std::size_t limit = 0; limit < 200; ++limit) {
        std::string bytes(100, '\0');
        for (char& c : bytes)
            c = static_cast<char>(byte(random));
        const std::string text = to_valid_utf8(bytes, limit);
        REQUIRE(text.size() <= limit);
        REQUIRE(valid_utf8_prefix(text) == text.size());
    }
}
