// SPDX-License-Identifier: MIT
// A sign of life for the service manager, and a line on how the daemon is.
#pragma once

#include "daemon/app/service_manager.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace livelogd::app {

/// What the line is made of.
struct daemon_state {
    std::uint64_t stored = 0;            ///< records written since the start
    std::uint64_t senders = 0;           ///< connected now
    std::uint64_t streams = 0;           ///< live streams open now
    std::optional<std::string> trouble;  ///< why storing fails; none: it does not
    std::uint64_t waiting = 0;           ///< records that are not written yet
};

/// `storing; 12,345 records since the start, 2 senders, 3 live streams`, or what is wrong.
std::string status_line(const daemon_state& now);

/// Beats on the I/O threads, so that the beat ends when they hang: then the service manager ends the daemon
/// and starts it anew. Twice in the service manager's patience, and every few seconds where it only wants the
/// line. Owned by the application; lives on the strand it is given.
class heartbeat {
  public:
    heartbeat(const net::asio::any_io_executor& strand, const service_manager& manager,
              std::function<daemon_state()> state);

    /// On the strand, or before it runs.
    void start();
    /// On the strand.
    void stop();

  private:
    void beat();

    net::asio::steady_timer timer_;
    const service_manager& manager_;
    std::function<daemon_state()> state_;
    std::chrono::steady_clock::duration period_;
    std::string told_;  ///< the line that was sent last: it is sent when it changes
    bool stopped_ = false;
};

}  // namespace livelogd::app
