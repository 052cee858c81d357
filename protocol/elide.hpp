// SPDX-License-Identifier: MIT
// A record made short enough to be listed.
#pragma once

#include "protocol/json_token.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace livelogd::protocol {

/// Most strings of one record whose true size is told.
inline constexpr std::size_t max_named_elisions = 100;

/// What a cut string ends with.
inline constexpr std::string_view elision_mark = "…";

/// Appends `record` (a valid record) with `first_members` (compact JSON members, each followed by a
/// comma; may be empty) before its own. String values of more than `limit` bytes between their quotes are cut
/// to at most that many, neither within a character nor within an escape, and end with elision_mark; then
/// `"livelog_elided":{"<path>":<bytes>,…}` tells the true size of each, the first max_named_elisions of them.
/// A path is the keys and the numbers of elements on the way, joined by dots, keys as they are spelled.
void append_elided(std::string& out, std::string_view record, std::string_view first_members,
                   std::size_t limit);

/// The true sizes of strings that were cut, as members of an object: `"<path>":<bytes>`, joined by commas;
/// the first max_named_elisions of them, as far as their paths take no more than 32 KiB together.
struct elided_sizes {
    std::string members;
    std::size_t named = 0;
};

/// Appends a valid value whose strings are cut in the same way, and to `sizes` those of them that were;
/// `path`: of the value, as spelled. If nothing is to be cut nothing is appended.
void append_shortened(std::string& out, const json_token& value, std::string_view path, std::size_t limit,
                      elided_sizes& sizes);

/// The longest beginning of a string's inner bytes that has at most `limit` bytes and can stand alone: cut
/// neither within a character nor within an escape.
std::string_view beginning_of(std::string_view inner, std::size_t limit);

/// Appends `record` with `first_members` before its own.
void append_with_members(std::string& out, std::string_view record, std::string_view first_members);

}  // namespace livelogd::protocol
