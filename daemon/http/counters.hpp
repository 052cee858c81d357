// SPDX-License-Identifier: MIT
// What HTTP clients have been given, for whoever watches the daemon.
#pragma once

#include <atomic>
#include <cstdint>

namespace livelogd::http {

/// Of connections and streams; what is asked is counted by the router (request_counts.hpp). Owned by the
/// application. Any thread.
struct client_counters {
    std::atomic<std::uint64_t> connections{0};       ///< open now
    std::atomic<std::uint64_t> connected{0};         ///< that were accepted, those refused included
    std::atomic<std::uint64_t> refused{0};           ///< over max_http_connections: answered 503, or closed
    std::atomic<std::uint64_t> stalled{0};           ///< closed because they took nothing for stall_timeout
    std::atomic<std::uint64_t> streams{0};           ///< event streams open now
    std::atomic<std::uint64_t> streamed_records{0};  ///< that have gone out whole, over all streams
};

/// Counts one more as long as it lives.
class one_more {
  public:
    explicit one_more(std::atomic<std::uint64_t>& count) : count_(count) {
        count_.fetch_add(1, std::memory_order_relaxed);
    }
    ~one_more() { count_.fetch_sub(1, std::memory_order_relaxed); }
    one_more(const one_more&) = delete;
    one_more& operator=(const one_more&) = delete;

  private:
    std::atomic<std::uint64_t>& count_;
};

}  // namespace livelogd::http
