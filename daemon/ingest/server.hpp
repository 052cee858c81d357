// SPDX-License-Identifier: MIT
// The ingest socket: its connections, their limits, their end.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/ingest/client_ledger.hpp"
#include "daemon/ingest/sender_notes.hpp"
#include "daemon/ingest/session.hpp"
#include "daemon/net/acceptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_set>

namespace livelogd::ingest {

/// Owned by the application; must outlive the I/O threads. State lives on its own strand; members: any
/// thread.
class server {
  public:
    server(net::asio::io_context& context, net::listen_socket socket, session_context sessions,
           std::size_t max_connections, base::report_sink report);

    [[nodiscard]] const net::listen_address& address() const { return acceptor_->address(); }

    void start();

    /// Accepts no more, lets every session take in what has reached it until `deadline`, then calls `done`,
    /// on the strand. Senders that wait to be told what became of their lines stay connected.
    void stop(std::chrono::steady_clock::time_point deadline, std::function<void()> done);

    /// After stop, once the log has stopped: tells the senders what there is to tell, as far as they take it
    /// at once, and closes all connections; then calls `done`, on the strand.
    void finish(std::function<void()> done);

  private:
    void admit(net::stream_socket socket);
    void note_sender(net::stream_socket& socket);
    void read_ended();
    void ended(const std::shared_ptr<session>& one);
    void watch_half_lines();

    net::asio::any_io_executor strand_;
    session_context context_;
    const std::size_t max_connections_;
    base::report_sink report_;
    net::asio::steady_timer watch_;
    std::shared_ptr<net::acceptor> acceptor_;
    client_ledger clients_;  ///< outlives the sessions
    std::unordered_set<std::shared_ptr<session>> sessions_;
    sender_notes notes_;
    std::size_t readers_ = 0;  ///< sessions that may still hand something over
    bool full_ = false;
    bool full_told_ = false;
    bool stopping_ = false;
    std::chrono::steady_clock::time_point deadline_{};
    std::function<void()> all_read_;   ///< what stop is to call
    std::function<void()> all_ended_;  ///< what finish is to call
};

}  // namespace livelogd::ingest
