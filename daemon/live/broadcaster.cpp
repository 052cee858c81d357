// SPDX-License-Identifier: MIT
#include "daemon/live/broadcaster.hpp"

#include <boost/asio/dispatch.hpp>
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

/// So many waiters are woken in one turn; then others have theirs, senders that are to be read among them.
constexpr std::size_t woken_at_once = 64;

}  // namespace

void subscription::pull(protocol::record_id position, time_point deadline, bool takes_status, handler done) {
    broadcaster::waiters one;
    one.push_back({key_, position, deadline, status_told_, takes_status, std::exchange(told_last_, false),
                   reader_, std::move(done)});
    owner_->pull(std::move(one));
}

void subscription::cancel() {
    owner_->cancel(key_);
}

auto broadcaster::completion(waiter& w, pulled result) {
    return [done = std::move(w.done), r = std::move(result)]() mutable { std::move(done)(std::move(r)); };
}

broadcaster::broadcaster(net::asio::io_context& context, std::size_t ring_bytes, protocol::record_id next_id)
    : context_(context),
      ring_bytes_(ring_bytes),
      floor_(next_id),
      next_id_(next_id),
      clock_(net::asio::make_strand(context)) {}

subscription broadcaster::subscribe(net::asio::any_io_executor reader) {
    const std::lock_guard lock(mutex_);
    const auto told = status_.standing ? status_.version - 1 : status_.version;
    return {*this, listeners_, std::move(reader), next_key_++, told};
}

void broadcaster::set_status(shared_event event, bool standing) {
    const std::lock_guard lock(mutex_);
    status_ = {status_.version + 1, std::move(event), standing};
    wake_soon();
}

void broadcaster::held_batch::encode() {
    encoded = std::make_shared<const event_batch>(first_id, *stored);
    stored.reset();
}

std::size_t broadcaster::held_batch::memory() const {
    if (encoded) return encoded->memory();
    return sizeof *stored + stored->lines.capacity()
           + stored->records.capacity() * sizeof(storage::record_batch::record);
}

void broadcaster::publish(protocol::record_id first_id, storage::shared_records batch) {
    held_batch held{first_id, first_id + batch->records.size(), std::move(batch), {}};
    if (listeners_.use_count() > 1) held.encode();
    std::vector<held_batch> dropped;  // freed without the mutex
    const std::lock_guard lock(mutex_);
    next_id_ = held.end_id;
    held_bytes_.fetch_add(held.memory(), std::memory_order_relaxed);
    ring_.push_back(std::move(held));
    drop_what_is_over(dropped);
    wake_soon();
}

/// The newest batch stays even if it alone is over the limit: the live end must not depend on the files.
void broadcaster::drop_what_is_over(std::vector<held_batch>& dropped) {
    while (held_bytes() > ring_bytes_ && ring_.size() > 1) {
        floor_ = ring_.front().end_id;
        held_bytes_.fetch_sub(ring_.front().memory(), std::memory_order_relaxed);
        dropped.push_back(std::move(ring_.front()));
        ring_.pop_front();
    }
}

/// With the mutex held, which is no more than the work for one answer: only what came while nobody listened
/// is still to be encoded.
const shared_batch& broadcaster::encoded(held_batch& held) {
    if (!held.encoded) {
        const std::size_t before = held.memory();
        held.encode();
        held_bytes_.fetch_add(held.memory() - before, std::memory_order_relaxed);
    }
    return held.encoded;
}

void broadcaster::wake_soon() {
    if (wakes_ || waiters_.empty()) return;
    wakes_ = true;
    net::asio::post(context_, [this] { wake(); });
}

/// They are served here and now, and those who wait again do so at the end of the list: it is gone through
/// once, whatever is published meanwhile.
void broadcaster::wake() {
    waiters due;
    {
        const std::lock_guard lock(mutex_);
        wakes_ = false;
        due = take_waiters([this](const waiter& w) { return is_due(w); }, woken_at_once);
        // Others of the I/O threads, if there are any, go on with the rest at the same time.
        if (due.size() == woken_at_once) wake_soon();
    }
    for (waiter& w : due) {
        pulled result;
        {
            // What has come meanwhile is handed out as well.
            const std::lock_guard lock(mutex_);
            result = answer(w);
        }
        const auto reader = w.reader;
        net::asio::dispatch(reader, completion(w, std::move(result)));
    }
}

bool broadcaster::is_due(const waiter& w) const {
    return has_news_after(w.position) || closing_ || (w.takes_status && w.status_told != status_.version);
}

pulled broadcaster::answer(const waiter& w) {
    const bool has_news = has_news_after(w.position);
    const bool status_waits = w.status_told != status_.version;
    if (status_waits && w.takes_status && !(has_news && w.records_first))
        return {.what = pulled::outcome::status, .status = status_.event, .status_version = status_.version};
    if (!has_news) return {.what = closing_ ? pulled::outcome::closing : pulled::outcome::idle};
    auto result = news_after(w.position);
    result.status_waits = status_waits;
    return result;
}

pulled broadcaster::news_after(protocol::record_id position) {
    if (position + 1 < floor_) return {.what = pulled::outcome::behind};
    auto it = std::ranges::upper_bound(ring_, position + 1, {}, &held_batch::first_id);
    if (it != ring_.begin()) --it;
    pulled result{.what = pulled::outcome::batches};
    std::size_t bytes = 0;
    for (; it != ring_.end() && bytes < answer_bytes && result.batches.size() < answer_batches; ++it) {
        result.batches.push_back(encoded(*it));
        bytes += it->memory();
    }
    return result;
}

void broadcaster::pull(waiters one) {
    pulled result;
    {
        const std::lock_guard lock(mutex_);
        if (!is_due(one.front())) {
            waiters_.splice(waiters_.end(), one);
            start_clock();
            return;
        }
        result = answer(one.front());
    }
    const auto reader = one.front().reader;
    net::asio::post(reader, completion(one.front(), std::move(result)));
}

void broadcaster::cancel(std::uint64_t key) {
    waiters one;
    {
        const std::lock_guard lock(mutex_);
        one = take_waiters([key](const waiter& w) { return w.key == key; }, 1);
    }
    if (one.empty()) return;
    const auto reader = one.front().reader;
    net::asio::post(reader, completion(one.front(), {.what = pulled::outcome::cancelled}));
}

void broadcaster::close() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        wake_soon();
    }
    net::asio::post(clock_.get_executor(), [this] { clock_.cancel(); });
}

template <class Fits>
broadcaster::waiters broadcaster::take_waiters(Fits&& fits, std::size_t most) {
    waiters taken;
    for (auto it = waiters_.begin(); it != waiters_.end() && taken.size() < most;) {
        const auto one = it++;
        if (fits(*one)) taken.splice(taken.end(), waiters_, one);
    }
    return taken;
}

void broadcaster::start_clock() {
    if (std::exchange(clock_runs_, true)) return;
    net::asio::post(clock_.get_executor(), [this] { wait_for_tick(); });
}

void broadcaster::wait_for_tick() {
    clock_.expires_after(clock_tick);
    clock_.async_wait([this](const net::error_code& error) {
        if (!error) look_at_clock();
    });
}

void broadcaster::look_at_clock() {
    const auto now = std::chrono::steady_clock::now();
    waiters late;
    bool goes_on = false;
    {
        const std::lock_guard lock(mutex_);
        late = take_waiters([now](const waiter& w) { return w.deadline <= now; }, waiters_.size());
        goes_on = clock_runs_ = !waiters_.empty();
    }
    for (waiter& w : late) {
        const auto reader = w.reader;
        net::asio::post(reader, completion(w, {.what = pulled::outcome::idle}));
    }
    if (goes_on) wait_for_tick();
}

}  // namespace livelogd::live
