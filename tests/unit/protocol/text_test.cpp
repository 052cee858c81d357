// SPDX-License-Identifier: MIT
#include "protocol/text.hpp"

#include "tests/support/catch.hpp"

#include <boost/json.hpp>

#include <random>

using namespace livelogd::protocol;

namespace {

std::string unescaped(std::string_view inner) {
    std::string out;
    append_unescaped(out, inner);
    return out;
}

}  // namespace

TEST_CASE("every code point survives encoding, checking and the escapes of JSON") {
    for (std::uint32_t code_point = 0; code_point <= 0x10FFFF; code_point += code_point < 0x3000 ? 1 : 37) {
        if (code_point >= 0xD800 && code_point <= 0xDFFF) continue;
        std::string encoded;
        append_utf8(encoded, code_point);
        const utf8_step step = next_utf8(encoded);
        INFO("U+" << std::hex << code_point);
        REQUIRE(step.valid);
        REQUIRE(step.size == encoded.size());
        const std::string spelled = boost::json::serialize(boost::json::string_view(encoded));
        REQUIRE(unescaped(std::string_view(spelled).substr(1, spelled.size() - 2)) == encoded);
    }
}

TEST_CASE("escapes are decoded") {
    CHECK(unescaped(R"(a\"b\\c\/d)") == "a\"b\\c/d");
    CHECK(unescaped(R"(\b\f\n\r\t)") == "\b\f\n\r\t");
    CHECK(unescaped(R"(\u0041\u00e9\u20AC)") == "A\xC3\xA9\xE2\x82\xAC");
    CHECK(unescaped(R"(\ud83d\ude00)") == "\xF0\x9F\x98\x80");
    CHECK(unescaped(R"(x\u0000y)") == std::string_view("x\0y", 3));
    CHECK(unescaped(R"(\ud83dx)") == "\xEF\xBF\xBDx");
    CHECK(unescaped(R"(\ud83d\u0041)") == "\xEF\xBF\xBD" "A");
}

TEST_CASE("UTF-8 is checked as Boost.JSON checks it") {
    std::mt19937 random(20250626);
    std::uniform_int_distribution<std::size_t> length(1, 6);
    // Bytes from the corners of the encoding's ranges.
    constexpr std::string_view corners =
        "\x41\x7F\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF\xE0\xED\xEF\xF0\xF4\xF5\xFF";
    std::uniform_int_distribution<std::size_t> pick(0, corners.size() - 1);
    int valid = 0;
    for (int i = 0; i < 30'000; ++i) {
        std::string bytes;
        for (std::size_t n = length(random); n > 0; --n)
            bytes.push_back(corners[pick(random)]);
        boost::json::error_code failed;
        boost::json::parse('"' + bytes + '"', failed);
        INFO(boost::json::serialize(boost::json::string_view(bytes)));
        REQUIRE((valid_utf8_prefix(bytes) == bytes.size()) == !failed);
        if (!failed) ++valid;
    }
    CHECK(valid > 300);
}
