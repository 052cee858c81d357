// SPDX-License-Identifier: MIT
// The fields that scan_record() notes.
#include "protocol/scan.hpp"
#include "tests/support/catch.hpp"

#include <initializer_list>
#include <string>

using namespace livelogd::protocol;

namespace {

/// The fields of `line`, read both ways: as a stored line, and at ingest with no timestamp added in front.
class scanned {
  public:
    explicit scanned(std::string line, const redaction_keys* redact = nullptr) : line_(std::move(line)) {
        record_scanner scanner;
        REQUIRE_FALSE(scanner.scan_record(line_, read).has_value());
        REQUIRE_FALSE(
            scanner.scan_record(line_, {.redact = redact, .timestamp = "T"}, out_, taken_in).has_value());
    }
    scanned(const scanned&) = delete;
    scanned& operator=(const scanned&) = delete;

    void check(json_token record_fields::* field, json_kind kind, std::string_view text) const {
        CAPTURE(line_);
        check(read.*field, line_, kind, text);
        // Ingest notes these alone.
        for (const auto own : {&digest_fields::level, &digest_fields::type, &digest_fields::status_code})
            if (field == own) check(taken_in.*own, out_, kind, text);
    }

    record_fields read;
    digest_fields taken_in;

  private:
    static void check(const json_token& token, const std::string& within, json_kind kind,
                      std::string_view text) {
        CHECK(token.kind == kind);
        CHECK(token.text == text);
        if (kind != json_kind::absent) CHECK(is_within(token.text, within));
    }

    static bool is_within(std::string_view part, const std::string& whole) {
        return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
    }

    std::string line_;
    std::string out_ = "some earlier record";
};

}  // namespace

TEST_CASE("every known field is found as spelled") {
    const scanned all(
        R"({"timestamp":"2025-06-26T10:30:45","level":"ERROR","type":"response","request_id":"r\u0031","method":"GET",)"
        R"("endpoint":null,"status_code":404.0,"duration_ms":1e400,"error_type":true,"exception.type":"E1",)"
        R"("error.type":"E2","response_body":{"error_type":"E3"}})");
    using f = record_fields;
    all.check(&f::timestamp, json_kind::string, "\"2025-06-26T10:30:45\"");
    all.check(&f::level, json_kind::string, "\"ERROR\"");
    all.check(&f::type, json_kind::string, "\"response\"");
    all.check(&f::request_id, json_kind::string, "\"r\\u0031\"");
    all.check(&f::method, json_kind::string, "\"GET\"");
    all.check(&f::endpoint, json_kind::null, "null");
    all.check(&f::status_code, json_kind::number, "404.0");
    all.check(&f::duration_ms, json_kind::number, "1e400");
    all.check(&f::error_type, json_kind::boolean, "true");
    all.check(&f::exception_type, json_kind::string, "\"E1\"");
    all.check(&f::error_dot_type, json_kind::string, "\"E2\"");
    all.check(&f::response_error_type, json_kind::string, "\"E3\"");
}

TEST_CASE("absent fields are absent") {
    const scanned none(R"({"Level":"ERROR","status":1,"errortype":2,"exception_type":3})");
    using f = record_fields;
    for (const auto field : std::initializer_list<json_token f::*>{
             &f::level, &f::type, &f::request_id, &f::method, &f::endpoint, &f::status_code, &f::duration_ms,
             &f::error_type, &f::exception_type, &f::error_dot_type, &f::response_error_type})
        none.check(field, json_kind::absent, "");
    CHECK(none.read.timestamp.kind == json_kind::absent);
}

TEST_CASE("only top-level keys count") {
    const scanned nested(
        R"({"a":{"level":"ERROR","type":"x","error_type":"y"},"b":[{"status_code":500}],"c":"level","d":["type"]})");
    using f = record_fields;
    for (const auto field :
         std::initializer_list<json_token f::*>{&f::level, &f::type, &f::status_code, &f::error_type})
        nested.check(field, json_kind::absent, "");
}

TEST_CASE("of duplicate keys the last one counts") {
    const scanned twice(R"({"level":"INFO","status_code":200,"level":"ERROR","status_code":null})");
    twice.check(&record_fields::level, json_kind::string, "\"ERROR\"");
    twice.check(&record_fields::status_code, json_kind::null, "null");
}

TEST_CASE("keys may be spelled with escapes") {
    const scanned escaped(
        R"({"\u006cevel":"ERROR","exception\u002etype":"E","\u0065rror":{"typ\u0065":"F"}})");
    escaped.check(&record_fields::level, json_kind::string, "\"ERROR\"");
    escaped.check(&record_fields::exception_type, json_kind::string, "\"E\"");
    escaped.check(&record_fields::error_dot_type, json_kind::string, "\"F\"");
}

TEST_CASE("error types are found flat and nested, flat first") {
    using f = record_fields;
    const auto check = [](const char* line, json_token f::* field, json_kind kind, std::string_view text) {
        scanned(line).check(field, kind, text);
    };
    check(R"({"exception":{"type":"N"}})", &f::exception_type, json_kind::string, "\"N\"");
    check(R"({"exception":{"a":{"type":"deep"},"type":"N","b":[{"type":"deep"}]}})", &f::exception_type,
          json_kind::string, "\"N\"");
    check(R"({"exception.type":"F","exception":{"type":"N"}})", &f::exception_type, json_kind::string,
          "\"F\"");
    check(R"({"exception":{"type":"N"},"exception.type":"F"})", &f::exception_type, json_kind::string,
          "\"F\"");
    check(R"({"exception":{"type":"N"},"exception":"text"})", &f::exception_type, json_kind::absent, "");
    check(R"({"exception":{"type":"N"},"exception":{"type":"M","type":"O"}})", &f::exception_type,
          json_kind::string, "\"O\"");
    check(R"({"exception":[{"type":"N"}]})", &f::exception_type, json_kind::absent, "");
    check(R"({"exception":{"a":1},"other":{"type":"N"}})", &f::exception_type, json_kind::absent, "");
    check(R"({"exception":{"error_type":"N"}})", &f::exception_type, json_kind::absent, "");
    check(R"({"error":{"type":"N","message":"m"}})", &f::error_dot_type, json_kind::string, "\"N\"");
    check(R"({"error":"text","error.type":"F"})", &f::error_dot_type, json_kind::string, "\"F\"");
    check(R"({"response_body":{"success":false,"error_type":"N"}})", &f::response_error_type,
          json_kind::string, "\"N\"");
    check(R"({"response_body":{"type":"N"}})", &f::response_error_type, json_kind::absent, "");
    check(R"({"response_body":{"error_type":"N"},"error_type":"T"})", &f::response_error_type,
          json_kind::string, "\"N\"");
}

TEST_CASE("objects and arrays as values are found whole") {
    const scanned whole(
        R"({"level":{"a":[1,{"level":"x"}],"b":"}"},"type":[[],"]"],"error":{"type":{"x":{}}},"z":[{}]})");
    whole.check(&record_fields::level, json_kind::object, R"({"a":[1,{"level":"x"}],"b":"}"})");
    whole.check(&record_fields::type, json_kind::array, R"([[],"]"])");
    whole.check(&record_fields::error_dot_type, json_kind::object, R"({"x":{}})");
}

TEST_CASE("white space is inside the read token and gone from the stored one") {
    record_scanner scanner;
    const std::string line = R"( { "level" : [ 1 , 2 ] , "status_code" : 404 , "type":"a b" } )";
    record_fields fields;
    REQUIRE_FALSE(scanner.scan_record(line, fields).has_value());
    CHECK(fields.level.text == "[ 1 , 2 ]");
    CHECK(fields.status_code.text == "404");
    std::string out;
    REQUIRE_FALSE(scanner.scan_record(line, {.redact = nullptr, .timestamp = "T"}, out, fields).has_value());
    CHECK(fields.level.text == "[1,2]");
    CHECK(fields.status_code.text == "404");
    CHECK(fields.type.text == "\"a b\"");
}

TEST_CASE("a redacted field is seen as it is stored") {
    const std::vector<std::string> names{"level", "type", "exception", "timestamp"};
    const redaction_keys keys{std::span<const std::string>(names)};
    record_scanner scanner;
    digest_fields fields;
    std::string out;
    REQUIRE_FALSE(
        scanner
            .scan_record(R"({"timestamp":1,"level":{"a":1},"exception":{"type":"N"},"error":{"type":"N"}})",
                         {.redact = &keys, .timestamp = "T"}, out, fields)
            .has_value());
    CHECK(
        out
        == R"({"timestamp":"[REDACTED]","level":"[REDACTED]","exception":"[REDACTED]","error":{"type":"[REDACTED]"}})");
    CHECK(fields.level.is_string());
    CHECK(fields.level.text == redacted_value);
    CHECK(fields.type.kind == json_kind::absent);
}

TEST_CASE("a refused line has no fields") {
    record_scanner scanner;
    record_fields fields;
    REQUIRE_FALSE(scanner.scan_record(R"({"level":"ERROR"})", fields).has_value());
    REQUIRE(scanner.scan_record(R"({"level":"ERROR",)", fields).has_value());
    CHECK(fields.level.kind == json_kind::absent);
}
