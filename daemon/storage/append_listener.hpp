// SPDX-License-Identifier: MIT
// How the log tells what it has stored.
#pragma once

#include "daemon/storage/record_batch.hpp"
#include "protocol/record_id.hpp"

namespace livelogd::storage {

/// Learns of what was stored. Called on the log's writer thread: must be quick, must not throw, must not call
/// back into the log (other than snapshot and pending_bytes).
class append_listener {
  public:
    virtual ~append_listener() = default;
    /// The batch is in the file (written, not necessarily synced) and in every snapshot taken from now on.
    /// Calls come in the order of ids, without gaps.
    virtual void on_appended(protocol::record_id first_id, record_batch batch) = 0;
};

}  // namespace livelogd::storage
