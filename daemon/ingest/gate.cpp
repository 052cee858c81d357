// SPDX-License-Identifier: MIT
#include "daemon/ingest/gate.hpp"

#include <boost/asio/post.hpp>

namespace livelogd::ingest {

bool gate::open() const {
    const std::lock_guard lock(mutex_);
    return is_open();
}

void gate::wait(net::asio::any_io_executor reader, handler done) {
    std::vector<waiter> through;
    {
        const std::lock_guard lock(mutex_);
        auto& list = is_open() ? through : waiters_;
        list.push_back({std::move(reader), std::move(done)});
    }
    wake(std::move(through));
}

void gate::add(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
}

void gate::remove(std::uint64_t bytes) {
    std::vector<waiter> through;
    {
        const std::lock_guard lock(mutex_);
        bytes_ -= bytes;
        if (bytes_ <= limit_ / 2) through.swap(waiters_);
    }
    wake(std::move(through));
}

void gate::set_failing(bool failing) {
    std::vector<waiter> through;
    {
        const std::lock_guard lock(mutex_);
        limit_ = failing ? most_.failing : most_.flowing;
        if (is_open()) through.swap(waiters_);
    }
    wake(std::move(through));
}

void gate::hold_open() {
    std::vector<waiter> through;
    {
        const std::lock_guard lock(mutex_);
        held_open_ = true;
        through.swap(waiters_);
    }
    wake(std::move(through));
}

void gate::wake(std::vector<waiter> waiters) {
    for (auto& w : waiters) {
        net::asio::post(w.reader,
                        [done = std::move(w.done)]() mutable { std::move(done)(net::error_code{}); });
    }
}

}  // namespace livelogd::ingest
