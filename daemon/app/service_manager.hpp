// SPDX-License-Identifier: MIT
// Telling the service manager (systemd) how the daemon is.
#pragma once

#include "daemon/app/environment.hpp"
#include "daemon/base/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace livelogd::app {

/// The sending side of the protocol of sd_notify(3): datagrams of `KEY=value` lines to the socket that
/// NOTIFY_SOCKET names. Where there is none everything here does nothing. Owned by the application; members:
/// any thread, none blocks.
class service_manager {
  public:
    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    explicit service_manager(environment variables);

    [[nodiscard]] bool listens() const { return static_cast<bool>(socket_); }

    /// After this much time without still_alive() the service manager takes the daemon for hung and ends it.
    /// None: it does not watch.
    [[nodiscard]] std::optional<std::chrono::microseconds> patience() const { return patience_; }

    void ready() const { send("READY=1"); }
    /// A reload has begun; ready() tells that it is over.
    void reloading() const;
    void stopping() const { send("STOPPING=1"); }
    void still_alive() const { send("WATCHDOG=1"); }
    /// One line, for `systemctl status`. Control characters are replaced.
    void status(std::string_view line) const;

  private:
    void send(std::string_view message) const;

    base::unique_fd socket_;  ///< connected; -1: nobody listens
    std::optional<std::chrono::microseconds> patience_;
};

}  // namespace livelogd::app
