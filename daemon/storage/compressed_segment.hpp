// SPDX-License-Identifier: MIT
// A compressed segment, open for reading at any place.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/frame_cache.hpp"
#include "daemon/storage/frame_table.hpp"
#include "daemon/storage/segment_source.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace livelogd::storage {

/// Reads as the plain file would. A frame that is damaged is told, and stands for as many lines as it held,
/// none of which is a record: so its records are missing, and all others keep their ids. Immutable; any
/// thread.
class compressed_segment {
  public:
    /// Null, and told, if it is damaged so that nothing of it can be read. Throws std::system_error.
    static std::unique_ptr<const compressed_segment> open(base::unique_fd fd,
                                                          const std::filesystem::path& path,
                                                          protocol::record_id first_id,
                                                          std::shared_ptr<frame_cache> cache);

    compressed_segment(base::unique_fd fd, std::filesystem::path path, frame_table table,
                       std::shared_ptr<frame_cache> cache);

    /// As segment_source does.
    std::size_t read(char* to, std::size_t size, std::uint64_t offset) const;
    [[nodiscard]] segment_source::line_mark mark_before(std::uint64_t n) const;

    [[nodiscard]] const frame_table& table() const { return table_; }
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    [[nodiscard]] shared_frame frame(std::size_t number) const;

    base::unique_fd fd_;
    std::filesystem::path path_;
    frame_table table_;
    std::shared_ptr<frame_cache> cache_;
    std::uint64_t inode_ = 0;  ///< of the compressed file
};

}  // namespace livelogd::storage
