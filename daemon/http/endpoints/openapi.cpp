// SPDX-License-Identifier: MIT
// GET /api/v1/logs/openapi.json: every address, parameter and answer, described for programs.
#include "daemon/http/openapi.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"

namespace livelogd::http {

endpoint openapi_endpoint() {
    return [](const request& asked) -> net::awaitable<reply> {
        const parameters none(asked, {});
        co_return file_reply(openapi_files().front(), asked);
    };
}

}  // namespace livelogd::http
