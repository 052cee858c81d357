// SPDX-License-Identifier: MIT
#include "protocol/json_token.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

using namespace livelogd::protocol;

namespace {

json_token string_token(std::string_view spelled) {
    return {.kind = json_kind::string, .text = spelled};
}
json_token number_token(std::string_view spelled) {
    return {.kind = json_kind::number, .text = spelled};
}

}  // namespace

TEST_CASE("strings are compared by their characters") {
    CHECK(decode_string(string_token(R"("request")")) == "request");
    CHECK(decode_string(string_token(R"("")")).empty());
    CHECK(string_equals(string_token(R"("request")"), "request"));
    CHECK(string_equals(string_token(R"("re\u0071uest")"), "request"));
    CHECK(string_equals(string_token(R"("")"), ""));
    CHECK_FALSE(string_equals(string_token(R"("requests")"), "request"));
    CHECK_FALSE(string_equals(string_token(R"("reques")"), "request"));
    CHECK_FALSE(string_equals(string_token(R"("Request")"), "request"));
    CHECK_FALSE(string_equals(number_token("5"), "5"));
    CHECK_FALSE(string_equals({}, ""));
}

TEST_CASE("scalars have names, other values do not") {
    CHECK(scalar_name(string_token(R"("a\tb")")) == "a\tb");
    CHECK(scalar_name(number_token("200.0")) == "200.0");
    CHECK(scalar_name({.kind = json_kind::boolean, .text = "true"}) == "true");
    CHECK_FALSE(scalar_name({.kind = json_kind::null, .text = "null"}));
    CHECK_FALSE(scalar_name({.kind = json_kind::object, .text = "{}"}));
    CHECK_FALSE(scalar_name({.kind = json_kind::array, .text = "[]"}));
    CHECK_FALSE(scalar_name({}));
}

TEST_CASE("numbers have values, also those that no double holds") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(number_value(number_token("0")) == 0.0);
    CHECK(number_value(number_token("-12.5e1")) == -125.0);
    CHECK(number_value(number_token("4294967296")) == 4294967296.0);
    CHECK(number_value(number_token("0.1")) == 0.1);
    CHECK(number_value(number_token("1.7976931348623157e308")) == std::numeric_limits<double>::max());
    CHECK(number_value(number_token("5e-324")) == std::numeric_limits<double>::denorm_min());
    CHECK(number_value(number_token("1e400")) == infinity);
    CHECK(number_value(number_token("-1e400")) == -infinity);
    CHECK(number_value(number_token("1E+99999999999999999999999")) == infinity);
    CHECK(number_value(number_token("1e-400")) == 0.0);
    CHECK(number_value(number_token("1e-99999999999999999999999")) == 0.0);
    CHECK(number_value(number_token("0e99999999999999999999999")) == 0.0);
    CHECK(number_value(number_token("0.000e888")) == 0.0);
    CHECK(std::signbit(*number_value(number_token("-0"))));
    CHECK(std::signbit(*number_value(number_token("-1e-400"))));
    CHECK(number_value(number_token(std::string(400, '9'))) == infinity);
    CHECK(number_value(number_token("0." + std::string(400, '0') + "1")) == 0.0);
    CHECK(number_value(number_token("0." + std::string(400, '0') + "1e401")) == 1.0);
    CHECK(number_value(number_token("1" + std::string(400, '0') + "e-400")) == 1.0);
    CHECK(number_value(number_token("1" + std::string(400, '0') + "e-10")) == infinity);
    CHECK_FALSE(number_value(string_token("\"1\"")).has_value());
    CHECK_FALSE(number_value({}).has_value());
}

TEST_CASE("a number is what the C library reads, in any locale") {
    std::mt19937 random(7);
    const auto pick = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    std::vector<std::pair<std::string, double>> numbers;
    for (int i = 0; i < 5'000; ++i) {
        std::string text = pick(0, 1) == 0 ? "-" : "";
        const int whole = pick(0, 22);
        text += whole == 0 ? '0' : static_cast<char>('0' + pick(1, 9));
        for (int n = 1; n < whole; ++n)
            text += static_cast<char>('0' + pick(0, 9));
        if (pick(0, 1) == 0) {
            text += '.';
            for (int n = pick(1, 25); n > 0; --n)
                text += static_cast<char>('0' + pick(0, 9));
        }
        if (pick(0, 1) == 0) text += "e" + std::to_string(pick(-350, 350));
        numbers.emplace_back(text, std::strtod(text.c_str(), nullptr));
    }
    const auto check_all = [&] {
        for (const auto& [text, expected] : numbers) {
            CAPTURE(text);
            const auto value = number_value(number_token(text));
            REQUIRE(value == expected);
            REQUIRE(std::signbit(*value) == std::signbit(expected));
        }
    };
    check_all();
    // The decimal comma, where the system has such a locale.
    if (std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr) check_all();
    std::setlocale(LC_NUMERIC, "C");
}

TEST_CASE("short decimals are rounded as the C library rounds them") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 20000; ++round) {
        // As many digits as the short way takes, and one more, the point anywhere.
        std::string text = std::to_string(random() % 9'999'999'999'999'999ULL + 1);
        text.resize(std::min<std::size_t>(text.size(), 1 + random() % 17));
        if (round % 3 != 0 && text.size() > 1) text.insert(1 + random() % (text.size() - 1), ".");
        if (round % 5 == 0) text.insert(0, "-");
        CAPTURE(text);
        REQUIRE(number_value(number_token(text)) == std::strtod(text.c_str(), nullptr));
    }
}
