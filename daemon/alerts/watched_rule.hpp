// SPDX-License-Identifier: MIT
// One rule at work.
#pragma once

#include "daemon/alerts/alert_rule.hpp"
#include "daemon/alerts/delivery.hpp"
#include "daemon/alerts/hit_window.hpp"
#include "daemon/alerts/record_sink.hpp"
#include "daemon/base/time_zone.hpp"
#include "daemon/filter/record_filter.hpp"

#include <memory>
#include <string_view>

namespace livelogd::alerts {

/// Counts what fits, and tells when it is too much. Lives on the executor it is given.
class watched_rule {
  public:
    /// Throws filter::filter_error, or std::invalid_argument for the URL.
    watched_rule(alert_rule rule, const base::time_zone& zone, const net::asio::any_io_executor& executor,
                 record_sink record, alert_counts& count, patience times);

    [[nodiscard]] const alert_rule& rule() const { return rule_; }

    void look_at(protocol::record_id id, const filter::record_view& view, hit_window::clock::time_point now);

    /// Nothing is tried again from now on.
    void stop();
    [[nodiscard]] bool idle() const { return !delivery_ || delivery_->idle(); }

  private:
    void fire(const firing& fired, std::string_view record);

    const alert_rule rule_;
    const filter::record_filter filter_;
    hit_window hits_;
    const record_sink record_;
    alert_counts& count_;
    std::shared_ptr<delivery> delivery_;  ///< null: no webhook
};

}  // namespace livelogd::alerts
