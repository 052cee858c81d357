// SPDX-License-Identifier: MIT
// Lines of a segment, counted: the id of a record is its segment's first id and the number of its line.
#pragma once

#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/segment_source.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

namespace livelogd::storage {

/// Calls `take(offset, bytes)` for pieces of [begin, end), in order, and returns where the file (or the
/// range) ended. A `take` that returns false ends it. Blocks on the disk. Throws std::system_error if reading
/// fails.
template <class Take>
std::uint64_t for_each_piece(segment_source from, std::uint64_t begin, std::uint64_t end, Take&& take) {
    constexpr std::size_t read_bytes = 256u << 10;
    if (begin >= end) return begin;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, end - begin));
    const auto buffer = std::make_unique_for_overwrite<char[]>(most);
    std::uint64_t at = begin;
    while (at < end) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, end - at));
        const std::size_t n = from.read(buffer.get(), wanted, at);
        if (n == 0) break;
        const std::uint64_t offset = at;
        at += n;
        if (!take(offset, std::string_view(buffer.get(), n))) break;
    }
    return at;
}

/// Calls `found(offset)` for every line end in [begin, end) and returns where the file (or the range) ended.
/// A `found` that returns false ends it. Blocks and throws like for_each_piece().
template <class Found>
std::uint64_t for_each_line_end(segment_source from, std::uint64_t begin, std::uint64_t end, Found&& found) {
    std::uint64_t ended_at = end;
    bool ended = false;
    const auto at = for_each_piece(from, begin, end, [&](std::uint64_t offset, std::string_view piece) {
        for (std::size_t i = 0; i < piece.size() && !ended; ++i) {
            const void* const line_end = std::memchr(piece.data() + i, '\n', piece.size() - i);
            if (line_end == nullptr) break;
            i = static_cast<std::size_t>(static_cast<const char*>(line_end) - piece.data());
            ended = !found(offset + i);
            ended_at = offset + i + 1;
        }
        return !ended;
    });
    return ended ? ended_at : at;
}

/// Where line number `n` (from 0) of the lines in [begin, end) of a segment begins; `end` if there are not so
/// many. `begin` must be a line's start. Blocks and throws like for_each_piece().
std::uint64_t offset_of_line(segment_source from, std::uint64_t begin, std::uint64_t end, std::uint64_t n);

/// How many lines segments hold. What has been counted once is remembered, so that only what a segment has
/// grown by is counted again. Any thread; owned by the application.
class line_counts {
  public:
    /// Of the first `bytes` of segment `i`, open as `from`: ids of its records end with first_id + this.
    /// Blocks on the disk. Throws std::system_error.
    std::uint64_t of(const log_snapshot& snapshot, std::size_t i, segment_source from);

  private:
    struct known {
        std::uint64_t bytes = 0;
        std::uint64_t lines = 0;
    };
    std::mutex mutex_;                            ///< never held while reading
    std::map<protocol::record_id, known> known_;  ///< by the segment's first id
};

}  // namespace livelogd::storage
