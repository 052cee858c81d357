// SPDX-License-Identifier: MIT
#include "daemon/filter/number_order.hpp"

#include "tests/support/catch.hpp"

#include <random>
#include <string>

using livelogd::filter::compare_numbers;
using livelogd::filter::is_json_number;

TEST_CASE("a number is spelled as in JSON") {
    for (const char* text :
         {"400", "-0.5e+2", "0", "-0", "0.0", "1E2", "1e-9", "1e999", "12345678901234567890"})
        CHECK(is_json_number(text));
    for (const char* text : {"", "-", "+1", ".5", "5.", "01", "1e", "1e+", "0x10", "inf", "nan", "1_000",
                             "1,5", "fast", "1 ", "--1"}) {
        CAPTURE(text);
        CHECK_FALSE(is_json_number(text));
    }
}

TEST_CASE("numbers in rising order, each row spelled in several ways") {
    const std::vector<std::vector<std::string>> rows{
        {"-1e999999999999999999999"},
        {"-1e400", "-10e399"},
        {"-9007199254740993"},
        {"-9007199254740992.9"},
        {"-12.5", "-1.25e1", "-0.0125e+3", "-12.50"},
        {"-12.49999999999999999999"},
        {"-1e-400"},
        {"0", "-0", "0.0", "0e5", "0.000E-7", "-0e999999999999999999999"},
        {"1e-400", "0.1e-399"},
        {"0.05", "5e-2", "0.0500"},
        {"0.1", "1e-1", "100e-3"},
        {"0.10000000000000000001"},
        {"1", "1.0", "10e-1", "0.1e1", "1E0", "1e-0"},
        {"9", "9.00"},
        {"10", "1e1", "1e+1"},
        {"9007199254740992"},
        {"9007199254740993", "9.007199254740993e15"},
        {"1e400"},
        {"1e999999999999999999999"},
    };
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < rows.size(); ++j)
            for (const std::string& a : rows[i])
                for (const std::string& b : rows[j]) {
                    CAPTURE(a, b);
                    CHECK(compare_numbers(a, b) == (i <=> j));
                }
}

TEST_CASE("short numbers are in the order of their doubles") {
    std::mt19937 random(3);  // NOLINT(cert-msc51-cpp): the same cases each time
    const auto make = [&] {
        std::string text = random() % 2 == 0 ? "-" : "";
        text += std::to_string(random() % 30);
        if (random() % 2 == 0) text += "." + std::to_string(random() % 200);
        if (random() % 2 == 0) text += "e" + std::to_string(static_cast<int>(random() % 7) - 3);
        return text;
    };
    for (int round = 0; round < 20'000; ++round) {
        const std::string a = make();
        const std::string b = make();
        CAPTURE(a, b);
        if (compare_numbers(a, b) != (std::stod(a) <=> std::stod(b))) FAIL();
    }
}
