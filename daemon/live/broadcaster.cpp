// SPDX-License-Identifier: MIT
#include "daemon/live/broadcaster.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <utility>

namespace livelogd::live {
namespace {

/// Deadlines are met to this precision: they only pace heartbeats.
constexpr auto clock_tick = std::chrono::milliseconds(250);

/// One answer hands out about this much: enough to fill a socket's buffer.
constexpr std::size_t answer_bytes = 1u << 20;
constexpr std::size_t answer_batches = 64;

}  // namespace

void subscription::pull(protocol::record_id position, time_point deadline, bool takes_status, handler done) {
    broadcaster::waiter waiter{
        position, deadline,       status_told_, takes_status, std::exchange(told_last_, false),
        reader_,  std::move(done)};
    net::asio::post(owner_->strand_, [owner = owner_, key = key_, w = std::move(waiter)]() mutable {
        owner->pull(key, std::move(w));
    });
}

void subscription::cancel() {
    net::asio::post(owner_->strand_, [owner = owner_, key = key_] { owner->cancel(key); });
}

broadcaster::broadcaster(net::asio::io_context& context, std::size_t ring_bytes, protocol::record_id next_id)
    : strand_(net::asio::make_strand(context)),
      clock_(strand_),
      ring_bytes_(ring_bytes),
      floor_(next_id),
      next_id_(next_id) {}

subscription broadcaster::subscribe(net::asio::any_io_executor reader) {
    const std::lock_guard lock(inbox_mutex_);
    const auto told = status_.standing ? status_.version - 1 : status_.version;
    return {*this, std::move(reader), next_key_++, told};
}

void broadcaster::set_status(shared_event event, bool standing) {
    bool first = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        status_ = {status_.version + 1, std::move(event), standing};
        first = !std::exchange(status_posted_, true);
    }
    if (first) net::asio::post(strand_, [this] { tell_status(); });
}

broadcaster::status broadcaster::current_status() const {
    const std::lock_guard lock(inbox_mutex_);
    return status_;
}

void broadcaster::tell_status() {
    status now;
    {
        const std::lock_guard lock(inbox_mutex_);
        status_posted_ = false;
        now = status_;
    }
    answer_waiters([&now](const waiter& w) -> std::optional<pulled> {
        if (!w.takes_status || w.status_told == now.version) return std::nullopt;
        return status_news(now);
    });
}

pulled broadcaster::status_news(const status& now) {
    return {.what = pulled::outcome::status, .status = now.event, .status_version = now.version};
}

void broadcaster::publish(shared_batch batch) {
    bool first = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        first = inbox_.empty();
        inbox_.push_back(std::move(batch));
    }
    // Under load several batches wait by the time the strand gets to look: it is told once.
    if (first) net::asio::post(strand_, [this] { take_inbox(); });
}

void broadcaster::take_inbox() {
    std::vector<shared_batch> arrived;
    {
        const std::lock_guard lock(inbox_mutex_);
        arrived.swap(inbox_);
    }
    for (auto& batch : arrived) {
        next_id_ = batch->end_id();
        held_bytes_.fetch_add(batch->memory(), std::memory_order_relaxed);
        ring_.push_back(std::move(batch));
    }
    // The newest batch stays even if it alone is over the limit: the live end must not depend on the files.
    while (held_bytes() > ring_bytes_ && ring_.size() > 1) {
        floor_ = ring_.front()->end_id();
        held_bytes_.fetch_sub(ring_.front()->memory(), std::memory_order_relaxed);
        ring_.pop_front();
    }
    answer_waiters([this](const waiter& w) -> std::optional<pulled> {
        if (has_news_after(w.position)) return news_after(w.position);
        return std::nullopt;
    });
}

pulled broadcaster::news_after(protocol::record_id position) const {
    if (position + 1 < floor_) return {.what = pulled::outcome::behind};
    auto it = std::ranges::upper_bound(ring_, position + 1, {},
                                       [](const shared_batch& b) { return b->first_id(); });
    if (it != ring_.begin()) --it;
    pulled result{.what = pulled::outcome::batches};
    std::size_t bytes = 0;
    for (; it != ring_.end() && bytes < answer_bytes && result.batches.size() < answer_batches; ++it) {
        bytes += (*it)->memory();
        result.batches.push_back(*it);
    }
    return result;
}

void broadcaster::pull(std::uint64_t key, waiter w) {
    const bool has_news = has_news_after(w.position);
    const auto now = current_status();
    const bool status_waits = w.status_told != now.version;
    if (status_waits && w.takes_status && !(has_news && w.records_first)) {
        complete(std::move(w), status_news(now));
    } else if (has_news) {
        auto result = news_after(w.position);
        result.status_waits = status_waits;
        complete(std::move(w), std::move(result));
    } else if (closing_) {
        complete(std::move(w), {.what = pulled::outcome::closing});
    } else {
        waiters_.insert_or_assign(key, std::move(w));
        start_clock();
    }
}

void broadcaster::cancel(std::uint64_t key) {
    auto node = waiters_.extract(key);
    if (node) complete(std::move(node.mapped()), {.what = pulled::outcome::cancelled});
}

void broadcaster::close() {
    net::asio::post(strand_, [this] {
        closing_ = true;
        answer_waiters(
            [](const waiter&) { return std::optional<pulled>({.what = pulled::outcome::closing}); });
        clock_.cancel();
    });
}

void broadcaster::complete(waiter w, pulled result) {
    const auto reader = w.reader;
    net::asio::post(reader, [done = std::move(w.done), r = std::move(result)]() mutable {
        std::move(done)(std::move(r));
    });
}

template <class Decide>
void broadcaster::answer_waiters(Decide&& decide) {
    for (auto it = waiters_.begin(); it != waiters_.end();) {
        if (std::optional<pulled> result = decide(it->second)) {
            complete(std::move(it->second), *std::move(result));
            it = waiters_.erase(it);
        } else {
            ++it;
        }
    }
}

void broadcaster::start_clock() {
    if (clock_runs_) return;
    clock_runs_ = true;
    clock_.expires_after(clock_tick);
    clock_.async_wait([this](const net::error_code& error) {
        clock_runs_ = false;
        if (error) return;
        const auto now = std::chrono::steady_clock::now();
        answer_waiters([now](const waiter& w) -> std::optional<pulled> {
            if (w.deadline > now) return std::nullopt;
            return pulled{.what = pulled::outcome::idle};
        });
        if (!waiters_.empty()) start_clock();
    });
}

}  // namespace livelogd::live
