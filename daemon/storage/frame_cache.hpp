// SPDX-License-Identifier: MIT
// Frames of compressed segments that have been decompressed, for all who read at the same places.
#pragma once

#include "daemon/base/report.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace livelogd::storage {

/// The bytes of one frame. Immutable.
struct frame_bytes {
    std::unique_ptr<const char[]> data;
    std::size_t size = 0;
};
using shared_frame = std::shared_ptr<const frame_bytes>;

/// The most recently used frames, up to a number of bytes in all, however many segments are read and by how
/// many. Any thread; owned by the log, and shared with its snapshots.
class frame_cache {
  public:
    static constexpr std::size_t default_bytes = 16u << 20;

    explicit frame_cache(base::report_sink report = {}, std::size_t most_bytes = default_bytes);

    struct key {
        std::uint64_t inode = 0;  ///< of the compressed file
        protocol::record_id first_id = 0;
        std::size_t frame = 0;  ///< its number

        friend auto operator<=>(const key&, const key&) = default;
    };
    /// Null if it is not there.
    shared_frame find(const key& of);
    void keep(const key& of, shared_frame frame);

    /// A compressed segment, or a part of it, cannot be read: the operator is told once for each segment.
    /// `what` is the sentence behind its path.
    void tell_damage(protocol::record_id first_id, const std::filesystem::path& path,
                     const std::string& what);

    [[nodiscard]] std::size_t bytes() const;

  private:
    struct entry {
        key of;
        shared_frame frame;
    };
    const base::report_sink report_;
    const std::size_t most_bytes_;

    mutable std::mutex mutex_;  ///< held for moments
    std::list<entry> entries_;  ///< most recently used first
    std::map<key, std::list<entry>::iterator> by_key_;
    std::size_t bytes_ = 0;
    std::set<protocol::record_id> told_;
};

}  // namespace livelogd::storage
