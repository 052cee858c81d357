// SPDX-License-Identifier: MIT
#include "daemon/filter/number_order.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace livelogd::filter {
namespace {

/// Takes the digits at the front of `text` away; whether there were any.
bool take_digits(std::string_view& text) {
    const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(size);
    return size != 0;
}

bool take(std::string_view& text, std::string_view one_of) {
    if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::int64_t exponent_of(std::string_view digits) {
    constexpr std::int64_t far = 1'000'000'000'000;  // longer than any line has digits
    std::int64_t exponent = 0;
    for (const char c : digits)
        if (exponent < far) exponent = exponent * 10 + (c - '0');
    return exponent;
}

/// A number as 0.d1d2d3… × 10^place, where d1 is not 0.
struct decimal {
    bool negative = false;
    std::int64_t place = 0;
    std::string_view digits;  ///< from d1 on, with a point among them; empty: zero

    explicit decimal(std::string_view text) {
        negative = take(text, "-");
        if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
            std::string_view digits_of_exponent = text.substr(e + 1);
            const bool below = take(digits_of_exponent, "-");
            take(digits_of_exponent, "+");
            place = exponent_of(digits_of_exponent);
            if (below) place = -place;
            text = text.substr(0, e);
        }
        const std::size_t first = text.find_first_not_of("0.");
        if (first == std::string_view::npos) {
            *this = decimal();
            return;
        }
        const std::size_t point = std::min(text.find('.'), text.size());
        // 12.5: two places before the point; 0.05: one less than none.
        place +=
            static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + (first > point ? 1 : 0);
        digits = text.substr(first);
    }

  private:
    decimal() = default;
};

/// The next digit, 0 after the last one.
char next_digit(std::string_view& digits) {
    take(digits, ".");
    if (digits.empty()) return '0';
    const char digit = digits.front();
    digits.remove_prefix(1);
    return digit;
}

std::strong_ordering compare_magnitudes(const decimal& a, const decimal& b) {
    if (a.digits.empty() || b.digits.empty()) return !a.digits.empty() <=> !b.digits.empty();
    if (a.place != b.place) return a.place <=> b.place;
    std::string_view left = a.digits;
    std::string_view right = b.digits;
    while (!left.empty() || !right.empty()) {
        const auto order = next_digit(left) <=> next_digit(right);
        if (order != std::strong_ordering::equal) return order;
    }
    return std::strong_ordering::equal;
}

}  // namespace

bool is_json_number(std::string_view text) {
    take(text, "-");
    if (!take(text, "0") && !take_digits(text)) return false;
    if (take(text, ".") && !take_digits(text)) return false;
    if (take(text, "eE")) {
        take(text, "+-");
        if (!take_digits(text)) return false;
    }
    return text.empty();
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
    const decimal left(a);
    const decimal right(b);
    if (left.negative != right.negative)
        return left.negative ? std::strong_ordering::less : std::strong_ordering::greater;
    return left.negative ? compare_magnitudes(right, left) : compare_magnitudes(left, right);
}

}  // namespace livelogd::filter
