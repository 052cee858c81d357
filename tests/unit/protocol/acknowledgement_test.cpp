// SPDX-License-Identifier: MIT
#include "protocol/acknowledgement.hpp"

#include "protocol/text.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/protocol/vectors.hpp"

using namespace livelogd::protocol;

namespace {

/// What append_… adds to something that is there already.
template <class Append>
std::string told(Append append) {
    std::string out = "before\n";
    append(out);
    REQUIRE(out.starts_with("before\n"));
    return out.substr(7);
}

}  // namespace

TEST_CASE("golden cases of first lines") {
    for (const auto& test : livelogd::test::read_vectors("acknowledgements.jsonl")) {
        INFO(livelogd::test::text_of(test, "name"));
        const auto what = parse_hello(livelogd::test::bytes_of(test, "line"));
        if (const auto* wanted = test.if_contains("hello")) {
            const auto* got = std::get_if<hello>(&what);
            REQUIRE(got != nullptr);
            boost::json::object members{{"ack", got->level == ack_level::durable ? "durable" : "written"}};
            if (!got->client.empty()) members["client"] = got->client;
            if (got->next) members["next"] = *got->next;
            CHECK(boost::json::value(members) == *wanted);
        } else if (test.contains("refused")) {
            const auto* got = std::get_if<refused_hello>(&what);
            REQUIRE(got != nullptr);
            CHECK(got->reason.starts_with("\"" + livelogd::test::text_of(test, "refused") + "\" "));
        } else {
            CHECK(test.at("record") == true);
            CHECK(std::holds_alternative<std::monostate>(what));
        }
    }
}

TEST_CASE("golden answers to a sender") {
    for (const auto& test : livelogd::test::read_vectors("answers.jsonl")) {
        CAPTURE(livelogd::test::text_of(test, "name"));
        const auto number = [&](const char* member) {
            return static_cast<line_number>(test.at(member).as_int64());
        };
        const auto sentence = [&] { return livelogd::test::text_of(test, "error"); };
        const std::string got = told([&](std::string& out) {
            if (test.contains("have"))
                append_have(out, number("have"));
            else if (test.contains("ack"))
                append_ack(out, number("ack"));
            else if (test.contains("more"))
                append_more_malformed(out, number("malformed"), number("more"));
            else if (test.contains("malformed"))
                append_malformed(out, number("malformed"), sentence());
            else
                append_error(out, sentence());
        });
        CHECK(got == livelogd::test::text_of(test, "line") + "\n");
    }
}

TEST_CASE("what a sender is told") {
    CHECK(told([](auto& out) { append_have(out, 0); }) == "{\"have\":0}\n");
    CHECK(told([](auto& out) { append_have(out, max_line_number); }) == "{\"have\":9007199254740991}\n");
    CHECK(told([](auto& out) { append_ack(out, 12); }) == "{\"ack\":12}\n");
    CHECK(told([](auto& out) { append_malformed(out, 3, "a \"quoted\" word"); })
          == "{\"malformed\":3,\"error\":\"a \\\"quoted\\\" word\"}\n");
    CHECK(told([](auto& out) { append_more_malformed(out, 90, 26); }) == "{\"malformed\":90,\"more\":26}\n");
    CHECK(told([](auto& out) { append_error(out, "no"); }) == "{\"error\":\"no\"}\n");
}

TEST_CASE("a sentence is cut between characters and stays one line of UTF-8") {
    std::string sentence(max_sentence_bytes - 1, 'x');
    sentence += "\xC3\xA9 and more";
    CHECK(told([&](auto& out) { append_error(out, sentence); })
          == "{\"error\":\"" + std::string(max_sentence_bytes - 1, 'x') + "\"}\n");
    const auto odd = told([](auto& out) { append_malformed(out, 1, "a\xFF\nb"); });
    CHECK(odd == "{\"malformed\":1,\"error\":\"a\xEF\xBF\xBD\\nb\"}\n");
    CHECK(valid_utf8_prefix(odd) == odd.size());
}
