// SPDX-License-Identifier: MIT
// The thread that makes what has been written survive a power cut.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/storage/active_segment.hpp"
#include "daemon/storage/file_ops.hpp"
#include "daemon/storage/log_options.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace livelogd::storage {

/// Syncs the active segment by the policy, and every sealed one once, in order. All members from any thread.
class syncer {
  public:
    /// So many sealed segments may wait; then the writer waits too, or a disk that only takes data at the
    /// price of syncing it would be left ever further behind.
    static constexpr std::size_t most_sealed_waiting = 64;

    /// Looks at policy, interval and bytes of `options`. `ops` must outlive the object.
    syncer(const log_options& options, base::report_sink report, const file_ops& ops);
    ~syncer();
    syncer(const syncer&) = delete;
    syncer& operator=(const syncer&) = delete;

    /// `synced` is told, on the sync thread, up to which id records survive a power cut; may be empty.
    void start(std::function<void(protocol::record_id end_id)> synced);

    /// So many more bytes have been written to the active segment: everything below `end_id`. `durable`: it
    /// is to be synced at once. Those that come while a sync runs share the next one.
    void written(const std::shared_ptr<const segment_file>& active, std::uint64_t bytes,
                 protocol::record_id end_id, bool durable);

    /// Nothing more will be written to this segment. Blocks while too many are waiting.
    void seal(std::shared_ptr<const segment_file> file);

    /// Why what is written may not survive a power cut; nothing once a later segment could be synced.
    [[nodiscard]] std::optional<std::string> trouble() const;

    /// Syncs what there is and ends the thread. False if something could not be synced.
    bool stop();

  private:
    using clock = std::chrono::steady_clock;

    void run();
    [[nodiscard]] bool active_is_due() const;
    void sync(const segment_file& file, const std::function<int(int)>& call, protocol::record_id end_id);

    const sync_policy policy_;
    const std::chrono::milliseconds interval_;
    const std::uint64_t most_unsynced_;
    const base::report_sink report_;
    const file_ops& ops_;

    mutable std::mutex mutex_;  ///< guards what follows; never held while syncing
    std::condition_variable work_;
    std::condition_variable room_;
    std::function<void(protocol::record_id)> synced_;
    struct sealed_segment {
        std::shared_ptr<const segment_file> file;
        protocol::record_id end_id = 0;
    };
    std::deque<sealed_segment> sealed_;           ///< the first one may be being synced
    std::shared_ptr<const segment_file> active_;  ///< null while nothing of it is unsynced
    std::uint64_t unsynced_ = 0;                  ///< bytes of the active segment
    protocol::record_id written_end_ = 0;         ///< everything below has been written
    bool durable_wanted_ = false;                 ///< somebody waits for a sync
    clock::time_point unsynced_since_;
    std::optional<protocol::record_id> failed_;  ///< first id of the newest segment that could not be synced
    std::string failure_;
    bool running_ = false;
    bool stopping_ = false;

    std::thread thread_;
};

}  // namespace livelogd::storage
