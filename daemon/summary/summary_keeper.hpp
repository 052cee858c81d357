// SPDX-License-Identifier: MIT
// Follows the log and keeps its summaries.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/base/time_zone.hpp"
#include "daemon/storage/log.hpp"
#include "daemon/summary/burst_watch.hpp"
#include "daemon/summary/summaries.hpp"
#include "daemon/summary/summary_builder.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_set>

namespace livelogd::summary {

/// Has a thread of its own, which gives way to all others and waits for the end of bursts: it reads what has
/// been appended once more, adds it up, and writes a file for each segment that has been sealed. Reading
/// again instead of counting while a record is taken in keeps ingest free of it, and makes a summary a
/// function of the file alone, whether it is made while the file grows, later, or once more. Owned by the
/// application; ends before what it refers to.
class summary_keeper {
  public:
    static constexpr std::chrono::milliseconds default_pause{250};

    /// `pause`: between two looks at the log. All that is passed by reference must outlive it.
    summary_keeper(const storage::log& log, summaries& known, const base::time_zone& zone,
                   base::report_sink report, std::chrono::milliseconds pause = default_pause);
    ~summary_keeper();  ///< stops the thread; a file that is being written is finished or removed
    summary_keeper(const summary_keeper&) = delete;
    summary_keeper& operator=(const summary_keeper&) = delete;

    /// Starts the thread, if summaries are enabled.
    void start();

  private:
    void run(const std::stop_token& stop);
    void look(const std::stop_token& stop);
    bool keep_newest_sealed(const storage::log_snapshot& snapshot, const std::stop_token& stop);
    void follow_growing(const storage::log_snapshot& snapshot, const std::stop_token& stop);
    void keep_sealed(const storage::log_snapshot& snapshot, std::size_t i, const std::stop_token& stop);
    void remove_left_over(const storage::log_snapshot& snapshot);
    void note_failure(const char* why);

    const storage::log& log_;
    summaries& known_;
    const base::time_zone& zone_;
    base::report_sink report_;
    const std::chrono::milliseconds pause_;

    // On the thread.
    burst_watch burst_;
    std::optional<summary_builder> growing_;
    std::uint64_t growing_inode_ = 0;
    std::unordered_set<protocol::record_id> kept_;    ///< sealed segments that need nothing more
    std::unordered_set<protocol::record_id> untold_;  ///< those that have too many names for a summary
    std::chrono::steady_clock::time_point next_try_;  ///< not before, after a failure
    protocol::record_id oldest_ = 0;                  ///< when it was last looked for what is left over
    bool failed_ = false;

    std::mutex mutex_;
    std::condition_variable_any wake_;  ///< only the stop does
    std::jthread thread_;
};

}  // namespace livelogd::summary
