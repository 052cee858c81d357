// SPDX-License-Identifier: MIT
// What a search need not read of a segment, by its summary.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/summary/segment_summary.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace livelogd::query {

/// Neighbouring lines of a segment in which there may be something.
struct search_stretch {
    std::uint64_t begin = 0;       ///< these two in bytes of the segment; whole lines
    std::uint64_t end = 0;         ///< greater than `begin`
    std::uint64_t first_line = 0;  ///< its number in the segment, from 0
    std::uint64_t lines = 0;       ///< unknown_lines: nobody has counted them
    bool first_only = false;       ///< only the first line; `end` is just a limit to it
};

inline constexpr std::uint64_t unknown_lines = ~std::uint64_t{0};

/// Whether a summary can save a search with this filter any reading.
bool can_plan(const filter::record_filter& filter);

/// In the order of the log. `known`: of this segment, or null. Blocks on the disk. Throws
/// summary::damaged_summary or std::system_error.
std::vector<search_stretch> plan_of(const storage::segment_info& segment,
                                    const summary::segment_summary* known,
                                    const filter::record_filter& filter);

}  // namespace livelogd::query
