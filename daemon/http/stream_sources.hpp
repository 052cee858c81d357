// SPDX-License-Identifier: MIT
// What event streams read from.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/live/broadcaster.hpp"
#include "daemon/live/catch_up.hpp"
#include "daemon/live/shared_matches.hpp"
#include "daemon/net/offload.hpp"
#include "daemon/storage/line_ends.hpp"
#include "daemon/storage/log.hpp"

#include <stop_token>

namespace livelogd::http {

/// The parts outlive every stream.
struct stream_sources {
    const storage::log& log;
    live::broadcaster& live;
    live::catch_up& files;
    live::shared_matches& matches;
    storage::line_counts& lines;
    const base::time_zone& zone;     ///< of timestamps that name none
    net::worker_pool& workers;       ///< for searches, which may take long
    net::worker_pool& live_workers;  ///< for what keeps streams going: no search is in its way
    std::stop_token stopping;        ///< the daemon stops: reading from the files ends early
};

}  // namespace livelogd::http
