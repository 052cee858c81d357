// SPDX-License-Identifier: MIT
// The HTTP side: its listeners, its connections, their limits, their end.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/http/counters.hpp"
#include "daemon/http/session.hpp"
#include "daemon/net/acceptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace livelogd::http {

/// Owned by the application; must outlive the I/O threads. State lives on its own strand; members: any
/// thread.
class server {
  public:
    /// `routes`, `access`, `who` and `count` must outlive the server.
    server(net::asio::io_context& context, const router& routes, const current_access& access,
           authenticator& who, session_limits limits, std::size_t max_connections, client_counters& count,
           base::report_sink report);

    /// Before start().
    void listen_on(net::listen_socket socket);

    void start();

    /// Accepts no more. Streams end by themselves once the broadcaster is closed.
    void stop_accepting();

    /// Waits until every connection has ended, at most for `grace`, then closes those that are left. Calls
    /// `done` on the strand.
    void stop(std::chrono::steady_clock::duration grace, std::function<void()> done);

  private:
    void admit(net::stream_socket socket);
    void ended(const std::shared_ptr<connection>& one);

    net::asio::io_context& context_;
    net::asio::any_io_executor strand_;
    const router& routes_;
    const current_access& access_;
    authenticator& who_;
    const session_limits limits_;
    const std::size_t max_connections_;
    client_counters& count_;
    base::report_sink report_;
    net::asio::steady_timer grace_;
    std::vector<std::shared_ptr<net::acceptor>> acceptors_;
    std::unordered_set<std::shared_ptr<connection>> connections_;
    bool full_told_ = false;
    std::function<void()> done_;
};

}  // namespace livelogd::http
