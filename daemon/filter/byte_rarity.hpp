// SPDX-License-Identifier: MIT
// Which bytes to look for first.
#pragma once

#include <cstddef>
#include <string_view>

namespace livelogd::filter {

/// How common a byte is in records, more or less; of letters the small ones.
inline std::size_t commonness(char c) {
    constexpr std::string_view rising = "zqj][x}{kv/97.8y6w43b5g-f2h1pum0cd_l:,rsoni tae\"";
    const auto value = static_cast<unsigned char>(c);
    // The first byte of a character is shared by all characters of a script.
    if (value >= 0xC0) return rising.size();
    if (value >= 0x80) return rising.size() / 2;
    const std::size_t found = rising.find(c);
    return found == std::string_view::npos ? 0 : found + 1;
}

}  // namespace livelogd::filter
