// SPDX-License-Identifier: MIT
#include "daemon/http/server.hpp"

#include "daemon/http/socket_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <exception>
#include <string>
#include <utility>

namespace livelogd::http {
namespace {

/// Connections over the limit that still get an answer (503); more are closed without one.
constexpr std::size_t refusals_at_once = 64;

}  // namespace

server::server(net::asio::io_context& context, const router& routes, const current_access& access,
               authenticator& who, session_limits limits, std::size_t max_connections, client_counters& count,
               base::report_sink report)
    : context_(context),
      strand_(net::asio::make_strand(context)),
      routes_(routes),
      access_(access),
      who_(who),
      limits_(limits),
      max_connections_(max_connections),
      count_(count),
      report_(std::move(report)),
      grace_(strand_) {}

void server::listen_on(net::listen_socket socket) {
    auto take = [this](net::stream_socket accepted) {
        net::asio::post(strand_, [this, s = std::move(accepted)]() mutable { admit(std::move(s)); });
    };
    acceptors_.push_back(
        std::make_shared<net::acceptor>(context_, std::move(socket), std::move(take), report_));
}

void server::start() {
    for (const auto& one : acceptors_)
        one->start();
}

void server::stop_accepting() {
    for (const auto& one : acceptors_)
        one->stop(false, [] {});
}

void server::admit(net::stream_socket socket) {
    const bool overloaded = connections_.size() >= max_connections_;
    count_.connected.fetch_add(1, std::memory_order_relaxed);
    if (overloaded) count_.refused.fetch_add(1, std::memory_order_relaxed);
    if (connections_.size() >= max_connections_ + refusals_at_once || done_)
        return;  // the socket closes itself
    if (overloaded && !std::exchange(full_told_, true)) {
        report_(base::severity::warning,
                "the limit of " + std::to_string(max_connections_)
                    + " HTTP connections is reached (max_http_connections): more are refused");
    }
    // Fails on Unix sockets, which do not need it.
    const int on = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    auto one = std::make_shared<socket_connection>(std::move(socket), count_);
    connections_.insert(one);
    count_.connections.store(connections_.size(), std::memory_order_relaxed);
    const auto executor = one->executor();
    // Whatever ends a conversation, an exception included (memory), ends this connection only.
    net::asio::co_spawn(executor, run_session(one, routes_, access_, limits_, overloaded, &who_),
                        [this, one](const std::exception_ptr&) {
                            one->close();
                            net::asio::post(strand_, [this, one] { ended(one); });
                        });
}

void server::ended(const std::shared_ptr<connection>& one) {
    connections_.erase(one);
    count_.connections.store(connections_.size(), std::memory_order_relaxed);
    if (connections_.empty() && done_) {
        grace_.cancel();
        std::exchange(done_, nullptr)();
    }
}

void server::stop(std::chrono::steady_clock::duration grace, std::function<void()> done) {
    net::asio::post(strand_, [this, grace, done = std::move(done)]() mutable {
        done_ = std::move(done);
        if (connections_.empty()) {
            std::exchange(done_, nullptr)();
            return;
        }
        grace_.expires_after(grace);
        grace_.async_wait([this](const net::error_code& error) {
            if (error) return;
            for (const auto& one : connections_)
                net::asio::post(one->executor(), [one] { one->close(); });
        });
    });
}

}  // namespace livelogd::http
