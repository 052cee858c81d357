// SPDX-License-Identifier: MIT
// A connection without a socket whose peer sends what it has, is given it in pieces, takes answers in pieces,
// and leaves when it is told to. Nothing here takes time.
#pragma once

#include "daemon/http/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace livelogd::fuzz {

/// Used by one thread, which also runs the io_context.
class split_connection final : public http::connection {
  public:
    /// `read_step`, `write_step`: most bytes that one call moves.
    split_connection(net::asio::io_context& context, std::string_view sent, std::size_t read_step,
                     std::size_t write_step)
        : executor_(context.get_executor()),
          readable_(executor_),
          sent_(sent),
          read_step_(read_step),
          write_step_(write_step) {}

    /// The session has read all there is and waits for more.
    [[nodiscard]] bool waits_for_input() const { return waiting_; }
    void peer_leaves() {
        left_ = true;
        readable_.cancel();
    }
    [[nodiscard]] const std::string& output() const { return output_; }
    [[nodiscard]] bool closed() const { return closed_; }
    /// Bytes written after the session had said that it was done.
    [[nodiscard]] bool written_after_end() const { return written_after_end_; }

    [[nodiscard]] net::asio::any_io_executor executor() const override { return executor_; }

    net::awaitable<read_result> read_some(net::asio::mutable_buffer into, duration) override {
        while (sent_.empty() && !left_ && !closed_) {
            waiting_ = true;
            readable_.expires_at(net::asio::steady_timer::time_point::max());
            co_await readable_.async_wait(net::as_result);
            waiting_ = false;
        }
        if (closed_) co_return read_result{net::asio::error::operation_aborted, 0};
        if (sent_.empty()) co_return read_result{net::asio::error::eof, 0};
        const auto size = std::min({into.size(), sent_.size(), read_step_});
        std::memcpy(into.data(), sent_.data(), size);
        sent_.remove_prefix(size);
        co_return read_result{{}, size};
    }

    std::size_t write_now(std::span<const net::asio::const_buffer> buffers, net::error_code& error) override {
        error = {};
        // A stream may be about to write when its peer leaves.
        if (ended_ || (closed_ && !left_)) written_after_end_ = true;
        if (closed_) error = net::asio::error::broken_pipe;
        // Every other time the peer's buffer is full.
        full_ = !full_ && write_step_ < no_step;
        if (full_ && !error) error = net::asio::error::would_block;
        if (error) return 0;
        std::size_t taken = 0;
        for (const auto& buffer : buffers) {
            const auto size = std::min(buffer.size(), write_step_ - taken);
            output_.append(static_cast<const char*>(buffer.data()), size);
            taken += size;
        }
        return taken;
    }

    net::awaitable<net::error_code> wait_writable(duration) override {
        co_await net::asio::post(executor_, net::asio::use_awaitable);
        if (closed_) co_return net::asio::error::operation_aborted;
        co_return net::error_code{};
    }

    void end_writing() override { ended_ = true; }
    void close() override {
        closed_ = true;
        readable_.cancel();
    }

    static constexpr std::size_t no_step = std::size_t{1} << 30;

  private:
    net::asio::any_io_executor executor_;
    net::asio::steady_timer readable_;
    std::string_view sent_;
    std::size_t read_step_;
    std::size_t write_step_;
    std::string output_;
    bool waiting_ = false;
    bool left_ = false;
    bool full_ = true;
    bool ended_ = false;
    bool closed_ = false;
    bool written_after_end_ = false;
};

}  // namespace livelogd::fuzz
