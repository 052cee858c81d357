// SPDX-License-Identifier: MIT
// `stats`: what the retained records of a window add up to. A full scan is the truth; summaries spare most of
// it, and the answer is the same.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/filter/record_filter.hpp"
#include "daemon/query/ordered_work.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/summary/summaries.hpp"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace livelogd::query {

struct stats_request {
    filter::record_filter filter = {};
    double hours = 24;
    std::size_t response_times = 1000;     ///< most values in api_stats.response_times
    std::size_t buckets = 0;               ///< parts of the timeline; 0: without
    std::vector<std::string> facets = {};  ///< fields whose values are counted
    std::int64_t now_us = 0;               ///< the window is [now - hours, ∞)
    std::int64_t orphan_after_us = 0;      ///< a request without response is orphaned from this age on
    std::string daemon = {};               ///< a JSON value that is the answer's `daemon`; empty: without
    bool strict = false;                   ///< a file that is shorter than the snapshot says is an error
};

/// What makes an answer sooner, and no different.
struct stats_help {
    summary::summaries* summaries = nullptr;  ///< null: everything is read
    helping_hands hands = {};                 ///< that read other segments meanwhile
};

/// The JSON object of the answer. Blocks on the disk. Throws summary::stopped, query::log_changed or
/// std::system_error.
std::string stats_answer(const storage::log_snapshot& snapshot, const stats_request& request,
                         const base::time_zone& zone, const std::stop_token& stop,
                         const stats_help& help = {});

}  // namespace livelogd::query
