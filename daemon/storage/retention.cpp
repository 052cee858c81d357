// SPDX-License-Identifier: MIT
#include "daemon/storage/retention.hpp"

#include <algorithm>
#include <limits>

namespace livelogd::storage {
namespace {

std::size_t by_count(std::span<const segment_info> sealed, const log_limits& limits) {
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

std::size_t by_total(std::span<const segment_info> sealed, const log_limits& limits,
                     std::uint64_t active_bytes) {
    const std::uint64_t active = std::max(active_bytes, limits.segment_max_bytes);
    const std::uint64_t room = limits.total_bytes > active ? limits.total_bytes - active : 0;
    std::uint64_t bytes = 0;
    std::size_t kept = 0;
    while (kept < sealed.size() && sealed[sealed.size() - 1 - kept].disk_bytes() <= room - bytes) {
        bytes += sealed[sealed.size() - 1 - kept].disk_bytes();
        ++kept;
    }
    return sealed.size() - kept;
}

std::size_t by_age(std::span<const segment_info> sealed, const log_limits& limits, std::int64_t now_ns) {
    const std::int64_t age_ns = std::chrono::nanoseconds(limits.max_age).count();
    // No segment was written after the one that follows it: what a file says that was made while the clock
    // was ahead, or was copied here, is corrected by that.
    std::int64_t written_ns = now_ns;
    std::size_t i = sealed.size();
    while (i > 0) {
        const std::int64_t told = sealed[i - 1].written_ns;
        if (told != 0) written_ns = std::min(written_ns, told);
        if (now_ns - written_ns >= age_ns) break;
        --i;
    }
    return i;
}

}  // namespace

std::size_t segments_to_remove(std::span<const segment_info> sealed, const log_limits& limits,
                               std::uint64_t active_bytes, std::int64_t now_ns) {
    std::size_t most = by_count(sealed, limits);
    if (limits.total_bytes > 0) most = std::max(most, by_total(sealed, limits, active_bytes));
    if (limits.max_age.count() > 0) most = std::max(most, by_age(sealed, limits, now_ns));
    return most;
}

}  // namespace livelogd::storage
