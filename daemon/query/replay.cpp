// SPDX-License-Identifier: MIT
#include "daemon/query/replay.hpp"

#include <utility>

namespace livelogd::query {

replay_search::replay_search(storage::log_snapshot snapshot, filter::record_filter filter, std::size_t count,
                             search_context context)
    : snapshot_(std::move(snapshot)),
      filter_(std::move(filter)),
      wanted_(count),
      search_(snapshot_, filter_, {}, std::move(context)),
      position_(snapshot_.next_id - 1) {}

bool replay_search::advance(std::chrono::steady_clock::time_point deadline) {
    search_.set_deadline(deadline);
    found_record record;
    while (wanted_ > 0) {
        switch (search_.next(record)) {
            case search_step::found:
                position_ = record.id - 1;
                --wanted_;
                break;
            case search_step::end:
                position_ = snapshot_.oldest_id() - 1;
                wanted_ = 0;
                break;
            case search_step::out_of_time:
                return false;
        }
    }
    return true;
}

}  // namespace livelogd::query
