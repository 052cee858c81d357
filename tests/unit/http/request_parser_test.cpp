// SPDX-License-Identifier: MIT
#include "daemon/http/request_parser.hpp"

#include "tests/support/catch.hpp"

#include <string>

using namespace livelogd::http;

namespace {

constexpr std::size_t limit = 8192;

/// The status a request head is refused with; 0 if it is taken.
unsigned verdict(const std::string& bytes) {
    try {
        parse_request_head(bytes, limit);
        return 0;
    } catch (const bad_request& refused) {
        return refused.status();
    }
}

std::string get(const std::string& headers, const std::string& target = "/") {
    return "GET " + target + " HTTP/1.1\r\n" + headers + "\r\n";
}

}  // namespace

TEST_CASE("a plain request is taken apart", "[http]") {
    const std::string bytes =
        "GET /api/v1/logs/recent?lines=5&type=errors HTTP/1.1\r\nHost: localhost:5000\r\nAccept: "
        "*/*\r\n\r\nrest";
    const auto parsed = parse_request_head(bytes, limit);
    REQUIRE(parsed);
    CHECK(parsed->size == bytes.size() - 4);
    CHECK(parsed->head.method == "GET");
    CHECK(parsed->head.path == "/api/v1/logs/recent");
    CHECK(parsed->head.parameters == parameter_list{{"lines", "5"}, {"type", "errors"}});
    CHECK(parsed->head.header("host") == "localhost:5000");
    CHECK(parsed->head.keep_alive);
    CHECK_FALSE(parsed->head.has_body);
    CHECK_FALSE(parsed->head.http_1_0);
}

TEST_CASE("a head that has not ended yet is waited for, at every byte", "[http]") {
    const std::string bytes = get("Host: localhost\r\n");
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        INFO(size);
        CHECK_FALSE(parse_request_head(bytes.substr(0, size), limit));
    }
    CHECK(parse_request_head(bytes, limit));
}

TEST_CASE("what a proxy might read differently is refused", "[http]") {
    const auto [bytes, why] = GENERATE(table<std::string, std::string>({
        {get(""), "no Host"},
        {get("Host: localhost\r\nHost: localhost\r\n"), "two Hosts"},
        {get("Host: localhost\r\nContent-Length: 1, 1\r\n"), "a list of lengths"},
        {get("Host: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n"), "two equal lengths"},
        {get("Host: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), "two lengths"},
        {get("Host: localhost\r\nContent-Length: +1\r\n"), "a length with a sign"},
        {get("Host: localhost\r\nContent-Length: -1\r\n"), "a negative length"},
        {get("Host: localhost\r\nContent-Length: 18446744073709551616\r\n"), "a length of 2^64"},
        {get("Host: localhost\r\nContent-Length: 5\r\n"), "a GET with a body"},
        {get("Host: localhost\r\nTransfer-Encoding: chunked\r\n"), "a GET with a chunked body"},
        {get("Host: localhost\r\nTransfer-Encoding: xchunked\r\n"), "an unknown coding"},
        {get("Host: localhost\r\nTransfer-Encoding: chunked, identity\r\n"), "a list of codings"},
        {get("Host: localhost\r\nTransfer-Encoding : chunked\r\n"), "space before the colon"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "both"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "an unknown coding of a POST"},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked in HTTP/1.0"},
        {get("Host: localhost\r\nX-A: b\r\n c\r\n"), "a folded header"},
        {get("Host: localhost\r\nX-A: b\r\n\tc\r\n"), "a folded header with a tab"},
        {get("Host: localhost\r\n", "/\xc3\xa4"), "bytes above 127 in the address"},
        {get("Host: localhost\r\n", "/a b"), "a space in the address"},
        {get("Host: localhost\r\n", "/a%2fb"), "an encoded slash in the path"},
        {get("Host: localhost\r\n", "/?a=%ff"), "bytes that are no UTF-8"},
        {get("Host: localhost\r\n", "/%zz"), "a bad escape"},
        {get("Host: localhost\r\n", "/%4"), "half an escape"},
        {get("Host: localhost\r\n", "/?a=%00"), "a zero byte"},
        {get("Host: localhost\r\n", "nowhere"), "an address without a slash"},
        {get("Host: localhost\r\nX\r\n"), "a header without a colon"},
        {get("Host: localhost\r\nContent-Encoding: gzip\r\n"), "a compressed body"},
        {"GET / HTTP/9.9\r\nHost: a\r\n\r\n", "an unknown version"},
        {"GET /\r\n\r\n", "HTTP/0.9"},
        {"GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", "bare line feeds"},
        {get("Host: a\r\nX: " + std::string(1, '\0') + "b\r\n"), "a zero byte in a header"},
    }));
    INFO(why);
    CHECK(verdict(bytes) == 400);
}

TEST_CASE("other methods are told from malformed requests", "[http]") {
    for (const std::string method : {"POST", "PUT", "DELETE", "BREW"}) {
        const auto parsed =
            parse_request_head(method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n", limit);
        REQUIRE(parsed);
        CHECK(parsed->head.method == method);
        CHECK(parsed->head.has_body);
    }
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == 0);
}

TEST_CASE("a head that is too long is refused before it has ended", "[http]") {
    CHECK(verdict("GET /" + std::string(9000, 'a')) == 414);
    CHECK(verdict(get("Host: a\r\nX: " + std::string(9000, 'a') + "\r\n")) == 431);
    CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'a')) == 431);
    CHECK(verdict(get("Host: a\r\nX: " + std::string(8000, 'a') + "\r\n")) == 0);
}

TEST_CASE("paths and parameters are decoded", "[http]") {
    request asked;
    parse_target("/a%20b?x=1+2&y=%26%3d&z&=v&&x=3#part", asked);
    CHECK(asked.path == "/a b");
    CHECK(asked.parameters == parameter_list{{"x", "1 2"}, {"y", "&="}, {"z", ""}, {"", "v"}, {"x", "3"}});
}

TEST_CASE("the absolute form names its own host", "[http]") {
    request asked;
    parse_target("http://evil.example:80/healthz?x=1", asked);
    CHECK(asked.authority == "evil.example:80");
    CHECK(asked.path == "/healthz");
    request bare;
    parse_target("HTTP://localhost", bare);
    CHECK(bare.authority == "localhost");
    CHECK(bare.path == "/");
}

TEST_CASE("HTTP/1.0 and Connection decide about the connection", "[http]") {
    CHECK_FALSE(parse_request_head("GET / HTTP/1.0\r\nHost: a\r\n\r\n", limit)->head.keep_alive);
    CHECK(parse_request_head("GET / HTTP/1.0\r\nHost: a\r\n\r\n", limit)->head.http_1_0);
    CHECK_FALSE(parse_request_head(get("Host: a\r\nConnection: close\r\n"), limit)->head.keep_alive);
}
