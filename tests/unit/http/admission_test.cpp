// SPDX-License-Identifier: MIT
#include "daemon/http/admission.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace livelogd;
using namespace std::chrono_literals;

namespace {

const std::string token = "0123456789abcdef0123456789abcdef";

struct door {
    door() {
        const http::endpoint nothing = [](const http::request&) -> net::awaitable<http::reply> {
            co_return http::reply{};
        };
        routes.add("/api/v1/logs", nothing);
        routes.add("/api/v1/logs/recent", nothing);
        routes.add("/healthz", nothing, http::timing::unmeasured, http::audience::anyone);
        routes.add_form("/api/v1/logs/sign-in", nothing, nothing);
        rules.proxies = http::trusted_proxies({"loopback"});
        who.set_token(token);
    }

    std::optional<http::reply> ask(std::string path,
                                   std::vector<std::pair<std::string, std::string>> headers = {},
                                   std::string method = "GET") {
        asked = {};
        asked.method = std::move(method);
        asked.path = std::move(path);
        asked.headers = std::move(headers);
        asked.headers.emplace_back("host", "localhost:5000");
        asked.peer = "127.0.0.1";
        return http::turn_away(asked, rules, routes, &who);
    }
    std::uint64_t refused(http::refusal why) const {
        return routes.counts()->refusals()[static_cast<std::size_t>(why)];
    }

    http::access_rules rules;
    http::router routes;
    http::authenticator who{{{.ttl = 1h, .idle = 1h}, true}, [](base::severity, std::string_view) {}};
    http::request asked;
};

std::string header(const http::reply& answer, std::string_view name) {
    const auto found = std::ranges::find(answer.headers, name, [](const auto& one) { return one.first; });
    return found == answer.headers.end() ? std::string{} : found->second;
}

}  // namespace

TEST_CASE("without a token there is 401, with it the way in", "[auth]") {
    door d;
    const auto refused = d.ask("/api/v1/logs/recent");
    REQUIRE(refused);
    CHECK(refused->status == 401);
    CHECK(header(*refused, "WWW-Authenticate") == "Bearer realm=\"livelogd\"");
    CHECK(d.refused(http::refusal::no_token) == 1);
    CHECK_FALSE(d.ask("/api/v1/logs/recent", {{"authorization", "Bearer " + token}}));
    CHECK(d.asked.granted != nullptr);
    CHECK(d.ask("/api/v1/logs/recent", {{"authorization", "Bearer x" + token}})->status == 401);
    CHECK(d.refused(http::refusal::wrong_token) == 1);
    // What is not there is not told to everybody either.
    CHECK(d.ask("/nowhere")->status == 401);
    CHECK(d.ask("/api/v1/logs/recent", {}, "OPTIONS")->status == 401);
    CHECK(d.ask("/api/v1/logs/recent", {}, "POST")->status == 401);
}

TEST_CASE("anyone may ask for health, sign in, and let a browser ask before it asks", "[auth]") {
    door d;
    CHECK_FALSE(d.ask("/healthz"));
    CHECK_FALSE(d.ask("/api/v1/logs/sign-in"));
    CHECK_FALSE(d.ask("/api/v1/logs/sign-in", {}, "POST"));
    CHECK_FALSE(d.ask("/api/v1/logs/recent",
                      {{"origin", "http://a.example"}, {"access-control-request-method", "GET"}}, "OPTIONS"));
    CHECK(d.asked.granted == nullptr);
}

TEST_CASE("other hosts and sites are refused first, and counted apart", "[auth]") {
    door d;
    d.asked = {};
    CHECK(d.ask("/healthz", {{"host", "evil.example"}})->status == 403);
    CHECK(d.refused(http::refusal::host) == 1);
    CHECK(
        d.ask("/api/v1/logs/recent", {{"sec-fetch-site", "cross-site"}, {"authorization", "Bearer " + token}})
            ->status
        == 403);
    CHECK(d.refused(http::refusal::cross_site) == 1);
}

TEST_CASE("forms are taken from the daemon's own pages, and from what is no browser", "[auth]") {
    door d;
    const auto sent = [&](std::vector<std::pair<std::string, std::string>> headers) {
        return !d.ask("/api/v1/logs/sign-in", std::move(headers), "POST");
    };
    CHECK(sent({}));
    CHECK(sent({{"sec-fetch-site", "same-origin"}}));
    CHECK(sent({{"sec-fetch-site", "same-origin"}, {"origin", "https://proxied.example"}}));
    CHECK(sent({{"origin", "http://localhost:5000"}}));
    CHECK(sent({{"origin", "http://LOCALHOST:5000"}}));
    CHECK_FALSE(sent({{"sec-fetch-site", "same-site"}, {"origin", "http://localhost:3000"}}));
    CHECK_FALSE(sent({{"sec-fetch-site", "cross-site"}}));
    CHECK_FALSE(sent({{"origin", "http://localhost:3000"}}));
    CHECK_FALSE(sent({{"origin", "http://localhost"}}));
    CHECK_FALSE(sent({{"origin", "http://evil.example:5000"}}));
    CHECK_FALSE(sent({{"origin", "null"}}));
    CHECK_FALSE(sent({{"origin", ""}}));
    CHECK(d.refused(http::refusal::form_origin) == 6);
    // Some proxies send a Host without the port.
    d.rules.allowed_hosts = {"logs.example"};
    const auto proxied = [&](std::string origin) {
        return !d.ask("/api/v1/logs/sign-in", {{"host", "logs.example"}, {"origin", std::move(origin)}},
                      "POST");
    };
    CHECK(proxied("https://logs.example"));
    CHECK(proxied("https://logs.example:8443"));
    CHECK_FALSE(proxied("https://x.logs.example"));
}

TEST_CASE("a browser that opens a page is sent to the sign-in, and knows the way back", "[auth]") {
    door d;
    const auto sent_to = [&](std::string path, std::vector<std::pair<std::string, std::string>> headers) {
        const auto answer = d.ask(std::move(path), std::move(headers));
        REQUIRE(answer);
        return answer->status == 303 ? header(*answer, "Location") : std::to_string(answer->status);
    };
    CHECK(sent_to("/api/v1/logs", {{"sec-fetch-mode", "navigate"}}) == "../../api/v1/logs/sign-in");
    CHECK(sent_to("/api/v1/logs", {{"accept", "text/html,*/*"}}) == "../../api/v1/logs/sign-in");
    CHECK(sent_to("/", {{"sec-fetch-mode", "navigate"}}) == "api/v1/logs/sign-in");
    CHECK(sent_to("/api/v1/logs/", {{"sec-fetch-mode", "navigate"}}) == "../../../api/v1/logs/sign-in");
    CHECK(sent_to("/api/v1/logs/recent", {{"sec-fetch-mode", "navigate"}})
          == "../../../api/v1/logs/sign-in?next=/api/v1/logs/recent");
    CHECK(sent_to("/api/v1/logs/recent", {{"sec-fetch-mode", "cors"}, {"accept", "text/html"}}) == "401");
    CHECK(sent_to("/api/v1/logs/recent", {{"accept", "*/*"}}) == "401");
    CHECK(sent_to("//evil.example/", {{"sec-fetch-mode", "navigate"}})
              .starts_with("../../api/v1/logs/sign-in?next="));
}

TEST_CASE("a link from another site comes again from here, with the cookie", "[auth]") {
    door d;
    const auto answer =
        d.ask("/api/v1/logs", {{"sec-fetch-mode", "navigate"}, {"sec-fetch-site", "cross-site"}});
    REQUIRE(answer);
    CHECK(answer->status == 401);
    CHECK(answer->content_type == "text/html; charset=utf-8");
    CHECK(header(*answer, "Content-Security-Policy").starts_with("default-src 'none'; script-src 'self';"));
    const auto& page = std::get<std::string>(answer->body);
    CHECK(page.find("src=\"../../api/v1/logs/assets/come_again.js\"") != std::string::npos);
    CHECK(page.find("data-to=\"../../api/v1/logs/sign-in\"") != std::string::npos);
    // What a link brings along stays within its attribute.
    d.asked.parameters = {{"\"><script>", "'\"&<>"}};
    const auto way = http::way_to_sign_in(d.asked);
    CHECK(way.find_first_of("\"'<>& ") == std::string::npos);
}

TEST_CASE("the way back leads to this daemon's own pages alone", "[auth]") {
    const std::string viewer = "../../../api/v1/logs";
    for (const std::string good :
         {"/api/v1/logs", "/api/v1/logs/", "/", "/metrics", "/readyz", "/api/v1/logs/recent",
          "/api/v1/logs/recent?lines=5&q=a%20b", "/api/v1/logs?x=1", "/api/v1/logs/records/7"}) {
        INFO(good);
        CHECK(http::way_back(good) == "../../.." + good);
    }
    for (const std::string bad :
         {"", "https://evil.example/", "//evil.example", "/\\evil.example", "/app",
          "/api/v1/logs/../../../app", "/api/v1/logs/./x", "/api/v1/logs//evil", "/api/v1/logs/%2e%2e/x",
          "/api/v1/logs/recent\r\nX: y", "/api/v1/logs/recent#x", "/api/v1/logs/sign-in",
          "/api/v1/logs/sign-out?x", "/api/v1/logsx", "javascript:alert(1)", "/api/v1/logs/re cent",
          "/api/v1/logs/\xc3\xa9", "/api/v1/logs/recent?\"x"}) {
        INFO(bad);
        CHECK(http::way_back(bad) == viewer);
    }
}

TEST_CASE("the way to the sign-in and back is the address that was asked for", "[auth]") {
    http::request asked;
    asked.path = "/api/v1/logs/recent";
    asked.parameters = {{"q", "a b&c=\"d\"/%"}, {"lines", "5"}};
    const auto way = http::way_to_sign_in(asked);
    const std::string begin = "../../../api/v1/logs/sign-in?next=";
    REQUIRE(way.starts_with(begin));
    CHECK(std::ranges::all_of(way, [](char c) { return c > 0x20 && c < 0x7f && c != '"'; }));
    // As a browser sends it, and the request parser reads it.
    CHECK(way.substr(begin.size()).find_first_of("&=?#") == std::string::npos);
}

TEST_CASE("TLS is what the browser or a trusted proxy says", "[auth]") {
    door d;
    const auto tls = [&](std::vector<std::pair<std::string, std::string>> headers) {
        d.ask("/api/v1/logs/sign-in", std::move(headers), "POST");
        return d.asked.tls;
    };
    CHECK_FALSE(tls({}));
    CHECK(tls({{"x-forwarded-proto", "https"}}));
    CHECK_FALSE(tls({{"x-forwarded-proto", "http"}}));
    CHECK(tls({{"sec-fetch-site", "same-origin"}, {"origin", "https://localhost:5000"}}));
    d.rules.proxies = {};
    CHECK_FALSE(tls({{"x-forwarded-proto", "https"}}));
}
