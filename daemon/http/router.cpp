// SPDX-License-Identifier: MIT
#include "daemon/http/router.hpp"

#include <algorithm>

namespace livelogd::http {
namespace {

constexpr const char* allowed_methods = "GET, HEAD, OPTIONS";

}  // namespace

bool router::route::takes(std::string_view asked) const {
    if (!is_family) return asked == path;
    return asked.size() > path.size() && asked.starts_with(path)
           && asked.find('/', path.size()) == std::string_view::npos;
}

net::awaitable<reply> router::answer(const request& asked) const {
    if (asked.path == "*" && asked.method == "OPTIONS") {
        co_return reply{.status = 204, .content_type = "", .headers = {{"Allow", allowed_methods}}};
    }
    const auto found = std::ranges::find_if(routes_, [&](const route& r) { return r.takes(asked.path); });
    if (found == routes_.end()) co_return error_reply(404, "there is nothing at this address");
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
        co_return co_await found->answers(asked);
    } catch (const bad_request& refused) {
        co_return error_reply(refused);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    co_return error_reply(500, "the answer could not be made: " + failure);
}

}  // namespace livelogd::http
