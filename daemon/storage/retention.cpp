// SPDX-License-Identifier: MIT
#include "daemon/storage/retention.hpp"

#include <limits>

namespace livelogd::storage {

std::size_t segments_to_remove(std::span<const segment_info> sealed, const log_limits& limits) {
    constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
    const bool overflows =
        limits.segment_max_bytes != 0 && limits.backup_count > unlimited / limits.segment_max_bytes;
    const std::uint64_t most = overflows ? unlimited : limits.backup_count * limits.segment_max_bytes;

    std::uint64_t bytes = 0;
    for (const segment_info& segment : sealed)
        bytes += segment.bytes;
    std::size_t removed = 0;
    while (sealed.size() - removed > limits.backup_count && bytes > most) {
        bytes -= sealed[removed].bytes;
        ++removed;
    }
    return removed;
}

}  // namespace livelogd::storage
