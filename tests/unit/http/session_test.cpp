// SPDX-License-Identifier: MIT
#include "daemon/http/session.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/scripted_connection.hpp"

#include <boost/asio/co_spawn.hpp>

#include <chrono>

using namespace livelogd;
using namespace std::chrono_literals;

namespace {

class countdown final : public http::body_source {
  public:
    explicit countdown(int pieces, bool breaks = false) : left_(pieces), breaks_(breaks) {}
    net::awaitable<bool> next(std::string& out) override {
        if (left_ == 0 && breaks_) throw std::runtime_error("broken");
        if (left_ == 0) co_return false;
        out = "piece " + std::to_string(left_--) + "\n";
        co_return true;
    }

  private:
    int left_;
    bool breaks_;
};

/// One conversation with a router of four endpoints.
struct conversation {
    explicit conversation(bool overloaded = false, http::session_limits limits = {}) {
        routes.add("/text", [](const http::request&) -> net::awaitable<http::reply> {
            co_return http::reply{.body = std::string("{}\n")};
        });
        routes.add("/pieces", [](const http::request&) -> net::awaitable<http::reply> {
            co_return http::reply{.body = std::make_unique<countdown>(2)};
        });
        routes.add("/broken", [](const http::request&) -> net::awaitable<http::reply> {
            co_return http::reply{.body = std::make_unique<countdown>(1, true)};
        });
        routes.add("/throws", [](const http::request&) -> net::awaitable<http::reply> {
            throw std::runtime_error("the disk is on fire");
            co_return http::reply{};
        });
        routes.add_form(
            "/form",
            [](const http::request&) -> net::awaitable<http::reply> {
                co_return http::reply{.body = std::string("page\n")};
            },
            [](const http::request& asked) -> net::awaitable<http::reply> {
                co_return http::reply{.body = "got " + asked.body + "\n"};
            });
        access.store(std::make_shared<const http::access_rules>());
        net::asio::co_spawn(client->executor(), http::run_session(client, routes, access, limits, overloaded),
                            [this](const std::exception_ptr& error) {
                                CHECK_FALSE(error);
                                over = true;
                            });
    }

    /// The peer sends, the session does what it can.
    std::string exchange(std::string_view bytes) {
        client->peer_sends(bytes);
        settle();
        return client->take_output();
    }
    void settle() {
        context.restart();
        context.poll();
    }

    net::asio::io_context context;
    http::router routes;
    http::current_access access;
    std::shared_ptr<test::scripted_connection> client = std::make_shared<test::scripted_connection>(context);
    bool over = false;
};

std::string status_of(const std::string& answer) {
    return answer.substr(0, answer.find("\r\n"));
}
std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}
bool has(const std::string& answer, const std::string& line) {
    return answer.find("\r\n" + line + "\r\n") != std::string::npos;
}

constexpr const char* host = "Host: localhost\r\n\r\n";

}  // namespace

TEST_CASE("requests follow each other on one connection, sent at once or in pieces", "[http]") {
    conversation c;
    const auto two =
        c.exchange("GET /text HTTP/1.1\r\n" + std::string(host) + "GET /text HTTP/1.1\r\n" + host);
    CHECK(status_of(two) == "HTTP/1.1 200 OK");
    CHECK(two.find("{}\nHTTP/1.1 200 OK") != std::string::npos);
    CHECK(has(two, "Connection: keep-alive"));
    CHECK(has(two, "Content-Length: 3"));
    CHECK(c.exchange("GET /te").empty());
    CHECK(status_of(c.exchange("xt HTTP/1.1\r\n" + std::string(host))) == "HTTP/1.1 200 OK");
    CHECK_FALSE(c.over);
    c.client->peer_closes();
    c.settle();
    CHECK(c.over);
    CHECK(c.client->closed());
}

TEST_CASE("every answer carries the security headers", "[http]") {
    conversation c;
    for (const std::string path : {"/text", "/nowhere", "/throws"}) {
        const auto answer = c.exchange("GET " + path + " HTTP/1.1\r\n" + host);
        INFO(answer);
        CHECK(has(answer, "X-Content-Type-Options: nosniff"));
        CHECK(has(answer, "Cross-Origin-Resource-Policy: same-origin"));
        CHECK(has(answer, "Referrer-Policy: no-referrer"));
        CHECK(has(answer, "Cache-Control: no-store"));
        CHECK(answer.find("Access-Control") == std::string::npos);
    }
}

TEST_CASE("a long body goes out in chunks, and only whole", "[http]") {
    conversation c;
    const auto answer = c.exchange("GET /pieces HTTP/1.1\r\n" + std::string(host));
    CHECK(has(answer, "Transfer-Encoding: chunked"));
    CHECK(body_of(answer) == "8\r\npiece 2\n\r\n8\r\npiece 1\n\r\n0\r\n\r\n");
    CHECK_FALSE(c.over);

    const auto broken = c.exchange("GET /broken HTTP/1.1\r\n" + std::string(host));
    CHECK(body_of(broken) == "8\r\npiece 1\n\r\n");
    CHECK(c.over);
}

TEST_CASE("an old client gets the long body until the connection ends", "[http]") {
    conversation c;
    const auto answer = c.exchange("GET /pieces HTTP/1.0\r\n" + std::string(host));
    CHECK(body_of(answer) == "piece 2\npiece 1\n");
    CHECK(has(answer, "Connection: close"));
    CHECK(c.over);
}

TEST_CASE("HEAD answers as GET does, without the body", "[http]") {
    conversation c;
    const auto text = c.exchange("HEAD /text HTTP/1.1\r\n" + std::string(host));
    CHECK(has(text, "Content-Length: 3"));
    CHECK(body_of(text).empty());
    const auto pieces = c.exchange("HEAD /pieces HTTP/1.1\r\n" + std::string(host));
    CHECK(has(pieces, "Transfer-Encoding: chunked"));
    CHECK(body_of(pieces).empty());
    CHECK_FALSE(c.over);
}

TEST_CASE("unknown paths, methods and failures are answered in JSON", "[http]") {
    conversation c;
    const auto unknown = c.exchange("GET /text/x HTTP/1.1\r\n" + std::string(host));
    CHECK(status_of(unknown) == "HTTP/1.1 404 Not Found");
    CHECK(body_of(unknown) == "{\"error\":\"there is nothing at this address\"}\n");
    const auto failed = c.exchange("GET /throws HTTP/1.1\r\n" + std::string(host));
    CHECK(status_of(failed) == "HTTP/1.1 500 Internal Server Error");
    CHECK(body_of(failed) == "{\"error\":\"the answer could not be made: the disk is on fire\"}\n");
    const auto options = c.exchange("OPTIONS /text HTTP/1.1\r\n" + std::string(host));
    CHECK(status_of(options) == "HTTP/1.1 204 No Content");
    CHECK(has(options, "Allow: GET, HEAD, OPTIONS"));
    CHECK(status_of(c.exchange("OPTIONS * HTTP/1.1\r\n" + std::string(host))) == "HTTP/1.1 204 No Content");
    const auto put = c.exchange("PUT /text HTTP/1.1\r\n" + std::string(host));
    CHECK(status_of(put) == "HTTP/1.1 405 Method Not Allowed");
    CHECK(has(put, "Allow: GET, HEAD, OPTIONS"));
}

TEST_CASE("after a request that cannot be trusted the connection ends", "[http]") {
    conversation c;
    const auto answer = c.exchange(
        "GET /text HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n"
        "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(status_of(answer) == "HTTP/1.1 400 Bad Request");
    CHECK(has(answer, "Connection: close"));
    CHECK(answer.find("HTTP/1.1 200") == std::string::npos);
    CHECK(c.client->writing_ended());
}

TEST_CASE("the body of a refused request is not taken for the next one", "[http]") {
    conversation c;
    const auto answer = c.exchange(
        "POST /text HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n"
        "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(status_of(answer) == "HTTP/1.1 405 Method Not Allowed");
    CHECK(has(answer, "Connection: close"));
    CHECK(answer.find("HTTP/1.1 200") == std::string::npos);
}

TEST_CASE("foreign hosts get 403 and the connection goes on", "[http]") {
    conversation c;
    CHECK(status_of(c.exchange("GET /text HTTP/1.1\r\nHost: evil.example\r\n\r\n"))
          == "HTTP/1.1 403 Forbidden");
    CHECK(status_of(c.exchange("GET /text HTTP/1.1\r\n" + std::string(host))) == "HTTP/1.1 200 OK");
}

TEST_CASE("allowed origins are told, with what a preflight asks", "[http]") {
    conversation c;
    auto rules = std::make_shared<http::access_rules>();
    rules->cors_allowed_origins = {"http://app.example"};
    c.access.store(rules);
    const auto answer =
        c.exchange("GET /text HTTP/1.1\r\nOrigin: http://app.example\r\n" + std::string(host));
    CHECK(has(answer, "Access-Control-Allow-Origin: http://app.example"));
    CHECK(has(answer, "Vary: Origin"));
    CHECK(answer.find("Allow-Credentials") == std::string::npos);
    const auto other =
        c.exchange("GET /text HTTP/1.1\r\nOrigin: http://other.example\r\n" + std::string(host));
    CHECK(other.find("Access-Control") == std::string::npos);
    CHECK(has(other, "Vary: Origin"));
    const auto preflight =
        c.exchange("OPTIONS /text HTTP/1.1\r\nOrigin: http://app.example\r\n" + std::string(host));
    CHECK(has(preflight, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS"));
}

TEST_CASE("too many connections are told so", "[http]") {
    conversation c(true);
    const auto answer = c.exchange("GET /text HTTP/1.1\r\n" + std::string(host));
    CHECK(status_of(answer) == "HTTP/1.1 503 Service Unavailable");
    CHECK(has(answer, "Retry-After: 1"));
}

TEST_CASE("a header that does not come to its end is given up", "[http]") {
    http::session_limits limits;
    limits.header_time = 20ms;
    conversation slow(false, limits);
    slow.client->peer_sends("GET /text HT");
    slow.context.restart();
    slow.context.run_for(2s);
    CHECK(status_of(slow.client->output()) == "HTTP/1.1 408 Request Timeout");
    CHECK(slow.over);

    conversation silent(false, limits);
    silent.context.restart();
    silent.context.run_for(2s);
    CHECK(silent.client->output().empty());
    CHECK(silent.over);
}

TEST_CASE("blank lines do not keep an idle connection open", "[http]") {
    const std::string blank = GENERATE("\r\n", "\n\r");  // the second: each in two pieces
    http::session_limits limits;
    limits.stall = 200ms;
    conversation c(false, limits);
    c.exchange("GET /text HTTP/1.1\r\n" + std::string(host) + (blank.front() == '\n' ? "\r" : ""));
    const auto began = std::chrono::steady_clock::now();
    while (!c.over && std::chrono::steady_clock::now() - began < 10s) {
        c.client->peer_sends(blank);
        c.context.restart();
        c.context.run_for(20ms);
    }
    CHECK(c.over);
    CHECK(c.client->output().empty());
    CHECK(std::chrono::steady_clock::now() - began >= 200ms);
}

TEST_CASE("blank lines before a request are passed over, however they come", "[http]") {
    conversation c;
    const auto get = "GET /text HTTP/1.1\r\n" + std::string(host);
    CHECK(status_of(c.exchange("\r\n\r\n" + get)) == "HTTP/1.1 200 OK");
    // Behind the request before it, and in two pieces.
    const auto two = c.exchange(get + "\r\n\r\n" + get + "\r");
    CHECK(two.find("{}\nHTTP/1.1 200 OK") != std::string::npos);
    CHECK(status_of(c.exchange("\n" + get)) == "HTTP/1.1 200 OK");
    CHECK_FALSE(c.over);
    CHECK(status_of(c.exchange("\r" + get)) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("a client that takes nothing is closed", "[http]") {
    http::session_limits limits;
    limits.stall = 20ms;
    conversation c(false, limits);
    c.client->peer_takes(10);
    c.client->peer_sends("GET /text HTTP/1.1\r\n" + std::string(host));
    c.context.restart();
    c.context.run_for(2s);
    CHECK(c.over);
    CHECK(c.client->output().size() == 10);
}

TEST_CASE("a form is read in whole, in whatever pieces it comes, and the connection goes on", "[http]") {
    conversation c;
    const std::string head = "POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
    const auto both = c.exchange(head + "a=b&cGET /text HTTP/1.1\r\n" + host);
    CHECK(status_of(both) == "HTTP/1.1 200 OK");
    CHECK(both.find("got a=b&c\nHTTP/1.1 200 OK") != std::string::npos);
    CHECK(has(both, "Connection: keep-alive"));
    CHECK(c.exchange(head).empty());
    CHECK(c.exchange("a=").empty());
    CHECK(body_of(c.exchange("b&c")) == "got a=b&c\n");
    CHECK(body_of(c.exchange("POST /form HTTP/1.1\r\n" + std::string(host))) == "got \n");
    CHECK(body_of(c.exchange("GET /form HTTP/1.1\r\n" + std::string(host))) == "page\n");
    CHECK_FALSE(c.over);
}

TEST_CASE("a form that is too long or tells no length is refused, and nothing of it taken for a request",
          "[http]") {
    for (const std::string fields :
         {"Content-Length: 4097", "Content-Length: 18446744073709551615", "Transfer-Encoding: chunked"}) {
        INFO(fields);
        conversation c;
        const auto answer = c.exchange("POST /form HTTP/1.1\r\nHost: localhost\r\n" + fields
                                       + "\r\n\r\nGET /text HTTP/1.1\r\n" + host);
        CHECK(status_of(answer).starts_with(fields.starts_with("C") ? "HTTP/1.1 413" : "HTTP/1.1 411"));
        CHECK(has(answer, "Connection: close"));
        CHECK(answer.find("{}") == std::string::npos);
    }
}

TEST_CASE("other addresses and methods take no body still", "[http]") {
    for (const std::string first : {"POST /text", "PUT /form", "DELETE /form"}) {
        INFO(first);
        conversation c;
        const auto answer =
            c.exchange(first + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\na=b&c");
        CHECK(status_of(answer) == "HTTP/1.1 405 Method Not Allowed");
        CHECK(has(answer,
                  std::string("Allow: GET, HEAD, OPTIONS") + (first.ends_with("/form") ? ", POST" : "")));
        CHECK(has(answer, "Connection: close"));
    }
}

TEST_CASE("a form that does not come to its end is not waited for", "[http]") {
    conversation c(false, {.header_time = 20ms});
    CHECK(c.exchange("POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\na=b").empty());
    c.context.restart();
    c.context.run_for(300ms);
    CHECK(status_of(c.client->take_output()) == "HTTP/1.1 408 Request Timeout");
}

TEST_CASE("a client that asks whether to go on with its form is told so", "[http]") {
    conversation c;
    const auto asked =
        "POST /form HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    CHECK(c.exchange(asked) == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(body_of(c.exchange("a=b&c")) == "got a=b&c\n");
}
