// SPDX-License-Identifier: MIT
// The second look at a place that the finder has marked, before any string is decoded.
#include "protocol/secret_forms.hpp"

#include "protocol/secret_text.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cstdint>

namespace livelogd::protocol {

using namespace secret_text;

namespace {

/// Whether `least` characters of tokens may follow, or an escape, in which anything may be.
bool token_follows(std::string_view json, std::size_t at, std::size_t least) {
    for (std::size_t i = 0; i < least; ++i) {
        if (at + i >= json.size()) return false;
        const char c = json[at + i];
        if (c == '\\') return true;
        if (!is(c, token | dot)) return false;
    }
    return true;
}

bool blank_follows(std::string_view json, std::size_t at) {
    return at < json.size() && (is_blank(json[at]) || json[at] == '\\');
}

/// The last name before the sign, whatever stands before that.
bool name_precedes(std::string_view json, std::size_t sign) {
    if (sign == 0 || !ends_a_name[static_cast<unsigned char>(json[sign - 1])]) return false;
    const std::string_view before = json.substr(0, sign);
    const char last = fold(before.back());
    return std::ranges::any_of(secret_parameters, [before, last](const secret_parameter& one) {
        return one.name.back() == last && before.size() >= one.name.size()
               && is_folded(before.substr(before.size() - one.name.size()), one.name);
    });
}

/// Whether an address' two slashes may stand before the sign, with no more than a user and a password
/// between.
bool slashes_precede(std::string_view json, std::size_t sign) {
    constexpr std::size_t furthest = 2048;
    for (std::size_t at = sign; at > 0 && sign - at < furthest; --at) {
        const char c = json[at - 1];
        if (c == '/') return at >= 2 && (json[at - 2] == '/' || json[at - 2] == '\\');
        if (c == '@' || c == '"' || c == ' ') return false;
        if (c == '\\') return true;
    }
    return false;
}

/// `at`: at a backslash. Whether it spells a character that may stand in an anchor.
bool spells_anchor_character(std::string_view json, std::size_t at) {
    const std::string_view escape = json.substr(at);
    if (!escape.starts_with("\\u00")) return false;
    const std::int32_t code = hex4(escape.substr(2));
    if (code < 0 || code > 0x7F) return false;
    const char c = static_cast<char>(code);
    return is(c, token) || c == '=' || c == '@';
}

}  // namespace

bool may_hold_secret(std::string_view json, std::size_t at) {
    constexpr std::size_t glance = 8;
    const auto begins = [&](std::size_t from, std::string_view wanted) {
        return json.substr(std::min(from, json.size())).starts_with(wanted);
    };
    const auto key = [&](std::string_view prefix) {
        return begins(at, prefix) && token_follows(json, at + prefix.size(), glance);
    };
    switch (json[at]) {
        case '=':
            return name_precedes(json, at);
        case '@':
            return slashes_precede(json, at);
        case '0':
            return at >= 2 && spells_anchor_character(json, at - 2);
        case 's':
        case 'S':
            if (key("sk-") || key("sk_")) return true;
            if (key("SIA")) return at >= 1 && json[at - 1] == 'A';
            return at >= 2 && is_folded(json.substr(at - 2, 5), "basic") && blank_follows(json, at + 3);
        case 'r':
        case 'R':
            if (key("rk_")) return true;
            return at >= 3 && is_folded(json.substr(at - 3, 6), "bearer") && blank_follows(json, at + 3);
        case 'A':
            return key("AIza");
        case 'K':
            return at >= 1 && json[at - 1] == 'A' && key("KIA");
        case 'g':
            return begins(at, "gh") && begins(at + 3, "_") && token_follows(json, at + 4, glance);
        case 'h':
            return key("hf_");
        case 'x':
            return key("xox") || key("xapp-");
        case 'e':
            return key("eyJ");
        case 'E':
            return at >= 6 && begins(at - 6, "-----BEGIN ");
        case 'l':
            return at >= 1 && json[at - 1] == 'g' && key("lpat-");
        case 'n':
            return key("npm_");
        case 'b':
            return key("b_pat_");
        default:
            return false;
    }
}

}  // namespace livelogd::protocol
