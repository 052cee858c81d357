// SPDX-License-Identifier: MIT
// A second opinion on what is a record: a reader of JSON that shares no code with the daemon and no library.
// It follows the grammar of RFC 8259 by recursive descent and keeps the tokens as they are spelled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::fuzz {

struct json_member;

/// A value as it is spelled, less the white space outside strings.
struct json_value {
    char kind = 0;         ///< '{', '[', '"', '0' for a number, 't', 'f' or 'n'
    std::string_view raw;  ///< of strings (with quotes), numbers and literals
    std::vector<json_member> members;
    std::vector<json_value> elements;
};

struct json_member {
    std::string_view raw_key;  ///< with quotes
    std::string key;           ///< escapes decoded
    json_value value;
};

class strict_json {
  public:
    /// The object that `text` is, nested at most `max_depth` deep; nothing if it is no such object.
    static std::optional<json_value> object(std::string_view text, std::size_t max_depth) {
        strict_json reader(text, max_depth);
        json_value value;
        reader.skip_space();
        if (reader.peek() != '{' || !reader.read(value, 1)) return std::nullopt;
        reader.skip_space();
        if (!reader.text_.empty()) return std::nullopt;
        return value;
    }

    /// The characters of a string that this reader has found valid, quotes included in `raw`.
    static std::string decoded(std::string_view raw) {
        std::string characters;
        strict_json reader(raw, 1);
        std::string_view ignored;
        reader.read_string(ignored, &characters);
        return characters;
    }

  private:
    strict_json(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

    /// 0 at the end, which no token begins with.
    [[nodiscard]] char peek() const { return text_.empty() ? '\0' : text_.front(); }
    bool take(char wanted) {
        if (text_.empty() || text_.front() != wanted) return false;
        text_.remove_prefix(1);
        return true;
    }
    void skip_space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }

    bool read(json_value& into, std::size_t depth) {
        into.kind = peek();
        switch (into.kind) {
            case '{':
                return depth <= max_depth_ && read_object(into, depth);
            case '[':
                return depth <= max_depth_ && read_array(into, depth);
            case '"':
                return read_string(into.raw, nullptr);
            case 't':
                return read_literal(into, "true");
            case 'f':
                return read_literal(into, "false");
            case 'n':
                return read_literal(into, "null");
            default:
                into.kind = '0';
                return read_number(into);
        }
    }

    bool read_object(json_value& into, std::size_t depth) {
        take('{');
        skip_space();
        if (take('}')) return true;
        for (;;) {
            json_member member;
            if (!read_string(member.raw_key, &member.key)) return false;
            skip_space();
            if (!take(':')) return false;
            skip_space();
            if (!read(member.value, depth + 1)) return false;
            into.members.push_back(std::move(member));
            skip_space();
            if (take('}')) return true;
            if (!take(',')) return false;
            skip_space();
        }
    }

    bool read_array(json_value& into, std::size_t depth) {
        take('[');
        skip_space();
        if (take(']')) return true;
        for (;;) {
            json_value element;
            if (!read(element, depth + 1)) return false;
            into.elements.push_back(std::move(element));
            skip_space();
            if (take(']')) return true;
            if (!take(',')) return false;
            skip_space();
        }
    }

    bool read_literal(json_value& into, std::string_view word) {
        if (!text_.starts_with(word)) return false;
        into.raw = text_.substr(0, word.size());
        text_.remove_prefix(word.size());
        return true;
    }

    bool read_digits() {
        const std::size_t count = std::min(text_.find_first_not_of("0123456789"), text_.size());
        text_.remove_prefix(count);
        return count > 0;
    }

    bool read_number(json_value& into) {
        const std::string_view from = text_;
        take('-');
        if (!take('0') && !read_digits()) return false;
        if (take('.') && !read_digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            if (!read_digits()) return false;
        }
        into.raw = from.substr(0, from.size() - text_.size());
        return true;
    }

    /// Four hexadecimal digits.
    std::optional<std::uint32_t> read_unit() {
        std::uint32_t unit = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            std::uint32_t digit = 0;
            if (c >= '0' && c <= '9') {
                digit = static_cast<std::uint32_t>(c - '0');
            } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
                digit = static_cast<std::uint32_t>((c | 0x20) - 'a') + 10;
            } else {
                return std::nullopt;
            }
            unit = unit * 16 + digit;
            text_.remove_prefix(1);
        }
        return unit;
    }

    static void put(std::string* out, std::uint32_t point) {
        if (out == nullptr) return;
        const auto byte = [&](std::uint32_t value) { out->push_back(static_cast<char>(value)); };
        if (point < 0x80) {
            byte(point);
            return;
        }
        if (point < 0x800) {
            byte(0xC0 | (point >> 6));
        } else {
            if (point < 0x10000) {
                byte(0xE0 | (point >> 12));
            } else {
                byte(0xF0 | (point >> 18));
                byte(0x80 | ((point >> 12) & 0x3F));
            }
            byte(0x80 | ((point >> 6) & 0x3F));
        }
        byte(0x80 | (point & 0x3F));
    }

    bool read_escape(std::string* out) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (text_.empty()) return false;
        if (const auto which = letters.find(peek()); which != std::string_view::npos) {
            put(out, static_cast<unsigned char>(meanings[which]));
            text_.remove_prefix(1);
            return true;
        }
        if (!take('u')) return false;
        const auto first = read_unit();
        if (!first) return false;
        constexpr std::uint32_t replacement = 0xFFFD;
        if (*first < 0xD800 || *first > 0xDFFF) {
            put(out, *first);
            return true;
        }
        // RFC 8259 allows half a pair, which stands for no character.
        const std::string_view rest = text_;
        if (*first <= 0xDBFF && take('\\') && take('u')) {
            const auto second = read_unit();
            if (second && *second >= 0xDC00 && *second <= 0xDFFF) {
                put(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
                return true;
            }
        }
        text_ = rest;
        put(out, replacement);
        return true;
    }

    /// One character above U+007F, as RFC 3629 has it.
    bool read_multibyte(std::string* out) {
        const auto at = [&](std::size_t i) {
            return i < text_.size() ? static_cast<unsigned char>(text_[i]) : 0U;
        };
        const std::uint32_t lead = at(0);
        const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        std::uint32_t point = lead & (0x7FU >> size);
        for (std::size_t i = 1; i < size; ++i) {
            if ((at(i) & 0xC0U) != 0x80U) return false;
            point = point << 6 | (at(i) & 0x3FU);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (lead < 0xC0 || lead > 0xF7 || point < least[size] || point > 0x10FFFF) return false;
        if (point >= 0xD800 && point <= 0xDFFF) return false;
        if (out != nullptr) out->append(text_.substr(0, size));
        text_.remove_prefix(size);
        return true;
    }

    bool read_string(std::string_view& raw, std::string* out) {
        const std::string_view from = text_;
        if (!take('"')) return false;
        while (!take('"')) {
            if (text_.empty()) return false;
            const auto c = static_cast<unsigned char>(text_.front());
            if (c < 0x20) return false;
            if (c >= 0x80) {
                if (!read_multibyte(out)) return false;
            } else if (take('\\')) {
                if (!read_escape(out)) return false;
            } else {
                put(out, c);
                text_.remove_prefix(1);
            }
        }
        raw = from.substr(0, from.size() - text_.size());
        return true;
    }

    std::string_view text_;
    std::size_t max_depth_;
};

/// What should be stored of a record: its tokens without white space, the values of credentials replaced, a
/// timestamp in front if it has none.
class stored_record {
  public:
    /// `is_credential(key)` for each decoded key.
    template <class Credential>
    static std::string of(const json_value& record, std::string_view timestamp, Credential&& is_credential) {
        std::string out;
        write(record, out, is_credential);
        for (const auto& member : record.members) {
            if (member.key == "timestamp") return out;
        }
        const std::string first = "{\"timestamp\":\"" + std::string(timestamp) + "\"";
        return first + (record.members.empty() ? "" : ",") + out.substr(1);
    }

    /// A value with its credentials replaced.
    template <class Credential>
    static void write(const json_value& value, std::string& out, Credential&& is_credential) {
        out += value.raw;
        if (value.kind == '{') {
            out += '{';
            for (const auto& member : value.members) {
                if (&member != &value.members.front()) out += ',';
                (out += member.raw_key) += ':';
                if (is_credential(member.key)) {
                    out += "\"[REDACTED]\"";
                } else {
                    write(member.value, out, is_credential);
                }
            }
            out += '}';
        } else if (value.kind == '[') {
            out += '[';
            for (const auto& element : value.elements) {
                if (&element != &value.elements.front()) out += ',';
                write(element, out, is_credential);
            }
            out += ']';
        }
    }
};

}  // namespace livelogd::fuzz
