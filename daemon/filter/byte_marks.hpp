// SPDX-License-Identifier: MIT
// The quick half of a search: marks the places of a text where three bytes of what is wanted stand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace livelogd::filter {

/// Three bytes at fixed distances from a place. Of letters the case may be left open.
struct byte_triple {
    std::array<std::uint8_t, 3> at{};    ///< distances, below `reach`
    std::array<std::uint8_t, 3> bits{};  ///< set in a byte of the text before it is compared: a letter's case
    std::array<std::uint8_t, 3> value{};  ///< what it then is

    static constexpr std::size_t reach = 32;
};

/// Places are marked in groups of so many: one bit each.
inline constexpr std::size_t places_in_mark = 64;

/// Adds the places where `wanted` stands to `marks`: bit i of marks[g] is that of text[64 * g + i]. Reads
/// 64 * marks.size() + byte_triple::reach bytes from `text` on.
void mark_places(const byte_triple& wanted, const char* text, std::span<std::uint64_t> marks);

/// One way to do it. They give the same and differ in what the processor must know.
struct place_marker {
    std::string_view name;
    void (*mark)(const byte_triple& wanted, const char* text, std::span<std::uint64_t> marks);
};

/// All that this machine can use, the quickest last.
std::span<const place_marker> place_markers();

}  // namespace livelogd::filter
