// SPDX-License-Identifier: MIT
#include "daemon/ingest/pipeline.hpp"

#include "daemon/base/time_zone.hpp"
#include "daemon/ingest/own_record.hpp"
#include "protocol/sse.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace livelogd::ingest {
namespace {

/// One addition for each severity that a batch has, not for each record.
void count_severities(const storage::record_batch& batch, counters& count) {
    std::array<std::uint64_t, protocol::level_count> found{};
    std::uint64_t errors = 0;
    for (const auto& record : batch.records) {
        ++found[static_cast<std::size_t>(record.digest.severity)];
        if (record.digest.error) ++errors;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i] > 0) count.by_severity[i].fetch_add(found[i], std::memory_order_relaxed);
    }
    if (errors > 0) count.error_records.fetch_add(errors, std::memory_order_relaxed);
}

}  // namespace

protocol::record_id pipeline::submit(storage::record_batch batch) {
    gate_.add(batch.lines.size());
    if (!batch.own) count_.waiting.fetch_add(batch.records.size(), std::memory_order_release);
    return log_.submit(std::move(batch));
}

void pipeline::on_appended(protocol::record_id first_id, const storage::shared_records& batch) {
    live_.publish(first_id, batch);
}

void pipeline::on_written(protocol::record_id end_id, const storage::record_batch& batch) {
    gate_.remove(batch.lines.size());
    count_severities(batch, count_);
    if (batch.own) {
        count_.own_records.fetch_add(batch.records.size(), std::memory_order_relaxed);
    } else {
        // In this order: a reader never finds a record in both.
        count_.waiting.fetch_sub(batch.records.size(), std::memory_order_relaxed);
        count_.stored.fetch_add(batch.records.size(), std::memory_order_release);
    }
    progress_.written(end_id);
}

void pipeline::on_synced(protocol::record_id end_id) {
    progress_.synced(end_id);
}

void pipeline::on_trouble(const std::string& reason) {
    gate_.set_failing(true);
    progress_.hold();
    const auto since = rules_.load()->zone.format(base::now_us());
    live_.set_status(std::make_shared<const std::string>(protocol::sse::status_failing(reason, since)), true);
}

void pipeline::on_recovered(const storage::storing_outage& outage) {
    gate_.set_failing(false);
    progress_.release();
    live_.set_status(std::make_shared<const std::string>(protocol::sse::status_ok()), false);
    // Whoever reads the log later has to know as well.
    auto message = "storing failed for " + std::to_string(outage.duration.count()) + " ms: " + outage.reason
                   + "; " + std::to_string(outage.held_records) + " records waited in memory";
    if (outage.lost_records > 0) {
        message += ", " + std::to_string(outage.lost_records)
                   + " are gone with files that somebody has removed or cut";
    } else if (outage.doubtful) {
        message += ", what was written shortly before may not survive a power cut";
    } else {
        message += ", none was lost";
    }
    const boost::json::object fields{{"reason", outage.reason},
                                     {"outage_ms", outage.duration.count()},
                                     {"held_records", outage.held_records},
                                     {"rewritten_records", outage.rewritten_records},
                                     {"lost_records", outage.lost_records}};
    submit(own_record("storing_recovered", message, fields, *rules_.load()));
}

}  // namespace livelogd::ingest
