// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_index.hpp"

#include "daemon/storage/line_ends.hpp"

#include <algorithm>

namespace livelogd::storage {

void segment_index::extend(segment_source from, std::uint64_t bytes) {
    // A record is noted when its end has been seen, so a tail without LF leaves no trace here and is read
    // again.
    for_each_line_end(from, bytes_, bytes, [this](std::uint64_t line_end) {
        if (marks_.empty() || marks_.back().offset / stride != bytes_ / stride)
            marks_.push_back({bytes_, lines_});
        ++lines_;
        bytes_ = line_end + 1;
        return true;
    });
}

std::optional<record_block> segment_index::block_with(protocol::record_id id) const {
    if (id < first_id_ || id >= end_id()) return std::nullopt;
    const std::uint64_t line = id - first_id_;
    const auto next = std::upper_bound(marks_.begin(), marks_.end(), line,
                                       [](std::uint64_t l, const mark& m) { return l < m.line; });
    const mark& here = *(next - 1);
    record_block block;
    block.begin = here.offset;
    block.first_id = first_id_ + here.line;
    if (next != marks_.end()) {
        block.end = next->offset;
        block.end_id = first_id_ + next->line;
        block.complete = true;
    } else {
        block.end = bytes_;
        block.end_id = end_id();
        // The next record will start at bytes_: if that is in another stretch, this one is done.
        block.complete = bytes_ / stride != here.offset / stride;
    }
    return block;
}

}  // namespace livelogd::storage
