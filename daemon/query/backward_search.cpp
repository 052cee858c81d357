// SPDX-License-Identifier: MIT
#include "daemon/query/backward_search.hpp"

#include "daemon/query/log_changed.hpp"
#include "daemon/query/stopped.hpp"

#include <utility>

namespace livelogd::query {

backward_search::backward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter,
                                 bool strict, std::stop_token stop)
    : snapshot_(snapshot),
      filter_(filter),
      strict_(strict),
      stop_(std::move(stop)),
      segment_(snapshot.segment_count()) {}

bool backward_search::next(record_place& place) {
    storage::stored_line line;
    protocol::record_fields fields;
    for (;;) {
        if (stop_.stop_requested()) throw stopped();
        const bool found = reader_ && reader_->previous(line);
        if (strict_ && reader_ && reader_->met_early_end()) throw log_changed();
        if (!found) {
            if (!open_older()) return false;
            continue;
        }
        if (scanner_.scan_record(line.bytes, fields)) continue;
        if (!filter_.matches({line.bytes, protocol::record_digest::of(line.bytes, fields)})) continue;
        place = {.segment = segment_, .offset = line.offset, .size = line.bytes.size()};
        return true;
    }
}

/// Goes on with the next older segment; false after the oldest. Without a reader if there is nothing to read.
bool backward_search::open_older() {
    reader_.reset();
    file_.reset();
    if (segment_ == 0) return false;
    --segment_;
    const storage::segment_info& segment = snapshot_.segment(segment_);
    if (segment.bytes == 0) return true;
    base::unique_fd fd = storage::open_segment(snapshot_, segment_);
    if (!fd) return true;
    file_ = std::make_shared<const base::unique_fd>(std::move(fd));
    reader_.emplace(file_->get(), 0, segment.bytes);
    return true;
}

}  // namespace livelogd::query
