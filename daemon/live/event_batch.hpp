// SPDX-License-Identifier: MIT
// A run of consecutive records, encoded for streaming once and shared by every reader.
#pragma once

#include "daemon/storage/record_batch.hpp"
#include "protocol/record_digest.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace livelogd::live {

/// Immutable once shared; any thread.
class event_batch {
  public:
    /// Encodes a batch that has been appended.
    event_batch(protocol::record_id first_id, const storage::record_batch& batch);

    /// An empty one, to be filled with add() and add_unreadable() by whoever makes it.
    explicit event_batch(protocol::record_id first_id) : first_id_(first_id) {}

    /// The record with the next id.
    void add(std::string_view json, const protocol::record_digest& digest);
    /// A line that is no record keeps its id, but is not shown: its frame is empty.
    void add_unreadable();

    [[nodiscard]] protocol::record_id first_id() const { return first_id_; }
    /// One past the last id.
    [[nodiscard]] protocol::record_id end_id() const { return first_id_ + records_.size(); }

    /// The frame of one record as it goes over the wire; empty for a line that is no record.
    [[nodiscard]] std::string_view frame(protocol::record_id id) const;
    /// The frames of [from, to), in one piece.
    [[nodiscard]] std::string_view frames(protocol::record_id from, protocol::record_id to) const;
    /// The record itself. Its frame must not be empty.
    [[nodiscard]] std::string_view json(protocol::record_id id) const;
    [[nodiscard]] const protocol::record_digest& digest(protocol::record_id id) const;

    /// What it takes in memory, bytes.
    [[nodiscard]] std::size_t memory() const;

  private:
    struct record {
        std::uint32_t frame_end = 0;  ///< in frames_
        protocol::record_digest digest;
    };
    [[nodiscard]] std::size_t frame_begin(std::size_t i) const {
        return i == 0 ? 0 : records_[i - 1].frame_end;
    }

    protocol::record_id first_id_;
    std::string frames_;
    std::vector<record> records_;
};

using shared_batch = std::shared_ptr<const event_batch>;

}  // namespace livelogd::live
