// SPDX-License-Identifier: MIT
#include "daemon/summary/open_requests.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::summary {
std::optional<std::uint64_t> age_us(std::optional<std::int64_t> time, std::int64_t now_us) {
    if (!time) return std::nullopt;
    if (*time >= now_us) return 0;
    return static_cast<std::uint64_t>(now_us) - static_cast<std::uint64_t>(*time);
}

std::optional<open_request> open_requests::take(const std::string& key) {
    const auto found = open_.find(key);
    if (found == open_.end()) return std::nullopt;
    open_request taken = std::move(found->second.back());
    found->second.pop_back();
    if (found->second.empty()) open_.erase(found);
    return taken;
}

std::vector<const open_request*> open_requests::in_order() const {
    std::vector<const open_request*> all;
    for (const auto& [key, requests] : open_)
        for (const open_request& one : requests)
            all.push_back(&one);
    std::ranges::sort(all, [](const open_request* a, const open_request* b) { return a->id < b->id; });
    return all;
}

}  // namespace livelogd::summary
