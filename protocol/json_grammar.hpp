// SPDX-License-Identifier: MIT
// The tokens of RFC 8259, one function for each. They take a place in the bytes and return the place behind
// the token.
//
// The bytes end with a bracket or brace. No token goes on over one, so that single steps need no look at the
// end; those that read further take it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace livelogd::protocol {

/// JSON's white space.
constexpr bool is_json_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_hex_digit(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

constexpr bool is_continuation(char c) {
    return (c & 0xC0) == 0x80;
}

struct token_end {
    const char* at;  ///< behind the token, or where it ceases to be one
    bool whole;
};

/// `p`: at what should be a number.
inline token_end after_number(const char* p) {
    const auto after_digits = [](const char* digit) {
        while (is_digit(*digit))
            ++digit;
        return digit;
    };
    if (*p == '-') ++p;
    if (!is_digit(*p)) return {p, false};
    p = *p == '0' ? p + 1 : after_digits(p + 1);
    if (*p == '.') {
        if (!is_digit(*++p)) return {p, false};
        p = after_digits(p + 1);
    }
    if ((*p | 0x20) == 'e') {
        ++p;
        if (*p == '+' || *p == '-') ++p;
        if (!is_digit(*p)) return {p, false};
        p = after_digits(p + 1);
    }
    return {p, true};
}

/// `p`: at the first letter of `word`.
template <std::size_t size>
inline token_end after_literal(const char* p, const char (&word)[size]) {
    for (std::size_t i = 1; i + 1 < size; ++i)
        if (p[i] != word[i]) return {p + i, false};
    return {p + size - 1, true};
}

/// The escapes of one letter.
inline constexpr std::array<bool, 256> short_escapes = [] {
    std::array<bool, 256> result{};
    for (const char c : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'})
        result[static_cast<unsigned char>(c)] = true;
    return result;
}();

/// `p`: at \u.
inline bool has_four_hex_digits(const char* p, const char* end) {
    return end - p >= 6 && is_hex_digit(p[2]) && is_hex_digit(p[3]) && is_hex_digit(p[4])
           && is_hex_digit(p[5]);
}

/// `p`: at a backslash. Null if no escape begins there. RFC 8259 asks for four digits after \u and no more,
/// so half a surrogate pair is an escape too.
inline const char* after_escape(const char* p, const char* end) {
    if (short_escapes[static_cast<unsigned char>(p[1])]) return p + 2;
    return p[1] == 'u' && has_four_hex_digits(p, end) ? p + 6 : nullptr;
}

/// `p`: at a byte that is not ASCII: past the character that it begins (RFC 3629), or
/// null.
inline const char* after_multibyte(const char* p) {
    const auto lead = static_cast<unsigned char>(*p);
    const auto second = static_cast<unsigned char>(p[1]);
    if (!is_continuation(p[1])) return nullptr;
    if (lead >= 0xC2 && lead <= 0xDF) return p + 2;
    if ((lead & 0xF0) == 0xE0) {
        // Neither what has a shorter form nor surrogates.
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return nullptr;
        return is_continuation(p[2]) ? p + 3 : nullptr;
    }
    if (lead < 0xF0 || lead > 0xF4) return nullptr;
    // Neither what has a shorter form nor what lies above U+10FFFF.
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return nullptr;
    return is_continuation(p[2]) && is_continuation(p[3]) ? p + 4 : nullptr;
}

}  // namespace livelogd::protocol
