// SPDX-License-Identifier: MIT
#include "daemon/filter/record_filter.hpp"

#include "tests/support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using livelogd::filter::record_filter;
namespace protocol = livelogd::protocol;

namespace {

/// Whether `filter` lets `line` pass, asked both ways.
bool passes(const record_filter& filter, const std::string& line) {
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    REQUIRE_FALSE(scanner.scan_record(line, fields).has_value());
    const bool by_fields = filter.matches(fields);
    const bool by_digest = filter.matches(line, protocol::record_digest::of(line, fields));
    CAPTURE(line);
    REQUIRE(by_fields == by_digest);
    return by_fields;
}

const std::string request = R"({"type":"request"})";
const std::string response = R"({"type":"response","status_code":200})";
const std::string not_found = R"({"type":"response","status_code":404})";
const std::string failure = R"({"type":"error","level":"ERROR"})";
const std::string event = R"({"type":"event","level":"INFO"})";
const std::string untyped = R"({"level":"INFO"})";

}  // namespace

TEST_CASE("no type, and all, let everything through") {
    for (const record_filter& filter :
         {record_filter(), record_filter(std::vector<std::string>()), record_filter({"all"}),
          record_filter({"event", "all"}), record_filter({"all", "errors"})}) {
        CHECK(filter.passes_everything());
        CHECK_FALSE(filter.asks_for_api_calls());
        for (const auto& line : {request, response, not_found, failure, event, untyped})
            CHECK(passes(filter, line));
    }
}

TEST_CASE("api is requests and responses") {
    const record_filter filter({"api"});
    CHECK_FALSE(filter.passes_everything());
    CHECK(filter.asks_for_api_calls());
    CHECK(passes(filter, request));
    CHECK(passes(filter, response));
    CHECK(passes(filter, not_found));
    CHECK_FALSE(passes(filter, failure));
    CHECK_FALSE(passes(filter, event));
    CHECK_FALSE(passes(filter, untyped));
}

TEST_CASE("errors are told by level and status, whatever the type") {
    const record_filter filter({"errors"});
    CHECK_FALSE(filter.asks_for_api_calls());
    CHECK(passes(filter, not_found));
    CHECK(passes(filter, failure));
    CHECK(passes(filter, R"({"level":"50"})"));
    CHECK_FALSE(passes(filter, request));
    CHECK_FALSE(passes(filter, response));
    CHECK_FALSE(passes(filter, R"({"type":"errors"})"));
}

TEST_CASE("any other value is exactly that type") {
    const record_filter filter({"event"});
    CHECK(passes(filter, event));
    CHECK_FALSE(passes(filter, untyped));
    CHECK_FALSE(passes(filter, R"({"type":"events"})"));
    CHECK_FALSE(passes(filter, R"({"type":"Event"})"));
    CHECK_FALSE(passes(filter, R"({"type":["event"]})"));
    CHECK(passes(record_filter({"error"}), failure));
    CHECK_FALSE(passes(record_filter({"5"}), R"({"type":5})"));
}

TEST_CASE("a type may be spelled with escapes, or be very long") {
    CHECK(passes(record_filter({"event"}), R"({"type":"\u0065vent"})"));
    CHECK_FALSE(passes(record_filter({"event"}), R"({"type":"\u0065vents"})"));
    CHECK(passes(record_filter({"a\"b"}), R"({"type":"a\"b"})"));
    const std::string name(70'000, 'n');
    CHECK(passes(record_filter({name}), R"({"type":")" + name + R"("})"));
    CHECK_FALSE(passes(record_filter({"event"}), R"({"type":")" + name + R"("})"));
}

TEST_CASE("several values mean either") {
    const record_filter filter({"event", "errors"});
    CHECK(passes(filter, event));
    CHECK(passes(filter, failure));
    CHECK(passes(filter, not_found));
    CHECK_FALSE(passes(filter, request));
}

TEST_CASE("request and response ask for API calls by name, also beside other values") {
    CHECK(record_filter({"request"}).asks_for_api_calls());
    CHECK(record_filter({"response"}).asks_for_api_calls());
    CHECK(record_filter({"errors", "api"}).asks_for_api_calls());
    CHECK(record_filter({"all", "request"}).asks_for_api_calls());
    CHECK_FALSE(record_filter({"errors", "event"}).asks_for_api_calls());
}

TEST_CASE("an empty value is refused with a sentence") {
    CHECK_THROWS_AS(record_filter({""}), std::invalid_argument);
    CHECK_THROWS_WITH(record_filter({"all", ""}), Catch::Contains("type is empty"));
}
