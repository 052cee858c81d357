// SPDX-License-Identifier: MIT
#include "protocol/text.hpp"

#include <algorithm>

namespace livelogd::protocol {
namespace {

constexpr bool is_high_surrogate(std::int32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
constexpr bool is_low_surrogate(std::int32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

}  // namespace

void append_utf8(std::string& out, std::uint32_t code_point) {
    if ((code_point >= 0xD800 && code_point <= 0xDFFF) || code_point > 0x10FFFF) code_point = 0xFFFD;
    const auto tail = [&](unsigned shift) {
        out.push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)));
    };
    if (code_point < 0x80) {
        out.push_back(static_cast<char>(code_point));
    } else if (code_point < 0x800) {
        out.push_back(static_cast<char>(0xC0 | (code_point >> 6)));
        tail(0);
    } else if (code_point < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | (code_point >> 12)));
        tail(6);
        tail(0);
    } else {
        out.push_back(static_cast<char>(0xF0 | (code_point >> 18)));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::int32_t hex4(std::string_view text) {
    if (text.size() < 4) return -1;
    std::int32_t value = 0;
    for (const char c : text.substr(0, 4)) {
        int digit = 0;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (const char lower = static_cast<char>(c | 0x20); lower >= 'a' && lower <= 'f') {
            digit = lower - 'a' + 10;
        } else {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

void append_unescaped(std::string& out, std::string_view inner) {
    while (!inner.empty()) {
        const std::size_t plain = std::min(inner.find('\\'), inner.size());
        out.append(inner.substr(0, plain));
        inner.remove_prefix(plain);
        if (inner.size() < 2) return;
        const char escaped = inner[1];
        inner.remove_prefix(2);
        switch (escaped) {
            case 'b':
                out.push_back('\b');
                break;
            case 'f':
                out.push_back('\f');
                break;
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'u': {
                const std::int32_t unit = hex4(inner);
                if (unit < 0) return;  // not a valid string
                inner.remove_prefix(4);
                auto code_point = static_cast<std::uint32_t>(unit);
                if (is_high_surrogate(unit) && inner.substr(0, 2) == "\\u") {
                    if (const std::int32_t low = hex4(inner.substr(2)); is_low_surrogate(low)) {
                        code_point = 0x10000 + ((static_cast<std::uint32_t>(unit) - 0xD800) << 10)
                                     + (static_cast<std::uint32_t>(low) - 0xDC00);
                        inner.remove_prefix(6);
                    }
                }
                append_utf8(out, code_point);
                break;
            }
            default:  // quote, backslash, slash: themselves
                out.push_back(escaped);
        }
    }
}

utf8_step next_utf8(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) return {.size = 1, .valid = true};
    // The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF.
    std::size_t length = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    } else {
        return {.size = 1};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if (i == bytes.size()) return {.size = i, .truncated = true};
        if (at(i) < low || at(i) > high) return {.size = i};
        low = 0x80;
        high = 0xBF;
    }
    return {.size = length, .valid = true};
}

std::size_t valid_utf8_prefix(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const utf8_step step = next_utf8(bytes.substr(at));
        if (!step.valid) return at;
        at += step.size;
    }
    return at;
}

}  // namespace livelogd::protocol
