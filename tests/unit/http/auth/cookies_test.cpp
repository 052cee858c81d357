// SPDX-License-Identifier: MIT
#include "daemon/http/auth/cookies.hpp"

#include "tests/support/catch.hpp"

using namespace livelogd::http;
using namespace std::chrono_literals;

namespace {

request with(std::string host, std::vector<std::string> cookies) {
    request asked;
    asked.headers.emplace_back("host", std::move(host));
    for (auto& one : cookies)
        asked.headers.emplace_back("cookie", std::move(one));
    return asked;
}

std::vector<std::string> values(const request& asked) {
    std::vector<std::string> found;
    for (const auto& cookie : session_cookies(asked))
        found.push_back(cookie.value);
    return found;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("the cookie is named after the port that the browser asks at", "[auth]") {
    CHECK(cookie_name(with("localhost:5000", {})) == "livelogd-5000");
    CHECK(cookie_name(with("logs.example", {})) == "livelogd");
    CHECK(cookie_name(with("[::1]:5080", {})) == "livelogd-5080");
    CHECK(cookie_name(with("[::1]", {})) == "livelogd");
    CHECK(cookie_name(with("localhost:", {})) == "livelogd");
    CHECK(cookie_name(with("localhost:123456", {})) == "livelogd");
    CHECK(cookie_name(with("localhost:5;x", {})) == "livelogd");
    auto absolute = with("localhost:1", {});
    absolute.authority = "localhost:2";
    CHECK(cookie_name(absolute) == "livelogd-2");
}

TEST_CASE("the session's cookies are found among others", "[auth]") {
    CHECK(values(with("h", {"livelogd=abc"})) == strings{"abc"});
    CHECK(values(with("h", {"a=b; livelogd=abc; c=d"})) == strings{"abc"});
    CHECK(values(with("h", {"a=b;livelogd=abc;c=d"})) == strings{"abc"});
    CHECK(values(with("h", {" livelogd = abc "})) == strings{"abc"});
    CHECK(values(with("h", {"__Host-livelogd=abc"})) == strings{"abc"});
    CHECK(values(with("h", {"livelogd=a", "__Host-livelogd=b; livelogd=c"})) == strings{"a", "b", "c"});
    CHECK(values(with("h:5000", {"livelogd=a; livelogd-5001=b; livelogd-5000=c"})) == strings{"c"});
    CHECK(values(with("h", {"xlivelogd=a; livelogdx=b; LIVELOGD=c; livelogd; livelogd=; =d; ;;"})).empty());
    CHECK(values(with("h", {})).empty());
    CHECK(values(with("h", {"livelogd=a=b"})) == strings{"a=b"});
}

TEST_CASE("only a few cookies are tried", "[auth]") {
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "livelogd=" + std::to_string(i) + "; ";
    CHECK(session_cookies(with("h", {many, many})).size() == 8);
}

TEST_CASE("what a cookie is set with", "[auth]") {
    CHECK(set_cookie("livelogd-5000", "abc", 3600s, false)
          == "livelogd-5000=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict");
    CHECK(set_cookie("__Host-livelogd", "abc", 1s, true)
          == "__Host-livelogd=abc; Path=/; Max-Age=1; HttpOnly; SameSite=Strict; Secure");
    CHECK(set_cookie("livelogd", "", 3600s, false)
          == "livelogd=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}
