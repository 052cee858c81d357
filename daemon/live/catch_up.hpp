// SPDX-License-Identifier: MIT
// Reading for cursors that have fallen behind the ring: blocks of the files, encoded as the ring's batches
// are, in a small cache that cursors at the same place share.
#pragma once

#include "daemon/live/event_batch.hpp"
#include "daemon/storage/log.hpp"
#include "daemon/storage/segment_index.hpp"
#include "daemon/storage/segment_source.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace livelogd::live {

/// How a cursor that reads from the files gets on.
struct caught_up {
    struct removed {
        protocol::record_id from = 0;
        protocol::record_id to = 0;  ///< both inclusive
    };
    shared_batch batch;  ///< covers the record after the position; null: there is none there
    protocol::record_id position =
        0;                       ///< without a batch: where the cursor stands now (may be where it stood)
    std::optional<removed> gap;  ///< records that are gone before the cursor could read them
};

/// Any thread. Owned by the application.
class catch_up {
  public:
    explicit catch_up(const storage::log& log, std::size_t cache_bytes = 8u << 20)
        : log_(log), limit_(cache_bytes) {}

    /// The cached batch with the record after `position`, if there is one. Quick.
    shared_batch find(protocol::record_id position);

    /// Reads on after `position`. Blocks on the disk: not on an I/O thread. Once `stopping` is triggered it
    /// reads nothing and the position stays. Throws std::system_error.
    caught_up read(protocol::record_id position, const std::stop_token& stopping = {});

    /// Lines met in segments that are no records.
    [[nodiscard]] std::uint64_t unreadable_lines() const;

    /// Blocks of the files that were read and encoded: those that the cache did not have.
    [[nodiscard]] std::uint64_t blocks_read() const { return blocks_read_.load(std::memory_order_relaxed); }

  private:
    shared_batch load(storage::segment_source from, const storage::record_block& block);
    void keep(shared_batch batch);
    /// Records that are held in memory for a while may begin with the id with which a file begins later.
    struct index_key {
        protocol::record_id first_id = 0;
        bool in_memory = false;
        bool operator==(const index_key&) const = default;
    };
    storage::segment_index& index_of(index_key key);
    [[nodiscard]] bool has_changed(const storage::log_snapshot& seen, std::size_t i) const;

    const storage::log& log_;
    std::size_t limit_;
    std::atomic<std::uint64_t> blocks_read_{0};

    mutable std::mutex cache_mutex_;  ///< never held while reading
    std::list<shared_batch> cache_;   ///< most recently used first
    std::size_t cached_bytes_ = 0;
    std::uint64_t unreadable_lines_ = 0;

    /// Held while reading, so that cursors at the same place read a block once. Taken before cache_mutex_.
    std::mutex reading_mutex_;
    std::list<std::pair<index_key, storage::segment_index>> indexes_;
    protocol::record_scanner scanner_;
};

}  // namespace livelogd::live
