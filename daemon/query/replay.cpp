// SPDX-License-Identifier: MIT
#include "daemon/query/replay.hpp"

#include "daemon/query/backward_search.hpp"
#include "daemon/storage/segment_index.hpp"

#include <utility>

namespace livelogd::query {

protocol::record_id replay_position(const storage::log_snapshot& snapshot,
                                    const filter::record_filter& filter, std::size_t count,
                                    std::stop_token stop) {
    if (count == 0) return snapshot.next_id - 1;
    backward_search search(snapshot, filter, false, std::move(stop));
    record_place place;
    for (std::size_t found = 0; found < count; ++found)
        if (!search.next(place)) return snapshot.oldest_id() - 1;
    // Lines that are no records have ids too, so the id is not told by counting matches: the lines before it
    // are counted.
    storage::segment_index lines_before(snapshot.segment(place.segment).first_id);
    lines_before.extend(search.file()->get(), place.offset);
    return lines_before.end_id() - 1;
}

}  // namespace livelogd::query
