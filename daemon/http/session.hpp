// SPDX-License-Identifier: MIT
// The HTTP/1.1 conversation on one connection.
#pragma once

#include "daemon/http/access.hpp"
#include "daemon/http/connection.hpp"
#include "daemon/http/router.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

namespace livelogd::http {

struct session_limits {
    std::size_t header_bytes = 8u << 10;
    std::chrono::steady_clock::duration header_time = std::chrono::seconds(10);
    /// A client that takes nothing for this long is closed; also how long a connection may stay idle between
    /// requests.
    std::chrono::steady_clock::duration stall = std::chrono::seconds(60);
};

class authenticator;

using current_access = std::atomic<std::shared_ptr<const access_rules>>;

/// Reads requests and writes answers until either side has had enough. A free coroutine: nobody else needs a
/// handle. `routes` and `access` must outlive it. `overloaded`: answers 503 whatever is asked, and ends.
/// `who` knows who has the token; null: nobody is asked for one.
net::awaitable<void> run_session(std::shared_ptr<connection> client, const router& routes,
                                 const current_access& access, session_limits limits, bool overloaded,
                                 authenticator* who = nullptr);

}  // namespace livelogd::http
