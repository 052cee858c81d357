// SPDX-License-Identifier: MIT
#include "daemon/http/router.hpp"

#include <algorithm>
#include <chrono>

namespace livelogd::http {
namespace {

constexpr const char* reading_methods = "GET, HEAD, OPTIONS";
constexpr const char* form_methods = "GET, HEAD, OPTIONS, POST";

}  // namespace

bool router::route::takes(std::string_view asked) const {
    if (!is_family) return asked == path;
    return asked.size() > path.size() && asked.starts_with(path)
           && asked.find('/', path.size()) == std::string_view::npos;
}

const router::route* router::find(const std::string& path) const {
    const auto found = std::ranges::find_if(routes_, [&](const route& r) { return r.takes(path); });
    return found == routes_.end() ? nullptr : &*found;
}

std::vector<std::string> router::paths() const {
    std::vector<std::string> all;
    all.reserve(routes_.size());
    for (const auto& one : routes_)
        all.push_back(one.path);
    return all;
}

bool router::is_open(const std::string& path) const {
    const auto* known = find(path);
    return known != nullptr && known->who == audience::anyone;
}

bool router::takes_form(const request& asked) const {
    if (asked.method != "POST") return false;
    const auto* known = find(asked.path);
    return known != nullptr && known->accepts;
}

void router::count(const request* asked, unsigned status) const {
    const auto* known = asked == nullptr ? nullptr : find(asked->path);
    counts_->answered(known == nullptr ? 0 : known->row, status);
}

net::awaitable<reply> router::answer(const request& asked) const {
    if (asked.path == "*" && asked.method == "OPTIONS") {
        co_return reply{.status = 204, .content_type = "", .headers = {{"Allow", reading_methods}}};
    }
    const auto* known = find(asked.path);
    if (known == nullptr) co_return error_reply(404, "there is nothing at this address");
    const auto* const allowed_methods = known->accepts ? form_methods : reading_methods;
    if (asked.method == "OPTIONS") {
        co_return reply{.status = 204, .content_type = "", .headers = {{"Allow", allowed_methods}}};
    }
    const bool sends = asked.method == "POST" && known->accepts;
    if (asked.method != "GET" && asked.method != "HEAD" && !sends) {
        auto refused = error_reply(
            405, known->accepts ? "this address can be read, and be sent its form"
                                : "this address can only be read (" + std::string(allowed_methods) + ")");
        refused.headers.emplace_back("Allow", allowed_methods);
        co_return refused;
    }
    std::string failure;
    try {
        const auto began = std::chrono::steady_clock::now();
        const auto& answers = sends ? known->accepts : known->answers;
        auto made = co_await answers(asked);
        counts_->took(known->row, std::chrono::steady_clock::now() - began);
        co_return made;
    } catch (const bad_request& refused) {
        co_return error_reply(refused);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    co_return error_reply(500, "the answer could not be made: " + failure);
}

}  // namespace livelogd::http
