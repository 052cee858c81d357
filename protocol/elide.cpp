// SPDX-License-Identifier: MIT
#include "protocol/elide.hpp"

#include "protocol/json_walk.hpp"
#include "protocol/text.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace livelogd::protocol {
namespace {

/// Bytes of the escape that `rest` begins with; a pair of surrogates is one character.
std::size_t escape_size(std::string_view rest) {
    if (rest[1] != 'u') return 2;
    constexpr std::size_t unit = 6;
    const std::int32_t code = hex4(rest.substr(2));
    const bool pair = code >= 0xD800 && code <= 0xDBFF && rest.substr(unit, 2) == "\\u";
    return pair ? 2 * unit : unit;
}

/// An object or array that has begun and not ended, and where in it the walk is.
struct level {
    bool is_array = false;
    std::uint64_t element = 0;
    std::string_view key = {};  ///< as spelled
};

void name_size(elided_sizes& sizes, std::string_view path, std::size_t bytes) {
    constexpr std::size_t most = std::size_t{32} * 1024;
    ++sizes.named;
    if (sizes.members.size() + path.size() > most) return;
    if (!sizes.members.empty()) sizes.members += ',';
    sizes.members.append("\"").append(path).append("\":").append(std::to_string(bytes));
}

/// One walk through a record, or a value in one that is an object or array.
class shortening {
  public:
    /// `path`: put before those of the strings.
    shortening(std::string_view record, std::size_t limit, elided_sizes& sizes, std::string_view path = {})
        : record_(record), limit_(limit), sizes_(sizes), path_(path) {}

    void walk();

    std::string rest;  ///< the record behind its opening brace, shortened; only if something was cut

  private:
    const char* pass_string(const char* p);
    void cut(const char* opening, std::string_view inner);
    [[nodiscard]] std::string path() const;

    std::string_view record_;
    std::size_t limit_;
    const char* run_ = nullptr;  ///< from here on bytes are still to be copied
    std::vector<level> levels_;
    elided_sizes& sizes_;
    std::string_view path_;
    bool cut_any_ = false;
};

void shortening::walk() {
    const char* p = record_.data();
    run_ = p + 1;
    do {
        switch (*p) {
            case '{':
            case '[':
                levels_.push_back({.is_array = *p == '['});
                ++p;
                break;
            case '}':
            case ']':
                levels_.pop_back();
                ++p;
                break;
            case ',':
                ++levels_.back().element;
                ++p;
                break;
            case '"':
                p = pass_string(p);
                break;
            default:
                ++p;
        }
    } while (!levels_.empty());
    if (cut_any_) rest.append(run_, p);
}

const char* shortening::pass_string(const char* p) {
    bool escaped = false;
    const char* const after = after_json_string(p, record_.data() + record_.size(), escaped);
    const std::string_view inner(p + 1, static_cast<std::size_t>(after - p) - 2);
    const char* next = after;
    while (is_json_blank(*next))
        ++next;
    if (!levels_.back().is_array && *next == ':') {
        levels_.back().key = inner;
    } else if (inner.size() > limit_) {
        cut(p, inner);
    }
    return after;
}

void shortening::cut(const char* opening, std::string_view inner) {
    rest.append(run_, opening + 1);
    rest.append(beginning_of(inner, limit_)).append(elision_mark);
    run_ = inner.data() + inner.size();
    cut_any_ = true;
    if (sizes_.named == max_named_elisions) return;
    name_size(sizes_, path(), inner.size());
}

std::string shortening::path() const {
    std::string joined(path_);
    for (const level& one : levels_) {
        if (!joined.empty()) joined += '.';
        if (one.is_array) {
            joined += std::to_string(one.element);
        } else {
            joined += one.key;
        }
    }
    return joined;
}

void append_members(std::string& out, std::string_view first_members, std::string_view rest) {
    out += '{';
    while (is_json_blank(rest.front()))
        rest.remove_prefix(1);
    // The last comma goes where the record has no members of its own.
    if (rest.front() == '}' && !first_members.empty()) first_members.remove_suffix(1);
    out.append(first_members).append(rest);
}

}  // namespace

void append_with_members(std::string& out, std::string_view record, std::string_view first_members) {
    append_members(out, first_members, first_value(record).text.substr(1));
}

void append_elided(std::string& out, std::string_view record, std::string_view first_members,
                   std::size_t limit) {
    elided_sizes sizes;
    shortening shorter(first_value(record).text, limit, sizes);
    shorter.walk();
    if (shorter.rest.empty()) return append_with_members(out, record, first_members);
    std::string members(first_members);
    members.append("\"livelog_elided\":{").append(sizes.members).append("},");
    append_members(out, members, shorter.rest);
}

/// The longest beginning of a string's inner bytes that has at most `limit` bytes and can stand alone.
std::string_view beginning_of(std::string_view inner, std::size_t limit) {
    std::size_t at = 0;
    while (at < inner.size()) {
        const std::string_view rest = inner.substr(at);
        const std::size_t size = rest.front() == '\\' ? escape_size(rest) : next_utf8(rest).size;
        if (at + size > limit) break;
        at += size;
    }
    return inner.substr(0, at);
}

void append_shortened(std::string& out, const json_token& value, std::string_view path, std::size_t limit,
                      elided_sizes& sizes) {
    if (value.is_string() && value.inner().size() > limit) {
        out.append("\"").append(beginning_of(value.inner(), limit)).append(elision_mark).append("\"");
        if (sizes.named < max_named_elisions) name_size(sizes, path, value.inner().size());
    }
    if (value.kind != json_kind::object && value.kind != json_kind::array) return;
    shortening shorter(value.text, limit, sizes, path);
    shorter.walk();
    if (!shorter.rest.empty()) out.append(value.text.substr(0, 1)).append(shorter.rest);
}

}  // namespace livelogd::protocol
