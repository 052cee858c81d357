// SPDX-License-Identifier: MIT
#include "daemon/net/acceptor.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <unistd.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace livelogd::net {
namespace {

/// How long to wait before trying again: short enough that nobody notices, long enough that waiting costs no
/// CPU time.
constexpr auto trouble_pause = std::chrono::milliseconds(100);

/// Connections that are taken from the system's queue at a stop: as many as it holds.
constexpr int most_waiting = 1024;

/// The listening socket itself is at fault. Everything else passes, says accept(2).
bool is_final(const error_code& error) {
    namespace errc = boost::system::errc;
    return error == errc::bad_file_descriptor || error == errc::invalid_argument
           || error == errc::not_a_socket;
}

/// An acceptor on a copy of the descriptor: the listen_socket keeps its own for the clean-up.
asio::basic_socket_acceptor<stream_protocol> adopt(const asio::any_io_executor& executor,
                                                   const listen_socket& socket) {
    return {executor, stream_protocol(socket.family(), 0), ::dup(socket.fd())};
}

}  // namespace

acceptor::acceptor(asio::io_context& context, listen_socket socket, connection_sink sink,
                   base::report_sink report)
    : context_(context),
      socket_(std::move(socket)),
      strand_(asio::make_strand(context)),
      acceptor_(adopt(strand_, socket_)),
      timer_(strand_),
      sink_(std::move(sink)),
      report_(std::move(report)) {}

void acceptor::start() {
    auto self = shared_from_this();
    auto loop = [self]() -> awaitable<void> { co_await self->run(); };
    asio::co_spawn(strand_, std::move(loop), [self](const std::exception_ptr& error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const std::exception& e) {
            self->report_(base::severity::error,
                          "no longer accepting on " + self->address().text() + ": " + e.what());
        }
        self->ended_ = true;
        if (self->stopped_) self->finish();
    });
}

awaitable<void> acceptor::run() {
    bool trouble_told = false;
    while (!stopped_) {
        if (paused_) {
            timer_.expires_at(asio::steady_timer::time_point::max());
            co_await timer_.async_wait(as_result);
            continue;
        }
        auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(context_), as_result);
        if (!error) {
            // Also when a stop has come meanwhile: who has been accepted is not turned away.
            trouble_told = false;
            sink_(std::move(socket));
        } else if (error == asio::error::operation_aborted) {
            continue;
        } else if (is_final(error)) {
            throw boost::system::system_error(error);
        } else if (error != asio::error::connection_aborted) {
            // Descriptors or memory have run out, or the network has an error waiting on the new connection.
            if (!trouble_told) {
                report_(base::severity::error, "cannot accept on " + address().text() + ": " + error.message()
                                                   + "; trying on (if it is the limit of open files: raise it, or lower "
                                                     "the limits of connections)");
            }
            trouble_told = true;
            timer_.expires_after(trouble_pause);
            co_await timer_.async_wait(as_result);
        }
    }
}

void acceptor::pause(bool paused) {
    asio::post(strand_, [self = shared_from_this(), paused] {
        self->paused_ = paused;
        if (!paused) {
            self->timer_.cancel();
        } else {
            error_code ignored;
            self->acceptor_.cancel(ignored);
        }
    });
}

void acceptor::stop(bool take, std::function<void()> done) {
    asio::post(strand_, [self = shared_from_this(), take, done = std::move(done)]() mutable {
        self->stopped_ = true;
        self->takes_waiting_ = take;
        self->done_ = std::move(done);
        error_code ignored;
        self->acceptor_.cancel(ignored);
        self->timer_.cancel();
        if (self->ended_) self->finish();
    });
}

void acceptor::finish() {
    if (takes_waiting_) take_waiting();
    error_code ignored;
    acceptor_.close(ignored);
    socket_.close();
    std::exchange(done_, nullptr)();
}

void acceptor::take_waiting() {
    error_code error;
    acceptor_.non_blocking(true, error);
    for (int i = 0; i < most_waiting && !error; ++i) {
        auto socket = acceptor_.accept(asio::make_strand(context_), error);
        if (!error) sink_(std::move(socket));
    }
}

}  // namespace livelogd::net
