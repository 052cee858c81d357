// SPDX-License-Identifier: MIT
#include "daemon/http/metrics_text.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <limits>

using namespace livelogd;
using namespace std::chrono_literals;
using http::duration_counts;
using http::metrics_text;
using http::request_counts;
using kind = metrics_text::kind;

TEST_CASE("a family is its help, its type and its samples", "[metrics]") {
    metrics_text out;
    out.family("livelogd_lines_total", kind::counter, "Lines.");
    out.value(3);
    out.family("livelogd_bytes", kind::gauge, "Bytes.");
    out.value(std::numeric_limits<std::uint64_t>::max(), {{"of", "log"}});
    out.value(0, {{"of", "ring"}, {"level", "INFO"}});
    CHECK(out.text()
          == "# HELP livelogd_lines_total Lines.\n"
             "# TYPE livelogd_lines_total counter\n"
             "livelogd_lines_total 3\n"
             "# HELP livelogd_bytes Bytes.\n"
             "# TYPE livelogd_bytes gauge\n"
             "livelogd_bytes{of=\"log\"} 18446744073709551615\n"
             "livelogd_bytes{of=\"ring\",level=\"INFO\"} 0\n");
}

TEST_CASE("what would end a line or a value is escaped", "[metrics]") {
    metrics_text out;
    out.family("x", kind::gauge, "a \"quoted\"\nback\\slash");
    out.value(1, {{"v", "a\"b\\c\nd{}=,\xc3\xa4"}});
    CHECK(out.text()
          == "# HELP x a \"quoted\"\\nback\\\\slash\n"
             "# TYPE x gauge\n"
             "x{v=\"a\\\"b\\\\c\\nd{}=,\xc3\xa4\"} 1\n");
}

TEST_CASE("seconds are told exactly, in plain digits", "[metrics]") {
    CHECK(http::seconds_text(0) == "0");
    CHECK(http::seconds_text(1) == "0.000001");
    CHECK(http::seconds_text(2'500) == "0.0025");
    CHECK(http::seconds_text(1'000'000) == "1");
    CHECK(http::seconds_text(10'100'000) == "10.1");
    CHECK(http::seconds_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709.551615");
    metrics_text out;
    out.family("x_seconds_total", kind::counter, "");
    out.seconds(1'500'000, {{"a", "b"}});
    CHECK(out.text().ends_with("\nx_seconds_total{a=\"b\"} 1.5\n"));
}

TEST_CASE("durations fall into the first bucket that holds them", "[metrics]") {
    duration_counts counts;
    counts.add(0ns);
    counts.add(1ms);
    counts.add(1ms + 1ns);  // told in whole microseconds, rounded up
    counts.add(10s);
    counts.add(10s + 1us);
    counts.add(-5ms);  // no clock here goes back; if one did, nothing would be taken off
    const auto sums = counts.now();
    CHECK(sums.buckets.front() == 3);
    CHECK(sums.buckets[1] == 1);
    CHECK(sums.buckets[duration_counts::bounds.size() - 1] == 1);
    CHECK(sums.buckets.back() == 1);
    CHECK(sums.microseconds == 1'000 + 1'001 + 10'000'000 + 10'000'001);
}

TEST_CASE("the buckets of a histogram add up", "[metrics]") {
    duration_counts counts;
    counts.add(2ms);
    counts.add(2ms);
    counts.add(11s);
    metrics_text out;
    out.family("d_seconds", kind::histogram, "How long.");
    out.histogram(counts.now(), {{"endpoint", "/x"}});
    CHECK(out.text()
          == "# HELP d_seconds How long.\n"
             "# TYPE d_seconds histogram\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.001\"} 0\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.0025\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.005\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.01\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.025\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.05\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.1\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.25\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"0.5\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"1\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"2.5\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"5\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"10\"} 2\n"
             "d_seconds_bucket{endpoint=\"/x\",le=\"+Inf\"} 3\n"
             "d_seconds_sum{endpoint=\"/x\"} 11.004\n"
             "d_seconds_count{endpoint=\"/x\"} 3\n");
}

TEST_CASE("requests are counted by endpoint and code, and nothing else makes a row", "[metrics]") {
    request_counts counts;
    const auto text = counts.add("/text", false);
    const auto slow = counts.add("/slow", true);
    REQUIRE(counts.rows().size() == 3);
    CHECK(counts.rows()[0]->endpoint == "other");
    CHECK(counts.rows()[text]->endpoint == "/text");

    const auto answers = [&](std::size_t row, std::size_t code) {
        return counts.rows()[row]->answers[code].load();
    };
    counts.answered(text, request_counts::codes[3]);
    counts.answered(text, request_counts::codes[3]);
    counts.answered(0, 404);
    counts.answered(slow, 999);  // a code that nobody has foreseen
    CHECK(answers(text, 3) == 2);
    CHECK(answers(text, 0) == 0);
    CHECK(answers(slow, request_counts::codes.size()) == 1);

    counts.took(text, 1s);  // is not measured
    counts.took(slow, 1s);
    CHECK(counts.rows()[text]->durations == nullptr);
    CHECK(counts.rows()[slow]->durations->now().microseconds == 1'000'000);
}
