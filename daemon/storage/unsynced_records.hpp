// SPDX-License-Identifier: MIT
// What has been written but may not survive a power cut yet, kept in memory in case the disk fails to keep
// it.
#pragma once

#include "daemon/storage/record_batch.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace livelogd::storage {

/// Records of one batch that were written with one append, and where. The batch is shared with those who
/// encode it.
struct stored_piece {
    shared_records batch;
    std::size_t first_record = 0;  ///< of the batch
    std::size_t record_count = 0;
    std::size_t first_byte = 0;  ///< of the batch's lines
    std::size_t byte_count = 0;
    protocol::record_id first_id = 0;
    protocol::record_id segment = 0;  ///< first id of the segment it was written to
    std::uint64_t offset = 0;         ///< in that segment

    [[nodiscard]] protocol::record_id end_id() const { return first_id + record_count; }
    [[nodiscard]] std::string_view lines() const {
        return std::string_view(batch->lines).substr(first_byte, byte_count);
    }
    [[nodiscard]] std::span<const record_batch::record> records() const {
        return std::span(batch->records).subspan(first_record, record_count);
    }
};

/// Pieces in the order of their ids, without gaps. Filled by the writer thread, emptied by the sync thread:
/// any thread. Owned by the log.
class unsynced_records {
  public:
    void add(stored_piece piece);

    /// Everything below `end_id` survives a power cut, or is no longer this object's business.
    void release(protocol::record_id end_id);

    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::uint64_t record_count() const;
    [[nodiscard]] std::vector<stored_piece> all() const;

  private:
    mutable std::mutex mutex_;  ///< held for moments
    std::deque<stored_piece> pieces_;
    std::uint64_t bytes_ = 0;
};

}  // namespace livelogd::storage
