// SPDX-License-Identifier: MIT
//
// A text that occurs in a record is spelled in the line as it is, or with escapes. Escapes come in two kinds:
//
// - The short ones, \n and \" and their like, are in most lines of an app that logs texts. They stand for a
//   few characters, so a part of the text without these is looked for. A slash may be spelled \/, but hardly
//   anybody does so: that a line holds \/ is taken for a trace of it.
// - \uXXXX may stand for any character. Programs write it for characters beyond ASCII, some also for < > & '
//   and for control characters; for others it is legal and next to never seen. So of what is looked for no
//   character may be one of these, and each line with \u00XX of one of the others is taken for a trace. Where
//   the text has no such part, characters beyond ASCII are looked for in both spellings.
#include "daemon/filter/text_traces.hpp"

#include "daemon/filter/byte_marks.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

namespace livelogd::filter {
namespace {

/// Each literal costs a look at all bytes.
constexpr std::size_t most_literals = 8;

/// Shorter ones say less than a character beyond ASCII.
constexpr std::size_t telling_size = 3;

constexpr std::string_view escaped_slash = "\\/";

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Whether next to nobody spells it with an escape (a slash: but with \/).
bool is_plain(char c) {
    return c >= ' ' && c <= '~' && std::string_view("\"\\<>&'").find(c) == std::string_view::npos;
}

/// The longest part of `text` in which `wanted` holds for all bytes; of several the first.
template <class Wanted>
std::string_view longest_part(std::string_view text, Wanted wanted) {
    std::string_view longest;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = begin;
        while (end < text.size() && wanted(text[end]))
            ++end;
        if (end - begin > longest.size()) longest = text.substr(begin, end - begin);
        begin = end + 1;
    }
    return longest;
}

std::uint32_t code_point(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character.front());
    std::uint32_t value = character.size() == 2   ? lead & 0x1FU
                          : character.size() == 3 ? lead & 0xFU
                                                  : lead & 7U;
    for (const char c : character.substr(1))
        value = (value << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
    return value;
}

std::string escape_of_unit(std::uint32_t unit) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string escape = "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U})
        escape += digits[(unit >> shift) & 0xFU];
    return escape;
}

std::string escape_of(std::uint32_t character) {
    if (character < 0x10000) return escape_of_unit(character);
    const std::uint32_t above = character - 0x10000;
    return escape_of_unit(0xD800 + (above >> 10U)) + escape_of_unit(0xDC00 + (above & 0x3FFU));
}

}  // namespace

text_traces text_traces::of_text(std::string_view text, worth w) {
    text_traces traces;
    traces.worth_ = w;
    const std::string_view ascii = longest_part(text, is_plain);
    const std::string_view others = longest_part(text, [](char c) { return (c & 0x80) != 0; });
    const bool done = ascii.size() < telling_size && traces.add_others(others);
    if (!done) traces.add_ascii(ascii);
    return traces;
}

text_traces text_traces::of_nested_text(std::string_view text) {
    text_traces traces = of_text(text);
    // \\u0061 holds \u0061, and \\/ holds \/. But the parts of the inner escape may be escapes themselves,
    // which then are such of ASCII characters.
    traces.escaped_.set();
    return traces;
}

/// Looks for this part, which is plain. False if it is empty.
bool text_traces::add_ascii(std::string_view text) {
    text = text.substr(0, byte_triple::reach);
    if (text.empty()) return false;
    add_literal(text);
    shortest_ = text.size();
    if (text.find('/') != std::string_view::npos) add_literal(escaped_slash);
    for (const char c : text) {
        escaped_.set(static_cast<unsigned char>(c));
        if (is_letter(c)) escaped_.set(static_cast<unsigned char>(c ^ 0x20));
    }
    return true;
}

/// Looks for the first two characters of this part, all of which are beyond ASCII. False if it is no use.
bool text_traces::add_others(std::string_view text) {
    constexpr std::size_t most_characters = 2;
    // It is read for every half of a surrogate pair, too.
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    text = text.substr(0, text.find(replacement));
    std::size_t size = 0;
    std::vector<std::string> escapes;
    while (size < text.size() && escapes.size() < most_characters) {
        const auto step = protocol::next_utf8(text.substr(size));
        if (!step.valid) break;
        escapes.push_back(escape_of(code_point(text.substr(size, step.size))));
        size += step.size;
    }
    if (size == 0) return false;
    add_literal(text.substr(0, size));
    for (const std::string& escape : escapes)
        add_literal(escape);
    shortest_ = size;
    return true;
}

void text_traces::add_literal(std::string_view bytes) {
    std::string literal(bytes);
    std::ranges::transform(literal, literal.begin(), lower);
    if (std::ranges::find(literals_, literal) == literals_.end()) literals_.push_back(std::move(literal));
}

void text_traces::or_else(const text_traces& other) {
    if (any_line()) return;
    for (const std::string& literal : other.literals_)
        add_literal(literal);
    if (other.any_line() || literals_.size() > most_literals) {
        *this = {};
        return;
    }
    escaped_ |= other.escaped_;
    worth_ = std::min(worth_, other.worth_);
    shortest_ = std::min(shortest_, other.shortest_);
}

bool text_traces::say_more_than(const text_traces& other) const {
    if (any_line() || other.any_line()) return !any_line();
    return std::tuple(worth_, shortest_, other.literals_.size())
           > std::tuple(other.worth_, other.shortest_, literals_.size());
}

}  // namespace livelogd::filter
