// SPDX-License-Identifier: MIT
// RFC 8259 takes half a surrogate pair for an escape, Boost.JSON takes it for an error.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

namespace livelogd::test {

/// `json` with each half of a surrogate pair as U+FFFD, which has the same length.
inline std::string without_half_pairs(std::string json) {
    constexpr std::size_t size = 6;
    // The value of the \uXXXX at `at`; 0 if there is none.
    const auto unit = [&](std::size_t at) -> unsigned long {
        const std::string_view escape =
            std::string_view(json).substr(at < json.size() ? at : json.size(), size);
        const bool whole = escape.size() == size && escape.starts_with("\\u")
                           && escape.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
        return whole ? std::strtoul(std::string(escape.substr(2)).c_str(), nullptr, 16) : 0;
    };
    const auto is_within = [](unsigned long value, unsigned long first, unsigned long last) {
        return value >= first && value <= last;
    };
    for (std::size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at)) {
        const unsigned long first = unit(at);
        if (!is_within(first, 0xD800, 0xDFFF)) {
            at += 2;
            continue;
        }
        if (first <= 0xDBFF && is_within(unit(at + size), 0xDC00, 0xDFFF)) {
            at += 2 * size;
            continue;
        }
        json.replace(at, size, "\\ufffd");
        at += size;
    }
    return json;
}

}  // namespace livelogd::test
