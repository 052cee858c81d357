// SPDX-License-Identifier: MIT
// The right under which a request was let in, for whoever answers it longer than a moment.
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>

namespace livelogd::http {

/// Shared by the table of sessions and the streams that were let in with it. Any thread.
class grant {
  public:
    using clock = std::chrono::steady_clock;

    /// Holds until `until`, if it is used at least every `idle`.
    grant(clock::time_point now, clock::time_point until, clock::duration idle)
        : until_(until), idle_(idle), used_(now.time_since_epoch().count()) {}

    /// Whether it holds at `now`. Asking is using it.
    bool use(clock::time_point now) {
        if (!holds(now)) return false;
        used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        return true;
    }

    [[nodiscard]] bool holds(clock::time_point now) const {
        return !source_.stop_requested() && now < until_ && now - used() < idle_;
    }

    [[nodiscard]] clock::time_point used() const {
        return clock::time_point(clock::duration(used_.load(std::memory_order_relaxed)));
    }

    /// For good. Wakes the streams that hold it.
    void end() { source_.request_stop(); }
    [[nodiscard]] std::stop_token ended() const { return source_.get_token(); }

  private:
    const clock::time_point until_;
    const clock::duration idle_;
    std::atomic<clock::rep> used_;
    std::stop_source source_;
};

}  // namespace livelogd::http
