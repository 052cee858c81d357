// SPDX-License-Identifier: MIT
// Records that the daemon itself writes into the log, about things a reader of the log has to know.
#pragma once

#include "daemon/ingest/policy.hpp"
#include "daemon/storage/record_batch.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace livelogd::ingest {

/// `{"timestamp":…,"level":"WARNING","message":…,"module":"livelogd","type":"livelogd","event":…, <fields>}`
/// as a batch of one.
storage::record_batch own_record(std::string_view event, std::string_view message,
                                 const boost::json::object& fields, const policy& rules);

}  // namespace livelogd::ingest
