// SPDX-License-Identifier: MIT
// All summaries of a log, for those who ask.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/summary/segment_summary.hpp"
#include "daemon/summary/summary_file.hpp"
#include "daemon/summary/summary_runs.hpp"
#include "protocol/record_id.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace livelogd::summary {

/// A cache in front of the scan: whoever gets no summary here reads the segment. Any thread; owned by the
/// application.
///
/// Of sealed segments it remembers the heads of their files, the most recently used ones up to a number of
/// bytes, whatever the size of the history. Of the segment that grows it holds what the summary_keeper has
/// published last.
class summaries {
  public:
    static constexpr std::size_t default_cache_bytes = 24u << 20;

    /// Not enabled: it never has any. `zone` must outlive it.
    /// `run_length`: see summary_runs.
    summaries(bool enabled, const base::time_zone& zone, std::size_t cache_bytes = default_cache_bytes,
              std::size_t run_length = summary_runs::usual_length);

    [[nodiscard]] bool enabled() const { return enabled_; }

    /// The summary of segment `i` as it is now, or null. It may reach beyond what the snapshot shows, or not
    /// as far. Blocks on the disk. Does not throw for what is wrong with a summary.
    shared_summary of(const storage::log_snapshot& snapshot, std::size_t i);

    /// What several of them add up to.
    [[nodiscard]] summary_runs& runs() { return runs_; }

    /// Which segment this is, in the state of the file that is open.
    [[nodiscard]] summary_subject subject_of(protocol::record_id first_id,
                                             const storage::segment_source& segment) const;

    /// What is known of the segment that grows, whose file has this inode.
    void publish(protocol::record_id first_id, std::uint64_t inode, shared_summary known);

    /// A summary has turned out to be damaged after its head had been read: it is not used any more.
    void forget(protocol::record_id first_id);

    /// Sealed segments that somebody has asked for since the last call, and that have none.
    std::unordered_set<protocol::record_id> take_missing();

  private:
    struct entry {
        protocol::record_id first_id = 0;
        storage::file_identity segment;
        shared_summary known;
    };
    shared_summary growing(protocol::record_id first_id, const storage::file_identity& segment);
    shared_summary remembered(protocol::record_id first_id, const storage::file_identity& segment);
    void remember(entry fresh);
    void note_missing(protocol::record_id first_id);

    const bool enabled_;
    const std::size_t cache_bytes_;
    const std::string zone_;
    summary_runs runs_;

    std::mutex mutex_;          ///< never held while reading
    std::list<entry> entries_;  ///< most recently used first
    std::unordered_map<protocol::record_id, std::list<entry>::iterator> by_id_;
    std::size_t bytes_ = 0;
    std::unordered_set<protocol::record_id> missing_;
    protocol::record_id growing_id_ = 0;
    std::uint64_t growing_inode_ = 0;
    shared_summary growing_;
};

}  // namespace livelogd::summary
