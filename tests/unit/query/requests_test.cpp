// SPDX-License-Identifier: MIT
#include "daemon/query/requests.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <map>
#include <random>

using namespace livelogd::query;
using livelogd::query::test::test_log;
using livelogd::query::test::utc;

namespace {

constexpr livelogd::protocol::record_id first = test_log::first_id;
constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t now = 1'750'939'200 * second;  // 2025-06-26T12:00:00Z
constexpr std::int64_t minute = 60 * second;

/// A record of `seconds` before `now`.
std::string record(const std::string& type, int seconds, const std::string& id,
                   const std::string& members = {}) {
    const auto time = utc.format(now - seconds * second);
    return R"({"timestamp":")" + time + R"(","type":")" + type + "\""
           + (id.empty() ? "" : ",\"request_id\":" + id) + members + "}";
}

requests_answer answer(const test_log& log, requests_request request = {}) {
    request.clock = {.now_us = now, .orphan_after_us = 10 * minute};
    livelogd::storage::line_counts lines;
    return answer_requests(log.snapshot(), request, {.lines = lines, .zone = utc});
}

/// `id state`, the row's id counted from the first one.
std::vector<std::string> rows(const requests_answer& from) {
    std::vector<std::string> shown;
    const auto parsed = boost::json::parse(from.text);
    for (const auto& row : parsed.as_array())
        shown.push_back(std::to_string(row.at("id").to_number<std::uint64_t>() - first) + " "
                        + std::string(row.at("state").as_string()));
    return shown;
}

std::vector<std::string> rows(const test_log& log, const requests_request& request = {}) {
    return rows(answer(log, request));
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty log has no requests") {
    const test_log log;
    CHECK(answer(log).text == "[]\n");
    CHECK(answer(log, {.ndjson = true}).text.empty());
    CHECK(answer(log).extent.scanned_to == 0);
}

TEST_CASE("a row tells what the two records say") {
    test_log log;
    log.append({record("request", 60, "\"r1\"",
                       R"(,"method":"POST","endpoint":"chat","request_body":{"model":"asked"})"),
                record("response", 50, "\"r1\"",
                       R"(,"status_code":200,"duration_ms":1234.50,"response_body":{"model":"answered",)"
                       R"("prompt_eval_count":100,"prompt_eval_duration":500000000,"eval_count":50,)"
                       R"("eval_duration":2000000000,"load_duration":1500000,"total_duration":2600000000,)"
                       R"("done_reason":"stop"})")});
    const auto row = boost::json::parse(answer(log).text).at(0);
    CHECK(
        row
        == boost::json::parse(
            R"({"id":1000,"state":"ok","request_record":1000,"response_record":1001,"request_id":"r1",)"
            R"("timestamp":"2025-06-26T11:59:00.000000+00:00","method":"POST","endpoint":"chat","status_code":200,)"
            R"("duration_ms":1234.50,"error_type":null,"age_ms":null,"model":"answered","input_tokens":100,)"
            R"("cached_tokens":null,"output_tokens":50,"reasoning_tokens":null,"queue_ms":98.5,"load_ms":1.5,)"
            R"("prefill_ms":500,"decode_ms":2000,"time_to_first_token_ms":501.5,)"
            R"("prefill_tokens_per_second":200,"decode_tokens_per_second":25,"finish_reason":"stop"})"));
    CHECK(answer(log).text.find(R"("duration_ms":1234.50,)") != std::string::npos);
}

TEST_CASE("states are told apart, the newest request comes first") {
    test_log log;
    log.append({
        record("response", 3000, "\"gone\""),                                    // 0: its request is not kept
        record("request", 2000, "\"old\"", R"(,"request_body":{"model":"m"})"),  // 1: never answered
        record("request", 100, "\"a\""),                                         // 2
        record("request", 99, "\"b\""),                                          // 3
        record("event", 98, "\"b\""),                                            // 4: of no interest
        record("response", 97, "\"b\"", R"(,"status_code":500)"),                // 5
        record("request", 96, ""),                                               // 6: has no request_id
        record("response", 95, "\"a\"", R"(,"status_code":200)"),                // 7
        record("response", 94, ""),                                              // 8: neither
        record("request", 5, "\"c\""),                                           // 9: in flight
    });
    CHECK(rows(log)
          == texts{"9 in_flight", "8 no_request", "6 unpaired", "3 failed", "2 ok", "1 orphaned",
                   "0 no_request"});
    const auto wanted = [&](request_state state) {
        requests_request request;
        request.states.reset().set(static_cast<std::size_t>(state));
        return rows(log, request);
    };
    CHECK(wanted(request_state::ok) == texts{"2 ok"});
    CHECK(wanted(request_state::failed) == texts{"3 failed"});
    CHECK(wanted(request_state::in_flight) == texts{"9 in_flight"});
    CHECK(wanted(request_state::orphaned) == texts{"1 orphaned"});
    CHECK(wanted(request_state::no_request) == texts{"8 no_request", "0 no_request"});
    CHECK(wanted(request_state::unpaired) == texts{"6 unpaired"});
    const auto orphan = boost::json::parse(answer(log, {.lines = 6}).text).at(5);
    CHECK(orphan.at("model") == "m");
    CHECK(orphan.at("age_ms") == 2'000'000);
    CHECK(orphan.at("response_record").is_null());
}

TEST_CASE("a request_id that is used again goes to the nearest request before its response") {
    test_log log;
    log.append({record("request", 50, "1"), record("request", 49, "1"), record("response", 48, "1"),
                record("request", 47, "\"1\""), record("response", 46, "1"), record("response", 45, "1"),
                record("response", 44, "1")});
    const auto parsed = boost::json::parse(answer(log).text).as_array();
    std::map<std::uint64_t, std::uint64_t> pairs;
    for (const auto& row : parsed)
        if (!row.at("request_record").is_null() && !row.at("response_record").is_null())
            pairs[row.at("request_record").to_number<std::uint64_t>() - first] =
                row.at("response_record").to_number<std::uint64_t>() - first;
    // As brackets would: ( ( ) ( ) ) ) and the last one is alone.
    CHECK(pairs == std::map<std::uint64_t, std::uint64_t>{{1, 2}, {3, 4}, {0, 5}});
    CHECK(rows(log).front() == "6 no_request");
}

TEST_CASE("limits are those of the row, pages follow each other in both directions") {
    test_log log;
    std::mt19937 random(5);
    std::vector<int> open;
    for (int n = 0; n < 400; ++n) {
        const auto id = std::to_string(random() % 60);
        log.append({record(random() % 2 == 0 ? "request" : "response", 400 - n, id)});
        if (n % 90 == 89) log.seal(7);
    }
    const auto all = rows(log, {.lines = 1000});
    REQUIRE(all.size() > 150);
    texts paged;
    requests_request request{.lines = 17};
    for (int pages = 0; pages < 100; ++pages) {
        const auto page = answer(log, request);
        const auto shown = rows(page);
        paged.insert(paged.end(), shown.begin(), shown.end());
        if (page.extent.scanned_to == 0) break;
        CHECK(page.extent.last == page.extent.scanned_to);
        request.before = page.extent.scanned_to;
    }
    CHECK(paged == all);

    texts upward;
    request = {.lines = 17, .after = 0};
    for (int pages = 0; pages < 100; ++pages) {
        const auto page = answer(log, request);
        const auto shown = rows(page);
        upward.insert(upward.begin(), shown.begin(), shown.end());
        if (shown.size() < request.lines) break;
        CHECK(page.extent.first == page.extent.scanned_to);
        request.after = page.extent.scanned_to;
    }
    CHECK(upward == all);
}

TEST_CASE("random logs: the pairs are those of a plain walk from the beginning") {
    std::mt19937 random(17);
    for (int round = 0; round < 60; ++round) {
        test_log log;
        struct made {
            std::uint64_t request = 0;
            std::uint64_t response = 0;
        };
        std::map<std::string, std::vector<std::uint64_t>> open;
        std::map<std::uint64_t, made, std::greater<>> wanted;  // by the row's id
        const auto count = static_cast<int>(random() % 300);
        for (int n = 0; n < count; ++n) {
            const auto id = std::to_string(random() % 12);
            const auto place = log.snapshot().next_id;
            const bool is_request = random() % 2 == 0;
            const std::string padding(random() % 30 == 0 ? 20'000 : 10, 'x');
            log.append(
                {record(is_request ? "request" : "response", count - n, id, R"(,"pad":")" + padding + "\"")});
            if (is_request) {
                open[id].push_back(place);
                wanted[place] = {.request = place, .response = 0};
            } else if (!open[id].empty()) {
                wanted[open[id].back()].response = place;
                open[id].pop_back();
            } else {
                wanted[place] = {.request = 0, .response = place};
            }
            if (random() % 50 == 0) log.seal(random() % 3);
        }
        const auto limit = first + random() % 400;
        const std::size_t lines = 1 + random() % 60;
        requests_request request{.lines = lines};
        if (random() % 2 == 0) request.before = limit;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> expected;
        for (const auto& [id, row] : wanted)
            if ((!request.before || id < limit) && expected.size() < lines)
                expected.emplace_back(row.request, row.response);
        std::vector<std::pair<std::uint64_t, std::uint64_t>> got;
        const auto parsed = boost::json::parse(answer(log, request).text);
        const auto number = [](const boost::json::value& id) {
            return id.is_null() ? 0 : id.to_number<std::uint64_t>();
        };
        for (const auto& row : parsed.as_array())
            got.emplace_back(number(row.at("request_record")), number(row.at("response_record")));
        CAPTURE(round, lines);
        CHECK(got == expected);
    }
}
