// SPDX-License-Identifier: MIT
#include "daemon/app/alert_recorder.hpp"

#include "daemon/ingest/own_record.hpp"

#include <utility>

namespace livelogd::app {

alert_recorder::alert_recorder(ingest::pipeline& to_log, const ingest::current_policy& rules,
                               base::report_sink report)
    : to_log_(to_log), rules_(rules), report_(std::move(report)) {}

void alert_recorder::record(std::string_view event, std::string_view message,
                            const boost::json::object& fields) {
    const std::lock_guard lock(mutex_);
    if (closed_) {
        report_(base::severity::warning, message);
    } else {
        to_log_.submit(ingest::own_record(event, message, fields, *rules_.load()));
    }
}

void alert_recorder::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

}  // namespace livelogd::app
