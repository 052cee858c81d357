// SPDX-License-Identifier: MIT
// What is known of a segment without reading it.
#pragma once

#include "daemon/summary/page_table.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::summary {

/// Where an error record stands.
struct error_place {
    std::uint64_t line = 0;    ///< in the segment, from 0
    std::uint64_t offset = 0;  ///< of its first byte in the segment
};

/// Immutable; any thread. Its pages begin with the segment and follow each other without gaps, but need not
/// reach to its end.
class segment_summary {
  public:
    using page_texts = std::array<std::string, page_parts>;

    /// In memory.
    segment_summary(std::vector<page> pages, std::vector<std::shared_ptr<const page_texts>> texts);
    /// In a file whose head has been checked to be of this segment. `whole`: the sums of all pages together.
    /// `list`: of the pages; `parts_offset` as page_reader takes it. Throws damaged_summary.
    segment_summary(std::string whole, std::filesystem::path file, std::string list,
                    std::uint64_t parts_offset);

    /// Made from the list for each call: so many summaries may be known that they are kept as small as they
    /// are written.
    [[nodiscard]] std::vector<page> pages() const;
    [[nodiscard]] std::size_t page_count() const { return page_count_; }
    [[nodiscard]] std::uint64_t end() const { return end_; }
    [[nodiscard]] const time_range& times() const { return times_; }
    [[nodiscard]] std::uint64_t errors() const { return errors_; }
    [[nodiscard]] std::uint64_t durations() const { return durations_; }

    /// The sums of all pages together, as record_sums writes them; empty if they have not been made.
    [[nodiscard]] const std::string& whole() const { return whole_; }

    /// Blocks on the disk. Throws damaged_summary or std::system_error.
    [[nodiscard]] std::string part(std::size_t page, page_part which) const;

    /// The error records of a page, in order. `which`: its number. Throws as part() does.
    [[nodiscard]] std::vector<error_place> errors_of(std::size_t which, const page& one) const;

    /// What it takes in memory, bytes.
    [[nodiscard]] std::size_t memory() const;

  private:
    void add_up(const page& one);

    std::size_t page_count_ = 0;
    std::uint64_t end_ = 0;
    time_range times_;
    std::uint64_t errors_ = 0;
    std::uint64_t durations_ = 0;
    std::string whole_;
    // In memory:
    std::vector<page> pages_;
    std::vector<std::shared_ptr<const page_texts>> texts_;  ///< one for each page
    // In a file, which is opened for each part: so many cannot each keep a descriptor.
    std::filesystem::path file_;
    std::string list_;
    std::uint64_t parts_offset_ = 0;
};

using shared_summary = std::shared_ptr<const segment_summary>;

/// Reads an extent of a file. Throws damaged_summary if it is not what has been written there, or
/// std::system_error.
std::string read_checked(int fd, const checked_extent& extent);

}  // namespace livelogd::summary
