// SPDX-License-Identifier: MIT
// The thread that compresses sealed segments.
#pragma once

#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/segment_compression.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace livelogd::storage {

/// Works on one segment at a time, at niceness 19, so that it gives way to all others. Begun by the writer
/// thread, which also puts the result in its place, because it owns the files. Its thread exists from the
/// first job on. All members from any thread.
class segment_compressor {
  public:
    /// `ops` must outlive it. `told`: there is a result; called on its thread, without a lock held.
    segment_compressor(const file_ops& ops, std::function<void()> told);
    ~segment_compressor();
    segment_compressor(const segment_compressor&) = delete;
    segment_compressor& operator=(const segment_compressor&) = delete;

    /// Only while it is neither at work, nor has a result that nobody has taken.
    void begin(compression_job job);

    std::optional<compression_result> take_result();

    /// What it is at work on is given up: the room is needed, or the time.
    void cancel() { cancel_ = true; }

    /// Gives up what it is at work on, and ends the thread. False if a system call has not returned by then:
    /// the destructor would wait for it.
    bool stop(std::chrono::steady_clock::time_point deadline);

    /// After stop: waits for a call that hangs.
    void join();

  private:
    void run();

    const file_ops& ops_;
    const std::function<void()> told_;
    std::atomic<bool> cancel_{false};

    std::mutex mutex_;  ///< guards what follows; never held while compressing
    std::condition_variable changed_;
    std::optional<compression_job> job_;
    std::optional<compression_result> result_;
    bool ending_ = false;
    bool over_ = true;  ///< the thread has ended, or never began

    std::thread thread_;
};

}  // namespace livelogd::storage
