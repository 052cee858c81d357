// SPDX-License-Identifier: MIT
// Counting line ends, many at a time: ids follow from them, so searches count all that they pass over.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace livelogd::base {

/// How many LFs there are in `bytes`.
std::size_t count_line_ends(std::string_view bytes);

/// One way to count. They give the same and differ in what the processor must know.
struct line_counter {
    std::string_view name;
    std::size_t (*count)(std::string_view bytes);
};

/// All that this machine can use, the quickest last.
std::span<const line_counter> line_counters();

}  // namespace livelogd::base
