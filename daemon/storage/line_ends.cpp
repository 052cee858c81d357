// SPDX-License-Identifier: MIT
#include "daemon/storage/line_ends.hpp"

#include "daemon/base/line_count.hpp"

namespace livelogd::storage {
namespace {

/// A few dozen bytes each.
constexpr std::size_t most_known = 4096;

/// Where line number `n` (from 1) begins in a piece with at least so many line ends.
std::size_t begin_of_line(std::string_view piece, std::uint64_t n) {
    std::size_t begin = 0;
    for (; n > 0; --n)
        begin = piece.find('\n', begin) + 1;
    return begin;
}

}  // namespace

std::uint64_t offset_of_line(segment_source from, std::uint64_t begin, std::uint64_t end, std::uint64_t n) {
    if (n == 0) return begin;
    if (begin == 0) {
        const auto mark = from.mark_before(n);
        if (mark.offset >= end) return end;
        begin = mark.offset;
        n -= mark.line;
        if (n == 0) return begin;
    }
    std::uint64_t found = end;
    for_each_piece(from, begin, end, [&](std::uint64_t offset, std::string_view piece) {
        const std::uint64_t lines = base::count_line_ends(piece);
        if (lines >= n) {
            found = offset + begin_of_line(piece, n);
            return false;
        }
        n -= lines;
        return true;
    });
    return found;
}

std::uint64_t line_counts::of(const log_snapshot& snapshot, std::size_t i, segment_source from) {
    const segment_info& segment = snapshot.segment(i);
    if (const auto told = from.lines()) return *told;
    // What is held in memory is short, and its first id may become that of a file.
    const bool remembered = !snapshot.in_memory(i);
    known counted;
    if (remembered) {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(segment.first_id);
        // A segment that was cut is counted anew.
        if (found != known_.end() && found->second.bytes <= segment.bytes) counted = found->second;
    }
    if (counted.bytes == segment.bytes) return counted.lines;
    counted.bytes =
        for_each_piece(from, counted.bytes, segment.bytes, [&](std::uint64_t /*at*/, std::string_view piece) {
            counted.lines += base::count_line_ends(piece);
            return true;
        });
    // A file that ends before its published length has been cut by somebody: that may not be its end yet.
    if (remembered && counted.bytes == segment.bytes) {
        const std::lock_guard lock(mutex_);
        known_.insert_or_assign(segment.first_id, counted);
        // The oldest segments are removed first, and searched last.
        if (known_.size() > most_known) known_.erase(known_.begin());
    }
    return counted.lines;
}

}  // namespace livelogd::storage
