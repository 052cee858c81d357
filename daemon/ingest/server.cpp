// SPDX-License-Identifier: MIT
#include "daemon/ingest/server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace livelogd::ingest {
namespace {

/// A connection may sit on half a line for this long while memory for such lines is scarce.
constexpr auto half_line_patience = std::chrono::seconds(30);
constexpr auto watch_interval = std::chrono::seconds(1);

}  // namespace

server::server(net::asio::io_context& context, net::listen_socket socket, session_context sessions,
               std::size_t max_connections, base::report_sink report)
    : strand_(net::asio::make_strand(context)),
      context_(std::move(sessions)),
      max_connections_(max_connections),
      report_(std::move(report)),
      watch_(strand_),
      acceptor_(std::make_shared<net::acceptor>(
          context, std::move(socket),
          [this](net::stream_socket accepted) {
              net::asio::post(strand_, [this, s = std::move(accepted)]() mutable { admit(std::move(s)); });
          },
          report_)) {}

void server::start() {
    acceptor_->start();
    net::asio::post(strand_, [this] { watch_half_lines(); });
}

/// Who has connected, as the system knows it: what a sender says of itself is in its records.
void server::note_sender(net::stream_socket& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
    if (peer.uid != ::geteuid()) context_.count.of_other_users.fetch_add(1, std::memory_order_relaxed);
    const auto note = notes_.connected(peer.pid, peer.uid, std::chrono::steady_clock::now());
    if (note) report_(base::severity::info, *note);
}

void server::admit(net::stream_socket socket) {
    note_sender(socket);
    auto one = std::make_shared<session>(std::move(socket), context_, clients_);
    sessions_.insert(one);
    context_.count.connected.fetch_add(1, std::memory_order_relaxed);
    context_.count.connections.store(sessions_.size(), std::memory_order_relaxed);
    ++readers_;
    one->start({[this] { net::asio::post(strand_, [this] { read_ended(); }); },
                [this, one] { net::asio::post(strand_, [this, one] { ended(one); }); }});
    if (stopping_) {
        one->drain(deadline_);
    } else if (!full_ && sessions_.size() >= max_connections_) {
        full_ = true;
        acceptor_->pause(true);
        if (!full_told_) {
            report_(base::severity::warning,
                    "the limit of " + std::to_string(max_connections_)
                        + " senders is reached (max_ingest_connections): more have to wait");
        }
        full_told_ = true;
    }
}

void server::read_ended() {
    --readers_;
    if (stopping_ && readers_ == 0 && all_read_) std::exchange(all_read_, nullptr)();
}

void server::ended(const std::shared_ptr<session>& one) {
    sessions_.erase(one);
    context_.count.connections.store(sessions_.size(), std::memory_order_relaxed);
    if (full_ && !stopping_ && sessions_.size() < max_connections_) {
        full_ = false;
        acceptor_->pause(false);
    }
    if (sessions_.empty() && all_ended_) std::exchange(all_ended_, nullptr)();
}

void server::stop(std::chrono::steady_clock::time_point deadline, std::function<void()> done) {
    context_.to_log.intake_gate().hold_open();
    // The acceptor hands over what waits in the system's queue before it reports its end: by then admit() is
    // posted.
    acceptor_->stop(true, [this, deadline, done = std::move(done)]() mutable {
        net::asio::post(strand_, [this, deadline, done = std::move(done)]() mutable {
            stopping_ = true;
            deadline_ = deadline;
            all_read_ = std::move(done);
            watch_.cancel();
            for (const auto& one : sessions_)
                one->drain(deadline);
            if (readers_ == 0) std::exchange(all_read_, nullptr)();
        });
    });
}

void server::finish(std::function<void()> done) {
    net::asio::post(strand_, [this, done = std::move(done)]() mutable {
        all_ended_ = std::move(done);
        for (const auto& one : sessions_)
            one->finish();
        if (sessions_.empty()) std::exchange(all_ended_, nullptr)();
    });
}

void server::watch_half_lines() {
    watch_.expires_after(watch_interval);
    watch_.async_wait([this](const net::error_code& error) {
        if (error || stopping_) return;
        if (context_.budget.scarce()) {
            for (const auto& one : sessions_)
                one->give_up_line_silent_for(half_line_patience);
        }
        watch_half_lines();
    });
}

}  // namespace livelogd::ingest
