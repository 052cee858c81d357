// SPDX-License-Identifier: MIT
#include "daemon/storage/log_writer.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <system_error>
#include <utility>

namespace livelogd::storage {

namespace {

constexpr std::chrono::milliseconds longest_patience = std::chrono::hours(24);

[[maybe_unused]] bool consistent(const record_batch& batch) {
    const auto bytes =
        std::accumulate(batch.records.begin(), batch.records.end(), std::size_t{0},
                        [](std::size_t sum, const record_batch::record& r) { return sum + r.size; });
    return bytes == batch.lines.size();
}

std::string count_of_records(std::uint64_t n) {
    return std::to_string(n) + (n == 1 ? " record" : " records");
}

}  // namespace

log_writer::log_writer(segment_chain& chain, const log_limits& limits,
                       std::chrono::milliseconds retry_interval, base::report_sink report)
    : chain_(chain),
      retry_interval_(retry_interval),
      report_(std::move(report)),
      next_id_(chain.next_id()),
      limits_(limits),
      view_(chain.view()) {}

log_writer::~log_writer() {
    stop({});
}

void log_writer::start(log_listener& listener) {
    listener_ = &listener;
    thread_ = std::thread([this] { run(); });
}

protocol::record_id log_writer::submit(record_batch batch) {
    assert(consistent(batch));
    // Counted first, so that what the writer takes off has always been put on.
    pending_bytes_.fetch_add(batch.lines.size(), std::memory_order_relaxed);
    pending_records_.fetch_add(batch.records.size(), std::memory_order_relaxed);
    auto shared = std::make_shared<const record_batch>(std::move(batch));
    protocol::record_id end_id = 0;
    {
        const std::lock_guard lock(mutex_);
        end_id = next_id_ += shared->records.size();
        if (!shared->empty()) pending_.push_back(std::move(shared));
    }
    wake_.notify_one();
    return end_id;
}

void log_writer::set_limits(const log_limits& limits) {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    limits_changed_ = true;
}

log_snapshot log_writer::snapshot() const {
    const std::lock_guard lock(view_mutex_);
    return view_;
}

std::optional<std::string> log_writer::trouble() const {
    const std::lock_guard lock(view_mutex_);
    return trouble_;
}

std::uint64_t log_writer::stop(std::chrono::milliseconds patience) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        deadline_ = clock::now() + std::min(patience, longest_patience);
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    return pending_records_.load();
}

void log_writer::run() {
    // Retention may have been narrowed while the daemon was down.
    take_limits();
    publish();
    std::vector<shared_records> work;
    for (;;) {
        work.clear();
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
            if (pending_.empty()) return;
            work.swap(pending_);
        }
        for (const shared_records& batch : work) {
            take_limits();
            if (!store(batch)) return;
        }
    }
}

void log_writer::take_limits() {
    {
        const std::lock_guard lock(mutex_);
        if (!limits_changed_) return;
        limits_changed_ = false;
        chain_.set_limits(limits_);
    }
    chain_.retain();
}

bool log_writer::store(const shared_records& batch) {
    const protocol::record_id first_id = chain_.next_id();
    std::size_t records = 0;
    std::size_t bytes = 0;
    bool last_try = false;
    for (;;) {
        const auto part = chain_.store(std::string_view(batch->lines).substr(bytes),
                                       std::span(batch->records).subspan(records), batch->durable);
        records += part.records;
        bytes += part.bytes;
        pending_records_.fetch_sub(part.records, std::memory_order_relaxed);
        pending_bytes_.fetch_sub(part.bytes, std::memory_order_relaxed);
        if (part.error == 0) break;
        if (last_try) return false;
        begin_trouble(part.error);
        last_try = !wait_to_retry();
        take_limits();
    }
    // A batch shows in snapshots as a whole, however many writes and segments it took.
    publish();
    end_trouble();
    listener_->on_appended(first_id, batch);
    listener_->on_written(first_id + batch->records.size(), *batch);
    return true;
}

/// False if there is no time left for another wait.
bool log_writer::wait_to_retry() {
    const auto until = clock::now() + retry_interval_;
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto end = stopping_ ? std::min(until, deadline_) : until;
        if (clock::now() >= end) return !stopping_ || clock::now() < deadline_;
        wake_.wait_until(lock, end);
    }
}

void log_writer::begin_trouble(int error) {
    waiting_in_trouble_ = std::max(waiting_in_trouble_, pending_records_.load());
    const std::string text =
        "cannot store in " + chain_.active_path().string() + ": " + std::generic_category().message(error);
    {
        const std::lock_guard lock(view_mutex_);
        const bool known = trouble_.has_value();
        trouble_ = text;
        if (known) return;
    }
    chain_.note_storing_failed(true);
    report_(base::severity::error,
            text + "; " + count_of_records(waiting_in_trouble_) + " wait until it can be done");
}

void log_writer::end_trouble() {
    {
        const std::lock_guard lock(view_mutex_);
        if (!trouble_) return;
        trouble_.reset();
    }
    chain_.note_storing_failed(false);
    report_(base::severity::info,
            "records are stored again; " + count_of_records(waiting_in_trouble_) + " had waited");
    waiting_in_trouble_ = 0;
}

void log_writer::publish() {
    log_snapshot view = chain_.view();
    const std::lock_guard lock(view_mutex_);
    std::swap(view_, view);
}

}  // namespace livelogd::storage
