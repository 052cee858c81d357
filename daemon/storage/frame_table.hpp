// SPDX-License-Identifier: MIT
// What a compressed segment tells of itself at its end: where its frames are, and of which file it was made.
//
// The file is one of zstd's seekable format, version 0.1.0 (contrib/seekable_format/
// zstd_seekable_compression_format.md in zstd's sources): frames that any tool decompresses, one behind the
// other, and a seek table in a skippable frame at the end. In front of that table stands one more skippable
// frame, livelogd's own: the lines of each frame, and the identity of the plain file.
// docs/storage-format.md has it byte by byte.
#pragma once

#include "daemon/storage/segment_source.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace livelogd::storage {

/// No frame holds more; those of whole lines usually a little less.
inline constexpr std::size_t most_frame_bytes = 256u << 10;

/// A compressed segment cannot be read. The text says why, as the end of a sentence.
class damaged_segment : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct frame_table {
    struct frame {
        std::uint64_t place = 0;       ///< of its first byte in the compressed file
        std::uint32_t compressed = 0;  ///< bytes there
        std::uint32_t size = 0;        ///< bytes of the segment that it holds, at most most_frame_bytes
        std::uint64_t begin = 0;       ///< of these in the segment
        std::uint64_t first_line = 0;  ///< line ends of the segment in front of it
        std::uint32_t line_ends = 0;   ///< that it holds
        bool ends_line = true;         ///< its last byte is one; else the last line goes on in the next frame
    };
    protocol::record_id first_id = 0;
    file_identity original;  ///< of the plain file; its size is that of the segment
    std::uint64_t lines = 0;
    std::vector<frame> frames;

    /// The next frame.
    void add(std::uint32_t compressed, std::uint32_t size, std::uint32_t line_ends, bool ends_line);
    /// The frame with this byte of the segment, which it must have.
    [[nodiscard]] std::size_t frame_with(std::uint64_t offset) const;
    /// Bytes of the segment that the frames hold.
    [[nodiscard]] std::uint64_t bytes() const;
    /// Where the frames end in the compressed file.
    [[nodiscard]] std::uint64_t end_place() const;
};

/// What stands behind the frames.
std::string tail_of(const frame_table& table);

/// Reads and checks the end of a compressed segment. Throws damaged_segment, also for what another program
/// has compressed, or std::system_error.
frame_table read_table(int fd, protocol::record_id first_id);

}  // namespace livelogd::storage
