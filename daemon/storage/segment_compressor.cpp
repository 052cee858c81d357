// SPDX-License-Identifier: MIT
#include "daemon/storage/segment_compressor.hpp"

#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace livelogd::storage {

segment_compressor::segment_compressor(const file_ops& ops, std::function<void()> told)
    : ops_(ops), told_(std::move(told)) {}

segment_compressor::~segment_compressor() {
    stop(std::chrono::steady_clock::now());
    join();
}

void segment_compressor::join() {
    if (thread_.joinable()) thread_.join();
}

void segment_compressor::begin(compression_job job) {
    {
        const std::lock_guard lock(mutex_);
        if (ending_) return;
        cancel_ = false;
        job_ = std::move(job);
        if (!thread_.joinable()) {
            over_ = false;
            thread_ = std::thread([this] { run(); });
        }
    }
    changed_.notify_all();
}

std::optional<compression_result> segment_compressor::take_result() {
    const std::lock_guard lock(mutex_);
    return std::exchange(result_, std::nullopt);
}

bool segment_compressor::stop(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    cancel_ = true;
    ending_ = true;
    changed_.notify_all();
    if (!changed_.wait_until(lock, deadline, [this] { return over_; })) return false;
    // Nobody will put it in its place any more.
    if (result_ && result_->what == compression_result::end::made) ops_.unlink(result_->file.c_str());
    result_.reset();
    lock.unlock();
    if (thread_.joinable()) thread_.join();
    return true;
}

void segment_compressor::run() {
    // On Linux a thread has a niceness of its own. If it cannot be set, this thread competes like any other.
    constexpr int niceness = 19;
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || job_; });
        if (ending_) break;
        const compression_job job = *job_;
        lock.unlock();
        auto result = compress_segment(job, ops_, cancel_);
        lock.lock();
        job_.reset();
        result_ = std::move(result);
        lock.unlock();
        told_();
        lock.lock();
    }
    over_ = true;
    changed_.notify_all();
}

}  // namespace livelogd::storage
