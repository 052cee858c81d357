// SPDX-License-Identifier: MIT
#include "daemon/ingest/sender_notes.hpp"

#include <utility>

namespace livelogd::ingest {

std::optional<std::string> sender_notes::connected(pid_t pid, uid_t user, time_point now) {
    const bool has_own = by_user_.size() < most_users || by_user_.contains(user);
    auto& its = has_own ? by_user_[user] : others_;
    if (!its.messages.take(now)) {
        ++its.untold;
        return std::nullopt;
    }
    auto note = "a sender has connected: uid " + std::to_string(user) + ", pid " + std::to_string(pid);
    if (const auto untold = std::exchange(its.untold, 0); untold > 0) {
        note += " (and " + std::to_string(untold) + " connections "
                + (has_own ? "of this user" : "of other users") + " before, that were not told)";
    }
    return note;
}

}  // namespace livelogd::ingest
