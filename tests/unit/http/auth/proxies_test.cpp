// SPDX-License-Identifier: MIT
#include "daemon/http/auth/proxies.hpp"

#include "tests/support/catch.hpp"

#include <stdexcept>

using namespace livelogd::http;

namespace {

request from(std::string peer, std::vector<std::string> forwarded, std::string proto = {}) {
    request asked;
    asked.over_unix_socket = peer.empty();
    asked.peer = std::move(peer);
    for (auto& one : forwarded)
        asked.headers.emplace_back("x-forwarded-for", std::move(one));
    if (!proto.empty()) asked.headers.emplace_back("x-forwarded-proto", std::move(proto));
    return asked;
}

}  // namespace

TEST_CASE("nobody is believed who is not trusted", "[auth]") {
    const trusted_proxies none;
    const trusted_proxies local({"loopback"});
    CHECK(none.client_of(from("127.0.0.1", {"1.2.3.4"})) == "127.0.0.1");
    CHECK(local.client_of(from("10.0.0.1", {"1.2.3.4"})) == "10.0.0.1");
    CHECK(local.client_of(from("", {"1.2.3.4"})) == "unix");
    CHECK_FALSE(none.says_tls(from("127.0.0.1", {}, "https")));
    CHECK_FALSE(local.says_tls(from("10.0.0.1", {}, "https")));
    CHECK_FALSE(local.says_tls(from("127.0.0.1", {}, "http")));
    CHECK(local.says_tls(from("127.0.0.1", {}, "https")));
}

TEST_CASE("the client is the last address that no trusted proxy has", "[auth]") {
    const trusted_proxies known({"loopback", "unix", "10.0.0.0/8", "fd00::/8"});
    CHECK(known.client_of(from("127.0.0.1", {})) == "127.0.0.1");
    CHECK(known.client_of(from("127.9.9.9", {"1.2.3.4"})) == "1.2.3.4");
    CHECK(known.client_of(from("::1", {"2001:db8::1"})) == "2001:db8::1");
    CHECK(known.client_of(from("", {"1.2.3.4"})) == "1.2.3.4");
    // What the client itself has written stands in front.
    CHECK(known.client_of(from("127.0.0.1", {"6.6.6.6, 1.2.3.4"})) == "1.2.3.4");
    CHECK(known.client_of(from("127.0.0.1", {"6.6.6.6", "1.2.3.4 , 10.1.1.1"})) == "1.2.3.4");
    CHECK(known.client_of(from("127.0.0.1", {"6.6.6.6, nonsense, 10.1.1.1"})) == "10.1.1.1");
    CHECK(known.client_of(from("127.0.0.1", {"10.1.1.1, fd12::1"})) == "10.1.1.1");
    CHECK(known.client_of(from("127.0.0.1", {"", ","})) == "127.0.0.1");
    CHECK(known.client_of(from("127.0.0.1", {"1.2.3.4\r\nx"})) == "127.0.0.1");
}

TEST_CASE("networks end where they say", "[auth]") {
    const trusted_proxies some({"10.1.2.0/23", "2001:db8::/33", "192.0.2.1"});
    const auto trusted = [&](std::string peer) {
        return some.client_of(from(std::move(peer), {"1.2.3.4"})) == "1.2.3.4";
    };
    CHECK(trusted("10.1.2.0"));
    CHECK(trusted("10.1.3.255"));
    CHECK_FALSE(trusted("10.1.4.0"));
    CHECK_FALSE(trusted("10.1.1.255"));
    CHECK(trusted("::ffff:10.1.2.3"));
    CHECK(trusted("2001:db8:7fff::1"));
    CHECK_FALSE(trusted("2001:db8:8000::1"));
    CHECK(trusted("192.0.2.1"));
    CHECK_FALSE(trusted("192.0.2.2"));
    CHECK_FALSE(trusted("127.0.0.1"));
    CHECK(trusted_proxies({"0.0.0.0/0"}).client_of(from("9.9.9.9", {"1.2.3.4"})) == "1.2.3.4");
    CHECK_FALSE(trusted_proxies({"0.0.0.0/0"}).client_of(from("2001::1", {"1.2.3.4"})) == "1.2.3.4");
}

TEST_CASE("words that are no proxies are refused", "[auth]") {
    for (const std::string word : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129",
                                   "10.0.0", "10.0.0.0/8/8", "*", "10.0.0.0/-1"}) {
        INFO(word);
        CHECK_THROWS_AS(trusted_proxies({word}), std::invalid_argument);
    }
}
