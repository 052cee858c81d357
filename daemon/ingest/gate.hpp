// SPDX-License-Identifier: MIT
// Backpressure: senders are read from only while what they sent can be stored.
#pragma once

#include "daemon/net/types.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace livelogd::ingest {

/// Counts bytes that are on their way to the log, and lets sessions wait while there are too many. Any
/// thread.
class gate {
  public:
    /// How many bytes are too many.
    struct limits {
        std::uint64_t flowing;  ///< while they are stored: more would only be a longer queue
        std::uint64_t failing;  ///< while they cannot be stored: what is taken in until it is over
    };

    /// Sessions wait from the limit on, and go on once half of it is left. Storing works at first.
    explicit gate(const limits& most) : most_(most), limit_(most.flowing) {}

    /// Whether what is on its way can be stored.
    void set_failing(bool failing);

    /// Whether a session may read on now.
    [[nodiscard]] bool open() const;

    /// Completes, on `reader`, once a session may read on.
    template <class Token>
    auto async_wait_open(net::asio::any_io_executor reader, Token&& token) {
        return net::asio::async_initiate<Token, void(net::error_code)>(
            [this, reader](auto done) { wait(reader, std::move(done)); }, token);
    }

    void add(std::uint64_t bytes);
    void remove(std::uint64_t bytes);

    /// Lets everybody through from now on: the daemon takes in the last bytes.
    void hold_open();

  private:
    using handler = net::asio::any_completion_handler<void(net::error_code)>;
    struct waiter {
        net::asio::any_io_executor reader;
        handler done;
    };
    void wait(net::asio::any_io_executor reader, handler done);
    /// With the mutex held.
    [[nodiscard]] bool is_open() const { return held_open_ || bytes_ < limit_; }
    static void wake(std::vector<waiter> waiters);

    const limits most_;
    mutable std::mutex mutex_;
    std::uint64_t limit_;  ///< that holds now
    std::uint64_t bytes_ = 0;
    bool held_open_ = false;
    std::vector<waiter> waiters_;
};

}  // namespace livelogd::ingest
