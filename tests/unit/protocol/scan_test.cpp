// SPDX-License-Identifier: MIT
// The verdict of scan_record() and the bytes that it stores.
#include "protocol/scan.hpp"
#include "protocol/limits.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

#include <chrono>
#include <vector>

using namespace livelogd::protocol;

namespace {

std::string repeated(std::string_view part, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i)
        text += part;
    return text;
}

/// What is stored of `line` with the timestamp T; or, in front of a '!', why nothing is.
std::string stored(std::string_view line, const redaction_keys& keys = redaction_keys()) {
    static record_scanner scanner;
    record_fields fields;
    std::string out = "untouched";
    const auto error = scanner.scan_record(line, {.redact = &keys, .timestamp = "T"}, out, fields);
    REQUIRE(out.starts_with("untouched"));
    out.erase(0, 9);
    if (!error) return out;
    REQUIRE(out.empty());
    return error->reason + " at " + std::to_string(error->at) + "!";
}

redaction_keys keys_of(const livelogd::test::vector_case& test) {
    if (!test.contains("redact")) return redaction_keys();
    const auto names = boost::json::value_to<std::vector<std::string>>(test.at("redact"));
    return redaction_keys(std::span<const std::string>(names));
}

void check_golden_cases(const std::string& file) {
    record_scanner scanner;
    for (const auto& test : livelogd::test::read_vectors(file)) {
        INFO(livelogd::test::text_of(test, "name"));
        const std::string line = livelogd::test::bytes_of(test, "line");
        const redaction_keys keys = keys_of(test);
        record_fields fields;
        std::string out = "untouched";
        const auto error = scanner.scan_record(line, {.redact = &keys, .timestamp = "T"}, out, fields);
        record_fields read_fields;
        const auto read_error = scanner.scan_record(line, read_fields);
        REQUIRE(error.has_value() == read_error.has_value());
        if (livelogd::test::has_bytes(test, "stored")) {
            if (error) FAIL(error->reason << " at " << error->at);
            const std::string expected = livelogd::test::bytes_of(test, "stored");
            CHECK(out == "untouched" + expected);
            CHECK(stored(expected, keys) == expected);
        } else {
            REQUIRE(error.has_value());
            CHECK(out == "untouched");
            CHECK(error->reason == livelogd::test::text_of(test, "reason"));
            CHECK(read_error->reason == error->reason);
            CHECK(read_error->at == error->at);
            CHECK(error->at == static_cast<std::size_t>(test.at("error_at").as_int64()));
            CHECK(error->at <= line.size());
        }
    }
}

}  // namespace

TEST_CASE("golden cases of records") {
    check_golden_cases("records.jsonl");
}

TEST_CASE("golden cases of redaction") {
    check_golden_cases("redaction.jsonl");
}

TEST_CASE("128 levels of nesting are a record, 129 are not") {
    // The record itself is the first level.
    for (const auto& [open, close] : {std::pair{"[", "]"}, std::pair{"{\"a\":", "}"}}) {
        const std::string value = std::string(open) == "[" ? "" : "1";
        const auto nested = [&](std::size_t levels) {
            return R"({"timestamp":"T","a":)" + repeated(open, levels - 1) + value
                   + repeated(close, levels - 1) + "}";
        };
        CHECK(stored(nested(max_nesting)) == nested(max_nesting));
        CHECK(stored(nested(max_nesting + 1))
              == "nested more than 128 levels deep at "
                     + std::to_string(21 + max_nesting * std::string_view(open).size()
                                      - std::string_view(open).size())
                     + "!");
    }
}

TEST_CASE("a hundred thousand brackets are refused, open or closed") {
    for (const char* bracket : {"[", "{\"a\":", "[[{\"b\":", "[{},"}) {
        CAPTURE(bracket);
        const std::string line = "{\"a\":" + repeated(bracket, 100'000);
        CHECK(stored(line).starts_with("nested more than 128 levels deep at "));
    }
    CHECK(stored("{\"a\":" + repeated("[", 100'000) + repeated("]", 100'000) + "}")
              .starts_with("nested more than 128 levels deep at 132!"));
    // Wide is not deep.
    const std::string wide = R"({"timestamp":"T","a":[[],)" + repeated("[{}],", 100'000) + "[]]}";
    CHECK(stored(wide) == wide);
}

TEST_CASE("each single byte is kept in a string or refused, as RFC 8259 says") {
    for (int byte = 0; byte < 256; ++byte) {
        CAPTURE(byte);
        const std::string line =
            std::string(R"({"timestamp":"T","a":"x)") + static_cast<char>(byte) + R"(yz"})";
        const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        CHECK((stored(line) == line) == plain);
        // Outside strings only white space may be there, and goes.
        const std::string between = std::string(R"({"timestamp":"T","a":1)") + static_cast<char>(byte) + "}";
        const bool blank = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
        const bool digit = byte >= '0' && byte <= '9';
        const std::string result = stored(between);
        CHECK((result == R"({"timestamp":"T","a":1})") == blank);
        CHECK((result == between) == digit);
    }
}

TEST_CASE("every cut of a record is refused where it ends") {
    const std::string line =
        R"({"a":[1,-2.5e+3,true,false,null,"x\n\u00e9\ud83d\ude00é"],"b":{"c":{}},"password":["x",{"y":"z"}]})";
    REQUIRE_FALSE(stored(line).ends_with('!'));
    for (std::size_t size = 0; size < line.size(); ++size) {
        const std::string cut = line.substr(0, size);
        CAPTURE(cut);
        const std::string result = stored(cut);
        REQUIRE(result.ends_with('!'));
        if (size > 0) CHECK(result == "unexpected end of the line at " + std::to_string(size) + "!");
    }
}

TEST_CASE("long strings, keys and numbers are kept whole") {
    for (std::size_t size : {7U, 8U, 9U, 15U, 16U, 17U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 100'000U}) {
        CAPTURE(size);
        const std::string text =
            repeated("abcdefg\\n\xC3\xA9", size / 11 + 1).substr(0, size - size % 11 + 7);
        const std::string digits(size, '7');
        const std::string line = R"({"timestamp":"T","a":")" + text + R"(",")" + std::string(size, 'k')
                                 + R"(":)" + digits + "." + digits + "e5}";
        CHECK(stored(line) == line);
    }
}

TEST_CASE("redaction writes nothing of the value, whatever its size") {
    const std::string secret = repeated("s3cret ", 10'000);
    const std::string line =
        R"({"a": 1, "password": [")" + secret + R"(", {"b": ")" + secret + R"("}], "z": 2})";
    CHECK(stored(line) == R"({"timestamp":"T","a":1,"password":"[REDACTED]","z":2})");
    // Many short values become longer than they were.
    const std::string many = R"({"timestamp":"T")" + repeated(R"(,"token":1)", 10'000) + "}";
    CHECK(stored(many) == R"({"timestamp":"T")" + repeated(R"(,"token":"[REDACTED]")", 10'000) + "}");
}

TEST_CASE("without keys to redact nothing is redacted") {
    record_scanner scanner;
    record_fields fields;
    std::string out;
    REQUIRE_FALSE(
        scanner.scan_record(R"({"password":"x"})", {.redact = nullptr, .timestamp = "T"}, out, fields));
    CHECK(out == R"({"timestamp":"T","password":"x"})");
}

TEST_CASE("records are appended one after the other, and a refused one leaves no trace") {
    record_scanner scanner;
    record_fields fields;
    const redaction_keys keys;
    const intake_rules rules{.redact = &keys, .timestamp = "T"};
    std::string out;
    CHECK_FALSE(scanner.scan_record(R"({ "a": 1 })", rules, out, fields).has_value());
    CHECK(scanner.scan_record(R"({ "a": 1, )", rules, out, fields).has_value());
    CHECK(scanner.scan_record(R"({"password": "x", "b": nul})", rules, out, fields).has_value());
    CHECK(scanner.scan_record("", rules, out, fields).has_value());
    CHECK_FALSE(scanner.scan_record(R"({"timestamp":"U"})", rules, out, fields).has_value());
    CHECK(out == R"({"timestamp":"T","a":1}{"timestamp":"U"})");
}

TEST_CASE("a scanner can be moved") {
    record_scanner first;
    record_scanner second = std::move(first);
    record_fields fields;
    CHECK_FALSE(second.scan_record("{}", fields).has_value());
}

TEST_CASE("long lines of the worst kinds take time in proportion to their size") {
    constexpr std::size_t size = 3 * 1024 * 1024;
    record_scanner scanner;
    record_fields fields;
    const redaction_keys keys;
    const auto begin = std::chrono::steady_clock::now();
    for (const char* part : {" ", "[],", "\"token\":1,", "\"a\" : 1 , ", "\"\\u0074oken\":[],",
                             "\"error\":{\"type\":{}},", "\"b\":1e99999999999,", "\"c\":\"\\\\\\\"\","}) {
        CAPTURE(part);
        const std::string line =
            std::string(part) == "[],"
                ? "{\"a\":[" + repeated(part, size / 3) + "1]}"
                : "{" + repeated(part, size / std::string_view(part).size()) + "\"z\":1}";
        std::string out;
        REQUIRE_FALSE(
            scanner.scan_record(line, {.redact = &keys, .timestamp = "T"}, out, fields).has_value());
        REQUIRE(out.starts_with(R"({"timestamp":"T",)"));
        REQUIRE(scanner.scan_record(line + "x", fields).has_value());
    }
    // Quadratic behaviour would take hours; this allows for sanitizers on a busy machine.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}
