// SPDX-License-Identifier: MIT
// Accepting connections, for ingest and HTTP alike.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/net/listen_socket.hpp"
#include "daemon/net/types.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>

namespace livelogd::net {

/// Accepts on one listening socket, on a strand of its own, until stop(). Each connection gets a new strand,
/// which is its socket's executor. Owned by a server; shared with its own pending operations.
class acceptor : public std::enable_shared_from_this<acceptor> {
  public:
    /// Takes one connection. Called on the acceptor's strand.
    using connection_sink = std::function<void(stream_socket)>;

    acceptor(asio::io_context& context, listen_socket socket, connection_sink sink, base::report_sink report);

    [[nodiscard]] const listen_address& address() const { return socket_.address(); }

    /// Any thread.
    void start();

    /// While paused, connections wait in the system's queue. Any thread.
    void pause(bool paused);

    /// Ends accepting and closes the socket, after handing over what already waits in the system's queue if
    /// `take_waiting`. Calls `done` on the strand. Any thread.
    /// `done` comes after the last connection has been handed over. After start().
    void stop(bool take_waiting, std::function<void()> done);

  private:
    awaitable<void> run();
    void take_waiting();
    void finish();

    asio::io_context& context_;
    listen_socket socket_;
    asio::any_io_executor strand_;
    asio::basic_socket_acceptor<stream_protocol> acceptor_;
    asio::steady_timer timer_;  ///< waits: while paused, or after the system ran out of descriptors
    connection_sink sink_;
    base::report_sink report_;
    bool paused_ = false;
    bool stopped_ = false;
    bool ended_ = false;  ///< run() is over
    bool takes_waiting_ = false;
    std::function<void()> done_;
};

}  // namespace livelogd::net
