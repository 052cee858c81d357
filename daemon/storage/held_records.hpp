// SPDX-License-Identifier: MIT
// Records that have their ids but are in no file that can be trusted, because storing fails.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/record_batch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>

namespace livelogd::storage {

/// Shows what is held to readers as one more segment: a file in memory (memfd_create), so that they read it
/// as they read the others, and keep it as long as they need it. The memory file is made in advance, because
/// running out of descriptors may be the very trouble. One thread at a time: the writer's. Owned by it.
class held_records {
  public:
    held_records();

    /// Shows these lines, of which the first is that of `first_id`, instead of what was shown before. What
    /// waits stays. False if they cannot be shown: then all is as it was.
    bool show_instead(protocol::record_id first_id, std::span<const std::string_view> lines);

    /// The lines that come next. False if they cannot be shown, because there is no memory left: then nothing
    /// that follows may be shown either.
    bool show(std::string_view lines);

    /// Nothing is held any more; what readers have opened stays theirs.
    void clear();

    /// The segment that is shown; no bytes if there is none.
    [[nodiscard]] segment_info segment() const { return {first_id_, bytes_}; }
    [[nodiscard]] const std::shared_ptr<const base::unique_fd>& file() const { return file_; }

    /// A batch of which records still have to be written to a file.
    struct waiting_batch {
        shared_records batch;
        protocol::record_id first_id = 0;
        std::size_t records_written = 0;  ///< from its first one on
        std::size_t bytes_written = 0;
    };
    std::deque<waiting_batch> waiting;  ///< in the order of ids

  private:
    void make_file();

    std::shared_ptr<const base::unique_fd> file_;
    protocol::record_id first_id_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace livelogd::storage
