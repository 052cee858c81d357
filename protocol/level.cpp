// SPDX-License-Identifier: MIT
#include "protocol/level.hpp"

#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace livelogd::protocol {
namespace {

constexpr std::array<std::pair<std::string_view, level>, 8> names{{
    {"INFO", level::info},
    {"ERROR", level::error},
    {"WARNING", level::warning},
    {"DEBUG", level::debug},
    {"CRITICAL", level::critical},
    {"TRACE", level::trace},
    {"WARN", level::warning},
    {"FATAL", level::critical},
}};

bool equals_ignoring_case(std::string_view text, std::string_view upper) {
    if (text.size() != upper.size()) return false;
    if (text == upper) return true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) != upper[i]) return false;
    }
    return true;
}

/// Zero is Python's NOTSET: no level at all.
level level_of_number(double number) {
    if (number >= 50) return level::critical;
    if (number >= 40) return level::error;
    if (number >= 30) return level::warning;
    if (number >= 20) return level::info;
    if (number >= 10) return level::debug;
    if (number >= 1) return level::trace;
    return level::info;
}

level level_of_characters(std::string_view characters) {
    if (const auto named = parse_level(characters)) return *named;
    if (!characters.empty() && characters.find_first_not_of("0123456789") == std::string_view::npos)
        return level_of_number(*number_value({.kind = json_kind::number, .text = characters}));
    return level::info;
}

}  // namespace

std::optional<level> parse_level(std::string_view name) {
    // Nearly all are, and a comparison of a known length is one instruction.
    constexpr std::string_view usual = "INFO";
    if (name.size() == usual.size() && std::memcmp(name.data(), usual.data(), usual.size()) == 0)
        return level::info;
    for (const auto& [upper, value] : names)
        if (equals_ignoring_case(name, upper)) return value;
    return std::nullopt;
}

level level_of(const json_token& token) {
    if (token.is_string()) {
        if (token.inner().find('\\') == std::string_view::npos) return level_of_characters(token.inner());
        return level_of_characters(decode_string(token));
    }
    const auto number = number_value(token);
    return number ? level_of_number(*number) : level::info;
}

std::string_view level_name(level value) {
    switch (value) {
        case level::trace:
            return "TRACE";
        case level::debug:
            return "DEBUG";
        case level::info:
            return "INFO";
        case level::warning:
            return "WARNING";
        case level::error:
            return "ERROR";
        case level::critical:
            return "CRITICAL";
    }
    return "INFO";
}

}  // namespace livelogd::protocol
