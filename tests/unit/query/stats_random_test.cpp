// SPDX-License-Identifier: MIT
// Statistics of random logs, compared with a second implementation.
#include "daemon/query/stats.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/query/naive_stats.hpp"
#include "tests/unit/query/test_log.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

using livelogd::base::time_zone;
using namespace livelogd::query::test;

namespace {

constexpr std::int64_t noon_s = 1'750'939'200;  // 2025-06-26T12:00:00Z; Berlin is two hours ahead

class log_maker {
  public:
    explicit log_maker(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string line() {
        if (below(20) == 0) return pick({"", "broken", "{\"type\":\"request\"", "[1,2]", "null"});
        std::string text = "{";
        const auto add = [&](const std::string& key, const std::string& value) {
            if (value.empty()) return;
            if (text.size() > 1) text += ',';
            text += "\"" + key + "\":" + value;
        };
        add("timestamp", timestamp());
        add("level", pick({"", "null", R"("INFO")", R"("INFO")", R"("DEBUG")", R"("WARNING")", R"("ERROR")",
                           R"("CRITICAL")"}));
        add("type", pick({"", "1", R"("request")", R"("request")", R"("response")", R"("response")",
                          R"("response")", R"("event")", R"("error")"}));
        add("endpoint", endpoint());
        add("method", pick({"", "null", R"("GET")", R"("GET")", R"("POST")", R"("DELETE")", "true", "{}"}));
        add("status_code",
            pick({"", "null", "200", "200", "200", "404", "500", "399", R"("404")", "4e2", "false"}));
        add("duration_ms", duration());
        if (below(3) == 0) {
            add("error_type", pick({"", "", R"("")", "null", R"("ValueError")", R"("KeyError")"}));
            add("exception.type", pick({"", "", "", "5", R"("OSError")"}));
            add("exception", pick({"", R"({"type":"TypeError"})", R"({"type":7})", R"({})", R"("text")"}));
            add("error.type", pick({"", "", R"("")", R"("timeout")"}));
            add("error", pick({"", R"("Model not found")", R"({"type":"overloaded"})", R"([])"}));
            add("response_body",
                pick({"", R"({"error_type":"FileNotFoundError"})", R"({"error":"x"})", R"("x")"}));
        }
        return text + "}";
    }

  private:
    std::string pick(std::initializer_list<const char*> values) {
        return *(values.begin() + static_cast<std::ptrdiff_t>(below(values.size())));
    }

    std::string timestamp() {
        switch (below(12)) {
            case 0:
                return pick({"", "null", "1750939200", R"("yesterday")", R"("2025-06-26")", "{}"});
            case 1:
                return zoned(noon_s, "Z");
            case 2:
                return zoned(noon_s + 19'800, "+05:30");
            case 3:
                return zoned(noon_s - 12'600, "-03:30");
            default:
                return zoned(noon_s + 7200, "");  // as Berlin's clocks show it
        }
    }

    /// Some time in the four hours before noon, UTC.
    std::string zoned(std::int64_t noon_on_the_clock_s, const char* offset) {
        const std::int64_t us =
            noon_on_the_clock_s * 1'000'000 - static_cast<std::int64_t>(below(14'400'000'000));
        const std::time_t seconds = us / 1'000'000;
        std::tm wall{};
        ::gmtime_r(&seconds, &wall);
        char date[32];
        char text[64];
        std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &wall);
        std::snprintf(text, sizeof text, "\"%s.%06d%s\"", date, static_cast<int>(us % 1'000'000), offset);
        return text;
    }

    std::string endpoint() {
        if (below(10) == 0)
            return pick({"", "null", "7", R"("")", "\"(other)\"", R"("caf\u00e9")", R"("a\"b")"});
        // Few that are frequent, many that are rare.
        return "\"endpoint_" + std::to_string(below(below(2) == 0 ? 20 : 100'000)) + "\"";
    }

    std::string duration() {
        if (below(10) == 0) return pick({"", "null", R"("5")", "-1", "0", "-0", "1e3", "0.10", "1.5e-3"});
        char text[64];
        std::snprintf(text, sizeof text, "%.3f",
                      std::exp(static_cast<double>(below(16'000)) / 1000.0) / 10.0);
        return text;
    }

    std::mt19937_64 random_;
};

void check_counts(const boost::json::value& got, const naive_counts& wanted) {
    std::vector<std::pair<std::string, std::uint64_t>> entries;
    for (const auto& entry : got.as_object())
        entries.emplace_back(std::string(entry.key().data(), entry.key().size()),
                             entry.value().to_number<std::uint64_t>());
    auto expected = shown(wanted, 1000);
    if (expected.size() > 1000) {
        // A real name "(other)" is part of the rest.
        const auto real = std::find_if(expected.begin(), expected.end() - 1,
                                       [](const auto& e) { return e.first == "(other)"; });
        if (real != expected.end() - 1) {
            expected.back().second += real->second;
            expected.erase(real);
        }
    }
    CHECK(entries == expected);
}

void check_durations(const boost::json::object& api, const std::string& answer, const naive_stats& wanted,
                     std::size_t response_times) {
    std::string texts;
    const std::size_t count = wanted.duration_texts.size();
    for (std::size_t i = count - std::min(count, response_times); i < count; ++i)
        texts += (texts.empty() ? "" : ",") + wanted.duration_texts[i];
    const bool as_spelled = answer.find(R"("response_times":[)" + texts + "]") != std::string::npos;
    CHECK(as_spelled);

    const boost::json::value& percentiles = api.at("response_time_percentiles");
    if (count == 0) {
        CHECK(api.at("avg_response_time").to_number<double>() == 0);
        CHECK(percentiles.at("p50").is_null());
        CHECK(percentiles.at("max").is_null());
        return;
    }
    double sum = 0;
    for (const double duration : wanted.durations)
        sum += duration;
    // Half a hundredth for the rounding, half a microsecond for that of each duration.
    CHECK(std::abs(api.at("avg_response_time").to_number<double>() - sum / static_cast<double>(count))
          <= 0.0056);
    auto sorted = wanted.durations;
    std::sort(sorted.begin(), sorted.end());
    CHECK(percentiles.at("max").to_number<double>() == Approx(sorted.back()).margin(0.0005));
    for (const auto& [key, percent] : std::vector<std::pair<const char*, std::size_t>>{
             {"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}}) {
        const double exact = sorted[(percent * count + 99) / 100 - 1];
        CAPTURE(key, exact);
        CHECK(std::abs(percentiles.at(key).to_number<double>() - exact) <= exact * 0.01 + 0.0005);
    }
}

}  // namespace

TEST_CASE("statistics of random logs are those of a plain count") {
    const auto zone = time_zone::named("Europe/Berlin");
    bool map_was_full = false;
    for (unsigned seed = 0; seed < 80; ++seed) {
        log_maker make(seed);
        test_log log;
        std::vector<std::vector<std::string>> segments(1);
        // Most logs are small, so that every kind of neighbourhood occurs; some have more names than a map
        // shows.
        const bool large = seed % 20 == 19;
        const std::size_t records = large ? 15'000 : make.below(300);
        for (std::size_t i = 0; i < records; ++i) {
            segments.back().push_back(make.line());
            if (make.below(records / 5 + 1) == 0) {
                log.append(segments.back()).seal(make.below(3));
                segments.emplace_back();
            }
        }
        log.append(segments.back());

        const std::size_t minutes = large ? 240 : 1 + make.below(300);
        const std::vector<std::string> types = {"all",     "all",      "api",  "errors",
                                                "request", "response", "event"};
        const std::string& type = types[large ? 0 : make.below(types.size())];
        const std::size_t response_times = make.below(2) == 0 ? 1000 : make.below(20);
        CAPTURE(seed, records, minutes, type, response_times);

        const std::string answer = livelogd::query::stats_answer(log.snapshot(),
                                                                 {.filter = filter_of_types({type}),
                                                                  .hours = static_cast<double>(minutes) / 60,
                                                                  .response_times = response_times,
                                                                  .now_us = noon_s * 1'000'000},
                                                                 zone, {});
        const auto wanted = count_naively(
            segments, {.begin_us = (noon_s - static_cast<std::int64_t>(minutes) * 60) * 1'000'000,
                       .zone_offset_s = 7200,
                       .type = type});

        const boost::json::value got = boost::json::parse(answer);
        CHECK(got.at("total_logs").to_number<std::uint64_t>() == wanted.total_logs);
        const auto& api = got.at("api_stats").as_object();
        CHECK(api.at("total_requests").to_number<std::uint64_t>() == wanted.total_requests);
        check_counts(api.at("endpoints"), wanted.endpoints);
        check_counts(api.at("methods"), wanted.methods);
        check_counts(api.at("status_codes"), wanted.status_codes);
        check_durations(api, answer, wanted, response_times);
        const auto& errors = got.at("error_summary").as_object();
        CHECK(errors.at("total_errors").to_number<std::uint64_t>() == wanted.total_errors);
        check_counts(errors.at("error_types"), wanted.error_types);
        check_counts(errors.at("endpoints_with_errors"), wanted.error_endpoints);
        check_counts(errors.at("status_codes"), wanted.error_status_codes);
        if (wanted.endpoints.size() > 1000) map_was_full = true;
    }
    CHECK(map_was_full);
}
