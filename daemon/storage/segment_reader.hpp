// SPDX-License-Identifier: MIT
// Reading segments, line by line, in either direction.
#pragma once

#include "daemon/storage/segment_blocks.hpp"
#include "daemon/storage/segment_source.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace livelogd::storage {

struct stored_line {
    std::uint64_t offset = 0;  ///< of its first byte in the segment
    std::string_view bytes;    ///< without LF; ends with the reader's next call
};

/// Lines of [begin, end) from the first to the last. `begin` must be a line's start, `end` the end of one.
/// Does not own what it reads. One thread at a time; blocks on the disk.
class forward_reader {
  public:
    forward_reader(segment_source from, std::uint64_t begin, std::uint64_t end,
                   std::size_t block_bytes = 256u << 10);
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
    backward_reader(segment_source from, std::uint64_t begin, std::uint64_t end);
    bool previous(stored_line& line);
    [[nodiscard]] bool met_early_end() const { return blocks_.met_early_end(); }

  private:
    backward_blocks blocks_;
    stored_block rest_;  ///< lines that are not handed out yet
};

}  // namespace livelogd::storage
