// SPDX-License-Identifier: MIT
// What is known of a segment without reading it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace livelogd::summary {

/// The times of some records, microseconds since 1970.
struct time_range {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();  ///< first > last: there is none
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    bool unknown = false;  ///< some records have no time

    void add(std::optional<std::int64_t> time) {
        unknown = unknown || !time;
        if (time) merge({.first = *time, .last = *time});
    }
    void merge(const time_range& other) {
        first = std::min(first, other.first);
        last = std::max(last, other.last);
        unknown = unknown || other.unknown;
    }
    /// Whether none of the records can be from [begin, end).
    [[nodiscard]] bool misses(std::int64_t begin, std::int64_t end) const {
        return !unknown && (first > last || last < begin || first >= end);
    }
    friend bool operator==(const time_range&, const time_range&) = default;
};

/// The parts of a page that are kept apart, because they are read for different questions.
enum class page_part : std::uint8_t {
    sums,       ///< as record_sums writes them
    errors,     ///< places of error records, see error_place
    durations,  ///< what responses tell as duration_ms, if it counts, as spelled
};
inline constexpr std::size_t page_parts = 3;

/// Consecutive lines of a segment that have been added up: those that start within one stretch of
/// page_bytes.
struct page {
    std::uint64_t begin = 0;  ///< these two in bytes of the segment
    std::uint64_t end = 0;
    std::uint64_t first_line = 0;  ///< its number in the segment, from 0
    std::uint64_t lines = 0;
    time_range times;
    std::uint64_t errors = 0;     ///< error records
    std::uint64_t durations = 0;  ///< durations that count
};

/// A trade: a window that begins within a page costs a scan of it, and a whole segment is the sum of its
/// pages.
inline constexpr std::uint64_t page_bytes = 256u << 10;

/// Where an error record stands.
struct error_place {
    std::uint64_t line = 0;    ///< in the segment, from 0
    std::uint64_t offset = 0;  ///< of its first byte in the segment
};

/// Bytes of a file that are checked when they are read.
struct checked_extent {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;
};

/// Immutable; any thread. Its pages begin with the segment and follow each other without gaps, but need not
/// reach to its end.
class segment_summary {
  public:
    using page_texts = std::array<std::string, page_parts>;
    using page_extents = std::array<checked_extent, page_parts>;

    /// In memory.
    segment_summary(std::vector<page> pages, std::vector<std::shared_ptr<const page_texts>> texts);
    /// In a file whose head has been checked to be of this segment. `whole`: the sums of all pages together.
    segment_summary(std::vector<page> pages, std::string whole, std::filesystem::path file,
                    std::vector<page_extents> extents);

    [[nodiscard]] const std::vector<page>& pages() const { return pages_; }
    [[nodiscard]] std::uint64_t end() const { return pages_.empty() ? 0 : pages_.back().end; }
    [[nodiscard]] const time_range& times() const { return times_; }
    [[nodiscard]] std::uint64_t errors() const { return errors_; }
    [[nodiscard]] std::uint64_t durations() const { return durations_; }

    /// The sums of all pages together, as record_sums writes them; empty if they have not been made.
    [[nodiscard]] const std::string& whole() const { return whole_; }

    /// Blocks on the disk. Throws damaged_summary or std::system_error.
    [[nodiscard]] std::string part(std::size_t page, page_part which) const;

    /// The error records of a page, in order. Throws as part() does.
    [[nodiscard]] std::vector<error_place> errors_of(std::size_t page) const;

    /// What it takes in memory, bytes.
    [[nodiscard]] std::size_t memory() const;

  private:
    explicit segment_summary(std::vector<page> pages);

    std::vector<page> pages_;
    time_range times_;
    std::uint64_t errors_ = 0;
    std::uint64_t durations_ = 0;
    std::string whole_;
    std::vector<std::shared_ptr<const page_texts>> texts_;  ///< one for each page, or none at all
    /// Opened for each part: so many summaries may be known that each cannot keep a descriptor.
    std::filesystem::path file_;
    std::vector<page_extents> extents_;
};

using shared_summary = std::shared_ptr<const segment_summary>;

/// The checksum of an extent.
std::uint64_t checksum_of(std::string_view bytes);

/// Reads an extent of a file. Throws damaged_summary if it is not what has been written there, or
/// std::system_error.
std::string read_checked(int fd, const checked_extent& extent);

}  // namespace livelogd::summary
