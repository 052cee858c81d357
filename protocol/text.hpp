// SPDX-License-Identifier: MIT
// Characters: JSON's escapes and UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// Appends one code point as UTF-8; surrogates and what lies above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, std::uint32_t code_point);

/// Appends what stands between the quotes of a valid JSON string, escapes decoded.
void append_unescaped(std::string& out, std::string_view inner);

/// The value of four hexadecimal digits at the front of `text`, or -1.
std::int32_t hex4(std::string_view text);

/// What a byte sequence begins with.
struct utf8_step {
    std::size_t size = 0;  ///< bytes of the character, or of the sequence that one U+FFFD stands for
    bool valid = false;
    bool truncated = false;  ///< not valid only because `bytes` ends within it
};

/// Looks at the first character of `bytes`, which must not be empty. An invalid sequence is as long as the
/// Unicode standard's "maximal subpart", so that replacing gives what other programs' replacing gives.
utf8_step next_utf8(std::string_view bytes);

/// Where the first invalid sequence begins, or the size of `bytes` if there is none.
std::size_t valid_utf8_prefix(std::string_view bytes);

}  // namespace livelogd::protocol
