// SPDX-License-Identifier: MIT
// From batches of records to the log, and from the log to the live end.
#pragma once

#include "daemon/ingest/gate.hpp"
#include "daemon/live/broadcaster.hpp"
#include "daemon/storage/log.hpp"

namespace livelogd::ingest {

/// Joins the log's order with the live end's: what has been appended is encoded once and published. Owned by
/// the application; outlives the log's threads.
class pipeline final : public storage::log_listener {
  public:
    /// `max_pending_bytes`: how much may wait to be appended before senders are made to wait.
    pipeline(storage::log& log, live::broadcaster& live, std::uint64_t max_pending_bytes)
        : log_(log), live_(live), gate_(max_pending_bytes) {}

    /// Any thread. Returns the id behind the batch's last record; of an empty batch, that of the last one
    /// before.
    protocol::record_id submit(storage::record_batch batch);

    /// Senders are read from while this is open.
    [[nodiscard]] gate& intake_gate() { return gate_; }

  private:
    /// On the log's writer thread.
    void on_appended(protocol::record_id first_id, const storage::shared_records& batch) override;
    void on_written(protocol::record_id end_id, const storage::record_batch& batch) override;

    storage::log& log_;
    live::broadcaster& live_;
    gate gate_;
};

}  // namespace livelogd::ingest
