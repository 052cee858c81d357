// SPDX-License-Identifier: MIT
#include "daemon/query/stats.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/query/record_time.hpp"
#include "daemon/query/stats_accumulator.hpp"
#include "daemon/query/stats_text.hpp"
#include "daemon/query/stopped.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "protocol/scan.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace livelogd::query {
namespace {

/// Where the window begins. Hours beyond all times mean everything.
std::int64_t window_begin(std::int64_t now_us, double hours) {
    constexpr double us_per_hour = 3600e6;
    constexpr double largest_span_us = 4e18;
    const double span = hours * us_per_hour;
    if (!(span < largest_span_us)) return std::numeric_limits<std::int64_t>::min();
    return now_us - std::llround(span);
}

class stats_scan {
  public:
    stats_scan(const stats_request& request, const base::time_zone& zone, std::stop_token stop)
        : filter_(request.filter),
          zone_(zone),
          stop_(std::move(stop)),
          strict_(request.strict),
          begin_us_(window_begin(request.now_us, request.hours)),
          records_(request.response_times) {}

    void add_segment(int fd, std::uint64_t bytes);

    [[nodiscard]] const stats_accumulator& records() const { return records_; }

  private:
    bool next_record(storage::forward_reader& lines, storage::stored_line& line,
                     protocol::record_fields& fields);
    std::optional<std::int64_t> first_readable_time(int fd, std::uint64_t bytes);

    const filter::record_filter& filter_;
    const base::time_zone& zone_;
    std::stop_token stop_;
    const bool strict_;
    std::int64_t begin_us_;
    stats_accumulator records_;
    protocol::record_scanner scanner_;
};

/// The next line that is a record; line and fields end with the next call.
bool stats_scan::next_record(storage::forward_reader& lines, storage::stored_line& line,
                             protocol::record_fields& fields) {
    while (lines.next(line)) {
        if (stop_.stop_requested()) throw stopped();
        if (!scanner_.scan_record(line.bytes, fields)) return true;
    }
    return false;
}

std::optional<std::int64_t> stats_scan::first_readable_time(int fd, std::uint64_t bytes) {
    // Nearly always the first record tells it, so a small block will do.
    constexpr std::size_t block_bytes = 16u << 10;
    storage::forward_reader lines(fd, 0, bytes, block_bytes);
    storage::stored_line line;
    protocol::record_fields fields;
    while (next_record(lines, line, fields))
        if (const auto time = record_time(fields.timestamp, zone_)) return time;
    return std::nullopt;
}

/// A record whose time is unreadable has that of the nearest earlier one, the records before the first
/// readable time that one. In a segment without any, nothing speaks against a record: it counts.
void stats_scan::add_segment(int fd, std::uint64_t bytes) {
    std::optional<std::int64_t> time = first_readable_time(fd, bytes);
    storage::forward_reader lines(fd, 0, bytes);
    storage::stored_line line;
    protocol::record_fields fields;
    while (next_record(lines, line, fields)) {
        // Before the filter: also a record that is not asked for tells its neighbours' time.
        if (const auto told = record_time(fields.timestamp, zone_)) time = told;
        if (time && *time < begin_us_) continue;
        if (filter_.matches({line.bytes, protocol::record_digest::of(line.bytes, fields)}))
            records_.add(fields);
    }
    if (strict_ && lines.met_early_end()) throw log_changed();
}

}  // namespace

std::string stats_answer(const storage::log_snapshot& snapshot, const stats_request& request,
                         const base::time_zone& zone, std::stop_token stop) {
    stats_scan scan(request, zone, std::move(stop));
    for (std::size_t i = 0; i < snapshot.segment_count(); ++i) {
        const storage::segment_info& segment = snapshot.segment(i);
        if (segment.bytes == 0) continue;
        const base::unique_fd fd = storage::open_segment(snapshot, i);
        if (fd) scan.add_segment(fd.get(), segment.bytes);
    }
    return stats_text(scan.records(), request.hours, request.daemon);
}

}  // namespace livelogd::query
