// SPDX-License-Identifier: MIT
// Steps over JSON that is known to be valid, without a document tree: what reads a record's fields stands on
// it. A record that has been read through scan_record() is valid; other bytes are not to be passed in here.
#pragma once

#include "protocol/json_grammar.hpp"
#include "protocol/json_token.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace livelogd::protocol {

/// The kind of the value that begins with this character.
inline json_kind kind_of(char first) {
    switch (first) {
        case '"':
            return json_kind::string;
        case '{':
            return json_kind::object;
        case '[':
            return json_kind::array;
        case 't':
        case 'f':
            return json_kind::boolean;
        case 'n':
            return json_kind::null;
        default:
            return json_kind::number;
    }
}

/// The next quote or backslash. There is one: the string is valid.
inline const char* quote_or_backslash(const char* p, const char* end) {
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        if (const auto marks = static_cast<std::uint32_t>(_mm_movemask_epi8(found)); marks != 0)
            return p + std::countr_zero(marks);
    }
#else
    static_cast<void>(end);
#endif
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
