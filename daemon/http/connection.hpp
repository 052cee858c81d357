// SPDX-License-Identifier: MIT
// What HTTP needs of a connection. The sessions know only this, so that tests can put a scripted one in its
// place.
#pragma once

#include "daemon/net/types.hpp"

#include <boost/asio/buffer.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace livelogd::http {

/// One accepted connection, on its own strand. Held by shared_ptr.
class connection {
  public:
    using duration = std::chrono::steady_clock::duration;
    static constexpr duration no_limit = duration::max();

    virtual ~connection() = default;

    [[nodiscard]] virtual net::asio::any_io_executor executor() const = 0;

    struct read_result {
        net::error_code error;  ///< asio::error::timed_out when `limit` has passed
        std::size_t size = 0;
    };
    /// Who is at the other end.
    struct peer_name {
        std::string address = {};  ///< numeric; empty for a Unix socket
        bool is_unix = false;
    };
    [[nodiscard]] virtual peer_name peer() const { return {}; }

    /// Reads what there is, at least one byte.
    virtual net::awaitable<read_result> read_some(net::asio::mutable_buffer into, duration limit) = 0;

    /// Writes what the system takes at once; asio::error::would_block if that is nothing.
    virtual std::size_t write_now(std::span<const net::asio::const_buffer> buffers,
                                  net::error_code& error) = 0;

    /// Waits until write_now has a chance; asio::error::timed_out when `limit` has passed.
    virtual net::awaitable<net::error_code> wait_writable(duration limit) = 0;

    /// No more will be written; the peer may still be sending.
    virtual void end_writing() = 0;

    /// Ends everything, pending operations included. May be called twice.
    virtual void close() = 0;
};

/// Writes all of `bytes`, waiting at most `stall` each time the peer takes nothing.
net::awaitable<net::error_code> write_all(connection& to, std::string_view bytes, connection::duration stall);

}  // namespace livelogd::http
