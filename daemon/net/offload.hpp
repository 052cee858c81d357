// SPDX-License-Identifier: MIT
// Running blocking work away from the I/O threads.
#pragma once

#include "daemon/net/types.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>

#include <type_traits>
#include <utility>

namespace livelogd::net {

/// Threads for work that blocks or takes long: scans, catching up from files.
using worker_pool = boost::asio::thread_pool;

/// Runs `work` on the pool and resumes the caller on its own executor with the result, or the exception.
/// What `work` refers to must outlive it: capture shared ownership, not references to the caller's frame's
/// callers.
template <class Work>
awaitable<std::invoke_result_t<Work>> offload(worker_pool& pool, Work work) {
    using result = std::invoke_result_t<Work>;
    // Named before the co_await: g++ 12 may destroy captures of a temporary lambda twice (GCC bug 107288).
    auto task = [w = std::move(work)]() mutable -> awaitable<result> { co_return w(); };
    co_return co_await asio::co_spawn(pool.get_executor(), std::move(task), asio::use_awaitable);
}

}  // namespace livelogd::net
