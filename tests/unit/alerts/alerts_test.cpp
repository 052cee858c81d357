// SPDX-License-Identifier: MIT
#include "daemon/alerts/hit_window.hpp"
#include "daemon/alerts/message.hpp"
#include "daemon/alerts/webhook.hpp"
#include "daemon/alerts/webhook_url.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>

using namespace livelogd::alerts;
using namespace std::chrono_literals;

namespace {

using point = hit_window::clock::time_point;

alert_rule errors_rule() {
    alert_rule rule;
    rule.name = "errors";
    rule.words.type = {"errors"};
    rule.words.q = {"endpoint:/v1/* status>=500"};
    rule.threshold = 5;
    rule.window = 1min;
    return rule;
}

}  // namespace

TEST_CASE("a rule fires when enough has come within its window", "[alerts]") {
    hit_window hits(3, 10s, 0s);
    CHECK_FALSE(hits.note(1, point(0s)));
    CHECK_FALSE(hits.note(2, point(5s)));
    SECTION("at its edge as well") {
        const auto fired = hits.note(3, point(10s));
        REQUIRE(fired);
        CHECK(fired->hits == 3);
        CHECK(fired->first == 1);
        CHECK(fired->last == 3);
    }
    SECTION("not when the first is too old") {
        CHECK_FALSE(hits.note(3, point(10s + 1ms)));
        const auto fired = hits.note(4, point(11s));
        REQUIRE(fired);
        CHECK(fired->first == 2);
        CHECK(fired->hits == 4);
    }
    SECTION("and takes as many again for the next time") {
        REQUIRE(hits.note(3, point(6s)));
        CHECK_FALSE(hits.note(4, point(6s)));
        CHECK_FALSE(hits.note(5, point(6s)));
        CHECK(hits.note(6, point(6s)));
    }
}

TEST_CASE("a rule is silent in its quiet time, and counts on", "[alerts]") {
    hit_window hits(1, 1min, 10s);
    REQUIRE(hits.note(1, point(0s)));
    CHECK_FALSE(hits.note(2, point(1s)));
    CHECK_FALSE(hits.note(3, point(9s)));
    const auto fired = hits.note(4, point(10s));
    REQUIRE(fired);
    CHECK(fired->hits == 3);
    CHECK(fired->first == 4);
}

TEST_CASE("a rule fires as a plain count of the window says", "[alerts][model]") {
    std::mt19937 random(20260713);
    for (int round = 0; round < 200; ++round) {
        const std::uint64_t threshold = 1 + random() % 5;
        const auto window = std::chrono::seconds(1 + random() % 20);
        const auto quiet = std::chrono::seconds(random() % 30);
        hit_window hits(threshold, window, quiet);
        point now{};
        point silent_until{};
        std::deque<point> all;
        for (std::uint64_t id = 1; id <= 200; ++id) {
            now += std::chrono::seconds(random() % 8);
            all.push_back(now);
            std::size_t within = 0;
            for (const auto at : all)
                within += now - at <= window ? 1U : 0U;
            const bool expected = within >= threshold && now >= silent_until;
            REQUIRE(hits.note(id, now).has_value() == expected);
            if (!expected) continue;
            all.clear();
            silent_until = now + quiet;
        }
    }
}

TEST_CASE("the URL of a webhook is taken apart", "[alerts]") {
    const auto plain = webhook_url::parse("http://127.0.0.1:9000/hook?a=b#c");
    CHECK_FALSE(plain.tls);
    CHECK(plain.host == "127.0.0.1");
    CHECK(plain.port == "9000");
    CHECK(plain.target == "/hook?a=b");
    CHECK(plain.host_header() == "127.0.0.1:9000");

    const auto secret = webhook_url::parse("https://hooks.example.org/services/T0/B0/secret");
    CHECK(secret.tls);
    CHECK(secret.port == "443");
    CHECK(secret.host_header() == "hooks.example.org");
    CHECK(secret.origin() == "https://hooks.example.org");

    CHECK(webhook_url::parse("http://[::1]:8080").host == "::1");
    CHECK(webhook_url::parse("http://[::1]:8080").host_header() == "[::1]:8080");
    CHECK(webhook_url::parse("http://a").target == "/");
    CHECK(webhook_url::parse("http://a?x").target == "/?x");

    for (const std::string wrong : {"", "ftp://a/", "hooks.example.org", "http://", "http:///x",
                                    "http://a:0/", "http://a:99999/", "http://a:/", "http://user:pw@a/",
                                    "http://a b/", "http://[::1/", "http://[x]/", "http://a\r\nX: y/"}) {
        INFO(wrong);
        CHECK_THROWS_AS(webhook_url::parse(wrong), std::invalid_argument);
    }
}

TEST_CASE("what is told names the rule, the reason and the place", "[alerts]") {
    auto rule = errors_rule();
    CHECK(describe(rule.words) == "type=errors q=\"endpoint:/v1/* status>=500\"");
    CHECK(describe({}) == "every record");
    const firing fired{5, 101, 105};
    CHECK(sentence_of(rule, fired)
          == "alert 'errors': 5 records within 1 min (type=errors q=\"endpoint:/v1/* status>=500\")");
    CHECK_THAT(sentence_of(rule, {12, 101, 105}), Catch::Matchers::EndsWith("; 12 since the last time"));

    rule.webhook = "https://hooks.example.org/secret";
    CHECK(fields_of(rule, fired).at("webhook") == "https://hooks.example.org");

    const std::string record = R"({"n":1e999,"prompt":")" + std::string(5000, 'x') + R"("})";
    SECTION("the record stays at home") {
        const auto body = boost::json::parse(webhook_body(rule, fired, 0, "box", record)).as_object();
        CHECK(body.at("text").as_string() == "livelogd on box: " + sentence_of(rule, fired));
        CHECK(body.at("time") == "1970-01-01T00:00:00.000000+00:00");
        CHECK(body.at("last_id") == 105);
        CHECK_FALSE(body.contains("record"));
    }
    SECTION("unless it is wanted, and then it is short") {
        rule.include_record = true;
        const auto text = webhook_body(rule, fired, 0, "box", record);
        CHECK(text.find("\"n\":1e999") != std::string::npos);
        CHECK(text.size() < 2500);
        CHECK(boost::json::parse(text).as_object().contains("record"));
    }
}

TEST_CASE("an answer that will not change ends the attempts", "[alerts]") {
    CHECK(post_result{204, ""}.delivered());
    for (const unsigned final : {301U, 400U, 404U, 410U})
        CHECK(post_result{final, ""}.refused());
    for (const unsigned passing : {0U, 408U, 425U, 429U, 500U, 503U})
        CHECK_FALSE(post_result{passing, "x"}.refused());
    CHECK(post_result{503, ""}.sentence() == "the answer was 503");
}
