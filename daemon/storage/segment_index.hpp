// SPDX-License-Identifier: MIT
// Where the records of a segment stand: a sparse index from ids to offsets, made by counting line ends.
#pragma once

#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/segment_source.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace livelogd::storage {

/// Records that start within one stretch of index_stride bytes of a segment. The same stretch always holds
/// the same records, so readers at the same place read the same blocks.
struct record_block {
    std::uint64_t begin = 0;  ///< file offset of the first record
    std::uint64_t end = 0;    ///< file offset after the last record
    protocol::record_id first_id = 0;
    protocol::record_id end_id = 0;  ///< one past the last id; first_id == end_id never occurs
    bool complete = false;           ///< no more records will ever be added to it
};

/// One thread at a time. Grows with the segment.
class segment_index {
  public:
    static constexpr std::size_t stride = 256u << 10;

    explicit segment_index(protocol::record_id first_id) : first_id_(first_id) {}

    /// Takes note of the records up to `bytes`, the segment's published length. Blocks on the disk.
    /// Throws std::system_error if reading fails.
    void extend(segment_source from, std::uint64_t bytes);

    /// One past the last id noted so far.
    [[nodiscard]] protocol::record_id end_id() const { return first_id_ + lines_; }

    /// The block with record `id`; nothing if the segment does not hold it (so far).
    [[nodiscard]] std::optional<record_block> block_with(protocol::record_id id) const;

  private:
    struct mark {
        std::uint64_t offset = 0;  ///< of the first record that starts in this stretch
        std::uint64_t line = 0;    ///< its number in the segment
    };
    protocol::record_id first_id_;
    std::vector<mark> marks_;  ///< one for each stretch in which a record starts, in order
    std::uint64_t lines_ = 0;
    std::uint64_t bytes_ = 0;  ///< where the last record noted so far ends
};

}  // namespace livelogd::storage
