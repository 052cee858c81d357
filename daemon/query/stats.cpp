// SPDX-License-Identifier: MIT
#include "daemon/query/stats.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/query/record_clock.hpp"
#include "daemon/query/stats_sums.hpp"
#include "daemon/query/stopped.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "protocol/scan.hpp"

namespace livelogd::query {

std::string stats_answer(const storage::log_snapshot& snapshot, const stats_request& request,
                         const base::time_zone& zone, std::stop_token stop) {
    stats_sums sums(request);
    protocol::record_scanner scanner;
    protocol::record_fields fields;
    storage::stored_line line;
    for (std::size_t i = 0; i < snapshot.segment_count(); ++i) {
        const storage::segment_info& segment = snapshot.segment(i);
        if (segment.bytes == 0) continue;
        const base::unique_fd fd = storage::open_segment(snapshot, i);
        if (!fd) continue;
        record_clock clock(fd.get(), segment.bytes, zone, stop);
        storage::forward_reader lines(fd.get(), 0, segment.bytes);
        for (auto id = segment.first_id; lines.next(line); ++id) {
            if (stop.stop_requested()) throw stopped();
            if (scanner.scan_record(line.bytes, fields)) continue;
            // Also a record that is not asked for tells its neighbours' time.
            sums.add({.id = id,
                      .time = clock.time(fields.timestamp, line),
                      .view = {.line = line.bytes, .digest = protocol::record_digest::of(line.bytes, fields)},
                      .fields = fields});
        }
        if (request.strict && lines.met_early_end()) throw log_changed();
    }
    return sums.text(zone);
}

}  // namespace livelogd::query
