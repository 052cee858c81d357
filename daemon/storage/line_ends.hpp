// SPDX-License-Identifier: MIT
// Lines of a segment, counted: the id of a record is its segment's first id and the number of its line.
#pragma once

#include "daemon/storage/log_snapshot.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <system_error>

#include <unistd.h>

namespace livelogd::storage {

/// Calls `found(offset)` for every line end in [begin, end) and returns where the file (or the range) ended.
/// A `found` that returns false ends it. Blocks on the disk. Throws std::system_error if reading fails.
template <class Found>
std::uint64_t for_each_line_end(int fd, std::uint64_t begin, std::uint64_t end, Found&& found) {
    constexpr std::size_t read_bytes = 64u << 10;
    const auto buffer = std::make_unique_for_overwrite<char[]>(read_bytes);
    std::uint64_t at = begin;
    while (at < end) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, end - at));
        const ssize_t n = ::pread(fd, buffer.get(), wanted, static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw std::system_error(errno, std::generic_category(), "cannot read a log segment");
        if (n == 0) break;
        const auto got = static_cast<std::size_t>(n);
        for (std::size_t i = 0; i < got;) {
            const void* line_end = std::memchr(buffer.get() + i, '\n', got - i);
            if (line_end == nullptr) break;
            i = static_cast<std::size_t>(static_cast<const char*>(line_end) - buffer.get());
            if (!found(at + i)) return at + i + 1;
            ++i;
        }
        at += got;
    }
    return at;
}

/// Where line number `n` (from 0) of the first `bytes` of a segment begins; `bytes` if there are not so many.
std::uint64_t offset_of_line(int fd, std::uint64_t bytes, std::uint64_t n);

/// How many lines segments hold. What has been counted once is remembered, so that only what a segment has
/// grown by is counted again. Any thread; owned by the application.
class line_counts {
  public:
    /// Of the first `bytes` of segment `i`, open as `fd`: ids of its records end with first_id + this.
    /// Blocks on the disk. Throws std::system_error.
    std::uint64_t of(const log_snapshot& snapshot, std::size_t i, int fd);

  private:
    struct known {
        protocol::record_id first_id = 0;
        std::uint64_t bytes = 0;
        std::uint64_t lines = 0;
    };
    std::mutex mutex_;        ///< never held while reading
    std::list<known> known_;  ///< most recently used first
};

}  // namespace livelogd::storage
