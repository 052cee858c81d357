// SPDX-License-Identifier: MIT
#include "daemon/filter/text_search.hpp"

#include "daemon/filter/decoded_text.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <random>
#include <string>

using livelogd::filter::decoded_text;
using livelogd::filter::text_search;

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool occurs_naively(std::string_view wanted, std::string_view text) {
    for (std::size_t i = 0; i + wanted.size() <= text.size(); ++i) {
        std::size_t n = 0;
        while (n < wanted.size() && lower(text[i + n]) == lower(wanted[n]))
            ++n;
        if (n == wanted.size()) return true;
    }
    return false;
}

std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t size) {
    std::string text;
    while (text.size() < size)
        text += alphabet[random() % alphabet.size()];
    return text;
}

}  // namespace

TEST_CASE("a text is found wherever it stands, ASCII letters in either case") {
    const std::string text = R"({"level":"INFO","message":"Connection RESET by peer"})";
    for (const char* wanted :
         {"", "{", "}", "reset", "Reset", "RESET BY", "peer\"}", "{\"level\"", "connection reset by peer"})
        CHECK(text_search(wanted).occurs_in(text));
    for (const char* wanted : {"resett", "reset  by", "peers", "[", "@"})
        CHECK_FALSE(text_search(wanted).occurs_in(text));
    CHECK(text_search(text).occurs_in(text));
    CHECK_FALSE(text_search(text + "x").occurs_in(text));
    CHECK(text_search("").occurs_in(""));
    CHECK_FALSE(text_search("a").occurs_in(""));
}

TEST_CASE("only letters have a case, and only those of ASCII") {
    CHECK_FALSE(text_search("@").occurs_in("`"));
    CHECK_FALSE(text_search("[x").occurs_in("{x"));
    CHECK_FALSE(text_search("{").occurs_in("["));
    CHECK_FALSE(text_search("\x1a").occurs_in(":"));
    CHECK_FALSE(text_search("Ä").occurs_in("ä"));
    CHECK(text_search("straße").occurs_in("Die STRAßE dort"));
    CHECK_FALSE(text_search("STRASSE").occurs_in("straße"));
    CHECK(text_search(std::string_view("\0x", 2)).occurs_in(std::string_view("a\0X", 3)));
}

TEST_CASE("searching finds what a naive search finds") {
    std::mt19937 random(20261127);  // NOLINT(cert-msc51-cpp): the same cases each time
    constexpr std::string_view alphabets[] = {"aA", "abAB", "aab\xC3\xA4", "eE\"q",
                                              "abcdefghijklmnopqrstuvwxyz ABC\"{}:,@`[1"};
    std::size_t found = 0;
    for (int round = 0; round < 60'000; ++round) {
        const std::string_view alphabet = alphabets[random() % std::size(alphabets)];
        const std::string text = random_text(random, alphabet, random() % 80);
        std::string wanted = random_text(random, alphabet, random() % 12);
        if (random() % 3 == 0 && !text.empty()) {
            wanted = text.substr(random() % text.size(), random() % 40);
            for (char& c : wanted)
                if (random() % 8 == 0) c = alphabet[random() % alphabet.size()];
        }
        CAPTURE(text, wanted);
        const bool expected = occurs_naively(wanted, text);
        found += expected ? 1 : 0;
        if (text_search(wanted).occurs_in(text) != expected) FAIL();
    }
    CHECK(found > 5'000);
    CHECK(found < 55'000);
}

TEST_CASE("texts that are nearly found everywhere are searched in linear time") {
    // Long enough that comparing at every place would take minutes.
    const std::string text(8u << 20, 'z');
    for (const std::size_t odd_one : {0u, 1u, 3000u, 5998u, 5999u}) {
        std::string wanted(6000, 'Z');
        wanted[odd_one] = 'e';
        const auto began = std::chrono::steady_clock::now();
        CHECK_FALSE(text_search(wanted).occurs_in(text));
        std::string with = text;
        with.replace(with.size() - wanted.size(), wanted.size(), wanted);
        CHECK(text_search(wanted).occurs_in(with));
        CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
    }
}

TEST_CASE("what takes over from the quick search finds the same") {
    std::mt19937 random(7);  // NOLINT(cert-msc51-cpp)
    for (int round = 0; round < 300; ++round) {
        // Periodic texts with few faults: nearly every place is compared for long.
        const std::size_t period = 1 + random() % 4;
        const std::string base = random_text(random, "ez", period);
        std::string text;
        while (text.size() < 20'000)
            text += base;
        for (int fault = static_cast<int>(random() % 6); fault > 0; --fault)
            text[random() % text.size()] = "EZez"[random() % 4];
        std::string wanted = text.substr(random() % 15'000, 1 + random() % 3'000);
        if (random() % 2 == 0) wanted[random() % wanted.size()] = random() % 2 == 0 ? 'e' : 'z';
        if (text_search(wanted).occurs_in(text) != occurs_naively(wanted, text)) FAIL("round " << round);
    }
}

TEST_CASE("the text of a record has the escapes of its strings decoded") {
    std::string buffer;
    const std::string plain = R"({"message":"grün"})";
    CHECK(decoded_text(plain, buffer).data() == plain.data());
    CHECK(decoded_text(plain, buffer) == plain);
    CHECK(decoded_text(R"({"a\"b":"\u0067r\u00fcn\n\\\/"})", buffer) == "{\"a\"b\":\"grün\n\\/\"}");
    CHECK(decoded_text(R"({"a":"\ud83d\ude00 \ud83d"})", buffer) == "{\"a\":\"\U0001F600 \uFFFD\"}");
    CHECK(decoded_text(R"({"a":"\\u0041"})", buffer) == R"({"a":"\u0041"})");
    CHECK(decoded_text(R"({"a":"\\"})", buffer) == R"({"a":"\"})");
}
