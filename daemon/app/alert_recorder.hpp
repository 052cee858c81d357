// SPDX-License-Identifier: MIT
// From alerts to the log, as long as it takes records.
#pragma once

#include "daemon/base/report.hpp"
#include "daemon/ingest/pipeline.hpp"
#include "daemon/ingest/policy.hpp"

#include <boost/json/object.hpp>

#include <mutex>
#include <string_view>

namespace livelogd::app {

/// Owned by the application; outlives the alerts' thread. Members: any thread.
class alert_recorder {
  public:
    alert_recorder(ingest::pipeline& to_log, const ingest::current_policy& rules, base::report_sink report);

    /// A record of the daemon's own; after close() a message to the operator instead.
    void record(std::string_view event, std::string_view message, const boost::json::object& fields);

    /// The log is about to stop: nothing goes there once this has returned.
    void close();

  private:
    ingest::pipeline& to_log_;
    const ingest::current_policy& rules_;
    base::report_sink report_;
    std::mutex mutex_;
    bool closed_ = false;
};

}  // namespace livelogd::app
