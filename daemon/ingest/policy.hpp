// SPDX-License-Identifier: MIT
// What ingest does with records, as the operator set it; may change while the daemon runs.
#pragma once

#include "daemon/base/time_zone.hpp"
#include "protocol/bodies.hpp"
#include "protocol/redaction.hpp"
#include "protocol/secret_shapes.hpp"

#include <atomic>
#include <memory>

namespace livelogd::ingest {

/// Immutable once shared.
struct policy {
    protocol::redaction_keys redact;
    bool log_api_calls = true;  ///< false: request and response records are dropped and counted
    base::time_zone zone = base::time_zone::system();
    protocol::secret_shapes secrets{};
    protocol::body_rules bodies{};
};

/// Where the current policy is found. Any thread; readers take it once per turn.
using current_policy = std::atomic<std::shared_ptr<const policy>>;

}  // namespace livelogd::ingest
