// SPDX-License-Identifier: MIT
// From batches of records to the log, and from the log to the live end.
#pragma once

#include "daemon/ingest/accounting.hpp"
#include "daemon/ingest/gate.hpp"
#include "daemon/ingest/policy.hpp"
#include "daemon/ingest/progress.hpp"
#include "daemon/live/broadcaster.hpp"
#include "daemon/storage/log.hpp"

namespace livelogd::ingest {

/// Joins the log's order with the live end's: what has been appended is encoded once and published, and so is
/// that storing fails or works again. Owned by
/// the application; outlives the log's threads.
class pipeline final : public storage::log_listener {
  public:
    /// `pending`: how much may wait to be written before senders are made to wait. All that is passed by
    /// reference must outlive the pipeline.
    pipeline(storage::log& log, live::broadcaster& live, const current_policy& rules,
             const gate::limits& pending, counters& count)
        : log_(log), live_(live), rules_(rules), gate_(pending), count_(count) {}

    /// Any thread. Returns the id behind the batch's last record; of an empty batch, that of the last one
    /// before.
    protocol::record_id submit(storage::record_batch batch);

    /// Somebody wants to know that what is written survives a power cut. Any thread.
    void sync_soon() { log_.sync_soon(); }

    /// Senders are read from while this is open.
    [[nodiscard]] gate& intake_gate() { return gate_; }

    /// How far the log has come. To be closed once the log has stopped.
    [[nodiscard]] progress& stored() { return progress_; }

  private:
    // On the log's writer thread; on_synced also on its sync thread.
    void on_appended(protocol::record_id first_id, const storage::shared_records& batch) override;
    void on_written(protocol::record_id end_id, const storage::record_batch& batch) override;
    void on_synced(protocol::record_id end_id) override;
    void on_trouble(const std::string& reason) override;
    void on_recovered(const storage::storing_outage& outage) override;

    storage::log& log_;
    live::broadcaster& live_;
    const current_policy& rules_;
    gate gate_;
    counters& count_;
    progress progress_;
};

}  // namespace livelogd::ingest
