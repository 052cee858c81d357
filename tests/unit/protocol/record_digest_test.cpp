// SPDX-License-Identifier: MIT
#include "protocol/record_digest.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

using namespace livelogd::protocol;

namespace {

struct digested {
    record_digest digest;
    bool error = false;
};

digested digest_of(const std::string& line) {
    record_scanner scanner;
    record_fields fields;
    REQUIRE_FALSE(scanner.scan_record(line, fields).has_value());
    return {record_digest::of(line, fields), is_error_record(fields)};
}

}  // namespace

TEST_CASE("golden records of client packages are stored as they come, and understood") {
    record_scanner scanner;
    for (const auto& test : livelogd::test::read_vectors("client_records.jsonl")) {
        CAPTURE(livelogd::test::text_of(test, "name"));
        const std::string line = livelogd::test::text_of(test, "line");
        record_fields fields;
        const redaction_keys keys;
        std::string out;
        REQUIRE_FALSE(
            scanner.scan_record(line, {.redact = &keys, .timestamp = "T"}, out, fields).has_value());
        CHECK(out == line);
        const auto [digest, error] = digest_of(line);
        CHECK(digest.type_in(line) == livelogd::test::text_of(test, "type"));
        CHECK(level_name(digest.severity) == livelogd::test::text_of(test, "level"));
        CHECK(error == test.at("error").as_bool());
    }
}

TEST_CASE("the type is found again in the line") {
    const std::string line = R"({"timestamp":"T","level":"INFO","type":"request"})";
    const auto [digest, error] = digest_of(line);
    CHECK_FALSE(digest.type_is_indirect);
    CHECK(digest.type_in(line) == "request");
    CHECK(digest.severity == level::info);
    CHECK_FALSE(error);
}

TEST_CASE("a type that is no plain string is told apart") {
    for (const char* line : {R"({})", R"({"type":""})", R"({"type":null})", R"({"type":5})",
                             R"({"type":["request"]})", R"({"type":{"a":1}})"}) {
        CAPTURE(line);
        const auto digest = digest_of(line).digest;
        CHECK_FALSE(digest.type_is_indirect);
        CHECK(digest.type_in(line).empty());
    }
    CHECK(digest_of(R"({"type":"re\u0071uest"})").digest.type_is_indirect);
    CHECK(digest_of(R"({"type":")" + std::string(65'536, 'x') + R"("})").digest.type_is_indirect);
    const std::string longest = R"({"type":")" + std::string(65'535, 'x') + R"("})";
    CHECK(digest_of(longest).digest.type_in(longest).size() == 65'535);
}

TEST_CASE("the digest of an ingested record refers to its own line") {
    record_scanner scanner;
    record_fields fields;
    const redaction_keys keys;
    std::string out = "{\"an earlier\":\"record\"}\n";
    const std::size_t begin = out.size();
    REQUIRE_FALSE(scanner
                      .scan_record(R"({ "token": "abc", "type": "response", "status_code": 500 })",
                                   {.redact = &keys, .timestamp = "T"}, out, fields)
                      .has_value());
    const std::string_view line = std::string_view(out).substr(begin);
    const record_digest digest = record_digest::of(line, fields);
    CHECK(digest.type_in(line) == "response");
    CHECK(digest.error);
}

TEST_CASE("an error record has level ERROR or above, or a numeric status of 400 or above") {
    for (const char* line :
         {R"({"level":"ERROR"})", R"({"level":"fatal"})", R"({"level":40})", R"({"level":"50"})",
          R"({"status_code":400})", R"({"status_code":404.0})", R"({"status_code":5e2})",
          R"({"level":"INFO","status_code":500})", R"({"level":"CRITICAL","status_code":200})",
          R"({"status_code":1e400})", R"({"status_code":200,"status_code":500})"}) {
        CAPTURE(line);
        const auto [digest, error] = digest_of(line);
        CHECK(error);
        CHECK(digest.error);
    }
    for (const char* line :
         {R"({})", R"({"level":"WARNING"})", R"({"level":39})", R"({"status_code":399.9})",
          R"({"status_code":"500"})", R"({"status_code":null})", R"({"status_code":[500]})",
          R"({"status_code":500,"status_code":200})", R"({"a":{"level":"ERROR","status_code":500}})"}) {
        CAPTURE(line);
        const auto [digest, error] = digest_of(line);
        CHECK_FALSE(error);
        CHECK_FALSE(digest.error);
    }
}
