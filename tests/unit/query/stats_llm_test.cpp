// SPDX-License-Identifier: MIT
// What stats tells of models, of requests that wait, of parts of the window, and of values.
#include "daemon/query/stats.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

using namespace livelogd::query;
using livelogd::query::test::test_log;
using livelogd::query::test::utc;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t now = 1'750'939'200 * second;  // 2025-06-26T12:00:00Z

std::string record(const std::string& type, int seconds, const std::string& members) {
    return R"({"timestamp":")" + utc.format(now - seconds * second) + R"(","type":")" + type + "\"," + members
           + "}";
}

boost::json::value stats(const test_log& log, stats_request request = {}) {
    request.now_us = now;
    request.orphan_after_us = 600 * second;
    return boost::json::parse(stats_answer(log.snapshot(), request, utc, {}));
}

std::string ollama(int prompt, int prompt_ms, int answer, int answer_ms) {
    return R"("prompt_eval_count":)" + std::to_string(prompt) + R"(,"prompt_eval_duration":)"
           + std::to_string(prompt_ms) + R"(000000,"eval_count":)" + std::to_string(answer)
           + R"(,"eval_duration":)" + std::to_string(answer_ms) + "000000";
}

}  // namespace

TEST_CASE("speeds are weighted by tokens, and one token says nothing about decoding") {
    test_log log;
    log.append({
        record("response", 30, R"("response_body":{"model":"m",)" + ollama(100, 1000, 10, 1000) + "}"),
        record("response", 20, R"("response_body":{"model":"m",)" + ollama(900, 1000, 90, 1000) + "}"),
        record("response", 10, R"("response_body":{"model":"m",)" + ollama(500, 1000, 1, 1) + "}"),
    });
    const auto model = stats(log).at("llm_stats").at("m");
    CHECK(model.at("requests") == 3);
    CHECK(model.at("input_tokens") == 1500);
    CHECK(model.at("output_tokens") == 101);
    CHECK(model.at("prefill_tokens_per_second") == 500);  // 1500 tokens in 3 s
    CHECK(model.at("decode_tokens_per_second") == 50);    // 100 tokens in 2 s
    CHECK(model.at("cached_tokens").is_null());
    CHECK(model.at("reasoning_tokens").is_null());
    CHECK(model.at("queue_ms").at("p50").is_null());
    CHECK(model.at("decode_ms").at("max") == 1000);
    CHECK(model.at("cold_starts") == 0);
}

TEST_CASE("a response without a model has that of its request; without any it is unknown") {
    test_log log;
    log.append({
        record("request", 50, R"("request_id":"a","request_body":{"model":"asked"})"),
        record("response", 49,
               R"("request_id":"a","status_code":500,"duration_ms":12,"response_body":{"error":"no"})"),
        record("response", 48, R"("request_id":"b","usage":{"prompt_tokens":3,"completion_tokens":4})"),
        record("response", 47, R"("request_id":"c","status_code":200)"),  // nothing about a model
        record("event", 46, R"("model":"named only")"),                   // no measure, no response
        record("event", 45, R"("model":"told by an event","usage":{"completion_tokens":4})"),
        record("request", 44, R"("request_body":{"model":"waits"},"usage":{"prompt_tokens":5})"),
    });
    const auto models = stats(log).at("llm_stats").as_object();
    CHECK(models.size() == 3);
    CHECK(models.at("asked").at("requests") == 1);
    CHECK(models.at("asked").at("errors") == 1);
    CHECK(models.at("asked").at("input_tokens").is_null());
    CHECK(models.at("asked").at("duration_ms").at("max") == 12);
    CHECK(models.at("(unknown)").at("input_tokens") == 3);
    CHECK(models.at("told by an event").at("output_tokens") == 4);
    CHECK(models.at("told by an event").at("duration_ms").at("max").is_null());
}

TEST_CASE("requests without a later response are in flight or orphaned") {
    test_log log;
    log.append({
        record("request", 5000, R"("request_id":"old","endpoint":"chat","request_body":{"model":"m"})"),
        record("request", 100, R"("request_id":7)"),
        record("request", 90, R"("request_id":"done")"),
        record("response", 80, R"("request_id":"done")"),
        record("request", 70, R"("no_id":true)"),
        record("request", 60, R"("request_id":"done")"),
    });
    const auto told = stats(log);
    CHECK(told.at("in_flight")
          == boost::json::parse(
              R"([{"id":1005,"request_id":"done","endpoint":null,"model":null,"age_ms":60000},)"
              R"({"id":1001,"request_id":7,"endpoint":null,"model":null,"age_ms":100000}])"));
    CHECK(told.at("in_flight_count") == 2);
    CHECK(told.at("orphaned")
          == boost::json::parse(
              R"([{"id":1000,"request_id":"old","endpoint":"chat","model":"m","age_ms":5000000}])"));
    CHECK(told.at("orphaned_count") == 1);
    // A request outside the window is not told, but takes its response all the same.
    const auto narrow = stats(log, {.hours = 0.0236});  // 85 s
    CHECK(narrow.at("in_flight_count") == 1);
    CHECK(narrow.at("orphaned_count") == 0);
}

TEST_CASE("a timeline has parts of the same length, the last one with all that is later") {
    test_log log;
    log.append({
        record("request", 3600, R"("level":"DEBUG")"),
        record("response", 3599,
               R"("duration_ms":10,"response_body":{"model":"m","usage":{"prompt_tokens":5}})"),
        record("event", 1801, R"("level":"ERROR")"),
        record("event", 1800, R"("level":"WARNING")"),
        record("response", 0, R"("status_code":404,"duration_ms":30)"),
        record("event", -500, R"("level":"INFO")"),
        record("event", 3601, R"("level":"INFO")"),
    });
    const auto timeline = stats(log, {.hours = 1, .buckets = 2}).at("timeline");
    CHECK(
        timeline
        == boost::json::parse(
            R"([{"start":"2025-06-26T11:00:00.000000+00:00","total":3,"levels":{"DEBUG":1,"INFO":1,"ERROR":1},)"
            R"("requests":1,"errors":1,"p50":10,"p95":10,"models":{"m":{"requests":1,"input_tokens":5,)"
            R"("output_tokens":null,"prefill_tokens_per_second":null,"decode_tokens_per_second":null}}},)"
            R"({"start":"2025-06-26T11:30:00.000000+00:00","total":3,"levels":{"INFO":2,"WARNING":1},)"
            R"("requests":0,"errors":1,"p50":30,"p95":30,"models":{}}])"));
    CHECK(stats(log, {.hours = 1, .buckets = 7}).at("timeline").as_array().size() == 7);
    CHECK_FALSE(stats(log).as_object().contains("timeline"));
}

TEST_CASE("parts begin where their first record can be") {
    // 3600 s in 7 parts: a record at the start of a part is in it, one a microsecond before is not.
    test_log empty;
    const auto parts = stats(empty, {.hours = 1, .buckets = 7}).at("timeline").as_array();
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const std::string start(parts[i].at("start").as_string());
        test_log log;
        log.append({R"({"timestamp":")" + start + R"("})"});
        CAPTURE(i, start);
        CHECK(stats(log, {.hours = 1, .buckets = 7}).at("timeline").at(i).at("total") == 1);
    }
}

TEST_CASE("facets count values as the filter sees them") {
    test_log log;
    log.append({record("event", 1, R"("level":"warn","n":{"x":1.50},"s":null)"),
                record("event", 1, R"("level":"WARNING","n.x":true,"s":"\u0061")"),
                record("request", 1, R"("s":"a","n":{"x":[1]})")});
    const auto facets = stats(log, {.facets = {"level", "type", "n.x", "s", "none"}}).at("facets");
    CHECK(facets
          == boost::json::parse(R"({"level":{"WARNING":2},"type":{"event":2,"request":1},)"
                                R"("n.x":{"1.50":1,"true":1},"s":{"a":2},"none":{}})"));
}
