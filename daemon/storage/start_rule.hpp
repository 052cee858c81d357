// SPDX-License-Identifier: MIT
// Which id the log goes on with when it is opened.
#pragma once

#include "daemon/storage/log_state.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace livelogd::storage {

/// What is known when the log is opened.
struct start_facts {
    struct newest_segment {
        protocol::record_id first_id = 0;
        std::uint64_t records = 0;   ///< that are left in it
        bool lines_dropped = false;  ///< complete lines at its end were no records
        bool tail_in_place = false;  ///< a torn tail could not be removed: nothing may be appended
    };
    std::optional<newest_segment> newest;  ///< nothing: there are no segments
    std::optional<log_state> state;        ///< of the last stop
    std::string boot_id;                   ///< of this boot
    protocol::record_id now = 0;           ///< microseconds since 1970
};

struct start_decision {
    protocol::record_id next_id = 0;
    bool new_segment = false;  ///< else the newest one goes on
    std::optional<protocol::record_id>
        jumped_from;  ///< the next id by the files alone, where ids have jumped
};

/// Ids go on where the files end if nothing can have been lost that somebody has seen: after a clean stop, or
/// after the daemon was killed while the system ran on (what was written is still in the page cache). In all
/// other cases, and in doubt, they jump to the clock, so that no id comes to name a second record.
start_decision decide_start(const start_facts& facts);

}  // namespace livelogd::storage
