// SPDX-License-Identifier: MIT
// The records of a part of one segment, with their ids and times.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "daemon/summary/record_clock.hpp"
#include "daemon/summary/record_sums.hpp"
#include "daemon/summary/stopped.hpp"
#include "protocol/record_digest.hpp"
#include "protocol/scan.hpp"

#include <cstdint>
#include <stop_token>

namespace livelogd::summary {

/// [begin, end) of a segment: whole lines.
struct stretch {
    storage::segment_source from = {};      ///< the segment; stays open meanwhile
    std::uint64_t segment_bytes = 0;        ///< its published length: neighbours may tell a record's time
    std::uint64_t begin = 0;                ///< bytes
    std::uint64_t end = 0;                  ///< bytes
    protocol::record_id first_id = 0;       ///< of the line at `begin`
    const base::time_zone* zone = nullptr;  ///< of times that name none
};

/// Calls `take(line, record)` for every line: `record` is a const scanned_record*, null for a line that is no
/// record. False if the file ends before the stretch does: somebody has cut it. Blocks on the disk. Throws
/// summary::stopped or std::system_error.
template <class Take>
bool scan_stretch(const stretch& range, const std::stop_token& stop, Take&& take) {
    record_clock clock(range.from, range.segment_bytes, *range.zone, stop);
    storage::forward_reader lines(range.from, range.begin, range.end);
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    storage::stored_line line;
    for (auto id = range.first_id; lines.next(line); ++id) {
        if (stop.stop_requested()) throw stopped();
        if (scanner.scan_record(line.bytes, fields)) {
            take(line, static_cast<const scanned_record*>(nullptr));
            continue;
        }
        // Also a record that nobody asks for tells its neighbours' time.
        const scanned_record record{
            .id = id,
            .time = clock.time(fields.timestamp, line),
            .view = {.line = line.bytes, .digest = protocol::record_digest::of(line.bytes, fields)},
            .fields = fields};
        take(line, &record);
    }
    return !lines.met_early_end();
}

}  // namespace livelogd::summary
