// SPDX-License-Identifier: MIT
// What is told when a rule has fired: to whoever reads the log, and to the webhook.
#pragma once

#include "daemon/alerts/alert_rule.hpp"
#include "daemon/alerts/hit_window.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace livelogd::alerts {

/// `alert 'errors': 5 records within 1 min (type=errors)`, and how many came in the quiet time before.
std::string sentence_of(const alert_rule& rule, const firing& fired);

/// Members of the record in the log, beside those that all of the daemon's own have.
boost::json::object fields_of(const alert_rule& rule, const firing& fired);

/// The webhook's JSON: `text` is the sentence, under the name that chat programs look for. `record`: the
/// newest that fitted, as stored; used if the rule includes it, with long strings cut.
std::string webhook_body(const alert_rule& rule, const firing& fired, std::int64_t now_us,
                         std::string_view host, std::string_view record);

}  // namespace livelogd::alerts
