// SPDX-License-Identifier: MIT
// Whether the log takes in so much at the moment that what can wait should.
#pragma once

#include "protocol/record_id.hpp"

#include <chrono>
#include <optional>

namespace livelogd::summary {

/// A low priority does not help against what shares memory and caches: reading what is written once more
/// costs the writers of a burst a tenth, and no more than a moment later it costs them nothing. Pure; told
/// the time.
class burst_watch {
  public:
    using time_point = std::chrono::steady_clock::time_point;

    /// A burst is at least so many records a second: some hundred times what a busy model server logs.
    static constexpr double burst_rate = 40'000;
    /// What goes on for longer is no burst, and does not keep anything waiting.
    static constexpr std::chrono::seconds patience{2};
    /// Rates of shorter times would be those of single batches.
    static constexpr std::chrono::milliseconds shortest_look{50};

    burst_watch(protocol::record_id next_id, time_point now) : seen_id_(next_id), seen_at_(now) {}

    /// `next_id`: of the log, now.
    bool should_wait(protocol::record_id next_id, time_point now) {
        const std::chrono::duration<double> elapsed = now - seen_at_;
        if (elapsed >= shortest_look) {
            const bool busy = static_cast<double>(next_id - seen_id_) > burst_rate * elapsed.count();
            if (!busy) busy_since_.reset();
            if (busy && !busy_since_) busy_since_ = seen_at_;
            seen_id_ = next_id;
            seen_at_ = now;
        }
        return busy_since_ && now - *busy_since_ < patience;
    }

  private:
    protocol::record_id seen_id_;
    time_point seen_at_;
    std::optional<time_point> busy_since_;
};

}  // namespace livelogd::summary
