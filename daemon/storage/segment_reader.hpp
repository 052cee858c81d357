// SPDX-License-Identifier: MIT
// Reading segments, line by line, in either direction.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/segment_blocks.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::storage {

/// Opens segment `i` of the snapshot; an empty descriptor if its file is gone, usually because retention has
/// removed it. Throws std::system_error otherwise.
base::unique_fd open_segment(const log_snapshot& snapshot, std::size_t i);

struct stored_line {
    std::uint64_t offset = 0;  ///< of its first byte in the segment
    std::string_view bytes;    ///< without LF; ends with the reader's next call
};

/// Lines of [begin, end) from the first to the last. `begin` must be a line's start, `end` the end of one.
/// Does not own the descriptor. One thread at a time; blocks on the disk.
class forward_reader {
  public:
    forward_reader(int fd, std::uint64_t begin, std::uint64_t end, std::size_t block_bytes = 256u << 10);
    /// False at the end. Throws std::system_error if reading fails.
    bool next(stored_line& line);
    /// The file has ended before the range: somebody has cut it.
    [[nodiscard]] bool met_early_end() const { return blocks_.met_early_end(); }

  private:
    forward_blocks blocks_;
    stored_block rest_;  ///< lines that are not handed out yet
};

/// Lines of [begin, end) from the last to the first. Same terms. Starts with small blocks, so that a few
/// lines are cheap.
class backward_reader {
  public:
    backward_reader(int fd, std::uint64_t begin, std::uint64_t end);
    bool previous(stored_line& line);
    [[nodiscard]] bool met_early_end() const { return blocks_.met_early_end(); }

  private:
    backward_blocks blocks_;
    stored_block rest_;  ///< lines that are not handed out yet
};

}  // namespace livelogd::storage
