// SPDX-License-Identifier: MIT
// How the log tells how far what it was handed has come.
#pragma once

#include "daemon/storage/record_batch.hpp"
#include "protocol/record_id.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace livelogd::storage {

/// A time in which storing failed, told once it is over.
struct storing_outage {
    std::string reason;                     ///< why storing failed at first, as a sentence
    std::chrono::milliseconds duration{0};  ///< from the first failure until everything was stored
    std::uint64_t held_records = 0;         ///< that waited in memory, at most
    std::uint64_t rewritten_records = 0;    ///< that were in a file which could not be trusted any more
    std::uint64_t lost_records = 0;         ///< that somebody else has removed from the files
    bool doubtful = false;  ///< others, not kept in memory, may not survive a power cut (`sync = none`)
};

/// Called on the log's writer thread, on_synced also on its sync thread: must be quick and must not throw.
/// May call submit, snapshot and pending_bytes of the log, nothing else of it.
class log_listener {
  public:
    virtual ~log_listener() = default;

    /// The batch is in every snapshot taken from now on: in the file (written, not necessarily synced), or in
    /// memory while storing fails. Calls come in the order of ids, without gaps.
    virtual void on_appended(protocol::record_id first_id, const shared_records& batch) = 0;

    /// The batch that ends before `end_id` has been written to the file, as has everything before it. Once
    /// for each batch, in order, after its on_appended.
    virtual void on_written([[maybe_unused]] protocol::record_id end_id,
                            [[maybe_unused]] const record_batch& batch) {}

    /// Everything below `end_id` survives a power cut. Calls rise.
    virtual void on_synced([[maybe_unused]] protocol::record_id end_id) {}

    /// Storing fails from now on. `reason` is a sentence.
    virtual void on_trouble([[maybe_unused]] const std::string& reason) {}

    /// Storing works again, and everything that had waited is stored.
    virtual void on_recovered([[maybe_unused]] const storing_outage& outage) {}
};

}  // namespace livelogd::storage
