// SPDX-License-Identifier: MIT
// Matching records from the newest to the oldest, over all segments.
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/filter/record_filter.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/segment_reader.hpp"
#include "protocol/scan.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace livelogd::query {

/// Where a record stands.
struct record_place {
    std::size_t segment = 0;   ///< its number in the snapshot
    std::uint64_t offset = 0;  ///< of its first byte in the segment
    std::uint64_t size = 0;    ///< bytes, without the LF
};

/// The snapshot and the filter must live as long as the search. One thread at a time; blocks on the disk.
class backward_search {
  public:
    /// `strict`: a file that is shorter than the snapshot says is an error.
    backward_search(const storage::log_snapshot& snapshot, const filter::record_filter& filter, bool strict,
                    std::stop_token stop);

    /// The next older matching record; false when there is none. Lines that are no records are passed over,
    /// and so are segments that retention has removed. Throws query::stopped, query::log_changed or
    /// std::system_error.
    bool next(record_place& place);

    /// The file that the last place found is in. Whoever keeps it can read it even after retention removed
    /// it.
    [[nodiscard]] const std::shared_ptr<const base::unique_fd>& file() const { return file_; }

  private:
    bool open_older();

    const storage::log_snapshot& snapshot_;
    const filter::record_filter& filter_;
    const bool strict_;
    std::stop_token stop_;
    std::size_t segment_;  ///< the one that is being read; segment_count() before the first
    std::shared_ptr<const base::unique_fd> file_;
    std::optional<storage::backward_reader> reader_;
    protocol::record_scanner scanner_;
};

}  // namespace livelogd::query
