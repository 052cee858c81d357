// SPDX-License-Identifier: MIT
// When a rule fires.
#pragma once

#include "protocol/record_id.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace livelogd::alerts {

/// What a rule has seen when it fires.
struct firing {
    std::uint64_t hits = 0;  ///< records that fitted since the last firing, those of the quiet time included
    protocol::record_id first = 0;  ///< of the threshold's records
    protocol::record_id last = 0;
};

/// Counts the records that fit a rule. A value of one thread; pure: the caller tells the time. Holds at most
/// `threshold` places.
class hit_window {
  public:
    using clock = std::chrono::steady_clock;

    hit_window(std::uint64_t threshold, clock::duration window, clock::duration quiet)
        : threshold_(threshold), window_(window), quiet_(quiet) {}

    /// One more, at `now`, which never goes back. The firing, if this is the one that makes it.
    std::optional<firing> note(protocol::record_id id, clock::time_point now);

  private:
    struct hit {
        protocol::record_id id;
        clock::time_point at;
    };
    std::size_t threshold_;
    clock::duration window_;
    clock::duration quiet_;
    std::deque<hit> newest_;
    std::uint64_t since_firing_ = 0;
    std::optional<clock::time_point> silent_until_;
};

}  // namespace livelogd::alerts
