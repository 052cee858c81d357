// SPDX-License-Identifier: MIT
// The characters and names that the forms of secrets are made of. A part of secret_shapes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::protocol::secret_text {

/// Which characters, one bit for each kind.
enum character_kind : std::uint8_t {
    digit = 1,
    upper = 2,
    lower = 4,
    dash = 8,          // - and _
    dot = 16,          // .
    base64_sign = 32,  // + / =
    tilde = 64,        // ~ and what else token68 has
    word = digit | upper | lower,
    token = word | dash,
    base64 = word | base64_sign,
    token68 = token | dot | base64_sign | tilde,
};

inline constexpr std::array<std::uint8_t, 256> character_kinds = [] {
    std::array<std::uint8_t, 256> result{};
    for (unsigned char c = '0'; c <= '9'; ++c)
        result[c] = digit;
    for (unsigned char c = 'A'; c <= 'Z'; ++c)
        result[c] = upper;
    for (unsigned char c = 'a'; c <= 'z'; ++c)
        result[c] = lower;
    for (const char c : {'-', '_'})
        result[static_cast<unsigned char>(c)] = dash;
    for (const char c : {'+', '/', '='})
        result[static_cast<unsigned char>(c)] = base64_sign;
    result['.'] = dot;
    result['~'] = tilde;
    return result;
}();

constexpr bool is(char c, std::uint8_t of) {
    return (character_kinds[static_cast<unsigned char>(c)] & of) != 0;
}

constexpr char fold(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Compares without regard to case; a '-' of `text` also counts as '_'. `name`: lower case.
inline bool is_folded(std::string_view text, std::string_view name) {
    return text.size() == name.size() && std::ranges::equal(text, name, [](char a, char b) {
               return fold(a) == b || (a == '-' && b == '_');
           });
}

inline std::size_t run_end(std::string_view text, std::size_t from, std::uint8_t of) {
    while (from < text.size() && is(text[from], of))
        ++from;
    return from;
}

inline bool has(std::string_view text, std::uint8_t of) {
    return std::ranges::any_of(text, [of](char c) { return is(c, of); });
}

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Parameters of addresses, and how long a value is that is taken for a secret.
struct secret_parameter {
    std::string_view name;
    std::size_t least;
    bool generic = false;  ///< a word that names other things too: only with a digit, and behind ? or &
};

inline constexpr std::array<secret_parameter, 33> secret_parameters{{
    {"token", 6},
    {"access_token", 6},
    {"refresh_token", 6},
    {"id_token", 6},
    {"auth_token", 6},
    {"session_token", 6},
    {"api_token", 6},
    {"private_token", 6},
    {"oauth_token", 6},
    {"bearer_token", 6},
    {"jwt", 6},
    {"api_key", 6},
    {"apikey", 6},
    {"x_api_key", 6},
    {"subscription_key", 6},
    {"access_key", 6},
    {"secret_key", 6},
    {"aws_secret_access_key", 6},
    {"secret", 1},
    {"client_secret", 1},
    {"client_assertion", 6},
    {"password", 1},
    {"passwd", 1},
    {"pwd", 1},
    {"x_amz_signature", 6},
    {"x_amz_security_token", 6},
    {"x_goog_signature", 6},
    {"signature", 16},
    {"sig", 16},
    {"hmac", 16},
    {"key", 16, true},
    {"auth", 16, true},
    {"code", 20, true},
}};

/// The last characters of the names, in either case.
inline constexpr std::array<bool, 256> ends_a_name = [] {
    std::array<bool, 256> result{};
    for (const secret_parameter& one : secret_parameters) {
        result[static_cast<unsigned char>(one.name.back())] = true;
        result[static_cast<unsigned char>(one.name.back() - 0x20)] = true;
    }
    return result;
}();

}  // namespace livelogd::protocol::secret_text
