// SPDX-License-Identifier: MIT
#include "daemon/http/access.hpp"

#include "tests/support/catch.hpp"

using namespace livelogd::http;

namespace {

request from(std::vector<std::pair<std::string, std::string>> headers,
             std::string path = "/api/v1/logs/recent") {
    request asked;
    asked.method = "GET";
    asked.path = std::move(path);
    asked.headers = std::move(headers);
    return asked;
}

bool allowed(const access_rules& rules, const request& asked) {
    try {
        rules.check(asked);
        return true;
    } catch (const bad_request& refused) {
        CHECK(refused.status() == 403);
        return false;
    }
}

}  // namespace

TEST_CASE("only this machine's names are hosts of the daemon", "[http]") {
    const access_rules rules;
    for (const std::string good : {"localhost", "LOCALHOST:5000", "localhost.", "127.0.0.1", "127.0.0.1:8080",
                                   "127.1.2.3", "[::1]", "[::1]:5000"}) {
        INFO(good);
        CHECK(allowed(rules, from({{"host", good}})));
    }
    for (const std::string bad :
         {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3.4", "0.0.0.0",
          "[::]", "[::1", "localhost:x", "user@localhost", "localhost:80:80", "127.1", "[::1]x"}) {
        INFO(bad);
        CHECK_FALSE(allowed(rules, from({{"host", bad}})));
    }
}

TEST_CASE("other hosts have to be named", "[http]") {
    access_rules rules;
    rules.allowed_hosts = {"logs.example"};
    CHECK(allowed(rules, from({{"host", "logs.example:8443"}})));
    CHECK(allowed(rules, from({{"host", "Logs.Example"}})));
    CHECK_FALSE(allowed(rules, from({{"host", "x.logs.example"}})));
}

TEST_CASE("the host of an absolute address counts too", "[http]") {
    const access_rules rules;
    auto asked = from({{"host", "localhost"}});
    asked.authority = "evil.example";
    CHECK_FALSE(allowed(rules, asked));
    asked.authority = "127.0.0.1:5000";
    CHECK(allowed(rules, asked));
}

TEST_CASE("pages of other sites may open the viewer and nothing else", "[http]") {
    const access_rules rules;
    const auto cross = [](std::string mode, std::string path) {
        return from(
            {{"host", "localhost"}, {"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", std::move(mode)}},
            std::move(path));
    };
    CHECK(allowed(rules, cross("navigate", "/api/v1/logs")));
    CHECK(allowed(rules, cross("navigate", "/")));
    CHECK_FALSE(allowed(rules, cross("navigate", "/api/v1/logs/recent")));
    CHECK_FALSE(allowed(rules, cross("no-cors", "/api/v1/logs")));
    CHECK_FALSE(allowed(rules, cross("cors", "/api/v1/logs/stream")));
    CHECK(allowed(rules, from({{"host", "localhost"}, {"sec-fetch-site", "same-origin"}})));
}

TEST_CASE("origins are allowed by name, null never", "[http]") {
    access_rules rules;
    rules.cors_allowed_origins = {"http://localhost:3000"};
    const auto with_origin = [](std::string origin) {
        return from({{"host", "localhost"}, {"sec-fetch-site", "cross-site"}, {"origin", std::move(origin)}});
    };
    CHECK(allowed(rules, with_origin("http://localhost:3000")));
    CHECK_FALSE(allowed(rules, with_origin("http://localhost:3001")));
    CHECK(rules.cors_origin(with_origin("http://localhost:3000")) == "http://localhost:3000");
    CHECK_FALSE(rules.cors_origin(with_origin("https://localhost:3000")));
    rules.cors_allowed_origins = {"*"};
    CHECK(rules.cors_origin(with_origin("http://any.example")) == "http://any.example");
    CHECK_FALSE(rules.cors_origin(with_origin("null")));
    CHECK_FALSE(allowed(rules, with_origin("null")));
}
