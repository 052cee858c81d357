// SPDX-License-Identifier: MIT
// What the newest responses tell as their durations, as spelled.
#pragma once

#include "daemon/summary/segment_summary.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::query {

/// Collects in the order of the log, and keeps what the newest so many may be among. One thread at a time.
class newest_durations {
  public:
    explicit newest_durations(std::size_t most) : most_(most) {}

    void add(std::string_view duration);
    /// All those of a summary's pages [begin, end): so many.
    void add(summary::shared_summary pages, std::size_t begin, std::size_t end, std::uint64_t count);
    /// The next stretch.
    void append(newest_durations&& next);

    /// The newest so many, the oldest first. Blocks on the disk. Throws summary::damaged_summary or
    /// std::system_error.
    [[nodiscard]] std::vector<std::string> texts() const;

  private:
    struct source {
        std::deque<std::string> texts;    ///< of records that have been read,
        summary::shared_summary summary;  ///< or of pages: read when they are needed
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint64_t count = 0;
    };
    void let_go();

    std::size_t most_;
    std::uint64_t count_ = 0;
    std::deque<source> sources_;
};

}  // namespace livelogd::query
