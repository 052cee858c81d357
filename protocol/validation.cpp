// SPDX-License-Identifier: MIT
#include "protocol/validation.hpp"

#include "protocol/limits.hpp"
#include "protocol/text.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>

namespace livelogd::protocol {
namespace {

namespace json = boost::json;

/// Takes every event and keeps nothing.
struct verdict_only {
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

    static bool on_document_begin(json::error_code&) { return true; }
    static bool on_document_end(json::error_code&) { return true; }
    static bool on_object_begin(json::error_code&) { return true; }
    static bool on_object_end(std::size_t, json::error_code&) { return true; }
    static bool on_array_begin(json::error_code&) { return true; }
    static bool on_array_end(std::size_t, json::error_code&) { return true; }
    static bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    static bool on_number_part(json::string_view, json::error_code&) { return true; }
    static bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    static bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    static bool on_double(double, json::string_view, json::error_code&) { return true; }
    static bool on_bool(bool, json::error_code&) { return true; }
    static bool on_null(json::error_code&) { return true; }
    static bool on_comment_part(json::string_view, json::error_code&) { return true; }
    static bool on_comment(json::string_view, json::error_code&) { return true; }
};

using event_parser = json::basic_parser<verdict_only>;

json::parse_options strict_options() {
    json::parse_options options;
    options.max_depth = max_nesting;
    return options;
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_hex_digit(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

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

/// Whether the line ends within a \uXXXX escape that `rest` begins with.
bool is_cut_escape(std::string_view rest) {
    return rest.size() < 6 && std::string_view("\\u").starts_with(rest.substr(0, 2))
           && std::all_of(rest.begin() + std::min<std::ptrdiff_t>(2, std::ssize(rest)), rest.end(),
                          is_hex_digit);
}

/// What is wrong with the escape that `rest` begins with; nothing if it is right or the line ends within it.
/// `size` becomes its length.
std::string wrong_escape(std::string_view rest, std::size_t& size) {
    size = 2;
    if (rest.size() < 2) return {};
    if (rest[1] != 'u') {
        if (std::string_view("\"\\/bfnrt").find(rest[1]) != std::string_view::npos) return {};
        return "unknown escape in a string, " + describe_byte(rest[1]) + " after \\";
    }
    size = 6;
    if (is_cut_escape(rest)) return {};
    const std::int32_t unit = hex4(rest.substr(2));
    if (unit < 0) return "\\u without four hexadecimal digits";
    if (unit < 0xD800 || unit > 0xDFFF) return {};
    if (unit <= 0xDBFF) {
        size = 12;
        const std::string_view second = rest.substr(6);
        if (is_cut_escape(second)) return {};
        const std::int32_t low = second.starts_with("\\u") ? hex4(second.substr(2)) : -1;
        if (low >= 0xDC00 && low <= 0xDFFF) return {};
    }
    return "\\u escape of half a surrogate pair";
}

/// The first thing in a string of `line` that may not be there, if it comes no later than `stop`: the parser
/// stops at several places of such things, depending on what follows them.
std::optional<scan_error> wrong_in_string(std::string_view line, std::size_t stop) {
    bool in_string = false;
    for (std::size_t at = 0; at < line.size() && at <= stop;) {
        const char c = line[at];
        std::size_t size = 1;
        if (c == '"') {
            in_string = !in_string;
        } else if (in_string && c == '\\') {
            if (std::string reason = wrong_escape(line.substr(at), size); !reason.empty())
                return scan_error{at, std::move(reason)};
        } else if (in_string) {
            const utf8_step step = next_utf8(line.substr(at));
            if (!step.valid && !step.truncated) return scan_error{at, "invalid UTF-8"};
            if (static_cast<unsigned char>(c) < 0x20)
                return scan_error{at, "unescaped control character in a string, " + describe_byte(c)};
            size = step.size;
        }
        at += size;
    }
    return std::nullopt;
}

/// For what is wrong outside strings.
scan_error unexpected_at(std::string_view line, std::size_t at) {
    if (at >= line.size()) return {line.size(), "unexpected end of the line"};
    if (!is_letter(line[at]) && !(is_digit(line[at]) && is_letter(line[at - 1])))
        return {at, "unexpected " + describe_byte(line[at])};
    // NaN, None, True, nulx: the whole word, wherever in it the parser stopped.
    while (is_letter(line[at - 1]))
        --at;
    constexpr std::size_t shown = 20;
    std::size_t size = 0;
    while (size < shown && at + size < line.size()
           && (is_letter(line[at + size]) || is_digit(line[at + size])))
        ++size;
    return {at, "unexpected word '" + std::string(line.substr(at, size)) + '\''};
}

scan_error explain(json::error_code failed, std::string_view line, std::size_t stop) {
    if (auto error = wrong_in_string(line, stop)) return *error;
    if (failed == json::error::incomplete) return {line.size(), "unexpected end of the line"};
    if (failed == json::error::too_deep)
        return {stop, "nested more than " + std::to_string(max_nesting) + " levels deep"};
    if (failed == json::error::syntax) return unexpected_at(line, stop);
    return {stop, failed.message()};
}

/// `line` with every digit of its exponents replaced by 0, so that it is valid exactly where `line` is, and
/// no exponent is beyond the parser's arithmetic.
void mask_exponents(std::string_view line, std::string& masked) {
    masked.assign(line);
    bool in_string = false;
    for (std::size_t i = 0; i < masked.size(); ++i) {
        const char c = masked[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if ((c | 0x20) == 'e' && i > 0 && is_digit(masked[i - 1])) {
            if (i + 1 < masked.size() && (masked[i + 1] == '+' || masked[i + 1] == '-')) ++i;
            while (i + 1 < masked.size() && is_digit(masked[i + 1]))
                masked[++i] = '0';
        }
    }
}

}  // namespace

struct record_validator::state {
    event_parser parser{strict_options()};
    std::string masked;  ///< a line with its exponents masked; rarely used

    /// Reads one value. `consumed`: bytes up to where reading stopped; all of them unless more text follows.
    json::error_code parse(std::string_view bytes, std::size_t& consumed);

  private:
    json::error_code parse_as_spelled(std::string_view bytes, std::size_t& consumed);
};

json::error_code record_validator::state::parse_as_spelled(std::string_view bytes, std::size_t& consumed) {
    json::error_code failed;
    parser.reset();
    consumed = parser.write_some(false, bytes.data(), bytes.size(), failed);
    return failed;
}

json::error_code record_validator::state::parse(std::string_view bytes, std::size_t& consumed) {
    json::error_code failed = parse_as_spelled(bytes, consumed);
    if (failed == json::error::exponent_overflow) {
        // 1e99999999999 is beyond the parser, but valid JSON.
        mask_exponents(bytes, masked);
        failed = parse_as_spelled(masked, consumed);
        std::string().swap(masked);
    }
    return failed;
}

record_validator::record_validator() : state_(std::make_unique<state>()) {}
record_validator::~record_validator() = default;

std::optional<scan_error> record_validator::validate(std::string_view line, std::size_t& begin) {
    begin = line.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos)
        return scan_error{line.size(), "not a JSON object, but an empty line"};
    if (line[begin] != '{') {
        if (line.substr(begin).starts_with("\xEF\xBB\xBF"))
            return scan_error{begin, "not a JSON object: it begins with a byte order mark"};
        return scan_error{begin, "not a JSON object"};
    }

    std::size_t consumed = 0;
    const json::error_code failed = state_->parse(line, consumed);
    if (failed) return explain(failed, line, consumed);
    if (consumed < line.size()) return scan_error{consumed, "more text after the object"};
    return std::nullopt;
}

bool record_validator::is_json(std::string_view text) {
    std::size_t consumed = 0;
    return !state_->parse(text, consumed) && consumed == text.size();
}

}  // namespace livelogd::protocol
