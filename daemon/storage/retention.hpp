// SPDX-License-Identifier: MIT
// Which segments are kept.
#pragma once

#include "daemon/storage/log_options.hpp"
#include "daemon/storage/log_snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace livelogd::storage {

/// How many of the oldest sealed segments go: as many as the strictest of these wants.
///
/// - The oldest goes while there are more than backup_count and they hold more than backup_count *
///   segment_max_bytes together, so that small segments do not push history out. What they hold counts
///   before compression, so that compressing neither lengthens nor shortens history.
/// - With total_bytes: the oldest goes while the files take more on the disk, the active one counted as full.
/// - With max_age: what was sealed longer ago goes. A segment is sealed with its last record at the latest.
///
/// `sealed` is oldest first; `active_bytes`: of the active segment; `now_ns`: the time by which ages count.
std::size_t segments_to_remove(std::span<const segment_info> sealed, const log_limits& limits,
                               std::uint64_t active_bytes = 0, std::int64_t now_ns = 0);

}  // namespace livelogd::storage
