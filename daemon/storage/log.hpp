// SPDX-License-Identifier: MIT
// The append-only log: ids, segments, and the threads that write, sync and compress them.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log_listener.hpp"
#include "daemon/storage/log_options.hpp"
#include "daemon/storage/log_snapshot.hpp"
#include "daemon/storage/record_batch.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace livelogd::storage {

/// What was done to the log when it was opened.
struct recovery {
    std::uint64_t torn_bytes = 0;     ///< that were no record, at the end of segments
    std::filesystem::path torn_file;  ///< where they are kept now; of several files the last
    std::string cut_failure;          ///< why they could not be moved there and stay where they were
    std::optional<protocol::record_id>
        jumped_from;  ///< the next id there would have been, had ids not jumped
};

/// What the log has done since it was opened, and what waits at this moment.
struct log_numbers {
    std::uint64_t unsynced_bytes = 0;    ///< written, and kept in memory until they are synced
    std::uint64_t outages = 0;           ///< times in which storing failed, the present one included
    std::uint64_t removed_segments = 0;  ///< by retention
};

/// One log in one directory. Owns the directory's lock, the writer thread (appends, opens and removes
/// segments), the sync thread (fsync of the directory and of sealed segments, fdatasync), and the one that
/// compresses, if any. All members may be called from any thread; only the constructor, stop and the
/// destructor block on the disk.
class log {
  public:
    /// Opens or creates the directory, takes its lock, cuts a torn tail. Throws log_error.
    /// `ops` is for tests; every call of it may fail.
    log(const log_options& options, base::report_sink report, file_ops ops = {});
    ~log();  ///< stop({}) if that has not been done; may wait for a sync that hangs
    log(const log&) = delete;
    log& operator=(const log&) = delete;

    /// What opening found and did. A cut tail and a jump of the ids have been reported already.
    [[nodiscard]] const recovery& recovered() const;

    /// Starts the threads. `listener` must outlive stop().
    void start(log_listener& listener);

    /// Hands a batch over to be appended, and gives it its ids. Returns the id behind its last one. Never
    /// blocks and never refuses: the caller keeps pending_bytes bounded.
    protocol::record_id submit(record_batch batch);

    /// What has been written is to be synced at once, whatever the policy.
    void sync_soon();

    /// Bytes handed over and not yet written to a file.
    [[nodiscard]] std::uint64_t pending_bytes() const;

    [[nodiscard]] log_snapshot snapshot() const;

    /// For whoever watches the log. Each number is true, but they are not read at one moment.
    [[nodiscard]] log_numbers numbers() const;

    /// Why storing fails at the moment, as a sentence; nothing while it works.
    [[nodiscard]] std::optional<std::string> trouble() const;

    /// Changes what retention and sealing go by, and whether sealed segments are compressed, from now on.
    /// Those that are compressed stay so.
    void set_limits(const log_limits& limits);

    struct stop_result {
        std::uint64_t unstored_records = 0;  ///< handed over, but not stored in time
        std::uint64_t unsynced_records = 0;  ///< stored, but it is not known whether they survive a power cut
        bool unsynced = false;               ///< so is something, counted or not
        /// A system call has not returned: the destructor would wait for it, for as long as the disk takes.
        bool hangs = false;
    };
    /// Stores what was handed over and syncs it, marks the stop as clean, ends the threads. If storing fails,
    /// it is tried again for at most `patience`; however slow the disk is, it ends after `limit`. Afterwards
    /// submit must not be called.
    stop_result stop(std::chrono::milliseconds patience,
                     std::chrono::milliseconds limit = std::chrono::seconds(20));

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace livelogd::storage
