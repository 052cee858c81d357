// SPDX-License-Identifier: MIT
#include "tests/support/catch.hpp"
#include "tests/support/filters.hpp"

#include <optional>
#include <string>

using livelogd::filter::facet_value;
using livelogd::filter::field_name_size;
using livelogd::filter::is_field_name;

namespace {

std::optional<std::string> value(std::string_view line, std::string_view field) {
    return facet_value(livelogd::test::view_of(line), field);
}

}  // namespace

TEST_CASE("a field's name is made of letters, digits, underscores, dots and dashes") {
    for (const char* name : {"a", "_", "Z9", "a.b", "x-y_z.0", "a.", "a-"})
        CHECK(is_field_name(name));
    for (const char* name : {"", "9a", ".a", "-a", "a b", "a:", "ä", "a\n"})
        CHECK_FALSE(is_field_name(name));
    CHECK(field_name_size("a.b>5") == 3);
    CHECK(field_name_size("5") == 0);
}

TEST_CASE("a facet is the text that a value compares as") {
    const std::string line =
        R"({"s":"a\u0062c","n":1.50,"t":true,"z":null,"o":{"x":"deep","y":{"z":2}},"a":[1],"d":1,"d":2,"o.x":"flat"})";
    CHECK(value(line, "s") == "abc");
    CHECK(value(line, "n") == "1.50");
    CHECK(value(line, "t") == "true");
    CHECK(value(line, "d") == "2");
    CHECK(value(line, "o.x") == "flat");
    CHECK(value(line, "o.y.z") == "2");
    for (const char* none : {"z", "o", "a", "o.y", "nothing", "o.nothing", "s.x"}) {
        CAPTURE(none);
        CHECK_FALSE(value(line, none));
    }
}

TEST_CASE("the facet of a level is its severity, if there is one") {
    CHECK(value(R"({"level":"warn"})", "level") == "WARNING");
    CHECK(value(R"({"level":40})", "level") == "ERROR");
    CHECK(value(R"({"level":"notice"})", "level") == "INFO");
    for (const char* line : {"{}", R"({"level":null})", R"({"level":{}})"})
        CHECK_FALSE(value(line, "level"));
}

TEST_CASE("the facet of a type is read from the line where the digest does not tell it") {
    CHECK(value(R"({"type":"request"})", "type") == "request");
    CHECK(value(R"({"type":"re\u0071uest"})", "type") == "request");
    CHECK(value(R"({"type":5})", "type") == "5");
    CHECK(value(R"({"type":""})", "type") == "");
    CHECK_FALSE(value("{}", "type"));
}

TEST_CASE("the facet of a status is the number in status_code") {
    CHECK(value(R"({"status_code":404,"status":"ok"})", "status") == "404");
    CHECK_FALSE(value(R"({"status_code":"404","status":"ok"})", "status"));
    CHECK_FALSE(value(R"({"status":"ok"})", "status"));
    CHECK(value(R"({"status_code":"404"})", "status_code") == "404");
}

TEST_CASE("the facet of a model is the one that answered, else the one asked for") {
    CHECK(value(R"({"request_body":{"model":"a"},"response_body":{"model":"b"}})", "model") == "b");
    CHECK(value(R"({"request_body":{"model":"a"}})", "model") == "a");
    CHECK_FALSE(value(R"({"request_body":{}})", "model"));
}
