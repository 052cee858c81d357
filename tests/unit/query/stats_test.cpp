// SPDX-License-Identifier: MIT
#include "daemon/query/stats.hpp"

#include "daemon/query/log_changed.hpp"

#include "daemon/summary/stopped.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

using livelogd::base::time_zone;
using livelogd::query::stats_answer;
using livelogd::query::test::test_log;
using livelogd::test::filter_of_types;

namespace {

/// Half an hour after the records of these tests, which tell no offset and are read as UTC.
constexpr std::int64_t now = 1'750'935'720'000'000;  // 2025-06-26T11:02:00Z

/// The answer without what stats_llm_test.cpp looks at.
std::string stats(const test_log& log, const std::vector<std::string>& types = {},
                  std::size_t response_times = 1000, double hours = 24) {
    const auto whole = stats_answer(
        log.snapshot(),
        {.filter = filter_of_types(types), .hours = hours, .response_times = response_times, .now_us = now},
        time_zone::named("UTC"), {});
    return whole.substr(0, whole.find(",\"llm_stats\":")) + "}\n";
}

/// The record `{"timestamp":…,<members>}`.
std::string record(const std::string& members) {
    return R"({"timestamp":"2025-06-26T10:30:45.123456",)" + members + "}";
}

std::string api_part(const test_log& log) {
    return boost::json::serialize(boost::json::parse(stats(log)).at("api_stats"));
}

std::string error_part(const test_log& log) {
    return boost::json::serialize(boost::json::parse(stats(log)).at("error_summary"));
}

/// The records that the documentation shows.
const std::vector<std::string> documented = {
    R"({"timestamp":"2025-06-26T10:30:45.123456","level":"INFO","message":"Incoming request","module":"logger","type":"request","request_id":"req_1719396645123456","method":"GET","url":"http://localhost:5000/api/v1/models","endpoint":"list_models","remote_addr":"127.0.0.1","user_agent":"curl/7.68.0","content_type":null,"content_length":null,"args":{}})",
    R"({"timestamp":"2025-06-26T10:30:45.234567","level":"INFO","message":"Outgoing response","module":"logger","type":"response","request_id":"req_1719396645123456","method":"GET","url":"http://localhost:5000/api/v1/models","endpoint":"list_models","status_code":200,"content_type":"application/json","content_length":1234,"duration_ms":45.67})",
    R"({"timestamp":"2025-06-26T10:30:45.323456","level":"INFO","message":"Incoming request","module":"logger","type":"request","request_id":"req_1719396645323456","method":"POST","url":"http://localhost:5000/api/v1/generate","endpoint":"generate_response","remote_addr":"127.0.0.1","user_agent":"curl/7.68.0","content_type":"application/json","content_length":150,"args":{},"request_body":{"question":"Hello, how are you?","model_name":"llama-3.2-3b"}})",
    R"({"timestamp":"2025-06-26T10:30:47.234567","level":"INFO","message":"Outgoing response","module":"logger","type":"response","request_id":"req_1719396645323456","method":"POST","url":"http://localhost:5000/api/v1/generate","endpoint":"generate_response","status_code":200,"content_type":"application/json","content_length":450,"duration_ms":2111.34,"response_body":{"success":true,"response":"Hello! I'm doing well, thank you for asking...","model_name":"llama-3.2-3b","generation_time":2.05}})",
    R"({"timestamp":"2025-06-26T10:31:15.987654","level":"ERROR","message":"Model not found","module":"logger","type":"response","request_id":"req_1719396675987654","method":"GET","url":"http://localhost:5000/api/v1/models/nonexistent.gguf","endpoint":"delete_model","status_code":404,"content_type":"application/json","content_length":45,"duration_ms":12.34,"response_body":{"error":"Model not found"}})",
    R"({"timestamp":"2025-06-26T10:32:00.111222","level":"INFO","message":"Model uploaded successfully: new-model.gguf","module":"logger","type":"custom_event","event_type":"model_upload","filename":"new-model.gguf","file_size":4294967296,"model_info":{"name":"new-model.gguf","size":"4.0 GB","created":"2025-06-26T10:32:00"}})",
};

const std::string empty_api =
    R"("api_stats":{"total_requests":0,"endpoints":{},"methods":{},"status_codes":{},"avg_response_time":0,)"
    R"("response_times":[],"response_time_percentiles":{"p50":null,"p90":null,"p95":null,"p99":null,"max":null}})";
const std::string empty_errors =
    R"("error_summary":{"total_errors":0,"error_types":{},"endpoints_with_errors":{},"status_codes":{}})";

}  // namespace

TEST_CASE("statistics of an empty log have every key") {
    CHECK(stats(test_log())
          == "{" + empty_api + "," + empty_errors + R"(,"timeframe_hours":24,"total_logs":0})" + "\n");
}

TEST_CASE("statistics of the documented records") {
    test_log log;
    log.append(documented);
    // Mean: (45.67 + 2111.34 + 12.34) / 3 = 723.11…6. The median is the middle of the bucket of 45.67, the
    // higher ones that of 2111.34, 0.3 % beside it.
    const std::string wanted =
        R"({"api_stats":{"total_requests":2,"endpoints":{"generate_response":1,"list_models":1},)"
        R"("methods":{"GET":1,"POST":1},"status_codes":{"200":2,"404":1},"avg_response_time":723.12,)"
        R"("response_times":[45.67,2111.34,12.34],)"
        R"("response_time_percentiles":{"p50":45.696,"p90":2105.344,"p95":2105.344,"p99":2105.344,"max":2111.34}},)"
        R"("error_summary":{"total_errors":1,"error_types":{"HTTP 404":1},)"
        R"("endpoints_with_errors":{"delete_model":1},"status_codes":{"404":1}},)"
        R"("timeframe_hours":24,"total_logs":6})"
        "\n";
    CHECK(stats(log) == wanted);

    // The same over several segments.
    test_log spread;
    for (const std::string& line : documented)
        spread.append({line}).seal(3);
    CHECK(stats(spread) == wanted);
}

TEST_CASE("a filter comes before the counting") {
    test_log log;
    log.append(documented);
    CHECK(stats(log, {"errors"})
          == R"({"api_stats":{"total_requests":0,"endpoints":{},"methods":{},"status_codes":{"404":1},)"
             R"("avg_response_time":12.34,"response_times":[12.34],)"
             R"("response_time_percentiles":{"p50":12.34,"p90":12.34,"p95":12.34,"p99":12.34,"max":12.34}},)"
             R"("error_summary":{"total_errors":1,"error_types":{"HTTP 404":1},)"
             R"("endpoints_with_errors":{"delete_model":1},"status_codes":{"404":1}},)"
             R"("timeframe_hours":24,"total_logs":1})"
             "\n");
    CHECK(stats(log, {"custom_event"})
          == "{" + empty_api + "," + empty_errors + R"(,"timeframe_hours":24,"total_logs":1})" + "\n");
}

TEST_CASE("the time frame is printed as it was given") {
    const test_log log;
    for (const auto& [hours, text] :
         std::vector<std::pair<double, std::string>>{{24, "24"},
                                                     {6, "6"},
                                                     {0.5, "0.5"},
                                                     {0.1, "0.1"},
                                                     {87600, "87600"},
                                                     {1.0 / 3, "0.3333333333333333"}})
        CHECK(stats(log, {}, 0, hours).find(R"("timeframe_hours":)" + text + ",") != std::string::npos);
}

TEST_CASE("an error's type is the first that is told") {
    const auto type_of = [](const std::string& members) {
        test_log log;
        log.append({record(R"("level":"ERROR",)" + members)});
        return boost::json::serialize(boost::json::parse(stats(log)).at("error_summary").at("error_types"));
    };
    CHECK(type_of(R"("error_type":"A","exception.type":"B","status_code":500)") == R"({"A":1})");
    CHECK(type_of(R"("error_type":"","exception.type":"B","error.type":"C")") == R"({"B":1})");
    CHECK(type_of(R"("error_type":7,"exception":{"type":"B"})") == R"({"B":1})");
    CHECK(type_of(R"("error_type":null,"error":{"type":"C"},"response_body":{"error_type":"D"})")
          == R"({"C":1})");
    CHECK(type_of(R"("error.type":"C","status_code":404)") == R"({"C":1})");
    CHECK(type_of(R"("response_body":{"error_type":"D"},"status_code":404)") == R"({"D":1})");
    CHECK(type_of(R"("status_code":404)") == R"({"HTTP 404":1})");
    CHECK(type_of(R"("status_code":4.04e2)") == R"({"HTTP 4.04e2":1})");
    CHECK(type_of(R"("status_code":"404")") == R"({"unknown":1})");
    CHECK(type_of(R"("error_type":"\u0041\"\n")") == R"({"A\"\n":1})");
    CHECK(type_of(R"("x":1)") == R"({"unknown":1})");
}

TEST_CASE("error records are told by level or status, whatever their type") {
    test_log log;
    log.append({record(R"("level":"CRITICAL","endpoint":"a")"), record(R"("level":40,"endpoint":"a")"),
                record(R"("status_code":400,"endpoint":"b")"),
                record(R"("type":"response","status_code":399.9)"),
                record(R"("level":"WARNING","endpoint":"c")"), record(R"("level":"ERROR","endpoint":null)")});
    CHECK(error_part(log)
          == R"({"total_errors":4,"error_types":{"unknown":3,"HTTP 400":1},)"
             R"("endpoints_with_errors":{"a":2,"b":1},"status_codes":{"400":1}})");
}

TEST_CASE("odd values are counted as what they are") {
    test_log log;
    log.append({
        record(R"("type":"request","endpoint":7,"method":true)"),
        record(R"("type":"request","endpoint":null,"method":["GET"])"),
        record(R"("type":"request","endpoint":"","method":"get")"),
        record(R"("type":"r\u0065quest","endpoint":"caf\u00e9","method":"GET")"),
        record(R"("type":"request","endpoint":"café","method":"GET")"),
        record(R"("type":"Request","endpoint":"no","method":"NO")"),
        record(R"("type":["request"],"endpoint":"no")"),
        record(R"("type":"event","type":"request","endpoint":"last of its key")"),
        record(R"("endpoint":"no","duration_ms":5,"status_code":200)"),
        record(R"("type":"response","status_code":"200","duration_ms":"5")"),
        record(R"("type":"response","status_code":200,"duration_ms":-5)"),
        record(R"("type":"response","status_code":2e2,"duration_ms":1e400)"),
        record(R"("type":"response","status_code":null,"duration_ms":-0)"),
        record(R"("type":"response","duration_ms":1e1)"),
        record(R"("type":"response","duration_ms":0.10)"),
        record(R"("type":"response","duration_ms":null)"),
    });
    // Mean: (0 + 10 + 0.1) / 3 = 3.366…
    CHECK(stats(log)
          == R"({"api_stats":{"total_requests":6,)"
             R"("endpoints":{"café":2,"":1,"7":1,"last of its key":1},"methods":{"GET":2,"get":1,"true":1},)"
             R"("status_codes":{"200":2,"2e2":1},"avg_response_time":3.37,"response_times":[-0,1e1,0.10],)"
             R"("response_time_percentiles":{"p50":0.1,"p90":10,"p95":10,"p99":10,"max":10}},)"
                 + empty_errors + R"(,"timeframe_hours":24,"total_logs":16})" + "\n");
}

TEST_CASE("response times are the newest that count, oldest first") {
    test_log log;
    for (int i = 1; i <= 9; ++i) {
        log.append({record(R"("type":"response","duration_ms":)" + std::to_string(i)),
                    record(R"("type":"response","duration_ms":"none")")});
        if (i % 4 == 0) log.seal();
    }
    const auto times = [&](std::size_t most) {
        return boost::json::serialize(
            boost::json::parse(stats(log, {}, most)).at("api_stats").at("response_times"));
    };
    CHECK(times(1000) == "[1,2,3,4,5,6,7,8,9]");
    CHECK(times(9) == "[1,2,3,4,5,6,7,8,9]");
    CHECK(times(8) == "[2,3,4,5,6,7,8,9]");
    CHECK(times(3) == "[7,8,9]");
    CHECK(times(1) == "[9]");
    CHECK(times(0) == "[]");
}

TEST_CASE("durations of any size add up") {
    test_log log;
    log.append({record(R"("type":"response","duration_ms":1e300)"),
                record(R"("type":"response","duration_ms":9.2e15)"),
                record(R"("type":"response","duration_ms":1e-300)")});
    // Each of the two large ones counts as 9.2e18 microseconds: 2 * 9.2e15 / 3 ms.
    CHECK(api_part(log).find(R"("status_codes":{})") != std::string::npos);
    CHECK(stats(log).find(R"("avg_response_time":6133333333333333.33,"response_times":[1e300,9.2e15,1e-300])")
          != std::string::npos);
    CHECK(stats(log).find(R"("max":9200000000000000})") != std::string::npos);
}

TEST_CASE("lines that are no records are not counted") {
    test_log log;
    log.append({"", "broken", record(R"("type":"request")"), R"({"type":"request")", "[]", "7",
                R"({"type":"request","bad":")"
                "\x80"
                R"("})"});
    CHECK(api_part(log).starts_with(R"({"total_requests":1,)"));
    CHECK(stats(log).ends_with("\"total_logs\":1}\n"));
}

TEST_CASE("a map shows 1,000 names and the rest as one") {
    test_log log;
    std::vector<std::string> lines;
    const auto add = [&](const std::string& endpoint, int times) {
        for (int i = 0; i < times; ++i)
            lines.push_back(record(R"("type":"request","endpoint":")" + endpoint + "\""));
    };
    for (int i = 0; i < 1000; ++i)
        add("e" + std::to_string(i), 2);
    log.append(std::exchange(lines, {}));
    const auto endpoints = [&] {
        return boost::json::parse(stats(log)).at("api_stats").at("endpoints").as_object();
    };
    CHECK(endpoints().size() == 1000);
    CHECK_FALSE(endpoints().contains("(other)"));

    add("one more", 1);
    add("and another", 1);
    add("the most", 3);
    log.append(std::exchange(lines, {}));
    auto shown = endpoints();
    REQUIRE(shown.size() == 1001);
    CHECK(shown.begin()->key() == "the most");
    CHECK((shown.end() - 1)->key() == "(other)");
    // e0 … e999 in the order of their bytes: e999 is the last and has to go.
    CHECK(shown.at("(other)") == 4);
    CHECK_FALSE(shown.contains("e999"));
    CHECK(shown.at("e998") == 2);
    std::int64_t sum = 0;
    for (const auto& entry : shown)
        sum += entry.value().as_int64();
    CHECK(sum == boost::json::parse(stats(log)).at("api_stats").at("total_requests").as_int64());

    add("(other)", 9);
    log.append(std::exchange(lines, {}));
    shown = endpoints();
    CHECK(shown.size() == 1000);
    CHECK((shown.end() - 1)->key() == "(other)");
    CHECK(shown.at("(other)") == 4 + 9 + 2);  // the rest, the real one, and the e… that it pushed out
}

TEST_CASE("segments that retention has removed are not counted") {
    test_log log;
    log.append({record(R"("type":"request")")}).seal();
    log.append({record(R"("type":"request")"), record(R"("type":"request")")}).seal();
    log.append({record(R"("type":"request")")});
    CHECK(api_part(log).starts_with(R"({"total_requests":4,)"));
    std::filesystem::remove(log.file(1));
    CHECK(api_part(log).starts_with(R"({"total_requests":2,)"));
}

TEST_CASE("strict statistics are refused where a file holds less than it did, others count what is left") {
    test_log log;
    log.append({record(R"("type":"request")"), record(R"("type":"request")")});
    std::filesystem::resize_file(log.file(0), std::filesystem::file_size(log.file(0)) / 2 + 5);
    CHECK(api_part(log).starts_with(R"({"total_requests":1,)"));
    CHECK_THROWS_AS(stats_answer(log.snapshot(), {.filter = {}, .now_us = now, .strict = true},
                                 time_zone::named("UTC"), {}),
                    livelogd::query::log_changed);
}

TEST_CASE("statistics stop when nobody waits any more") {
    test_log log;
    log.append(documented);
    std::stop_source stop;
    stop.request_stop();
    CHECK_THROWS_AS(stats_answer(log.snapshot(), {.filter = {}, .now_us = now}, time_zone::named("UTC"),
                                 stop.get_token()),
                    livelogd::summary::stopped);
}
