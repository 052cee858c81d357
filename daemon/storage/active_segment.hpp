// SPDX-License-Identifier: MIT
// The segment that is being written.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/record_batch.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace livelogd::storage {

/// An open segment, shared by the thread that writes it and the one that syncs it; closed by the last of
/// them.
struct segment_file {
    base::unique_fd fd;
    protocol::record_id first_id = 0;
    std::filesystem::path path;
};

/// Appends whole records or nothing: a write that fails half way is rolled back to the last whole record, so
/// that what is written next does not run into a fragment. One thread at a time. `ops` must outlive it.
class active_segment {
  public:
    /// Makes the file of a segment that does not exist yet. Throws std::system_error.
    static active_segment create(const std::filesystem::path& directory, protocol::record_id first_id,
                                 const file_ops& ops);

    /// Goes on with an existing file, open for appending, of which `bytes` with `records` whole records are
    /// to be kept and after which nothing stands.
    active_segment(std::shared_ptr<const segment_file> file, std::uint64_t bytes, std::uint64_t records,
                   const file_ops& ops)
        : ops_(&ops), file_(std::move(file)), bytes_(bytes), records_(records) {}

    struct appended {
        std::size_t records = 0;  ///< stored, from the first one on
        std::size_t bytes = 0;    ///< that they take
        int error = 0;            ///< why the others are not; 0 if all are
    };
    /// `records` are the lines of `lines`, in order. Only if !damaged().
    appended append(std::string_view lines, std::span<const record_batch::record> records);

    /// A fragment stands behind the last whole record and could not be cut off.
    [[nodiscard]] bool damaged() const { return damaged_; }
    /// Tries once more to cut it off. True if the segment can be written again.
    bool repair();

    [[nodiscard]] segment_info info() const { return {file_->first_id, bytes_}; }
    [[nodiscard]] protocol::record_id next_id() const { return file_->first_id + records_; }
    [[nodiscard]] const std::shared_ptr<const segment_file>& file() const { return file_; }

  private:
    const file_ops* ops_;
    std::shared_ptr<const segment_file> file_;
    std::uint64_t bytes_ = 0;
    std::uint64_t records_ = 0;
    bool damaged_ = false;
};

}  // namespace livelogd::storage
