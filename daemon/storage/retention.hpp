// SPDX-License-Identifier: MIT
// Which segments are kept.
#pragma once

#include "daemon/storage/log_snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace livelogd::storage {

struct log_limits {
    std::uint64_t segment_max_bytes = 0;
    std::uint64_t backup_count = 0;
};

/// How many of the oldest sealed segments go: the oldest goes while there are more than backup_count and they
/// hold more than backup_count * segment_max_bytes together, so that small segments do not push history out.
/// `sealed` is oldest first.
std::size_t segments_to_remove(std::span<const segment_info> sealed, const log_limits& limits);

}  // namespace livelogd::storage
