// SPDX-License-Identifier: MIT
// JSON inside a record's strings. The verdict on records is tested through scan_record().
#include "protocol/scan.hpp"

#include "protocol/limits.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace livelogd::protocol;

namespace {

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("one JSON value of any kind, and nothing else but white space") {
    for (const char* text : {"{}", "[]", R"( [ 1 , {"a":[]} ] )", "5", "\"a\"", "null", "\n{\"a\":1e400}\r\n",
                             "[1e99999999999, \"1e5\"]", "[\"\\ud800\"]"}) {
        CAPTURE(text);
        CHECK(is_json(text));
    }
    for (const char* text :
         {"", " ", "{", "]", "{}{}", "[1],[2]", "[1],\"a\":[2]", "{} x", "[1,]", "{'a':1}", "[NaN]", "[01]",
          "[\"\\x\"]", "[\"\\ud80\"]", "\xEF\xBB\xBF[]", "[\"\xFF\"]", "[1e99999999999", "// x\n[]"}) {
        CAPTURE(text);
        CHECK_FALSE(is_json(text));
    }
    CHECK(is_json(nested(max_nesting)));
    CHECK_FALSE(is_json(nested(max_nesting + 1)));
    // What was refused leaves nothing behind.
    CHECK(is_json("[]"));
}
