// SPDX-License-Identifier: MIT
// The quick half of the search for secrets: marks the few places of a text where one may be recognised. What
// stands there is looked at by secret_shapes. A part of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace livelogd::protocol {

/// An anchor is a '=', a '@', or three bytes that one of these describes: each byte is one of the characters
/// of its set. More is marked than is meant, and never less: two sets of a row are not compared together.
struct anchor_row {
    std::array<std::string_view, 3> sets;
};

/// One bit for each row.
inline constexpr std::array<anchor_row, 8> anchor_rows{{
    {{"sr", "k", "-_"}},         // sk-, sk_live_, rk_live_, gsk_
    {{"0", "0", "234567"}},      // \u00XX: a character of ASCII that is spelled as an escape
    {{"gh", "hf", "pousr_"}},    // ghp_ and its like, hf_
    {{"x", "oa", "xp"}},         // xoxb- and its like, xapp-
    {{"eEAKS", "yGI", "JIzA"}},  // eyJ, BEGIN, AIza, AKIA, ASIA
    {{"lnb", "p_", "amp"}},      // glpat-, npm_, github_pat_
    {{"rR", "eE", "rR"}},        // bearer, in any case
    {{"sS", "iI", "cC"}},        // basic, in any case
}};

/// Places are marked in groups of so many.
inline constexpr std::size_t anchor_block = 64;

/// Finds the first group of places from `p` on with an anchor in it: sets `marks`, in which the lowest bit is
/// the first place's, and returns the group's beginning; `end` if there is none. Nothing outside [begin, end)
/// is read.
using anchor_finder = const char* (*)(const char* begin, const char* p, const char* end,
                                      std::uint64_t& marks);

/// Which finder. All find the same; they differ in speed and in what they need of the processor.
enum class anchor_path : std::uint8_t { portable, ssse3, avx2 };

/// Those that this processor has, the fastest last.
std::span<const anchor_path> available_anchor_paths();

/// `path`: one of those.
anchor_finder anchor_finder_of(anchor_path path);

}  // namespace livelogd::protocol
