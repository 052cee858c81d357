// SPDX-License-Identifier: MIT
#include "daemon/http/auth/authenticator.hpp"

#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace livelogd;
using namespace std::chrono_literals;
using http::authenticator;
using outcome = http::authenticator::outcome;

namespace {

const authenticator::time_point start{1000h};
const std::string right = "the right token 0123456789";
const std::string wrong = "the wrong token 0123456789";

struct gate {
    explicit gate(bool asks_unix_sockets = true)
        : who({{.ttl = 10h, .idle = 1h}, asks_unix_sockets},
              [this](base::severity, std::string_view text) { told.emplace_back(text); }) {
        who.set_token(right);
    }

    static http::request bearer(const std::string& token, std::string client = "10.0.0.1") {
        http::request asked;
        asked.headers = {{"host", "localhost"}, {"authorization", "Bearer " + token}};
        asked.client = std::move(client);
        return asked;
    }
    static http::request cookie(const std::string& value) {
        http::request asked;
        asked.headers = {{"host", "localhost"}, {"cookie", "livelogd=" + value}};
        asked.client = "10.0.0.1";
        return asked;
    }
    outcome shows(const std::string& token, std::string client = "10.0.0.1",
                  authenticator::time_point at = start) {
        return who.check(bearer(token, std::move(client)), at).what;
    }

    std::vector<std::string> told;
    authenticator who;
};

}  // namespace

TEST_CASE("the token lets in, in the header that is meant for it", "[auth]") {
    gate g;
    CHECK(g.shows(right) == outcome::admitted);
    CHECK(g.shows(wrong) == outcome::wrong);
    CHECK(g.shows(right + " ") == outcome::wrong);
    CHECK(g.shows("") == outcome::missing);
    http::request asked;
    asked.client = "10.0.0.1";
    CHECK(g.who.check(asked, start).what == outcome::missing);
    for (const std::string scheme : {"bearer ", "BEARER ", "Bearer   "}) {
        asked.headers = {{"authorization", scheme + right}};
        CHECK(g.who.check(asked, start).what == outcome::admitted);
    }
    for (const std::string& value : {right, "Basic " + right, "Bearer" + right, "Token " + right}) {
        asked.headers = {{"authorization", value}};
        CHECK(g.who.check(asked, start).what == outcome::missing);
    }
}

TEST_CASE("without a token nobody is asked", "[auth]") {
    gate g;
    CHECK(g.who.asks({}));
    g.who.set_token(std::nullopt);
    CHECK_FALSE(g.who.asks({}));
    CHECK(g.shows(right) == outcome::wrong);
    CHECK(g.who.sign_in(gate::cookie("x"), right, start).what == outcome::wrong);
}

TEST_CASE("Unix sockets are asked unless their modes are to decide", "[auth]") {
    http::request local;
    local.over_unix_socket = true;
    CHECK(gate(true).who.asks(local));
    CHECK_FALSE(gate(false).who.asks(local));
    CHECK(gate(false).who.asks({}));
}

TEST_CASE("guessing is slow, and does not keep others out", "[auth]") {
    gate g;
    for (int i = 0; i < 10; ++i)
        CHECK(g.shows(wrong + std::to_string(i)) == outcome::wrong);
    const auto limited = g.who.check(gate::bearer(wrong + "10"), start);
    CHECK(limited.what == outcome::limited);
    CHECK(limited.wait == 6);
    // Not even the right one is looked at: it could be the next guess.
    CHECK(g.shows(right) == outcome::limited);
    CHECK(g.shows(right, "10.0.0.2") == outcome::admitted);
    CHECK(g.shows(right, "10.0.0.1", start + 6s) == outcome::admitted);
}

TEST_CASE("a program with an old token locks nobody out at its address", "[auth]") {
    gate g;
    for (int i = 0; i < 1000; ++i)
        CHECK(g.shows(wrong) == outcome::wrong);
    CHECK(g.shows(right) == outcome::admitted);
    CHECK(g.told.size() == 1);
    CHECK(g.told[0] == "a wrong token came from 10.0.0.1");
}

TEST_CASE("many addresses cannot keep a valid token in the header out, only forms", "[auth]") {
    gate g;
    auto form = gate::cookie("none");
    for (int i = 0; i < 60; ++i) {
        form.client = "10.1.0." + std::to_string(i);
        const auto done = g.who.sign_in(form, wrong, start);
        CHECK(done.what == (i < 50 ? outcome::wrong : outcome::limited));
    }
    CHECK(g.shows(right, "10.2.0.1") == outcome::admitted);
    form.client = "10.2.0.1";
    CHECK(g.who.sign_in(form, right, start).what == outcome::limited);
    CHECK(g.who.sign_in(form, right, start + 1s).what == outcome::admitted);
}

TEST_CASE("messages about wrong tokens are few, and say how many they stand for", "[auth]") {
    gate g;
    for (int i = 0; i < 100; ++i)
        g.shows(wrong, "10.0.1." + std::to_string(i));
    CHECK(g.told.size() == 5);
    g.shows(wrong, "10.0.2.1", start + 61s);
    CHECK(g.told.size() == 6);
    CHECK(g.told.back() == "a wrong token came from 10.0.2.1, and 95 more that were not told");
    for (const auto& one : g.told)
        CHECK(one.find(wrong) == std::string::npos);
}

TEST_CASE("signing in gives a session, signing out takes it", "[auth]") {
    gate g;
    const auto done = g.who.sign_in(gate::cookie("old"), right, start);
    REQUIRE(done.what == outcome::admitted);
    const auto asked = gate::cookie(done.session);
    const auto let_in = g.who.check(asked, start);
    CHECK(let_in.what == outcome::admitted);
    CHECK(g.who.has_session(asked, start));
    CHECK(g.who.sessions(start) == 1);
    CHECK(g.who.check(gate::cookie(done.session + "x"), start).what == outcome::missing);
    // A wrong token counts, whatever the cookie is.
    auto both = gate::bearer(wrong);
    both.headers.push_back(asked.headers[1]);
    CHECK(g.who.check(both, start).what == outcome::wrong);

    const auto again = g.who.sign_in(asked, right, start);
    CHECK(again.session != done.session);
    CHECK(let_in.granted->ended().stop_requested());
    CHECK(g.who.sessions(start) == 1);
    g.who.sign_out(gate::cookie(again.session));
    CHECK_FALSE(g.who.has_session(gate::cookie(again.session), start));
    CHECK(g.who.sign_ins() == 2);
}

TEST_CASE("a new token puts everybody out, the same one nobody", "[auth]") {
    gate g;
    const auto by_token = g.who.check(gate::bearer(right), start).granted;
    const auto session = g.who.sign_in(gate::cookie("none"), right, start).session;
    const auto by_session = g.who.check(gate::cookie(session), start).granted;
    g.shows(wrong);
    g.who.set_token(right);
    CHECK_FALSE(by_token->ended().stop_requested());
    CHECK_FALSE(by_session->ended().stop_requested());
    g.who.set_token(wrong);
    CHECK(by_token->ended().stop_requested());
    CHECK(by_session->ended().stop_requested());
    CHECK(g.shows(wrong) == outcome::admitted);
    CHECK(g.shows(right) == outcome::wrong);
    CHECK_FALSE(g.who.has_session(gate::cookie(session), start));
}
