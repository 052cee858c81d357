// SPDX-License-Identifier: MIT
// The directory of a log: made, locked, listed, and its `current` link kept.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/storage/log_snapshot.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

namespace livelogd::storage {

/// Holds the directory's lock for as long as it lives. After construction used by one thread at a time, but
/// for what says otherwise.
class log_directory {
  public:
    /// Makes the directory (0750) and missing ones above it, and locks it: one daemon a directory. Throws
    /// log_error.
    log_directory(const std::filesystem::path& directory, base::report_sink report);

    /// Absolute, so that it stays true if the process changes its working directory.
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    struct contents {
        std::vector<segment_info> segments;  ///< plain ones, oldest first; `bytes` is the size of the file
        /// Compressed ones; only the first id, the size on the disk, and the time are known.
        std::vector<segment_info> compressed;
        std::vector<protocol::record_id>
            torn;  ///< first ids of the segments that have a .torn file, in order
        std::vector<std::filesystem::path>
            unfinished;  ///< segments that were being written anew, or compressed
    };
    /// Makes the directory and its lock again if somebody has removed or renamed it. Throws log_error.
    void reattach();

    /// What the log left here. Names of any other pattern are ignored. Throws log_error.
    [[nodiscard]] contents list() const;

    /// Makes created, renamed and removed names survive a power cut. Throws std::system_error. Any thread.
    void sync() const;

    /// The same where nothing can be done about a failure, as on file systems that sync no directories: it is
    /// reported, once. Any thread.
    void try_to_sync();

    /// Lets `current` point to a segment, in one step: there is no moment without the link. Never replaces
    /// anything that is not a symbolic link. Failing is reported, once, and else without consequence.
    void point_current_at(protocol::record_id first_id);

  private:
    void attach();
    [[nodiscard]] std::shared_ptr<const base::unique_fd> opened() const;
    [[nodiscard]] base::unique_fd take_lock() const;
    void warn_about_current(const std::string& why);

    base::report_sink report_;
    std::filesystem::path path_;
    base::unique_fd lock_;
    bool warned_about_current_ = false;
    std::atomic<bool> warned_about_sync_ = false;

    mutable std::mutex mutex_;  ///< guards what follows; never held while syncing
    std::shared_ptr<const base::unique_fd> directory_;
};

}  // namespace livelogd::storage
