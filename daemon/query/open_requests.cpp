// SPDX-License-Identifier: MIT
#include "daemon/query/open_requests.hpp"

#include "daemon/query/json_text.hpp"

#include <algorithm>
#include <utility>

namespace livelogd::query {
namespace {

/// Most requests that each list of the answer shows.
constexpr std::size_t most_listed = 1000;

void append_request(std::string& out, const open_request& one, std::int64_t now_us) {
    out.append("{\"id\":").append(std::to_string(one.id));
    append_key(out, "request_id");
    out += one.request_id;
    append_key(out, "endpoint");
    out += one.endpoint.empty() ? "null" : one.endpoint;
    append_key(out, "model");
    if (one.model.empty()) {
        out += "null";
    } else {
        append_string(out, one.model);
    }
    append_key(out, "age_ms");
    const auto age = age_us(one.time, now_us);
    out += age ? milliseconds_text(*age) : "null";
    out += '}';
}

void append_list(std::string& out, std::string_view name, const std::vector<const open_request*>& all,
                 std::int64_t now_us) {
    append_key(out, name);
    out += '[';
    for (std::size_t i = 0; i < std::min(all.size(), most_listed); ++i) {
        if (i > 0) out += ',';
        append_request(out, *all[i], now_us);
    }
    out += ']';
    append_key(out, std::string(name) + "_count");
    out += std::to_string(all.size());
}

}  // namespace

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

void open_requests::append_text(std::string& out, std::int64_t now_us, std::int64_t orphan_after_us) const {
    std::vector<const open_request*> in_flight;
    std::vector<const open_request*> orphaned;
    for (const auto& [key, requests] : open_) {
        for (const open_request& one : requests) {
            if (!one.counts) continue;
            const auto age = age_us(one.time, now_us);
            const bool young = !age || *age < static_cast<std::uint64_t>(orphan_after_us);
            (young ? in_flight : orphaned).push_back(&one);
        }
    }
    const auto newer = [](const open_request* a, const open_request* b) { return a->id > b->id; };
    std::ranges::sort(in_flight, newer);
    std::ranges::sort(orphaned, newer);
    append_list(out, "in_flight", in_flight, now_us);
    append_list(out, "orphaned", orphaned, now_us);
}

}  // namespace livelogd::query
