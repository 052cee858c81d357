// SPDX-License-Identifier: MIT
// Reading segments, many whole lines at a time, in either direction, by pread: a file that somebody truncates
// under a reader ends the reading early, it does not end the process.
#pragma once

#include "daemon/storage/segment_source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace livelogd::storage {

/// Bytes that are read into: kept when the next segment is read, and never filled with zeros.
class block_buffer {
  public:
    [[nodiscard]] char* data() { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }

    /// At least `size` bytes, of which the first `kept` are what they were.
    void grow(std::size_t size, std::size_t kept);

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
};

/// How many of the first `size` bytes belong to lines that have their end.
std::size_t whole_lines(const char* bytes, std::size_t size);

/// Neighbouring lines.
struct stored_block {
    std::uint64_t offset = 0;  ///< of the first byte in the segment
    std::string_view bytes;    ///< whole lines, each with its LF; ends with the reader's next call
};

/// How much is read at a time. Larger blocks do not stay in a processor's own cache while they are searched.
struct block_sizes {
    std::size_t first = 256u << 10;
    std::size_t largest = 256u << 10;  ///< but for lines that are longer
};

/// Lines of [begin, end) from the first to the last. `begin` must be a line's start, `end` the end of one.
/// Does not own what it reads. One thread at a time; blocks on the disk.
class forward_blocks {
  public:
    explicit forward_blocks(block_sizes sizes = {});

    /// Goes on with another range.
    void start(segment_source from, std::uint64_t begin, std::uint64_t end);

    /// False at the end. Throws std::system_error if reading fails.
    bool next(stored_block& block);

    /// The file has ended before the range: somebody has cut it.
    [[nodiscard]] bool met_early_end() const { return early_end_; }

  private:
    bool refill();

    block_sizes sizes_;
    block_buffer buffer_;
    segment_source from_;
    std::uint64_t file_position_ = 0;  ///< of the first byte not yet in the buffer
    std::uint64_t end_ = 0;
    std::size_t block_bytes_ = 0;  ///< to be read next
    std::size_t used_ = 0;         ///< bytes of the buffer that are filled
    std::size_t consumed_ = 0;     ///< of those, handed out
    bool early_end_ = false;
};

/// Lines of [begin, end) from the last to the first; within a block they stand in their order. Same terms.
class backward_blocks {
  public:
    explicit backward_blocks(block_sizes sizes = {});

    void start(segment_source from, std::uint64_t begin, std::uint64_t end);
    bool previous(stored_block& block);
    [[nodiscard]] bool met_early_end() const { return early_end_; }

  private:
    bool refill();

    block_sizes sizes_;
    block_buffer buffer_;
    segment_source from_;
    std::uint64_t begin_ = 0;
    std::uint64_t position_ = 0;   ///< file offset of the buffer's first byte
    std::size_t block_bytes_ = 0;  ///< to be read next
    std::size_t unread_ = 0;       ///< bytes at the front of the buffer that are not yet handed out
    bool early_end_ = false;
};

}  // namespace livelogd::storage
