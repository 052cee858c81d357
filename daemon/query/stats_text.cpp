// SPDX-License-Identifier: MIT
#include "daemon/query/stats_text.hpp"

#include "daemon/query/json_text.hpp"
#include "daemon/query/llm_text.hpp"

#include <algorithm>
#include <string_view>

namespace livelogd::query {

using summary::duration_histogram;
using summary::open_request;
using summary::overview;

namespace {

void append_response_times(std::string& out, const std::vector<std::string>& times) {
    out += '[';
    for (std::size_t i = 0; i < times.size(); ++i) {
        if (i > 0) out += ',';
        out += times[i];
    }
    out += ']';
}

void append_levels(std::string& out, const overview& one) {
    out += '{';
    for (std::size_t i = 0; i < one.levels.size(); ++i) {
        if (one.levels[i] == 0) continue;
        append_key(out, protocol::level_name(static_cast<protocol::level>(i)));
        out += std::to_string(one.levels[i]);
    }
    out += '}';
}

void append_percentile(std::string& out, const duration_histogram& durations, unsigned percent) {
    out += durations.count() == 0 ? "null" : milliseconds_text(durations.percentile(percent));
}

void append_part(std::string& out, const overview& one) {
    append_key(out, "total");
    out += std::to_string(one.records());
    append_key(out, "levels");
    append_levels(out, one);
    append_key(out, "requests");
    out += std::to_string(one.requests);
    append_key(out, "errors");
    out += std::to_string(one.errors);
    append_key(out, "p50");
    append_percentile(out, one.durations, 50);
    append_key(out, "p95");
    append_percentile(out, one.durations, 95);
    append_key(out, "models");
    out += '{';
    for (const auto& [name, sums] : one.models) {
        if (out.back() != '{') out += ',';
        append_string(out, name);
        out += ":{";
        append_sums(out, sums);
        out += '}';
    }
    out += '}';
}

/// Most requests that each list of the answer shows.
constexpr std::size_t most_listed = 1000;

void append_request(std::string& out, const open_request& one, std::int64_t now_us) {
    out.append("{\"id\":").append(std::to_string(one.id));
    append_key(out, "request_id");
    out += one.request_id;
    append_key(out, "endpoint");
    out += one.endpoint.empty() ? "null" : one.endpoint;
    append_key(out, "model");
    if (one.model.empty()) {
        out += "null";
    } else {
        append_string(out, one.model);
    }
    append_key(out, "age_ms");
    const auto age = summary::age_us(one.time, now_us);
    out += age ? milliseconds_text(*age) : "null";
    out += '}';
}

/// `beyond`: how many more there are than are known.
void append_list(std::string& out, std::string_view name, const std::vector<const open_request*>& all,
                 std::uint64_t beyond, std::int64_t now_us) {
    append_key(out, name);
    out += '[';
    for (std::size_t i = 0; i < std::min(all.size(), most_listed); ++i) {
        if (i > 0) out += ',';
        append_request(out, *all[i], now_us);
    }
    out += ']';
    append_key(out, std::string(name) + "_count");
    out += std::to_string(all.size() + beyond);
}

}  // namespace

void append_counts(std::string& out, const summary::name_counts& counts) {
    char separator = '{';
    for (const auto& [name, count] : counts.top(most_names)) {
        out += separator;
        append_string(out, name);
        out += ':';
        out += std::to_string(count);
        separator = ',';
    }
    out += separator == '{' ? "{}" : "}";
}

void append_api_stats(std::string& out, const summary::record_sums& sums,
                      const std::vector<std::string>& response_times) {
    const overview& all = sums.all();
    out += R"({"total_requests":)";
    out += std::to_string(all.requests);
    out += R"(,"endpoints":)";
    append_counts(out, sums.names().request_endpoints);
    out += R"(,"methods":)";
    append_counts(out, sums.names().request_methods);
    out += R"(,"status_codes":)";
    append_counts(out, sums.names().response_status_codes);
    out += R"(,"avg_response_time":)";
    out += mean_text(sums.duration_sum_us(), all.durations.count());
    out += R"(,"response_times":)";
    append_response_times(out, response_times);
    out += R"(,"response_time_percentiles":)";
    append_percentiles(out, all.durations);
    out += '}';
}

void append_error_summary(std::string& out, const summary::record_sums& sums) {
    out += R"({"total_errors":)";
    out += std::to_string(sums.all().errors);
    out += R"(,"error_types":)";
    append_counts(out, sums.names().error_types);
    out += R"(,"endpoints_with_errors":)";
    append_counts(out, sums.names().error_endpoints);
    out += R"(,"status_codes":)";
    append_counts(out, sums.names().error_status_codes);
    out += '}';
}

void append_open_requests(std::string& out, const summary::record_sums& sums, std::int64_t now_us,
                          std::int64_t orphan_after_us) {
    std::vector<const open_request*> in_flight;
    std::vector<const open_request*> orphaned;
    for (const open_request* one : sums.open().in_order()) {
        if (!one->counts) continue;
        const auto age = summary::age_us(one->time, now_us);
        const bool young = !age || *age < static_cast<std::uint64_t>(orphan_after_us);
        (young ? in_flight : orphaned).push_back(one);
    }
    std::ranges::reverse(in_flight);
    std::ranges::reverse(orphaned);
    append_list(out, "in_flight", in_flight, 0, now_us);
    append_list(out, "orphaned", orphaned, sums.given_up(), now_us);
}

void append_timeline(std::string& out, const timeline& all, const base::time_zone& zone) {
    out += '[';
    for (std::size_t i = 0; i < all.parts().size(); ++i) {
        if (i > 0) out += ',';
        out.append("{\"start\":\"").append(zone.format(all.start_of(i))).append("\"");
        append_part(out, all.parts()[i]);
        out += '}';
    }
    out += ']';
}

}  // namespace livelogd::query
