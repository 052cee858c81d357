// SPDX-License-Identifier: MIT
// GET /healthz: the daemon is alive. GET /readyz: it can store what it is sent.
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"

namespace livelogd::http {

endpoint health_endpoint() {
    return [](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        co_return reply{.body = std::string("{\"status\":\"ok\"}\n")};
    };
}

endpoint readiness_endpoint(const services& s) {
    return [s](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        if (const auto trouble = s.log.trouble()) co_return error_reply(503, *trouble);
        co_return reply{.body = std::string("{\"status\":\"ready\"}\n")};
    };
}

}  // namespace livelogd::http
