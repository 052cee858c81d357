// SPDX-License-Identifier: MIT
#include "daemon/alerts/hit_window.hpp"

namespace livelogd::alerts {

std::optional<firing> hit_window::note(protocol::record_id id, clock::time_point now) {
    ++since_firing_;
    newest_.push_back({id, now});
    if (newest_.size() > threshold_) newest_.pop_front();
    while (now - newest_.front().at > window_)
        newest_.pop_front();
    if (newest_.size() < threshold_) return {};
    if (silent_until_ && now < *silent_until_) return {};
    const firing made{since_firing_, newest_.front().id, id};
    // The next one takes as many records again.
    newest_.clear();
    since_firing_ = 0;
    silent_until_ = now + quiet_;
    return made;
}

}  // namespace livelogd::alerts
