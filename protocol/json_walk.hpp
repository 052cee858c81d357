// SPDX-License-Identifier: MIT
// Steps over JSON that is known to be valid, without a document tree: what reads a record's fields stands on
// it. A record that has been read through scan_record() is valid; other bytes are not to be passed in here.
#pragma once

#include "protocol/json_grammar.hpp"
#include "protocol/json_token.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace livelogd::protocol {

/// The kind of the value that begins with this character.
json_kind kind_of(char first);

/// The next quote or backslash. There is one: the string is valid.
inline const char* quote_or_backslash(const char* p, const char* end) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    // Marks the high bit of each byte that is zero; above the first such byte there may be false marks.
    const auto zero_bytes = [](std::uint64_t word) { return (word - ones) & ~word & high_bits; };
    while (end - p >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, p, sizeof word);
        const std::uint64_t found = zero_bytes(word ^ (ones * '"')) | zero_bytes(word ^ (ones * '\\'));
        if (found != 0) {
            if constexpr (std::endian::native == std::endian::little) return p + std::countr_zero(found) / 8;
            break;
        }
        p += 8;
    }
    while (*p != '"' && *p != '\\')
        ++p;
    return p;
}

/// Past the string whose opening quote is at `p`. `escaped`: set if there is a backslash in it.
inline const char* after_json_string(const char* p, const char* end, bool& escaped) {
    for (++p;; p += 2) {
        p = quote_or_backslash(p, end);
        if (*p == '"') return p + 1;
        escaped = true;
    }
}

/// Past the value that begins at `p`; `end`: of the bytes it is in.
const char* after_json_value(const char* p, const char* end);

/// The value that `bytes` begin with, white space before it apart. `bytes` must hold one whole valid value.
json_token first_value(std::string_view bytes);

/// One member of an object. The views live as long as the object's bytes.
struct json_member {
    json_token key;  ///< a string
    json_token value;
};

/// The members of an object, in order, duplicates too.
class member_reader {
  public:
    /// `object`: nothing is read of other kinds.
    explicit member_reader(const json_token& object);
    bool next(json_member& member);

  private:
    const char* p_ = nullptr;  ///< at the next member, or at the closing brace
    const char* end_ = nullptr;
};

/// The elements of an array, in order.
class element_reader {
  public:
    /// `array`: nothing is read of other kinds.
    explicit element_reader(const json_token& array);
    bool next(json_token& element);

  private:
    const char* p_ = nullptr;
    const char* end_ = nullptr;
};

/// The value of `key` in an object; of duplicates the last one; absent if there is none, or `object` is of
/// another kind.
json_token member_of(const json_token& object, std::string_view key);

/// A field by its name: the value of the key `name`, else, split at the first dot, the rest in the object
/// that the first part names, by the same rule.
json_token field_of(const json_token& object, std::string_view name);

}  // namespace livelogd::protocol
