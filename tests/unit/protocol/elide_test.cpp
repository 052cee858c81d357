// SPDX-License-Identifier: MIT
#include "protocol/elide.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/text.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <random>
#include <string>

using namespace livelogd::protocol;

namespace {

std::string elided(std::string_view record, std::size_t limit, std::string_view members = {}) {
    std::string out;
    append_elided(out, record, members, limit);
    return out;
}

const std::string mark(elision_mark);

}  // namespace

TEST_CASE("a record without long strings stays as it is", "[elide]") {
    for (const std::string record :
         {R"({})", R"({"a":"1234567890123456"})", R"({"a":[1,2,{"b":null}],"c":1e400})"})
        CHECK(elided(record, 16) == record);
}

TEST_CASE("long strings are cut, and their true size is told by their path", "[elide]") {
    CHECK(elided(R"({"a":"abcdef","b":"abc"})", 4)
          == R"({"livelog_elided":{"a":6},"a":"abcd)" + mark + R"(","b":"abc"})");
    CHECK(elided(R"({"r":{"images":["xxxxxxxx","y",["zzzzz"]]}})", 4)
          == R"({"livelog_elided":{"r.images.0":8,"r.images.2.0":5},"r":{"images":["xxxx)" + mark
                 + R"(","y",["zzzz)" + mark + R"("]]}})");
    // Keys are never cut.
    CHECK(elided(R"({"a long key":"b"})", 4) == R"({"a long key":"b"})");
}

TEST_CASE("a cut is neither within a character nor within an escape", "[elide]") {
    CHECK(elided(R"({"a":"ab\u00e9cd"})", 5) == R"({"livelog_elided":{"a":10},"a":"ab)" + mark + R"("})");
    CHECK(elided(R"({"a":"abc\\\"\""})", 4) == R"({"livelog_elided":{"a":9},"a":"abc)" + mark + R"("})");
    CHECK(elided(R"({"a":"\ud83d\ude00x"})", 8) == R"({"livelog_elided":{"a":13},"a":")" + mark + R"("})");
    CHECK(elided(R"({"a":"\ud83d\ude00x"})", 12)
          == R"({"livelog_elided":{"a":13},"a":"\ud83d\ude00)" + mark + R"("})");
    CHECK(elided("{\"a\":\"a\xC3\xA9\xC3\xA9\"}", 4)
          == "{\"livelog_elided\":{\"a\":5},\"a\":\"a\xC3\xA9" + mark + "\"}");
}

TEST_CASE("members of the caller come first", "[elide]") {
    CHECK(elided(R"({"a":1})", 16, R"("livelog_id":7,)") == R"({"livelog_id":7,"a":1})");
    CHECK(elided(R"({})", 16, R"("livelog_id":7,)") == R"({"livelog_id":7})");
    CHECK(elided(R"({"a":"abcdef"})", 4, R"("livelog_id":7,)")
          == R"({"livelog_id":7,"livelog_elided":{"a":6},"a":"abcd)" + mark + R"("})");
}

TEST_CASE("records that somebody has written with blanks are understood", "[elide]") {
    CHECK(boost::json::parse(
              elided(" { \"a\" : \"abcdef\" , \"b\" : [ \"ghijkl\" ] } ", 4, "\"livelog_id\":7,"))
          == boost::json::parse(
              R"({"livelog_id":7,"livelog_elided":{"a":6,"b.0":6},"a":"abcd…","b":["ghij…"]})"));
    CHECK(boost::json::parse(elided(" { } ", 4, "\"livelog_id\":7,"))
          == boost::json::parse(R"({"livelog_id":7})"));
}

TEST_CASE("only so many strings are named", "[elide]") {
    std::string record = R"({"a":[)";
    for (int i = 0; i < 250; ++i)
        record += (i > 0 ? "," : "") + std::string(R"("0123456789")");
    record += "]}";
    const auto shown = boost::json::parse(elided(record, 5)).as_object();
    CHECK(shown.at("livelog_elided").as_object().size() == max_named_elisions);
    for (const auto& one : shown.at("a").as_array())
        CHECK(one.as_string() == "01234" + mark);
}

TEST_CASE("random records: what is cut is a beginning, the rest is untouched", "[elide]") {
    std::mt19937 random(11);
    const std::vector<std::string> pieces{"a",     "é",    "€", "😀", R"(\n)", R"(\u00e9)", R"(\ud83d\ude00)",
                                          R"(\")", R"(\\)"};
    for (int round = 0; round < 500; ++round) {
        std::string record = "{";
        std::vector<std::string> values;
        for (std::size_t i = 0; i < 5; ++i) {
            std::string text;
            for (auto count = random() % 20; count > 0; --count)
                text += pieces[random() % pieces.size()];
            values.push_back(text);
            record += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":\"" + text + "\"";
        }
        record += "}";
        const std::size_t limit = random() % 30;
        INFO(record << " " << limit);
        const auto shown = boost::json::parse(elided(record, limit)).as_object();
        for (std::size_t i = 0; i < 5; ++i) {
            const auto key = "k" + std::to_string(i);
            const std::string whole =
                decode_string({.kind = json_kind::string, .text = "\"" + values[i] + "\""});
            const std::string got(shown.at(key).as_string());
            if (values[i].size() <= limit) {
                CHECK(got == whole);
                continue;
            }
            CHECK(shown.at("livelog_elided").at(key) == values[i].size());
            REQUIRE(got.ends_with(mark));
            const auto kept = got.substr(0, got.size() - mark.size());
            CHECK(whole.starts_with(kept));
            // The next character would not have fitted: the longest, a pair of escapes, has 12 bytes.
            CHECK(boost::json::serialize(boost::json::string(kept)).size() + 12
                  > std::min<std::size_t>(limit, 12));
        }
    }
}
