// SPDX-License-Identifier: MIT
#include "protocol/scan_fault.hpp"

#include "protocol/json_grammar.hpp"
#include "protocol/limits.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>

namespace livelogd::protocol {
namespace {

constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string describe_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) return std::string("character '") + c + '\'';
    char text[16];
    std::snprintf(text, sizeof text, "byte 0x%02x", static_cast<unsigned>(byte));
    return text;
}

scan_error unexpected_end(std::string_view line) {
    return {line.size(), "unexpected end of the line"};
}

/// Whether the line ends within a \uXXXX escape that `rest` begins with.
bool is_cut_escape(std::string_view rest) {
    return rest.size() < 6 && std::string_view("\\u").starts_with(rest.substr(0, 2))
           && std::all_of(rest.begin() + std::min<std::ptrdiff_t>(2, std::ssize(rest)), rest.end(),
                          is_hex_digit);
}

/// What is wrong with the escape that `rest` begins with; nothing if the line ends within it.
std::string wrong_escape(std::string_view rest) {
    if (rest.size() < 2) return {};
    if (rest[1] != 'u') return "unknown escape in a string, " + describe_byte(rest[1]) + " after \\";
    if (is_cut_escape(rest)) return {};
    return "\\u without four hexadecimal digits";
}

scan_error wrong_in_string(std::string_view line, std::size_t at) {
    if (at >= line.size()) return unexpected_end(line);
    const std::string_view rest = line.substr(at);
    if (rest.front() == '\\') {
        std::string reason = wrong_escape(rest);
        return reason.empty() ? unexpected_end(line) : scan_error{at, std::move(reason)};
    }
    if ((rest.front() & 0x80) != 0)
        return next_utf8(rest).truncated ? unexpected_end(line) : scan_error{at, "invalid UTF-8"};
    return {at, "unescaped control character in a string, " + describe_byte(rest.front())};
}

scan_error unexpected_at(std::string_view line, std::size_t at) {
    if (at >= line.size()) return unexpected_end(line);
    if (!is_letter(line[at]) && !(is_digit(line[at]) && is_letter(line[at - 1])))
        return {at, "unexpected " + describe_byte(line[at])};
    // NaN, None, True, nulx: the whole word, wherever in it the pass stopped.
    while (is_letter(line[at - 1]))
        --at;
    constexpr std::size_t shown = 20;
    std::size_t size = 0;
    while (size < shown && at + size < line.size()
           && (is_letter(line[at + size]) || is_digit(line[at + size])))
        ++size;
    return {at, "unexpected word '" + std::string(line.substr(at, size)) + '\''};
}

}  // namespace

scan_error explain_fault(std::string_view line, std::size_t at, fault_kind fault) {
    switch (fault) {
        case fault_kind::in_string:
            return wrong_in_string(line, at);
        case fault_kind::too_deep:
            return {at, "nested more than " + std::to_string(max_nesting) + " levels deep"};
        case fault_kind::outside_strings:
            break;
    }
    return unexpected_at(line, at);
}

scan_error explain_beginning(std::string_view line, std::size_t begin) {
    if (begin >= line.size()) return {line.size(), "not a JSON object, but an empty line"};
    if (line.substr(begin).starts_with("\xEF\xBB\xBF"))
        return {begin, "not a JSON object: it begins with a byte order mark"};
    return {begin, "not a JSON object"};
}

}  // namespace livelogd::protocol
