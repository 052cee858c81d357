// SPDX-License-Identifier: MIT
#include "protocol/json_token.hpp"

#include "protocol/text.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

namespace livelogd::protocol {
namespace {

/// The value of a number whose magnitude no double has: zero or infinity, told by the place of its first
/// significant digit. (std::from_chars says only that it is out of range; strtod would know, but it depends
/// on the locale.)
double out_of_range_value(std::string_view text) {
    const bool negative = text.front() == '-';
    if (negative) text.remove_prefix(1);
    constexpr std::int64_t far = 1'000'000'000'000;  // longer than any line has digits
    std::int64_t exponent = 0;
    if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
        std::string_view digits = text.substr(e + 1);
        const bool below = digits.front() == '-';
        if (below || digits.front() == '+') digits.remove_prefix(1);
        for (const char c : digits)
            if (exponent < far) exponent = exponent * 10 + (c - '0');
        if (below) exponent = -exponent;
        text = text.substr(0, e);
    }
    const std::size_t point = text.find('.');
    const auto whole_digits =
        static_cast<std::int64_t>(point == std::string_view::npos ? text.size() : point);
    const std::size_t first = text.find_first_not_of("0.");
    if (first == std::string_view::npos) return negative ? -0.0 : 0.0;
    const auto place = whole_digits - static_cast<std::int64_t>(first);
    const double magnitude = place + exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return negative ? -magnitude : magnitude;
}

/// The value of a number of a few digits, perhaps with a point among them, as most are.
std::optional<double> short_decimal(std::string_view text) {
    // Up to here a double holds the digits and the power of ten exactly, so that one division rounds
    // correctly.
    constexpr std::array powers_of_ten{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    constexpr std::size_t longest = powers_of_ten.size();
    if (text.size() > longest) return std::nullopt;
    std::int64_t digits = 0;
    std::size_t point = text.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '.') {
            point = i + 1;
        } else if (c >= '0' && c <= '9') {
            digits = digits * 10 + (c - '0');
        } else {
            return std::nullopt;
        }
    }
    return static_cast<double>(digits) / powers_of_ten[text.size() - point];
}

}  // namespace

std::string decode_string(const json_token& token) {
    std::string characters;
    append_unescaped(characters, token.inner());
    return characters;
}

bool string_equals(const json_token& token, std::string_view characters) {
    if (!token.is_string()) return false;
    const std::string_view inner = token.inner();
    // An escape is never shorter than what it stands for.
    if (inner.size() < characters.size()) return false;
    if (inner.find('\\') == std::string_view::npos) return inner == characters;
    return decode_string(token) == characters;
}

std::optional<std::string> scalar_name(const json_token& token) {
    switch (token.kind) {
        case json_kind::string:
            return decode_string(token);
        case json_kind::number:
        case json_kind::boolean:
            return std::string(token.text);
        case json_kind::absent:
        case json_kind::null:
        case json_kind::object:
        case json_kind::array:
            break;
    }
    return std::nullopt;
}

std::optional<double> number_value(const json_token& token) {
    if (!token.is_number()) return std::nullopt;
    if (const auto value = short_decimal(token.text)) return value;
    double value = 0;
    const auto [rest, failed] =
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    if (failed == std::errc::result_out_of_range) return out_of_range_value(token.text);
    return value;
}

}  // namespace livelogd::protocol
