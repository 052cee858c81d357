// SPDX-License-Identifier: MIT
// Which records a window holds.
#include "daemon/query/stats.hpp"
#include "daemon/summary/record_clock.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/parse.hpp>

using livelogd::base::time_zone;
using livelogd::query::stats_answer;
using livelogd::query::test::test_log;
using livelogd::summary::told_time;
using livelogd::test::filter_of_types;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t noon = 1'750'939'200 * second;  // 2025-06-26T12:00:00Z

std::int64_t logs_in_window(const test_log& log, double hours, const std::string& zone = "UTC",
                            const std::vector<std::string>& types = {}, std::int64_t now = noon) {
    const auto answer =
        stats_answer(log.snapshot(),
                     {.filter = filter_of_types(types), .hours = hours, .response_times = 0, .now_us = now},
                     time_zone::named(zone), {});
    return boost::json::parse(answer).at("total_logs").as_int64();
}

std::string at(const std::string& timestamp, const std::string& type = "event") {
    return R"({"timestamp":")" + timestamp + R"(","type":")" + type + "\"}";
}

std::int64_t in_window(const std::string& timestamp, double hours, const std::string& zone = "UTC",
                       std::int64_t now = noon) {
    test_log log;
    log.append({at(timestamp)});
    return logs_in_window(log, hours, zone, {}, now);
}

const std::string inside = at("2025-06-26T11:30:00Z");
const std::string outside = at("2025-06-26T10:30:00Z");
const std::string timeless = R"({"timestamp":"just now","type":"event"})";

/// Of these records, how many the last hour holds.
std::int64_t of_segment(const std::vector<std::string>& lines) {
    test_log log;
    log.append(lines);
    return logs_in_window(log, 1);
}

}  // namespace

TEST_CASE("a window begins exactly where it says") {
    CHECK(in_window("2025-06-26T11:00:00Z", 1) == 1);
    CHECK(in_window("2025-06-26T11:00:00.000000Z", 1) == 1);
    CHECK(in_window("2025-06-26T10:59:59.999999Z", 1) == 0);
    CHECK(in_window("2025-06-26T10:59:59.999999999Z", 1) == 0);  // digits past microseconds are cut off
    CHECK(in_window("2025-06-26T11:30:00Z", 0.5) == 1);
    CHECK(in_window("2025-06-26T11:29:59.999999Z", 0.5) == 0);
    // 1e-9 hours are 3.6 microseconds, which is 4.
    CHECK(in_window("2025-06-26T11:59:59.999996Z", 1e-9) == 1);
    CHECK(in_window("2025-06-26T11:59:59.999995Z", 1e-9) == 0);
}

TEST_CASE("a window has no end") {
    CHECK(in_window("2025-06-26T12:00:01Z", 1) == 1);
    CHECK(in_window("9999-12-31T23:59:59.999999Z", 1) == 1);
}

TEST_CASE("a very long window holds everything") {
    CHECK(in_window("2015-07-01T00:00:00Z", 87600) == 1);
    CHECK(in_window("2015-06-01T00:00:00Z", 87600) == 0);
    CHECK(in_window("0000-01-01T00:00:00Z", 1e300) == 1);
}

TEST_CASE("a time without an offset is read in the zone") {
    CHECK(in_window("2025-06-26T13:00:00", 1, "Europe/Berlin") == 1);  // 11:00 UTC
    CHECK(in_window("2025-06-26T12:59:59.999999", 1, "Europe/Berlin") == 0);
    CHECK(in_window("2025-06-26 07:00:00", 1, "America/New_York") == 1);
    CHECK(in_window("2025-06-26 06:59:59", 1, "America/New_York") == 0);
    CHECK(in_window("2025-06-26T13:00:00+02:00", 1, "America/New_York") == 1);
    CHECK(in_window("2025-06-26T12:59:59+0200", 1, "America/New_York") == 0);
    CHECK(in_window("2025-06-26T11:00:00Z", 1, "Asia/Kolkata") == 1);
}

TEST_CASE("an ambiguous local time is the first of the two") {
    // On 2025-10-26 Berlin sees 02:30 at 00:30 UTC and again at 01:30 UTC.
    const std::int64_t first = 1'761'438'600 * second;
    CHECK(in_window("2025-10-26T02:30:00", 1, "Europe/Berlin", first + 3600 * second) == 1);
    CHECK(in_window("2025-10-26T02:30:00", 1, "Europe/Berlin", first + 3601 * second) == 0);
}

TEST_CASE("timestamps are read whatever their spelling, or not at all") {
    const auto zone = time_zone::named("Europe/Berlin");
    const auto string = [&](std::string_view text) {
        return told_time({.kind = livelogd::protocol::json_kind::string, .text = text}, zone);
    };
    CHECK(string(R"("2025-06-26T12:00:00Z")") == noon);
    CHECK(string(R"("2025-06-26T14:00:00")") == noon);
    CHECK(string(R"("2025-06-26T12:00:00\u005A")") == noon);
    CHECK(string(R"("2025-06-26 12:00:00,5Z")") == noon + second / 2);
    CHECK_FALSE(string(R"("")"));
    CHECK_FALSE(string(R"("2025-02-30T12:00:00Z")"));
    CHECK_FALSE(string(R"("2025-06-26")"));
    CHECK_FALSE(string(R"("1750939200")"));
    CHECK_FALSE(told_time({.kind = livelogd::protocol::json_kind::number, .text = "1750939200"}, zone));
    CHECK_FALSE(told_time({.kind = livelogd::protocol::json_kind::null, .text = "null"}, zone));
    CHECK_FALSE(told_time({}, zone));
    // The ends of what can be written are times like others.
    CHECK(string(R"("0000-01-01T00:00:00")") < string(R"("0001-01-01T00:00:00")"));
    CHECK(string(R"("9999-12-31T23:59:59")") > noon);
}

TEST_CASE("an unreadable time is that of the record before") {
    CHECK(of_segment({inside, timeless, timeless}) == 3);
    CHECK(of_segment({outside, timeless, timeless}) == 0);
    CHECK(of_segment({outside, timeless, inside, timeless, timeless, outside, timeless}) == 3);
    CHECK(of_segment(
              {inside, "{}", R"({"timestamp":null})", R"({"timestamp":1750939200})", R"({"timestamp":[]})"})
          == 5);
    CHECK(of_segment({outside, "{}", R"({"timestamp":null})", R"({"timestamp":1750939200})"}) == 0);
}

TEST_CASE("at the front of a segment it is that of the first record that has one") {
    CHECK(of_segment({timeless, timeless, inside, outside}) == 3);
    CHECK(of_segment({timeless, timeless, outside, inside}) == 1);
}

TEST_CASE("a segment without any readable time counts whole") {
    CHECK(of_segment({timeless, "{}", timeless}) == 3);
    CHECK(of_segment({timeless, "{}", "no record 2025-06-26T10:30:00Z", timeless}) == 3);
}

TEST_CASE("times do not reach over into other segments") {
    test_log log;
    log.append({outside}).seal();
    log.append({timeless, timeless}).seal();
    log.append({outside, inside}).seal();
    log.append({timeless, outside}).seal();
    log.append({timeless, inside});
    CHECK(logs_in_window(log, 1) == 2 + 1 + 0 + 2);
}

TEST_CASE("a line that is no record tells no time") {
    const std::string broken_inside = inside.substr(0, inside.size() - 1);
    const std::string broken_outside = outside.substr(0, outside.size() - 1);
    CHECK(of_segment({broken_inside, timeless, outside, timeless}) == 0);
    CHECK(of_segment({broken_outside, timeless, inside, broken_outside, timeless}) == 3);
}

TEST_CASE("a record that the filter holds back still tells its neighbours the time") {
    test_log log;
    log.append({at("2025-06-26T10:30:00Z", "other"), timeless, at("2025-06-26T11:30:00Z", "other"), timeless,
                timeless});
    CHECK(logs_in_window(log, 1, "UTC", {"event"}) == 2);
    test_log later;
    later.append({timeless, at("2025-06-26T10:30:00Z", "other"), inside});
    CHECK(logs_in_window(later, 1, "UTC", {"event"}) == 1);
}

TEST_CASE("times need not be in order") {
    CHECK(of_segment({inside, outside, inside, outside, outside, inside}) == 3);
}

TEST_CASE("the first readable time is found however far it is") {
    std::vector<std::string> lines(5000, R"({"type":"event","text":")" + std::string(100, 'x') + "\"}");
    lines.push_back(outside);
    lines.push_back(inside);
    CHECK(of_segment(lines) == 1);
    lines[5000] = inside;
    CHECK(of_segment(lines) == 5002);
}
