// SPDX-License-Identifier: MIT
// The writer thread: takes batches, stores them, and tells what has been stored.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/log_listener.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/record_batch.hpp"
#include "daemon/storage/retention.hpp"
#include "daemon/storage/segment_chain.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace livelogd::storage {

/// All members from any thread, except that start and stop must not be called at the same time.
class log_writer {
  public:
    /// `chain` must outlive it and belongs to the thread from start to the end of stop.
    log_writer(segment_chain& chain, const log_limits& limits, std::chrono::milliseconds retry_interval,
               base::report_sink report);
    ~log_writer();
    log_writer(const log_writer&) = delete;
    log_writer& operator=(const log_writer&) = delete;

    void start(log_listener& listener);
    /// Returns the id behind the batch's last one.
    protocol::record_id submit(record_batch batch);
    void set_limits(const log_limits& limits);

    [[nodiscard]] std::uint64_t pending_bytes() const {
        return pending_bytes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] log_snapshot snapshot() const;
    [[nodiscard]] std::optional<std::string> trouble() const;

    /// Stores what was handed over, ends the thread. Returns how many records are not stored.
    std::uint64_t stop(std::chrono::milliseconds patience);

  private:
    using clock = std::chrono::steady_clock;

    void run();
    bool store(const shared_records& batch);
    bool wait_to_retry();
    void take_limits();
    void begin_trouble(int error);
    void end_trouble();
    void publish();

    segment_chain& chain_;
    const std::chrono::milliseconds retry_interval_;
    const base::report_sink report_;
    log_listener* listener_ = nullptr;

    std::atomic<std::uint64_t> pending_bytes_{0};
    std::atomic<std::uint64_t> pending_records_{0};

    std::mutex mutex_;  ///< guards what is handed over; held for moments
    std::condition_variable wake_;
    std::vector<shared_records> pending_;
    protocol::record_id next_id_;  ///< that the next batch handed over gets
    log_limits limits_;
    bool limits_changed_ = true;
    bool stopping_ = false;
    clock::time_point deadline_;  ///< until when storing is tried once stopping_

    mutable std::mutex view_mutex_;  ///< guards what is published; held for moments
    log_snapshot view_;
    std::optional<std::string> trouble_;

    std::uint64_t waiting_in_trouble_ =
        0;  ///< the writer's own: records that waited, at most, while storing failed
    std::thread thread_;
};

}  // namespace livelogd::storage
