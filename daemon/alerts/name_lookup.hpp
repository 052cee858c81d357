// SPDX-License-Identifier: MIT
// Addresses of a host name, without waiting for longer than one wants.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <vector>

namespace livelogd::alerts {

/// One look-up, on a thread of its own that nobody waits for: getaddrinfo(3) may take a minute and cannot be
/// interrupted, and must not hold up the daemon's end. Asked from one thread.
class name_lookup {
  public:
    name_lookup(const std::string& host, const std::string& port);

    [[nodiscard]] bool done() const;

    using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
    /// Once it is done: what was found. Throws boost::system::system_error if that is nothing.
    [[nodiscard]] endpoints result() const;

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace livelogd::alerts
