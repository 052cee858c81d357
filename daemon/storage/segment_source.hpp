// SPDX-License-Identifier: MIT
// The bytes of a segment, wherever they are: in a plain file, in a compressed one, in memory.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/log_snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace livelogd::storage {

class compressed_segment;

/// What tells one state of a segment from another: whoever edits, cuts or replaces its file changes this. A
/// compressed segment has that of the plain file it was made of.
struct file_identity {
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;  ///< since 1970

    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// Reads an open segment. A value that does not own what it reads; as large as two pointers. Any thread.
class segment_source {
  public:
    segment_source() = default;
    // Both are what they are given, seen by a reader.
    segment_source(int fd) : fd_(fd) {}                   // NOLINT(google-explicit-constructor)
    segment_source(const compressed_segment& compressed)  // NOLINT(google-explicit-constructor)
        : compressed_(&compressed) {}

    /// Fills `to` with the bytes from `offset` on; fewer bytes than asked for mean that the segment ends
    /// there. Blocks on the disk. Throws std::system_error.
    std::size_t read(char* to, std::size_t size, std::uint64_t offset) const;

    /// Throws std::system_error.
    [[nodiscard]] file_identity identity() const;

    /// Its file has no name any more: it takes room only until it is closed.
    [[nodiscard]] bool is_removed() const;

    /// How many lines it has; nothing if that has to be counted.
    [[nodiscard]] std::optional<std::uint64_t> lines() const;

    struct line_mark {
        std::uint64_t offset = 0;
        std::uint64_t line = 0;
    };
    /// Where counting to line `n` (from 0) can begin: a line's start, not behind that line.
    [[nodiscard]] line_mark mark_before(std::uint64_t n) const;

  private:
    int fd_ = -1;
    const compressed_segment* compressed_ = nullptr;
};

/// An open segment with its owner. Empty: there is none.
class segment_handle {
  public:
    segment_handle();
    explicit segment_handle(base::unique_fd fd);
    explicit segment_handle(std::unique_ptr<const compressed_segment> compressed);
    segment_handle(segment_handle&&) noexcept;
    segment_handle& operator=(segment_handle&&) noexcept;
    ~segment_handle();

    explicit operator bool() const { return compressed_ != nullptr || static_cast<bool>(fd_); }
    [[nodiscard]] segment_source get() const {
        return compressed_ ? segment_source(*compressed_) : segment_source(fd_.get());
    }

  private:
    base::unique_fd fd_;
    std::unique_ptr<const compressed_segment> compressed_;
};

/// Opens segment `i` of the snapshot, as it is now: it may have been compressed since. Empty if it cannot be
/// read: its file is gone, usually because retention has removed it, or compressed and damaged, which is told
/// once. Throws std::system_error otherwise.
segment_handle open_segment(const log_snapshot& snapshot, std::size_t i);

/// Of segment `i` of the snapshot; nothing if it is gone or in memory. Throws std::system_error.
std::optional<file_identity> identity_of(const log_snapshot& snapshot, std::size_t i);

}  // namespace livelogd::storage
