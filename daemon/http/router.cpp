// SPDX-License-Identifier: MIT
#include "daemon/http/router.hpp"

#include <algorithm>

namespace livelogd::http {
namespace {

constexpr const char* allowed_methods = "GET, HEAD, OPTIONS";

}  // namespace

net::awaitable<reply> router::answer(const request& asked) const {
    if (asked.path == "*" && asked.method == "OPTIONS") {
        co_return reply{.status = 204, .content_type = "", .headers = {{"Allow", allowed_methods}}};
    }
    const auto route = std::ranges::find(routes_, asked.path, [](const auto& r) { return r.first; });
    if (route == routes_.end()) co_return error_reply(404, "there is nothing at this address");
    if (asked.method == "OPTIONS") {
        co_return reply{.status = 204, .content_type = "", .headers = {{"Allow", allowed_methods}}};
    }
    if (asked.method != "GET" && asked.method != "HEAD") {
        auto refused =
            error_reply(405, "this address can only be read (" + std::string(allowed_methods) + ")");
        refused.headers.emplace_back("Allow", allowed_methods);
        co_return refused;
    }
    std::string failure;
    try {
        co_return co_await route->second(asked);
    } catch (const bad_request& refused) {
        co_return error_reply(refused);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    co_return error_reply(500, "the answer could not be made: " + failure);
}

}  // namespace livelogd::http
