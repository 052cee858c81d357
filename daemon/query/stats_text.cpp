// SPDX-License-Identifier: MIT
#include "daemon/query/stats_text.hpp"

#include "daemon/query/json_text.hpp"

namespace livelogd::query {
namespace {

void append_response_times(std::string& out, const newest_texts& times) {
    out += '[';
    for (std::size_t i = 0; i < times.size(); ++i) {
        if (i > 0) out += ',';
        out += times[i];
    }
    out += ']';
}

}  // namespace

void append_counts(std::string& out, const name_counts& counts) {
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

void append_api_stats(std::string& out, const stats_accumulator& records) {
    const stats_totals& totals = records.totals();
    out += R"({"total_requests":)";
    out += std::to_string(totals.requests);
    out += R"(,"endpoints":)";
    append_counts(out, totals.request_endpoints);
    out += R"(,"methods":)";
    append_counts(out, totals.request_methods);
    out += R"(,"status_codes":)";
    append_counts(out, totals.response_status_codes);
    out += R"(,"avg_response_time":)";
    out += mean_text(totals.duration_sum_us, totals.durations.count());
    out += R"(,"response_times":)";
    append_response_times(out, records.response_times());
    out += R"(,"response_time_percentiles":)";
    append_percentiles(out, totals.durations);
    out += '}';
}

void append_error_summary(std::string& out, const stats_totals& totals) {
    out += R"({"total_errors":)";
    out += std::to_string(totals.errors);
    out += R"(,"error_types":)";
    append_counts(out, totals.error_types);
    out += R"(,"endpoints_with_errors":)";
    append_counts(out, totals.error_endpoints);
    out += R"(,"status_codes":)";
    append_counts(out, totals.error_status_codes);
    out += '}';
}

}  // namespace livelogd::query
