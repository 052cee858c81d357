// SPDX-License-Identifier: MIT
// Where a stream has to start to show the newest matching records first.
#pragma once

#include "daemon/filter/record_filter.hpp"
#include "daemon/storage/log_snapshot.hpp"

#include <cstddef>
#include <stop_token>

namespace livelogd::query {

/// The largest id such that `count` matching records (or all, if there are fewer) have larger ids.
/// Blocks on the disk. Throws query::stopped or std::system_error.
protocol::record_id replay_position(const storage::log_snapshot& snapshot,
                                    const filter::record_filter& filter, std::size_t count,
                                    std::stop_token stop);

}  // namespace livelogd::query
