// SPDX-License-Identifier: MIT
// GET /api/v1/logs: the viewer. Its files are served from the program itself: no path of a request ever
// reaches the file system.
#include "daemon/base/checksum.hpp"
#include "daemon/http/endpoints.hpp"
#include "daemon/http/parameters.hpp"
#include "static/assets.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>
#include <variant>

namespace livelogd::http {
namespace {

constexpr std::string_view viewer_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

/// A strong entity tag of the bytes (RFC 9110, section 8.8.3): tells one build's file from another's.
std::string entity_tag(std::string_view bytes) {
    std::array<char, 24> text{};
    const int size = std::snprintf(text.data(), text.size(), "\"%016" PRIx64 "\"", base::checksum_of(bytes));
    return {text.data(), static_cast<std::size_t>(size)};
}

/// Whether the client has it: If-None-Match names one or more tags, or "*".
bool has_already(const request& asked, std::string_view tag) {
    const auto known = asked.header("if-none-match").value_or("");
    return known == "*" || known.find(tag) != std::string_view::npos;
}

endpoint file_endpoint(const assets::asset& file) {
    // The plain form and the compressed one are two representations with a tag each.
    return [file, plain = entity_tag(file.bytes),
            gzip = entity_tag(file.gzip)](const request& asked) -> net::awaitable<reply> {
        auto answer = file_reply(file, asked);
        const bool compressed = std::get<std::string_view>(answer.body).data() == file.gzip.data();
        const std::string& tag = compressed ? gzip : plain;
        // They hold nothing of the log. no-cache: keep it, but ask each time whether it is still the same.
        answer.headers.emplace_back("Cache-Control", "no-cache");
        answer.headers.emplace_back("ETag", tag);
        if (has_already(asked, tag)) {
            answer.status = 304;
            answer.body = std::string_view{};
        }
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
    const auto folder = std::string(viewer_path) + "/";
    routes.add(folder, redirection_to_viewer());
    for (const auto& file : assets::all()) {
        if (file.name == "index.html") {
            routes.add(viewer_path, file_endpoint(file));
        } else if (!file.name.ends_with(".html")) {
            // What the pages for signing in and out are made of is there for those who have not.
            const bool is_open = file.name == "sign_in.css" || file.name == "come_again.js";
            auto path = folder + "assets/";
            path += file.name;
            routes.add(path, file_endpoint(file), timing::unmeasured,
                       is_open ? audience::anyone : audience::token_holders);
        }
    }
}

}  // namespace livelogd::http
