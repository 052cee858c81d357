// SPDX-License-Identifier: MIT
// The thread that makes what has been written survive a power cut.
#pragma once

#include "daemon/storage/active_segment.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log_options.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace livelogd::storage {

/// Syncs the active segment by the policy, and every sealed one once, in order; before the first sync of one
/// it has the names of all that there are made safe, so that the thread that writes never waits for the disk.
/// After each sync it looks whether the file still has its name and its length, because somebody may have
/// moved or cut it. The first failure ends its work until the writer has put things right: that a file can be
/// synced after it has failed proves nothing, the kernel may have dropped the data and call the pages clean.
/// All members from any thread.
class syncer {
  public:
    /// So many sealed segments may wait before the writer should wait too, or a disk that only takes data at
    /// the price of syncing it would be left ever further behind.
    static constexpr std::size_t most_sealed_waiting = 64;

    /// Both are called on the sync thread, without a lock held.
    struct events {
        std::function<void(protocol::record_id end_id)> synced;  ///< everything below survives a power cut
        std::function<void()> failed;                            ///< see failure()
    };

    /// Looks at policy, interval and bytes of `options`. `ops` must outlive the object. `sync_names` makes
    /// the names of files survive a power cut; called on the sync thread, without a lock held.
    syncer(const log_options& options, const file_ops& ops, std::function<void()> sync_names);
    ~syncer();
    syncer(const syncer&) = delete;
    syncer& operator=(const syncer&) = delete;

    void start(events tell);

    /// The active segment has `bytes` now, which hold everything below `end_id`. `durable`: it is to be
    /// synced at once. Those that come while a sync runs share the next one.
    void written(const std::shared_ptr<const segment_file>& active, std::uint64_t bytes,
                 protocol::record_id end_id, bool durable);

    /// Nothing more will be written to this segment, which has `bytes` and holds everything below `end_id`.
    void seal(std::shared_ptr<const segment_file> file, std::uint64_t bytes, protocol::record_id end_id);

    /// What has been written is to be synced at once, whatever the policy.
    void sync_soon();

    /// Segments that begin below `id` are about to be removed: what becomes of them does not matter any more.
    void removing_below(protocol::record_id id);

    /// It has still to look at this segment, which must keep its name until then.
    [[nodiscard]] bool needs(protocol::record_id first_id) const;

    /// Too many sealed segments wait.
    [[nodiscard]] bool behind() const;

    /// Why a file does not hold, or may not keep, what was written to it: a sentence with its path.
    [[nodiscard]] std::optional<std::string> failure() const;

    /// Only while there is a failure. Forgets it and everything that waits: all of it has been written anew
    /// and synced. Goes on with what comes after.
    void resume();

    /// From now on everything is synced at once.
    void flush();

    /// Everything that was written is synced.
    [[nodiscard]] bool settled() const;

    enum class end {
        synced,    ///< everything
        unsynced,  ///< not everything
        hangs,     ///< a sync has not returned by the deadline; the destructor would wait for it
    };
    /// Syncs what there is and ends the thread.
    end stop(std::chrono::steady_clock::time_point deadline);

    /// After stop: waits for a sync that hangs.
    void join();

  private:
    using clock = std::chrono::steady_clock;
    /// How much of a file there is to sync.
    struct job {
        std::shared_ptr<const segment_file> file;
        std::uint64_t bytes = 0;
        protocol::record_id end_id = 0;
    };

    void run();
    enum class task { look, sync_active, sync_sealed };
    void work_on(const job& what, task kind, std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool active_is_due() const;
    [[nodiscard]] bool has_unseen() const;
    [[nodiscard]] clock::time_point due_at() const { return unsynced_since_ + interval_; }

    const sync_policy policy_;
    const clock::duration interval_;
    const std::uint64_t most_unsynced_;
    const file_ops& ops_;
    const std::function<void()> sync_names_;
    events tell_;                       ///< set before the thread starts
    protocol::record_id named_to_ = 0;  ///< first id of the newest segment whose name is safe; its thread's

    mutable std::mutex mutex_;  ///< guards what follows; never held while syncing
    std::condition_variable work_;
    std::condition_variable ended_;
    std::deque<job> sealed_;              ///< the first one may be being synced
    job active_;                          ///< without a file while nothing of it is unsynced
    protocol::record_id at_work_on_ = 0;  ///< while working_: first id of the segment
    std::uint64_t unsynced_ = 0;          ///< bytes of the active segment since it was last found to be due
    std::uint64_t written_ = 0;           ///< bytes of the active segment, synced or not
    protocol::record_id written_to_ = 0;  ///< its first id
    bool durable_wanted_ = false;
    clock::time_point unsynced_since_;
    protocol::record_id synced_end_ = 0;
    protocol::record_id removed_below_ = 0;
    protocol::record_id seen_end_ = 0;  ///< under `none`: up to where the file has been looked at
    std::optional<std::string> failure_;
    bool working_ = false;   ///< a sync runs
    bool flushing_ = false;  ///< whatever there is, is due
    bool ending_ = false;
    bool over_ = true;  ///< the thread has ended, or never began

    std::thread thread_;
};

}  // namespace livelogd::storage
