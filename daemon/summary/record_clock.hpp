// SPDX-License-Identifier: MIT
// The times of the records of one segment.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "protocol/json_token.hpp"
#include "protocol/scan.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

namespace livelogd::summary {

/// The instant that a record's `timestamp` tells, microseconds since 1970 UTC; without an offset it is read
/// in `zone`. Nothing if it is unreadable: absent, not a string, or not a time.
std::optional<std::int64_t> told_time(const protocol::json_token& timestamp, const base::time_zone& zone);

/// A record whose timestamp is unreadable has the time of the nearest earlier record of its segment that has
/// one, else of the nearest later one; in a segment without any readable time it has none. Such records are
/// rare, so their neighbours are read again when one is met; what was found is remembered, so that going
/// through a segment in either direction reads no stretch of them twice. One thread at a time; blocks on the
/// disk.
class record_clock {
  public:
    /// `from`, `bytes`: the segment, which must stay open. `zone` must outlive the clock.
    record_clock(storage::segment_source from, std::uint64_t bytes, const base::time_zone& zone,
                 std::stop_token stop)
        : from_(from), bytes_(bytes), zone_(zone), stop_(std::move(stop)) {}

    /// The time of the record that this line is, whose own timestamp is this. Throws summary::stopped or
    /// std::system_error.
    std::optional<std::int64_t> time(const protocol::json_token& timestamp, const storage::stored_line& line);

  private:
    std::optional<std::int64_t> time_of_neighbours(std::uint64_t offset);
    std::optional<std::int64_t> first_time();
    [[nodiscard]] bool knows(std::uint64_t offset) const {
        return known_ && offset >= stretch_begin_ && offset <= stretch_end_;
    }

    storage::segment_source from_;
    std::uint64_t bytes_;
    const base::time_zone& zone_;
    std::stop_token stop_;
    protocol::record_scanner scanner_;

    // Whoever goes forward asks for one record after the other.
    std::optional<std::uint64_t> last_end_;  ///< where the record behind the last one asked for begins
    std::optional<std::int64_t> last_time_;

    // Records that begin in [stretch_begin_, stretch_end_] and whose own timestamp is unreadable have this
    // time.
    bool known_ = false;
    std::uint64_t stretch_begin_ = 0;
    std::uint64_t stretch_end_ = 0;
    std::optional<std::int64_t> stretch_time_;
};

}  // namespace livelogd::summary
