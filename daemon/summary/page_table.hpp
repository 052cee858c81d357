// SPDX-License-Identifier: MIT
// The pages of a segment, as the head of its summary lists them.
#pragma once

#include "daemon/summary/byte_codec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

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

/// Bytes of a file that are checked when they are read.
struct checked_extent {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;
};

/// A page, and where its parts are in the file of the summary.
struct listed_page {
    page what;
    std::array<checked_extent, page_parts> parts;
};

/// Appends a page to the list. Where it begins, and where its parts do, follows from the pages before it.
inline void write_listed_page(byte_writer& out, const listed_page& one) {
    out.number(one.what.end - one.what.begin);
    out.number(one.what.lines);
    out.signed_number(one.what.times.first);
    out.signed_number(one.what.times.last);
    out.number(one.what.times.unknown ? 1 : 0);
    out.number(one.what.errors);
    out.number(one.what.durations);
    for (const checked_extent& part : one.parts) {
        out.number(part.size);
        out.number(part.checksum);
    }
}

/// Reads a list from its beginning. `parts_offset`: in the file, of the first part of the first page.
class page_reader {
  public:
    page_reader(std::string_view list, std::uint64_t parts_offset) : in_(list), offset_(parts_offset) {}

    [[nodiscard]] bool at_end() const { return in_.left() == 0; }

    /// Lasts until the next call. Throws damaged_summary.
    const listed_page& next() {
        page& one = last_.what;
        one.begin = one.end;
        one.end = one.begin + in_.number();
        one.first_line += one.lines;
        one.lines = in_.number();
        one.times.first = in_.signed_number();
        one.times.last = in_.signed_number();
        one.times.unknown = in_.number() != 0;
        one.errors = in_.number();
        one.durations = in_.number();
        for (checked_extent& part : last_.parts) {
            part.offset = offset_;
            part.size = in_.number();
            part.checksum = in_.number();
            offset_ += part.size;
        }
        return last_;
    }

  private:
    byte_reader in_;
    std::uint64_t offset_;
    listed_page last_;
};

}  // namespace livelogd::summary
