// SPDX-License-Identifier: MIT
#include "daemon/http/auth/sessions.hpp"

#include <algorithm>

namespace livelogd::http {

std::string session_table::open(time_point now, session_times times) {
    drop_ended(now);
    if (all_.size() >= most) {
        const auto oldest =
            std::ranges::min_element(all_, {}, [](const auto& one) { return one.second->used(); });
        oldest->second->end();
        all_.erase(oldest);
    }
    auto name = random_name();
    all_.emplace(digest_of_(name), std::make_shared<grant>(now, now + times.ttl, times.idle));
    return name;
}

std::shared_ptr<grant> session_table::find(std::string_view name, time_point now) {
    const auto found = all_.find(digest_of_(name));
    if (found == all_.end()) return nullptr;
    if (found->second->use(now)) return found->second;
    found->second->end();
    all_.erase(found);
    return nullptr;
}

bool session_table::close(std::string_view name) {
    const auto found = all_.find(digest_of_(name));
    if (found == all_.end()) return false;
    found->second->end();
    all_.erase(found);
    return true;
}

void session_table::close_all() {
    for (const auto& [name, session] : all_)
        session->end();
    all_.clear();
}

std::size_t session_table::size(time_point now) {
    drop_ended(now);
    return all_.size();
}

void session_table::drop_ended(time_point now) {
    std::erase_if(all_, [now](const auto& one) {
        if (one.second->holds(now)) return false;
        one.second->end();
        return true;
    });
}

}  // namespace livelogd::http
