// SPDX-License-Identifier: MIT
#include "daemon/storage/line_ends.hpp"

#include <algorithm>

namespace livelogd::storage {
namespace {

/// A few dozen bytes each.
constexpr std::size_t most_known = 4096;

}  // namespace

std::uint64_t offset_of_line(int fd, std::uint64_t bytes, std::uint64_t n) {
    if (n == 0) return 0;
    std::uint64_t offset = bytes;
    for_each_line_end(fd, 0, bytes, [&](std::uint64_t line_end) {
        if (--n > 0) return true;
        offset = line_end + 1;
        return false;
    });
    return offset;
}

std::uint64_t line_counts::of(const log_snapshot& snapshot, std::size_t i, int fd) {
    const segment_info& segment = snapshot.segment(i);
    known counted{.first_id = segment.first_id};
    // What is held in memory is short, and its first id may become that of a file.
    const bool remembered = !snapshot.in_memory(i);
    const auto same = [&](const known& one) { return one.first_id == segment.first_id; };
    if (remembered) {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find_if(known_, same);
        // A segment that was cut is counted anew.
        if (found != known_.end() && found->bytes <= segment.bytes) counted = *found;
    }
    if (counted.bytes < segment.bytes) {
        counted.bytes = for_each_line_end(fd, counted.bytes, segment.bytes, [&](std::uint64_t) {
            ++counted.lines;
            return true;
        });
    }
    // A file that ends before its published length has been cut by somebody: that may not be its end yet.
    if (remembered && counted.bytes == segment.bytes) {
        const std::lock_guard lock(mutex_);
        std::erase_if(known_, same);
        known_.push_front(counted);
        if (known_.size() > most_known) known_.pop_back();
    }
    return counted.lines;
}

}  // namespace livelogd::storage
