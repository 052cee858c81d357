// SPDX-License-Identifier: MIT
// The tokens of RFC 8259, one function for each. They take a place in the bytes and return the place behind
// the token, or null if there is none.
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

/// `p`: at a digit or minus. On failure `p` is left where the number ceases to be one.
inline const char* after_number(const char*& p) {
    const auto digits = [&p] {
        if (!is_digit(*p)) return false;
        while (is_digit(*p))
            ++p;
        return true;
    };
    if (*p == '-') ++p;
    if (*p == '0') {
        ++p;
    } else if (!digits()) {
        return nullptr;
    }
    if (*p == '.') {
        ++p;
        if (!digits()) return nullptr;
    }
    if ((*p | 0x20) == 'e') {
        ++p;
        if (*p == '+' || *p == '-') ++p;
        if (!digits()) return nullptr;
    }
    return p;
}

/// `rest`: a literal without its first letter. On failure `p` is left where it differs.
template <std::size_t size>
inline const char* after_literal(const char*& p, const char (&rest)[size]) {
    ++p;
    for (std::size_t i = 0; i + 1 < size; ++i, ++p)
        if (*p != rest[i]) return nullptr;
    return p;
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

/// `p`: at a \uXXXX. Whether it is D800 to DFFF, half of a character.
inline bool is_surrogate(const char* p) {
    return (p[2] | 0x20) == 'd' && p[3] > '7';
}

/// `p`: at a \uXXXX that is a surrogate. Whether a whole pair begins there.
inline bool begins_pair(const char* p, const char* end) {
    const auto is_high = [](const char* escape) {
        const char digit = static_cast<char>(escape[3] | 0x20);
        return escape[3] == '8' || escape[3] == '9' || digit == 'a' || digit == 'b';
    };
    if (!is_high(p) || end - p < 12) return false;
    const char* const second = p + 6;
    return second[0] == '\\' && second[1] == 'u' && has_four_hex_digits(second, end) && is_surrogate(second)
           && !is_high(second);
}

/// `p`: at a backslash.
inline const char* after_escape(const char* p, const char* end) {
    if (short_escapes[static_cast<unsigned char>(p[1])]) return p + 2;
    if (p[1] != 'u' || !has_four_hex_digits(p, end)) return nullptr;
    if (!is_surrogate(p)) return p + 6;
    return begins_pair(p, end) ? p + 12 : nullptr;
}

/// `p`: at a byte that is not ASCII: past the character that it begins (RFC 3629).
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
