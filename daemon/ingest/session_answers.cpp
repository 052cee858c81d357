// SPDX-License-Identifier: MIT
// What a session tells a sender that has said hello.
#include "daemon/ingest/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <poll.h>

#include <exception>
#include <utility>

namespace livelogd::ingest {
namespace {

/// How often a session that only waits to acknowledge looks whether its sender is still there.
constexpr auto presence_poll = std::chrono::seconds(1);

}  // namespace

/// Called from within the intake, in the turn that brings the first line. The turn of `lines_` begins here.
acknowledged_lines* session::greeted(const protocol::first_line& greeting) {
    const auto* hello = std::get_if<protocol::hello>(&greeting);
    lines_.emplace(hello != nullptr ? *hello : protocol::hello{}, clients_);
    if (const auto* refused = std::get_if<protocol::refused_hello>(&greeting))
        lines_->refuse(refused->reason);
    watch_.emplace(context_.to_log.stored(), [weak = weak_from_this(), executor = socket_.get_executor()] {
        net::asio::post(executor, [weak] {
            if (const auto self = weak.lock()) self->wake_answers();
        });
    });
    auto self = shared_from_this();
    auto body = [self]() -> net::awaitable<void> { co_await self->answer(); };
    // Not within the turn: it asks for the lock of the client's lines.
    net::asio::post(socket_.get_executor(), [self, body = std::move(body)]() mutable {
        net::asio::co_spawn(self->socket_.get_executor(), std::move(body),
                            [self](const std::exception_ptr& error) {
                                if (error) self->report_failure(error);
                                self->coroutine_ended();
                            });
    });
    ++coroutines_;
    if (lines_->refused()) return nullptr;
    // Of lines that were taken before, and then were only to be written, it wants to know now.
    if (lines_->durable()) context_.to_log.sync_soon();
    return &*lines_;
}

net::awaitable<void> session::answer() {
    net::error_code error;
    socket_.non_blocking(true, error);
    const auto& log = context_.to_log.stored();
    for (;;) {
        if (answer_.empty()) lines_->compose(log, answer_);
        if (!answer_.empty()) {
            const auto sent = socket_.write_some(net::asio::buffer(answer_), error);
            if (!error) {
                answer_.erase(0, sent);
                continue;
            }
            // A sender that is gone is noticed by the reader too, once it has read what is left of it.
            if (error != net::asio::error::would_block || finishing_) co_return;
            co_await socket_.async_wait(net::stream_socket::wait_write, net::as_result);
            continue;
        }
        if (has_said_all()) co_return;
        if (!reads_ && peer_is_gone()) co_return;
        const bool waits = lines_->await(*watch_);
        if (!waits && !lines_->all_acknowledged()) continue;
        if (reads_) {
            news_.expires_at(net::asio::steady_timer::time_point::max());
        } else {
            news_.expires_after(presence_poll);
        }
        co_await news_.async_wait(net::as_result);
    }
}

bool session::has_said_all() const {
    if (finishing_ || lines_->refused()) return true;
    return !reads_ && lines_->all_acknowledged();
}

/// Whether the sender has closed both directions. One that has closed only its own still wants to be told.
bool session::peer_is_gone() {
    pollfd looked_at{socket_.native_handle(), 0, 0};
    return ::poll(&looked_at, 1, 0) > 0 && (looked_at.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void session::wake_answers() {
    news_.cancel();
}

}  // namespace livelogd::ingest
