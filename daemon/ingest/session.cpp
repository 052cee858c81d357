// SPDX-License-Identifier: MIT
#include "daemon/ingest/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>

#include <exception>
#include <string_view>
#include <utility>

namespace livelogd::ingest {
namespace {

using clock = std::chrono::steady_clock;

/// One turn reads at most this much: a flooding sender delays the others by one turn.
constexpr std::size_t turn_bytes = 256u << 10;

/// How often a session looks whether its line may grow again while memory for half-received lines is scarce.
constexpr auto scarce_poll = std::chrono::milliseconds(20);

/// How long draining waits for the rest of a line that is under way.
constexpr auto line_patience = std::chrono::milliseconds(200);
constexpr auto line_poll = std::chrono::milliseconds(5);

}  // namespace

session::session(net::stream_socket socket, session_context context, client_ledger& clients)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      clients_(clients),
      intake_(context_.max_record_bytes, context_.count,
              [this](const protocol::first_line& greeting) { return greeted(greeting); }),
      share_(context_.budget),
      timer_(socket_.get_executor()),
      // Not zeroed: pages that no byte arrives in cost nothing.
      buffer_(std::make_unique_for_overwrite<char[]>(turn_bytes)),
      news_(socket_.get_executor()) {}

void session::start(callbacks tell) {
    tell_ = std::move(tell);
    coroutines_ = 1;
    auto self = shared_from_this();
    auto body = [self]() -> net::awaitable<void> { co_await self->read(); };
    // Whatever ends a session ends this connection only.
    net::asio::co_spawn(socket_.get_executor(), std::move(body),
                        [self](const std::exception_ptr& error) { self->reading_ended(error); });
}

net::awaitable<void> session::read() {
    while (!draining_ && reads_) {
        co_await wait_for_room();
        if (draining_ || !reads_) break;
        const auto buffer = net::asio::buffer(buffer_.get(), turn_bytes);
        const auto [error, size] = co_await socket_.async_read_some(buffer, net::as_result);
        if (error == net::asio::error::operation_aborted) continue;
        if (error) {
            take_end();
            co_return;
        }
        take(size);
    }
    if (reads_) co_await take_rest();
}

net::awaitable<void> session::wait_for_room() {
    auto& gate = context_.to_log.intake_gate();
    waiting_ = true;
    while (!draining_ && !gate.open()) {
        co_await gate.async_wait_open(socket_.get_executor(), net::as_result);
    }
    while (!draining_ && !share_.may_grow()) {
        timer_.expires_after(scarce_poll);
        co_await timer_.async_wait(net::as_result);
    }
    if (waiting_) heard_ = clock::now();
    waiting_ = false;
}

/// From now on the sender's writes fail, so that it knows; what it had written before is still there, no more
/// than a socket holds.
net::awaitable<void> session::take_what_is_written() {
    net::error_code error;
    socket_.shutdown(net::stream_socket::shutdown_receive, error);
    while (reads_ && !error) {
        const auto size = socket_.read_some(net::asio::buffer(buffer_.get(), turn_bytes), error);
        if (error) break;
        take(size);
        co_await net::asio::post(net::as_result);  // others' turn
    }
}

net::awaitable<void> session::take_rest() {
    net::error_code error;
    net::asio::socket_base::bytes_readable command;
    socket_.io_control(command, error);
    const std::size_t arrived = error ? 0 : command.get();
    socket_.non_blocking(true, error);
    std::size_t taken = 0;
    auto patience_ends = clock::now() + line_patience;
    bool ends = false;  // a line does, behind what had arrived: of a flooding sender no more is wanted
    while (reads_ && !ends && (taken < arrived || intake_.has_partial_line()) && clock::now() < deadline_) {
        const auto size = socket_.read_some(net::asio::buffer(buffer_.get(), turn_bytes), error);
        if (error == net::asio::error::would_block) {
            if (!intake_.has_partial_line() || clock::now() >= patience_ends) break;
            timer_.expires_after(line_poll);
            co_await timer_.async_wait(net::as_result);
        } else if (error) {
            take_end();
            co_return;
        } else {
            taken += size;
            ends = taken >= arrived
                   && std::string_view(buffer_.get(), size).find('\n') != std::string_view::npos;
            take(size);
            patience_ends = clock::now() + line_patience;
            co_await net::asio::post(net::as_result);  // others' turn
        }
    }
    // Who waits for acknowledgements sends again what is not acknowledged.
    if (!lines_) co_await take_what_is_written();
    if (lines_) {
        intake_.leave_unfinished();
        co_return;
    }
    storage::record_batch batch;
    const auto rules = context_.rules.load();
    intake_.abandon("the daemon stopped before the line had ended", *rules, batch);
    // Tells of a line that was being skipped because it is too long.
    intake_.finish(*rules, batch);
    context_.to_log.submit(std::move(batch));
}

void session::take(std::size_t size) {
    context_.count.bytes.fetch_add(size, std::memory_order_relaxed);
    storage::record_batch batch;
    if (lines_) lines_->begin_turn();
    intake_.feed({buffer_.get(), size}, *context_.rules.load(), batch);
    note_partial_line();
    hand_over(std::move(batch));
}

void session::hand_over(storage::record_batch batch) {
    if (!lines_) {
        context_.to_log.submit(std::move(batch));
        return;
    }
    std::optional<protocol::record_id> end_id;
    if (!batch.empty()) {
        batch.durable = lines_->durable();
        end_id = context_.to_log.submit(std::move(batch));
    }
    lines_->end_turn(end_id);
    if (lines_->refused()) reads_ = false;
    wake_answers();
}

/// The sender has closed its end.
void session::take_end() {
    if (lines_) {
        intake_.leave_unfinished();
        return;
    }
    storage::record_batch batch;
    intake_.finish(*context_.rules.load(), batch);
    context_.to_log.submit(std::move(batch));
}

void session::note_partial_line() {
    heard_ = clock::now();
    share_.set(intake_.held_bytes());
}

void session::drain(clock::time_point deadline) {
    net::asio::post(socket_.get_executor(), [self = shared_from_this(), deadline] {
        self->draining_ = true;
        self->deadline_ = deadline;
        self->timer_.cancel();
        net::error_code ignored;
        self->socket_.cancel(ignored);
    });
}

void session::finish() {
    net::asio::post(socket_.get_executor(), [self = shared_from_this()] {
        self->finishing_ = true;
        self->news_.cancel();
        net::error_code ignored;
        self->socket_.cancel(ignored);
    });
}

void session::give_up_line_silent_for(clock::duration age) {
    net::asio::post(socket_.get_executor(), [self = shared_from_this(), age] {
        // While the session itself waits for room, the silence is not the sender's.
        if (!self->reads_ || !self->intake_.has_partial_line() || self->waiting_
            || clock::now() - self->heard_ < age)
            return;
        constexpr std::string_view reason =
            "the line was left unfinished for too long while memory for such lines was scarce";
        if (self->lines_) {
            // Its sender still has it: better sent again than told as malformed.
            self->intake_.leave_unfinished();
            self->lines_->refuse(std::string(reason));
            self->reads_ = false;
            net::error_code ignored;
            self->socket_.cancel(ignored);
            self->wake_answers();
        } else {
            storage::record_batch batch;
            self->intake_.abandon(reason, *self->context_.rules.load(), batch);
            self->context_.to_log.submit(std::move(batch));
        }
        self->note_partial_line();
    });
}

void session::reading_ended(const std::exception_ptr& error) {
    if (error) {
        report_failure(error);
        if (lines_) lines_->abort_turn();
        finishing_ = true;
    }
    reads_ = false;
    share_.set(0);
    buffer_.reset();
    std::exchange(tell_.on_read_end, nullptr)();
    news_.cancel();
    coroutine_ended();
}

void session::coroutine_ended() {
    if (--coroutines_ > 0) return;
    net::error_code ignored;
    socket_.close(ignored);
    // What is shared may be gone before the last one to hold the session lets go of it.
    watch_.reset();
    lines_.reset();
    std::exchange(tell_.on_end, nullptr)();
}

void session::report_failure(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        context_.report(base::severity::error,
                        std::string("a sender's connection ended, and records that it had sent "
                                    "may be lost: ")
                            + e.what());
    }
}

}  // namespace livelogd::ingest
