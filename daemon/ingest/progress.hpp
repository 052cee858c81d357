// SPDX-License-Identifier: MIT
// How far the log has come, for those who wait to tell their senders.
#pragma once

#include "protocol/acknowledgement.hpp"
#include "protocol/record_id.hpp"

#include <functional>
#include <mutex>
#include <unordered_set>

namespace livelogd::ingest {

/// Told by the log's threads; asked by sessions. Any thread. Owned by the pipeline; outlives its watches.
class progress {
  public:
    /// Everything below has been written to the files.
    void written(protocol::record_id end_id);
    /// Everything below survives a power cut.
    void synced(protocol::record_id end_id);

    /// Storing fails: nothing more is promised until it works again, not even for what has been written
    /// meanwhile.
    void hold();
    void release();

    /// The log has stopped: nothing more will come.
    void close();

    /// Everything below may be acknowledged. Never falls.
    [[nodiscard]] protocol::record_id reached(protocol::ack_level level) const;
    [[nodiscard]] bool closed() const;

    /// One waiter's end. Used by one thread at a time; may be destroyed while it waits.
    class watch {
      public:
        /// `wake` is called by any thread, must be quick and must not call the progress: it posts.
        watch(progress& of, std::function<void()> wake) : of_(of), wake_(std::move(wake)) {}
        watch(const watch&) = delete;
        watch& operator=(const watch&) = delete;
        ~watch();

        /// True if everything below `end_id` may be acknowledged now. Else wakes once, when it may or when
        /// the log has stopped. Asking anew replaces what was waited for.
        bool await(protocol::ack_level level, protocol::record_id end_id);

      private:
        friend class progress;
        progress& of_;
        std::function<void()> wake_;
        protocol::ack_level level_ = protocol::ack_level::written;
        protocol::record_id end_id_ = 0;
    };

  private:
    void advance();
    void wake_those_reached();
    [[nodiscard]] protocol::record_id& told(protocol::ack_level level) {
        return level == protocol::ack_level::durable ? told_synced_ : told_written_;
    }

    mutable std::mutex mutex_;  ///< guards what follows; held for moments
    protocol::record_id written_ = 0;
    protocol::record_id synced_ = 0;
    protocol::record_id told_written_ = 0;  ///< as written_, but stands still while storing fails
    protocol::record_id told_synced_ = 0;
    bool held_ = false;
    bool closed_ = false;
    std::unordered_set<watch*> waiting_;
};

}  // namespace livelogd::ingest
