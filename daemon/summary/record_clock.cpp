// SPDX-License-Identifier: MIT
#include "daemon/summary/record_clock.hpp"

#include "daemon/summary/stopped.hpp"
#include "protocol/timestamp.hpp"

#include <string_view>

namespace livelogd::summary {
namespace {

/// Nearly always the first record tells the time, so a small block will do.
constexpr std::size_t first_block_bytes = 16u << 10;

}  // namespace

std::optional<std::int64_t> told_time(const protocol::json_token& timestamp, const base::time_zone& zone) {
    if (!timestamp.is_string()) return std::nullopt;
    const bool escaped = timestamp.inner().find('\\') != std::string_view::npos;
    const auto wall = escaped ? protocol::parse_timestamp(protocol::decode_string(timestamp))
                              : protocol::parse_timestamp(timestamp.inner());
    if (!wall) return std::nullopt;
    return zone.instant(*wall);
}

std::optional<std::int64_t> record_clock::time(const protocol::json_token& timestamp,
                                               const storage::stored_line& line) {
    auto found = told_time(timestamp, zone_);
    if (!found && knows(line.offset)) {
        found = stretch_time_;
    } else if (!found) {
        found = last_end_ == line.offset ? last_time_ : time_of_neighbours(line.offset);
    }
    last_end_ = line.offset + line.bytes.size() + 1;
    last_time_ = found;
    return found;
}

std::optional<std::int64_t> record_clock::time_of_neighbours(std::uint64_t offset) {
    storage::backward_reader earlier(from_, 0, offset);
    storage::stored_line line;
    protocol::record_fields fields;
    while (earlier.previous(line)) {
        if (stop_.stop_requested()) throw stopped();
        if (knows(line.offset)) {
            // All between are unreadable: the stretch goes on to here.
            stretch_end_ = offset;
            return stretch_time_;
        }
        if (scanner_.scan_record(line.bytes, fields)) continue;
        if (const auto told = told_time(fields.timestamp, zone_)) {
            known_ = true;
            stretch_begin_ = line.offset + 1;
            stretch_end_ = offset;
            stretch_time_ = told;
            return told;
        }
    }
    const auto first = first_time();
    known_ = true;
    stretch_begin_ = 0;
    stretch_end_ = offset;
    stretch_time_ = first;
    return first;
}

std::optional<std::int64_t> record_clock::first_time() {
    storage::forward_reader lines(from_, 0, bytes_, first_block_bytes);
    storage::stored_line line;
    protocol::record_fields fields;
    while (lines.next(line)) {
        if (stop_.stop_requested()) throw stopped();
        if (scanner_.scan_record(line.bytes, fields)) continue;
        if (const auto told = told_time(fields.timestamp, zone_)) return told;
    }
    return std::nullopt;
}

}  // namespace livelogd::summary
