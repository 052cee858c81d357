// SPDX-License-Identifier: MIT
// Where a stream has to start to show the newest matching records first.
#pragma once

#include "daemon/query/record_search.hpp"

#include <chrono>
#include <cstddef>

namespace livelogd::query {

/// A search that can be made in pieces, so that whoever waits for it can say in between that it is alive. One
/// thread at a time; blocks on the disk.
class replay_search {
  public:
    /// `zone` and `lines` of the context must outlive the search.
    replay_search(storage::log_snapshot snapshot, filter::record_filter filter, std::size_t count,
                  search_context context);
    replay_search(const replay_search&) = delete;
    replay_search& operator=(const replay_search&) = delete;

    /// Searches until `deadline`; true once the position is known. Throws summary::stopped or
    /// std::system_error.
    bool advance(std::chrono::steady_clock::time_point deadline);

    /// The largest id such that `count` matching records (or all, if there are fewer) have larger ids.
    [[nodiscard]] protocol::record_id position() const { return position_; }

  private:
    const storage::log_snapshot snapshot_;
    const filter::record_filter filter_;
    std::size_t wanted_;  ///< matching records still to be found
    backward_search search_;
    protocol::record_id position_;
};

}  // namespace livelogd::query
