// SPDX-License-Identifier: MIT
// What the log holds at one moment: the reading side's view of it.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "protocol/record_id.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace livelogd::storage {

class frame_cache;

/// One segment as a reader may read it: whole records only. Ids are first_id, first_id + 1, … by line number.
struct segment_info {
    protocol::record_id first_id = 0;
    std::uint64_t bytes =
        0;  ///< published length: ends after an LF; later bytes of the file are not to be read
    // Of sealed segments only:
    std::int64_t written_ns = 0;         ///< when its last record was written, since 1970; 0: not known
    std::uint64_t compressed_bytes = 0;  ///< size of its file if it is compressed, else 0
    std::uint64_t inode = 0;             ///< if it is compressed: of the plain file it was made of

    [[nodiscard]] bool is_compressed() const { return compressed_bytes > 0; }
    /// What it takes on the disk.
    [[nodiscard]] std::uint64_t disk_bytes() const { return is_compressed() ? compressed_bytes : bytes; }
};

struct id_range {
    protocol::record_id from = 0;
    protocol::record_id to = 0;  ///< both inclusive
};

/// A consistent view of the log. A value: it stays true of what it names, but retention may remove the files
/// (a reader that has opened one keeps it).
struct log_snapshot {
    std::filesystem::path directory;
    std::shared_ptr<const std::vector<segment_info>> sealed;  ///< oldest first; never null
    segment_info active;                                      ///< the newest file; may be empty (bytes == 0)
    protocol::record_id next_id = 0;  ///< the id of the next record that will be shown
    segment_info held;  ///< what waits in memory while storing fails; bytes == 0 if nothing does
    std::shared_ptr<const base::unique_fd> held_file;  ///< where it can be read; null if nothing is held
    /// Ids of records that somebody else has removed from the files; sorted. Never null.
    std::shared_ptr<const std::vector<id_range>> lost = std::make_shared<const std::vector<id_range>>();
    /// Of compressed segments; null only where there can be none.
    std::shared_ptr<frame_cache> frames = nullptr;

    /// Sealed segments, then the active one, then what is held.
    [[nodiscard]] std::size_t segment_count() const { return sealed->size() + (held.bytes > 0 ? 2 : 1); }
    [[nodiscard]] const segment_info& segment(std::size_t i) const {
        if (i < sealed->size()) return (*sealed)[i];
        return i == sealed->size() ? active : held;
    }
    [[nodiscard]] bool in_memory(std::size_t i) const { return i > sealed->size(); }
    /// Where the ids of segment i end: the first id of the next one, or next_id. Ids near the end of a
    /// segment may never have been given (a jump after an unclean stop).
    [[nodiscard]] protocol::record_id id_bound(std::size_t i) const {
        return i + 1 < segment_count() ? segment(i + 1).first_id : next_id;
    }
    /// The oldest id that may still be read.
    [[nodiscard]] protocol::record_id oldest_id() const { return segment(0).first_id; }
};

}  // namespace livelogd::storage
