// SPDX-License-Identifier: MIT
// How alerts get into the log.
#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <string_view>

namespace livelogd::alerts {

/// Writes one of the daemon's own records. Any thread.
using record_sink =
    std::function<void(std::string_view event, std::string_view message, const boost::json::object& fields)>;

}  // namespace livelogd::alerts
