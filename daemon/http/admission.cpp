// SPDX-License-Identifier: MIT
#include "daemon/http/admission.hpp"

#include "daemon/http/endpoints.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace livelogd::http {
namespace {

constexpr const char* challenge = "Bearer realm=\"livelogd\"";

constexpr const char* come_again_policy =
    "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// From a link on another site a browser does not send the session's cookie (SameSite=Strict). So it is asked
/// to come again from here, to the sign-in, which sends on who is signed in. That way cannot go in circles.
reply come_again(const request& asked) {
    // Nothing in it could end an attribute: see escaped().
    const auto way = way_to_sign_in(asked);
    const auto folder = way.substr(0, way.find("sign-in"));
    return {.status = 401,
            .content_type = "text/html; charset=utf-8",
            .headers = {{"Content-Security-Policy", come_again_policy}},
            .body =
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Live logs</title>"
                "<meta name=\"color-scheme\" content=\"dark light\"><noscript><meta http-equiv=\"refresh\" "
                "content=\"0; url="
                + way + "\"></noscript><script src=\"" + folder + "assets/come_again.js\" data-to=\"" + way
                + "\"></script></head><body></body></html>\n"};
}

/// A browser asks for a page to be shown. Old ones, and those that reach another machine without TLS, do not
/// send Sec-Fetch-Mode.
bool opens_page(const request& asked) {
    if (asked.method != "GET" && asked.method != "HEAD") return false;
    if (const auto mode = asked.header("sec-fetch-mode")) return *mode == "navigate";
    return asked.header("accept").value_or("").find("text/html") != std::string_view::npos;
}

bool is_preflight(const request& asked) {
    return asked.method == "OPTIONS" && asked.header("origin")
           && asked.header("access-control-request-method");
}

bool leads_to_viewer(std::string_view path) {
    const std::string_view viewer = viewer_path;
    return path == "/" || path == viewer || (path.starts_with(viewer) && path.substr(viewer.size()) == "/");
}

std::string escaped(std::string_view text) {
    constexpr std::string_view kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        if (kept.find(c) != std::string_view::npos) {
            result.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return result;
}

/// The request's target, put together again.
std::string target_of(const request& asked) {
    std::string target = escaped(asked.path);
    char separator = '?';
    for (const auto& [name, value] : asked.parameters) {
        target.push_back(separator);
        target += escaped(name) + "=" + escaped(value);
        separator = '&';
    }
    return target;
}

reply without_token(const request& asked) {
    if (!opens_page(asked)) {
        return error_reply(401,
                           "this needs the token of the daemon, in a header 'Authorization: Bearer TOKEN'; "
                           "browsers sign in at /api/v1/logs/sign-in");
    }
    if (asked.header("sec-fetch-site").value_or("") == "cross-site") {
        return come_again(asked);
    }
    return {.status = 303, .content_type = "", .headers = {{"Location", way_to_sign_in(asked)}}};
}

}  // namespace

std::string way_to_sign_in(const request& asked) {
    std::string way;
    for (auto depth = std::ranges::count(asked.path, '/'); depth > 1; --depth)
        way += "../";
    way += std::string_view(sign_in_path).substr(1);
    if (!leads_to_viewer(asked.path) || !asked.parameters.empty())
        way += "?next=" + escaped(target_of(asked));
    return way;
}

std::string way_back(std::string_view next) {
    const auto path = next.substr(0, std::min(next.find('?'), next.size()));
    const std::string_view folder = "/api/v1/logs/";
    const bool known =
        path == "/readyz" || path == "/metrics" || leads_to_viewer(path)
        || (path.starts_with(folder) && !path.starts_with(sign_in_path) && !path.starts_with(sign_out_path));
    const auto is_plain = [](char c) {
        return c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
    };
    const bool sound = std::ranges::all_of(next, is_plain) && path.find('%') == std::string_view::npos
                       && path.find("//") == std::string_view::npos
                       && path.find("/.") == std::string_view::npos;
    return "../../.." + std::string(known && sound ? next : std::string_view(viewer_path));
}

std::optional<reply> turn_away(request& asked, const access_rules& rules, const router& routes,
                               authenticator* who) {
    try {
        rules.check(asked);
        if (routes.takes_form(asked)) rules.check_form(asked);
    } catch (const access_denied& denied) {
        routes.count_refusal(denied.why());
        return error_reply(denied);
    }
    asked.client = rules.proxies.client_of(asked);
    // What a browser says of its own page is as true as what a proxy says of the connection.
    asked.tls = rules.proxies.says_tls(asked) || asked.header("origin").value_or("").starts_with("https://");
    if (who == nullptr || !who->asks(asked) || routes.is_open(asked.path) || is_preflight(asked))
        return std::nullopt;

    using outcome = authenticator::outcome;
    auto verdict = who->check(asked, std::chrono::steady_clock::now());
    std::optional<reply> answer;
    switch (verdict.what) {
        case outcome::admitted:
            asked.granted = std::move(verdict.granted);
            return std::nullopt;
        case outcome::missing:
            routes.count_refusal(refusal::no_token);
            answer = without_token(asked);
            break;
        case outcome::wrong:
            routes.count_refusal(refusal::wrong_token);
            answer = error_reply(401, "that is not the token of this daemon");
            break;
        case outcome::limited:
            routes.count_refusal(refusal::too_many_tries);
            answer = error_reply(429, "too many wrong tokens came from this address; try again in "
                                          + std::to_string(verdict.wait) + " s");
            answer->headers.emplace_back("Retry-After", std::to_string(verdict.wait));
            break;
    }
    if (answer->status == 401) answer->headers.emplace_back("WWW-Authenticate", challenge);
    return answer;
}

}  // namespace livelogd::http
