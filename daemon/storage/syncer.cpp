// SPDX-License-Identifier: MIT
#include "daemon/storage/syncer.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace livelogd::storage {

syncer::syncer(const log_options& options, base::report_sink report, const file_ops& ops)
    : policy_(options.sync),
      interval_(options.sync_interval),
      most_unsynced_(options.sync_bytes),
      report_(std::move(report)),
      ops_(ops) {}

syncer::~syncer() {
    stop();
}

void syncer::start(std::function<void(protocol::record_id)> synced) {
    const std::lock_guard lock(mutex_);
    synced_ = std::move(synced);
    running_ = true;
    thread_ = std::thread([this] { run(); });
}

void syncer::written(const std::shared_ptr<const segment_file>& active, std::uint64_t bytes,
                     protocol::record_id end_id, bool durable) {
    if (bytes == 0) return;
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (unsynced_ == 0) {
            active_ = active;
            unsynced_since_ = clock::now();
            wake = true;  // it must learn from when on the interval counts
        }
        unsynced_ += bytes;
        written_end_ = end_id;
        durable_wanted_ = durable_wanted_ || durable;
        wake = wake || active_is_due();
    }
    if (wake && (durable || policy_ != sync_policy::none)) work_.notify_one();
}

void syncer::seal(std::shared_ptr<const segment_file> file) {
    {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return sealed_.size() < most_sealed_waiting || !running_; });
        if (active_ == file) {
            active_.reset();
            unsynced_ = 0;
        }
        sealed_.push_back({std::move(file), written_end_});
    }
    work_.notify_one();
}

std::optional<std::string> syncer::trouble() const {
    const std::lock_guard lock(mutex_);
    if (!failed_) return std::nullopt;
    return failure_;
}

bool syncer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_one();
    if (thread_.joinable()) thread_.join();
    const std::lock_guard lock(mutex_);
    running_ = false;
    room_.notify_all();
    return !failed_ && sealed_.empty() && unsynced_ == 0;
}

bool syncer::active_is_due() const {
    if (unsynced_ == 0) return false;
    if (stopping_ || durable_wanted_) return true;
    switch (policy_) {
        case sync_policy::none:
            return false;
        case sync_policy::always:
            return true;
        case sync_policy::interval:
            return unsynced_ >= most_unsynced_ || clock::now() - unsynced_since_ >= interval_;
    }
    return true;
}

void syncer::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (!sealed_.empty()) {
            auto segment = sealed_.front();
            lock.unlock();
            sync(*segment.file, ops_.fsync, segment.end_id);
            segment.file.reset();
            lock.lock();
            segment = std::move(sealed_.front());
            sealed_.pop_front();
            room_.notify_one();
            lock.unlock();
            segment.file.reset();  // usually closes it: not under the lock
            lock.lock();
        } else if (active_is_due()) {
            // What is written from here on counts for the next time: the call below may or may not include
            // it.
            const auto file = std::move(active_);
            active_.reset();
            unsynced_ = 0;
            durable_wanted_ = false;
            const auto end_id = written_end_;
            lock.unlock();
            sync(*file, ops_.fdatasync, end_id);
            lock.lock();
        } else if (stopping_) {
            return;
        } else if (unsynced_ > 0 && policy_ == sync_policy::interval) {
            work_.wait_until(lock, unsynced_since_ + interval_);
        } else {
            work_.wait(lock);
        }
    }
}

void syncer::sync(const segment_file& file, const std::function<int(int)>& call, protocol::record_id end_id) {
    int error = 0;
    while (call(file.fd.get()) != 0) {
        error = errno;
        if (error != EINTR) break;
        error = 0;
    }
    std::string message;
    {
        const std::lock_guard lock(mutex_);
        if (error != 0) {
            // The kernel may have dropped the data and call the pages clean: that this segment can be synced
            // later proves nothing, so only a later one ends the trouble.
            const bool first = !failed_;
            failed_ = std::max(failed_.value_or(0), file.first_id);
            failure_ = "cannot sync " + file.path.string() + ": " + std::generic_category().message(error)
                       + "; what it holds may not survive a power cut";
            if (first) message = failure_;
        } else if (failed_ && file.first_id > *failed_) {
            failed_.reset();
            message = "segments are synced again, from " + file.path.string() + " on";
        }
    }
    if (error == 0 && synced_) synced_(end_id);
    if (!message.empty()) report_(error != 0 ? base::severity::error : base::severity::info, message);
}

}  // namespace livelogd::storage
