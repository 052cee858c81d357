// SPDX-License-Identifier: MIT
// The cursor that looks for what the operator wants to be told of.
#pragma once

#include "daemon/alerts/alert_rule.hpp"
#include "daemon/alerts/delivery.hpp"
#include "daemon/alerts/record_sink.hpp"
#include "daemon/base/report.hpp"
#include "daemon/base/time_zone.hpp"
#include "daemon/live/broadcaster.hpp"
#include "daemon/live/catch_up.hpp"
#include "daemon/storage/log.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace livelogd::alerts {

/// What the watch reads from; all of it outlives the watch.
struct watch_sources {
    const storage::log& log;
    live::broadcaster& live;
    live::catch_up& files;
    const base::time_zone& zone;
};

/// Goes through the log on a thread of its own, from the newest record at the time it begins on, as a live
/// stream does: from the ring, or from the files when it has fallen behind. So nothing it does, filters,
/// look-ups or receivers that hang, delays anybody else. Without rules there is no thread. Owned by the
/// application; set_rules(): the control strand, or while the I/O threads do not run, and not once stop() has
/// been called.
class watch {
  public:
    watch(watch_sources sources, record_sink record, base::report_sink report, alert_counts& count,
          patience times = {});
    ~watch();
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    /// From now on these. What a rule has counted stays if the rule does. Throws filter::filter_error for a
    /// filter that cannot be understood, std::invalid_argument for a URL, and then nothing changes.
    void set_rules(std::vector<alert_rule> rules);

    /// Once the broadcaster is closed: what waits for a receiver is given up, attempts under way have until
    /// `deadline`. Blocks until then, and for the batch that is being looked through; on any thread, once.
    void stop(std::chrono::steady_clock::time_point deadline);

  private:
    class session;  ///< what lives on the thread

    watch_sources sources_;
    record_sink record_;
    base::report_sink report_;
    alert_counts& count_;
    const patience times_;
    std::unique_ptr<session> session_;
};

}  // namespace livelogd::alerts
