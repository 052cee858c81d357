// SPDX-License-Identifier: MIT
#include "daemon/alerts/delivery.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace livelogd::alerts {

using clock = std::chrono::steady_clock;

delivery::delivery(net::asio::any_io_executor executor, webhook_url url, std::chrono::milliseconds timeout,
                   patience times, alert_counts& count, failure_sink failed)
    : executor_(std::move(executor)),
      pause_(executor_),
      url_(std::move(url)),
      timeout_(timeout),
      times_(times),
      count_(count),
      failed_(std::move(failed)) {}

delivery::~delivery() {
    count_.waiting.fetch_sub(waiting_.size(), std::memory_order_relaxed);
}

void delivery::post(std::string body) {
    waiting_.push_back(std::move(body));
    count_.waiting.fetch_add(1, std::memory_order_relaxed);
    if (waiting_.size() > most_waiting) {
        // Not the one that is under way.
        std::swap(waiting_[0], waiting_[1]);
        drop_first(std::to_string(most_waiting) + " newer alerts wait");
    }
    if (std::exchange(runs_, true)) return;
    auto loop = [self = shared_from_this()]() -> net::awaitable<void> { co_await self->run(); };
    // Attempts report their failures as values; an exception can only be memory shortage.
    net::asio::co_spawn(executor_, std::move(loop),
                        [self = shared_from_this()](const std::exception_ptr&) { self->runs_ = false; });
}

void delivery::stop() {
    stopped_ = true;
    pause_.cancel();
}

net::awaitable<void> delivery::run() {
    while (!waiting_.empty())
        co_await deliver_first();
}

net::awaitable<void> delivery::deliver_first() {
    const auto began = clock::now();
    auto pause = times_.first_pause;
    for (;;) {
        if (stopped_) {
            drop_first("the daemon stops");
            co_return;
        }
        const auto body = waiting_.front();  // the queue may move meanwhile
        const auto result = co_await post_json(url_, body, timeout_);
        if (result.delivered()) {
            take_first_out(count_.delivered);
            co_return;
        }
        if (result.refused() || stopped_ || clock::now() + pause - began > times_.give_up) {
            const auto why = result.sentence();
            drop_first(why);
            co_return;
        }
        pause_.expires_after(pause);
        co_await pause_.async_wait(net::as_result);
        pause = std::min(2 * pause, times_.longest_pause);
    }
}

void delivery::drop_first(const std::string& why) {
    take_first_out(count_.undelivered);
    failed_(why);
}

void delivery::take_first_out(std::atomic<std::uint64_t>& outcome) {
    waiting_.pop_front();
    count_.waiting.fetch_sub(1, std::memory_order_relaxed);
    outcome.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace livelogd::alerts
