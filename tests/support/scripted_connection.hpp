// SPDX-License-Identifier: MIT
// A connection without a socket: the test says what the peer sends and how much it takes.
#pragma once

#include "daemon/http/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

namespace livelogd::test {

/// Used by one thread: the test's, which also runs the io_context.
class scripted_connection final : public http::connection {
  public:
    explicit scripted_connection(net::asio::io_context& context)
        : executor_(net::asio::make_strand(context)), readable_(executor_), writable_(executor_) {
        readable_.expires_at(never);
        writable_.expires_at(never);
    }

    // What the test does.
    void peer_sends(std::string_view bytes) {
        input_ += bytes;
        readable_.cancel();
    }
    void peer_closes() {
        ended_ = true;
        readable_.cancel();
    }
    /// The peer takes so many bytes more (at first: without limit).
    void peer_takes(std::size_t bytes) {
        room_ = bytes;
        writable_.cancel();
    }
    [[nodiscard]] const std::string& output() const { return output_; }
    std::string take_output() { return std::exchange(output_, {}); }
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] bool writing_ended() const { return writing_ended_; }

    // What a session does.
    [[nodiscard]] net::asio::any_io_executor executor() const override { return executor_; }

    net::awaitable<read_result> read_some(net::asio::mutable_buffer into, duration limit) override {
        while (input_.empty()) {
            if (closed_) co_return read_result{net::asio::error::operation_aborted, 0};
            if (ended_) co_return read_result{net::asio::error::eof, 0};
            const bool in_time = co_await woken(readable_, limit);
            if (!in_time) co_return read_result{net::asio::error::timed_out, 0};
        }
        const auto size = std::min(into.size(), input_.size());
        std::memcpy(into.data(), input_.data(), size);
        input_.erase(0, size);
        co_return read_result{{}, size};
    }

    std::size_t write_now(std::span<const net::asio::const_buffer> buffers, net::error_code& error) override {
        error = closed_ ? net::error_code(net::asio::error::broken_pipe) : net::error_code{};
        std::size_t taken = 0;
        for (const auto& buffer : buffers) {
            const auto size = std::min(buffer.size(), room_ - taken);
            output_.append(static_cast<const char*>(buffer.data()), size);
            taken += size;
        }
        room_ -= taken;
        if (taken == 0 && !error) error = net::asio::error::would_block;
        return taken;
    }

    net::awaitable<net::error_code> wait_writable(duration limit) override {
        while (room_ == 0) {
            if (closed_) co_return net::asio::error::operation_aborted;
            const bool in_time = co_await woken(writable_, limit);
            if (!in_time) co_return net::asio::error::timed_out;
        }
        co_return net::error_code{};
    }

    void end_writing() override { writing_ended_ = true; }
    void close() override {
        closed_ = true;
        readable_.cancel();
        writable_.cancel();
    }

  private:
    static constexpr auto never = net::asio::steady_timer::time_point::max();

    /// False if `limit` has passed before the timer was cancelled.
    static net::awaitable<bool> woken(net::asio::steady_timer& timer, duration limit) {
        if (limit == no_limit) {
            timer.expires_at(never);
        } else {
            timer.expires_after(limit);
        }
        const auto [error] = co_await timer.async_wait(net::as_result);
        co_return error == net::asio::error::operation_aborted;
    }

    net::asio::any_io_executor executor_;
    net::asio::steady_timer readable_;
    net::asio::steady_timer writable_;
    std::string input_;
    std::string output_;
    std::size_t room_ = std::numeric_limits<std::size_t>::max();
    bool ended_ = false;
    bool closed_ = false;
    bool writing_ended_ = false;
};

}  // namespace livelogd::test
