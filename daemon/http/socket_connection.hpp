// SPDX-License-Identifier: MIT
// A connection over a TCP or Unix socket.
#pragma once

#include "daemon/http/connection.hpp"
#include "daemon/http/counters.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace livelogd::http {

class socket_connection final : public connection, public std::enable_shared_from_this<socket_connection> {
  public:
    /// `socket`: its executor is the strand everything happens on. `count` must outlive it.
    socket_connection(net::stream_socket socket, client_counters& count);

    [[nodiscard]] net::asio::any_io_executor executor() const override { return executor_; }
    [[nodiscard]] peer_name peer() const override { return peer_; }
    net::awaitable<read_result> read_some(net::asio::mutable_buffer into, duration limit) override;
    std::size_t write_now(std::span<const net::asio::const_buffer> buffers, net::error_code& error) override;
    net::awaitable<net::error_code> wait_writable(duration limit) override;
    void end_writing() override;
    void close() override;

  private:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr time_point never = time_point::max();

    void set_deadline(time_point& which, duration limit);
    void arm();
    [[nodiscard]] net::error_code verdict(net::error_code error) const;

    net::stream_socket socket_;
    client_counters& count_;
    net::asio::any_io_executor executor_;
    peer_name peer_;
    /// One timer for both directions. It is not moved for every operation: it fires, looks whether a deadline
    /// has really passed, and is set anew if not.
    net::asio::steady_timer timer_;
    time_point armed_for_ = never;
    time_point read_deadline_ = never;
    time_point write_deadline_ = never;
    bool timed_out_ = false;
};

}  // namespace livelogd::http
