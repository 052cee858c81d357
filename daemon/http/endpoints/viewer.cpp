// SPDX-License-Identifier: MIT
// GET /api/v1/logs: the viewer. Its files are served from the program itself: no path of a request ever
// reaches the file system.
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"
#include "static/assets.hpp"

namespace livelogd::http {
namespace {

constexpr std::string_view viewer_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

endpoint file_endpoint(const assets::asset& file) {
    return [file](const request& asked) -> net::awaitable<reply> {
        auto answer = file_reply(file, asked);
        answer.headers.emplace_back("Content-Security-Policy", viewer_policy);
        co_return answer;
    };
}

endpoint redirection_to_viewer() {
    return [](const request&) -> net::awaitable<reply> {
        co_return reply{.status = 302, .content_type = "", .headers = {{"Location", viewer_path}}};
    };
}

}  // namespace

void add_viewer_routes(router& routes) {
    routes.add("/", redirection_to_viewer());
    routes.add(std::string(viewer_path) + "/", redirection_to_viewer());
    for (const auto& file : assets::all()) {
        if (file.name == "index.html") {
            routes.add(viewer_path, file_endpoint(file));
        } else {
            routes.add(std::string(viewer_path) + "/assets/" + std::string(file.name), file_endpoint(file));
        }
    }
}

}  // namespace livelogd::http
